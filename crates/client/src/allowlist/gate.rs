use super::decision_log::{Decision, DecisionLog, LogError, Verdict};
use super::time::clock;
use super::{
    Allowlist, Denied, Launch, LaunchFault, NotPinned, OptionPolicy, Permit, PermittedLaunch,
    PinnedImage,
};

/// What stands before a launch: a list, and the log of what was decided.
#[derive(Clone, Copy, Debug)]
pub struct Gate<'l> {
    name: &'l str,
    list: Allowlist<'l>,
    list_serial: Option<u64>,
    log: Option<&'l DecisionLog>,
}

impl<'l> Gate<'l> {
    /// A gate that asks `list`, and writes down nothing yet; `name` says in the log who asked.
    pub const fn new(name: &'l str, list: Allowlist<'l>) -> Self {
        Self {
            name,
            list,
            list_serial: None,
            log: None,
        }
    }

    /// Which state of the list is asked: its serial or revision, for the log.
    #[must_use]
    pub const fn list_serial(self, serial: Option<u64>) -> Self {
        Self {
            list_serial: serial,
            ..self
        }
    }

    /// Writes every decision down before it is told. What cannot be written down is refused.
    #[must_use]
    pub const fn logging(self, log: &'l DecisionLog) -> Self {
        Self {
            log: Some(log),
            ..self
        }
    }

    /// Judges an image reference.
    ///
    /// # Errors
    /// [`Refused`]: why it may not run.
    pub fn image<'a>(&self, text: &'a str) -> Result<Permit<'a>, Refused<'a>>
    where
        'l: 'a,
    {
        let judged = PinnedImage::parse(text)
            .map_err(Refused::NotPinned)
            .and_then(|image| self.list.permit(image).map_err(Refused::Denied));
        self.write(text, judged, |permit| permit)
    }

    /// Judges a command line of Docker, Podman or nerdctl.
    ///
    /// # Errors
    /// [`Refused`]: why it may not run.
    pub fn launch<'a>(
        &self,
        arguments: &'a [&'a str],
        options: OptionPolicy,
    ) -> Result<PermittedLaunch<'a>, Refused<'a>>
    where
        'l: 'a,
    {
        let parsed = Launch::parse(arguments, options);
        let image_at = match &parsed {
            Ok(launch) => Some(launch.image_at()),
            Err(LaunchFault::NotPinned { at, .. }) => Some(*at),
            // The other arguments are not written down: they may have secrets.
            Err(_) => None,
        };
        let image = image_at.and_then(|at| arguments.get(at).copied());
        let judged = parsed
            .map_err(Refused::Launch)
            .and_then(|launch| launch.permit(&self.list).map_err(Refused::Denied));
        self.write(image.unwrap_or_default(), judged, PermittedLaunch::permit)
    }

    /// Writes down what was judged, and only then gives it back.
    fn write<'a, T>(
        &self,
        image: &str,
        judged: Result<T, Refused<'a>>,
        permit: impl Fn(&T) -> &Permit<'a>,
    ) -> Result<T, Refused<'a>> {
        let Some(log) = self.log else {
            return judged;
        };
        let would_be_denied = |judged: &T| permit(judged).would_be_denied().copied();
        let (verdict, digest, code) = match &judged {
            Ok(judged) => match would_be_denied(judged) {
                None => (Verdict::Permit, Some(*permit(judged).digest()), None),
                Some(denied) => (Verdict::Audit, Some(denied.digest), Some(denied.code())),
            },
            Err(Refused::Denied(denied)) => {
                (Verdict::Deny, Some(denied.digest), Some(denied.code()))
            }
            Err(refused) => (Verdict::Deny, None, Some(refused.code())),
        };
        let decision = Decision::new(self.name, image, verdict)
            .digest(digest.as_ref())
            .code(code)
            .list(self.list_serial);
        // A refusal stays one, written down or not; that it was not is said all the same.
        log.append(clock(), decision).map_err(Refused::NotLogged)?;
        judged
    }
}

/// Why a gate lets something not pass.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refused<'a> {
    /// The command line starts no image that a list could be asked about.
    #[error(transparent)]
    Launch(LaunchFault<'a>),
    /// The image is not pinned by a digest.
    #[error(transparent)]
    NotPinned(NotPinned),
    /// The list does not permit it.
    #[error(transparent)]
    Denied(Denied),
    /// What was decided could not be written down, so that nothing is permitted.
    #[error("the decision cannot be written down: {0}")]
    NotLogged(LogError),
}

impl Refused<'_> {
    /// A word for programs, which stays as it is: that of [`LaunchFault::code`], [`NotPinned::code`] or
    /// [`Denied::code`], or `not-logged`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Launch(fault) => fault.code(),
            Self::NotPinned(fault) => fault.code(),
            Self::Denied(denied) => denied.code(),
            Self::NotLogged(_) => "not-logged",
        }
    }
}

#[cfg(test)]
mod tests;
