use gangplank_key::{CertificateDer, CryptoRng, Signature, UnixTime};
use gangplank_onboarding::v2024::{
    capabilities::DeviceCapabilities, git_credential::GitCredential, status::DeploymentStatus,
};

use crate::{
    Aboard, DeviceState, GitAccess, Now, Response, Settings, StartError, Step, Stopped, Trouble,
    call::Call, context::Context, exchanges,
};

/// A device that is aboard: its credentials, its bearer token, and what it can do with them.
#[derive(Debug)]
pub struct Session {
    pub(crate) context: Context,
}

/// One exchange of a [`Session`], driven like [`Onboarding`](crate::Onboarding).
#[derive(Debug)]
pub struct Operation<'s, T> {
    session: &'s mut Session,
    call: Result<Call<T>, Stopped>,
}

impl Session {
    /// Goes on from a saved state.
    ///
    /// # Errors
    /// [`StartError`]: the settings cannot work, the state is not theirs, or it is that of a device
    /// that is not aboard.
    pub fn new(settings: Settings, state: DeviceState) -> Result<Self, StartError> {
        let context = Context::new(settings, Some(state))?;
        match context.aboard {
            Some(_) => Ok(Self { context }),
            None => Err(StartError::NotAboard),
        }
    }

    /// Reports what the device is made of; its `id` is replaced by the device id.
    pub fn capabilities(&mut self, capabilities: &DeviceCapabilities) -> Operation<'_, ()> {
        self.operation(|context, aboard| exchanges::capabilities(context, aboard, capabilities))
    }

    /// Reports how a deployment fares.
    pub fn report_status(&mut self, status: &DeploymentStatus) -> Operation<'_, ()> {
        self.operation(|context, aboard| exchanges::deployment_status(context, aboard, status))
    }

    /// Asks for a new Git credential, which also names the commit to expect.
    pub fn git_credential(&mut self) -> Operation<'_, GitCredential> {
        self.operation(|_, aboard| exchanges::git_credential(aboard))
    }

    /// What the orchestrator gave.
    pub fn aboard(&self) -> Option<&Aboard> {
        self.context.aboard.as_ref()
    }

    /// The orchestrator's root certificate.
    pub fn root(&self) -> Option<&CertificateDer<'static>> {
        self.context.root.as_ref()
    }

    /// The Git credential at hand, if it certainly lasts another minute. Without a clock nobody
    /// knows, so then there is none.
    pub fn held_git_access(&self, now: Now) -> Option<&GitAccess> {
        let time = self.time(now)?;
        let held = self.context.aboard.as_ref()?.git.as_ref()?;
        (held.expires_at.as_secs() > time.as_secs().saturating_add(60)).then_some(held)
    }

    /// The time of day, if it is known: the device's clock, or the one learned from an answer.
    pub fn time(&self, now: Now) -> Option<UnixTime> {
        self.context.time.created(now)
    }

    /// Forgets the Git credential at hand, because the server refused it.
    pub fn forget_git_access(&mut self) {
        if let Some(aboard) = &mut self.context.aboard {
            aboard.git = None;
            self.context.changed();
        }
    }

    /// Everything worth keeping.
    pub fn state(&self) -> Option<DeviceState> {
        self.context.state()
    }

    /// What to save, once after each change.
    pub fn unsaved(&mut self) -> Option<DeviceState> {
        self.context.unsaved()
    }

    fn operation<T>(
        &mut self,
        call: impl FnOnce(&Context, &Aboard) -> Call<T>,
    ) -> Operation<'_, T> {
        let call = match &self.context.aboard {
            Some(aboard) => Ok(call(&self.context, aboard)),
            None => Err(Stopped::InvalidClient),
        };
        Operation {
            session: self,
            call,
        }
    }
}

impl<T> Operation<'_, T> {
    /// What to do next; not to be called again after `Done`.
    ///
    /// # Errors
    /// [`Stopped`]. After [`Stopped::InvalidClient`] the device has to onboard again
    /// ([`Onboarding::again`](crate::Onboarding::again)).
    pub fn next(&mut self, now: Now, rng: &mut dyn CryptoRng) -> Result<Step<T>, Stopped> {
        match &mut self.call {
            Ok(call) => call.next(&mut self.session.context, now, rng),
            Err(stopped) => Err(stopped.clone()),
        }
    }

    /// The signature for [`Step::Sign`].
    pub fn signed(&mut self, signature: &Signature) {
        if let Ok(call) = &mut self.call {
            call.signed(signature);
        }
    }

    /// The answer to [`Step::Send`]. Without a request under way it is dropped.
    pub fn receive(&mut self, response: &Response, now: Now) {
        if let Ok(call) = &mut self.call {
            call.receive(&mut self.session.context, response, now);
        }
    }

    /// There is no answer to [`Step::Send`].
    pub fn lost(&mut self, now: Now) {
        if let Ok(call) = &mut self.call {
            call.lost(&self.session.context, now);
        }
    }

    /// Why it waits, in a [`Step::Wait`].
    pub fn trouble(&self) -> Option<&Trouble> {
        self.call.as_ref().ok().and_then(Call::trouble)
    }

    /// What to save, once after each change.
    pub fn unsaved(&mut self) -> Option<DeviceState> {
        self.session.unsaved()
    }

    /// The orchestrator's root certificate.
    pub fn root(&self) -> Option<&CertificateDer<'static>> {
        self.session.root()
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
