use core::mem;

use gangplank_key::{CryptoRng, Signature};

use crate::{
    Aboard, DeviceState, Now, Reported, Response, Session, Settings, StartError, Step, Stopped,
    Trouble, backoff::Pace, call::Call, context::Context, exchanges,
};

/// A device on its way aboard.
///
/// It fetches the root certificate (unless it holds one), introduces itself in a signed envelope,
/// waits while an operator makes up their mind, gets a first bearer token, and reports its
/// capabilities. The caller signs, sends and sleeps, and keeps [`unsaved`](Self::unsaved) state
/// before it goes on.
#[derive(Debug)]
pub struct Onboarding {
    context: Context,
    phase: Phase,
    /// New ones, after a client secret that was not accepted.
    introductions: u32,
    /// Those of them that followed a refusal of the orchestrator's own.
    refused: u32,
}

#[derive(Debug)]
enum Phase {
    RootCertificate(Call<()>),
    Introduction(Call<()>),
    FirstToken(Call<()>),
    Capabilities(Call<()>),
    Aboard,
}

impl Onboarding {
    /// Begins, or goes on from a state that was saved. A device that is aboard already is done at
    /// the first [`next`](Self::next), without network.
    ///
    /// # Errors
    /// [`StartError`]: the settings cannot work, or the state is not theirs. Then nothing of the
    /// state is used: old secrets never go to a new URL.
    pub fn new(settings: Settings, state: Option<DeviceState>) -> Result<Self, StartError> {
        let context = Context::new(settings, state)?;
        let phase = match (&context.root, &context.aboard) {
            (None, _) => Phase::RootCertificate(exchanges::root_certificate(&context)),
            (Some(_), None) => Phase::Introduction(exchanges::introduction(&context)),
            (Some(_), Some(aboard)) => report(&context, aboard),
        };
        Ok(Self {
            context,
            phase,
            introductions: 0,
            refused: 0,
        })
    }

    /// Begins with a new introduction although the device is aboard: its client secret is no longer
    /// accepted. Root and device id stay.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn again(settings: Settings, state: DeviceState) -> Result<Self, StartError> {
        let context = Context::new(settings, Some(state))?;
        let phase = Phase::Introduction(exchanges::introduction(&context));
        Ok(Self {
            context,
            phase,
            introductions: 0,
            refused: 0,
        })
    }

    /// What to do next. After `Done` it is done again.
    ///
    /// # Errors
    /// [`Stopped`]: trying again does not help.
    pub fn next(&mut self, now: Now, rng: &mut dyn CryptoRng) -> Result<Step<Aboard>, Stopped> {
        loop {
            let Some(call) = self.phase.call() else {
                return self
                    .context
                    .aboard
                    .clone()
                    .map(Step::Done)
                    .ok_or(Stopped::InvalidClient);
            };
            // Only a refusal over TLS under the root counts; any other may be a box's own.
            let refused_by_anybody = matches!(call.trouble(), Some(Trouble::Refused(_)));
            match call.next(&mut self.context, now, rng) {
                Ok(Step::Sign(message)) => return Ok(Step::Sign(message)),
                Ok(Step::Send(request)) => return Ok(Step::Send(request)),
                Ok(Step::Wait(until)) => return Ok(Step::Wait(until)),
                Ok(Step::Done(())) => self.advance()?,
                Err(Stopped::InvalidClient) if refused_by_anybody => self.introduce_again(now),
                Err(Stopped::InvalidClient) if self.refused < INTRODUCTIONS => {
                    self.refused += 1;
                    self.introduce_again(now);
                }
                Err(stopped) => return Err(stopped),
            }
        }
    }

    /// The signature for [`Step::Sign`].
    pub fn signed(&mut self, signature: &Signature) {
        if let Some(call) = self.phase.call() {
            call.signed(signature);
        }
    }

    /// The answer to [`Step::Send`]. Without a request under way it is dropped.
    pub fn receive(&mut self, response: &Response, now: Now) {
        if let Some(call) = self.phase.call() {
            call.receive(&mut self.context, response, now);
        }
    }

    /// There is no answer to [`Step::Send`].
    pub fn lost(&mut self, now: Now) {
        if let Some(call) = self.phase.call() {
            call.lost(&self.context, now);
        }
    }

    /// Why it waits, in a [`Step::Wait`].
    pub fn trouble(&mut self) -> Option<&Trouble> {
        self.phase.call().and_then(|call| call.trouble())
    }

    /// What to save, once after each change, before the next step is taken: the first use of a new
    /// client secret ends the old one.
    pub fn unsaved(&mut self) -> Option<DeviceState> {
        self.context.unsaved()
    }

    /// The root certificate, once it is believed.
    pub fn root(&self) -> Option<&gangplank_key::CertificateDer<'static>> {
        self.context.root.as_ref()
    }

    /// The session that begins after `Done`, with the bearer token that is already there.
    pub fn into_session(self) -> Option<Session> {
        self.context.aboard.is_some().then_some(Session {
            context: self.context,
        })
    }

    fn advance(&mut self) -> Result<(), Stopped> {
        let aboard = self.context.aboard.as_ref().ok_or(Stopped::InvalidClient);
        self.phase = match mem::replace(&mut self.phase, Phase::Aboard) {
            Phase::RootCertificate(_) => {
                Phase::Introduction(exchanges::introduction(&self.context))
            }
            Phase::Introduction(_) => Phase::FirstToken(exchanges::first_token(aboard?)),
            Phase::FirstToken(_) => report(&self.context, aboard?),
            Phase::Capabilities(_) | Phase::Aboard => Phase::Aboard,
        };
        Ok(())
    }

    /// A secret that does not work is replaced by introducing oneself again: somebody else may have
    /// used a newer one that this device never received.
    fn introduce_again(&mut self, now: Now) {
        let mut pace = Pace::after(self.introductions);
        pace.wait(
            now.monotonic,
            core::time::Duration::ZERO,
            self.context.settings.slow,
        );
        self.introductions += 1;
        self.phase = Phase::Introduction(exchanges::introduction(&self.context).after(pace));
    }
}

impl Phase {
    fn call(&mut self) -> Option<&mut Call<()>> {
        match self {
            Self::RootCertificate(call)
            | Self::Introduction(call)
            | Self::FirstToken(call)
            | Self::Capabilities(call) => Some(call),
            Self::Aboard => None,
        }
    }
}

fn report(context: &Context, aboard: &Aboard) -> Phase {
    match (&context.settings.capabilities, aboard.capabilities) {
        (Some(own), Reported::NotSent) => {
            Phase::Capabilities(exchanges::capabilities(context, aboard, own))
        }
        _ => Phase::Aboard,
    }
}

/// New introductions after a secret that was not accepted; more of them would only take turns with
/// whoever else uses this identity.
const INTRODUCTIONS: u32 = 3;

#[cfg(test)]
mod tests;
