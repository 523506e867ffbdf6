use std::sync::Arc;
use std::time::{Duration, Instant};

use gangplank_key::{CryptoRng, Signature, SigningError, SigningKey};
use getrandom::SysRng;
use rand_core::UnwrapErr;

use super::clock::SystemClock;
use super::transport::Transport;
use super::{ClientError, Observer, StateDirectory, StateLock, TransportError};
use crate::{DeviceState, Request, Response, Step, Trouble, machine::Machine};

/// How long to keep trying.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Patience {
    /// Until it is done or refused: for an agent.
    #[default]
    Forever,
    /// No wait goes beyond this time, counted from the call.
    AtMost(Duration),
    /// Not at all: the first reason to wait is the error.
    NoWait,
}

/// What a machine is driven with.
pub(crate) struct Engine {
    pub(crate) key: Arc<dyn SigningKey + Send + Sync>,
    pub(crate) clock: Arc<SystemClock>,
    pub(crate) transport: Transport,
    pub(crate) patience: Patience,
    pub(crate) observer: Option<Observer>,
}

impl Engine {
    /// Drives a machine until it is done or stopped, or patience ends. Each change of the state is on
    /// disk before the next step is taken.
    pub(crate) async fn drive<M: Machine>(
        &mut self,
        machine: &mut M,
        directory: &StateDirectory,
        lock: &StateLock,
    ) -> Result<M::Output, ClientError> {
        let begun = self.clock.now().monotonic;
        let mut last_error = None;
        loop {
            if let Some(state) = machine.unsaved() {
                self.save(&state, directory, lock)?;
            }
            // The random numbers are not kept over an await, so that the future can move.
            let step = machine.next(self.clock.now(), &mut random())?;
            match step {
                Step::Sign(message) => machine.signed(&self.sign(message).await?),
                Step::Send(request) => match self.send(&request, machine).await {
                    Ok(response) => machine.receive(&response, self.clock.now()),
                    Err(error) => {
                        last_error = Some(error);
                        machine.lost(self.clock.now());
                    }
                },
                Step::Wait(until) => {
                    if !self.patience.allows(until.saturating_sub(begun)) {
                        return Err(impatient(machine.trouble(), last_error));
                    }
                    tokio::time::sleep(until.saturating_sub(self.clock.now().monotonic)).await;
                }
                Step::Done(output) => {
                    if let Some(state) = machine.unsaved() {
                        self.save(&state, directory, lock)?;
                    }
                    return Ok(output);
                }
            }
        }
    }

    /// A token may take a second, in which other tasks should go on.
    async fn sign(&self, message: Vec<u8>) -> Result<Signature, SigningError> {
        let key = Arc::clone(&self.key);
        let signing = tokio::task::spawn_blocking(move || key.sign(&message));
        signing.await.unwrap_or_else(|error| {
            Err(SigningError {
                reason: error.to_string(),
            })
        })
    }

    pub(crate) fn save(
        &self,
        state: &DeviceState,
        directory: &StateDirectory,
        lock: &StateLock,
    ) -> Result<(), ClientError> {
        if let Some(time) = state.last_authenticated {
            self.clock.authenticated(time);
        }
        directory.save(lock, state, self.transport.transport_roots())?;
        Ok(())
    }

    async fn send<M: Machine>(
        &mut self,
        request: &Request,
        machine: &M,
    ) -> Result<Response, TransportError> {
        let begun = Instant::now();
        let root = machine.root();
        let answer = self.transport.send(request, root.as_ref()).await;
        if let Some(observer) = &self.observer {
            let shown = answer.as_ref().map_err(|error| error.reason.as_str());
            observer.see(request, shown, begun.elapsed());
        }
        answer
    }
}

impl Patience {
    /// Whether a wait may end this long after the beginning.
    fn allows(self, end: Duration) -> bool {
        match self {
            Self::Forever => true,
            Self::AtMost(longest) => end <= longest,
            Self::NoWait => false,
        }
    }
}

/// The system's randomness. Where that fails nothing can go on, so it panics.
fn random() -> impl CryptoRng {
    UnwrapErr(SysRng)
}

fn impatient(trouble: Option<&Trouble>, last_error: Option<TransportError>) -> ClientError {
    match trouble.cloned() {
        Some(Trouble::Pending) => ClientError::Pending,
        Some(Trouble::BadAnswer { purpose, reason }) => ClientError::BadAnswer { purpose, reason },
        Some(
            Trouble::Busy(refusal) | Trouble::NotAuthenticated(refusal) | Trouble::Refused(refusal),
        ) => ClientError::refused(refusal),
        Some(Trouble::Lost(purpose)) => {
            ClientError::Transport(last_error.unwrap_or(TransportError {
                purpose,
                reason: "it was not sent".into(),
            }))
        }
        None => ClientError::InvalidClient,
    }
}
