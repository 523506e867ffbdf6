use gangplank_key::SigningError;

use super::{ConfigError, StateError, TransportError};
use crate::{BadAnswer, Purpose, Refusal, RequestError, StartError, Stopped};

/// Why the driver gave up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The configuration cannot be used.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// The state on disk cannot be used.
    #[error("{0}")]
    State(#[from] StateError),
    /// Settings and state do not go together.
    #[error("{0}")]
    Start(#[from] StartError),
    /// The device's key did not sign.
    #[error("{0}")]
    Signing(#[from] SigningError),
    /// The device's own request could not be put together.
    #[error("the request cannot be made: {0}")]
    Request(RequestError),
    /// No answer came in the time allowed.
    #[error("{0}")]
    Transport(TransportError),
    /// The orchestrator, or somebody in its place, refused, and went on refusing.
    #[error("{0}")]
    Refused(Refusal),
    /// The identity belongs to another key or certificate: an operator must look.
    #[error("{0}; an operator must look")]
    NeedsOperator(Refusal),
    /// The orchestrator no longer accepts this device's client secret, nor a new introduction.
    #[error("the orchestrator no longer accepts this device's client secret")]
    InvalidClient,
    /// An operator must approve the device, and has not in the time allowed.
    #[error("an operator must approve this device")]
    Pending,
    /// The answers cannot be believed.
    #[error("the answer to {purpose} cannot be believed: {reason}")]
    BadAnswer {
        /// Of what.
        purpose: Purpose,
        /// Of the last one.
        reason: BadAnswer,
    },
}

impl ClientError {
    /// The exit code of the command line: 2 usage or unreadable, 3 transport, 4 refused, 5 pending, 6
    /// bad answer, 8 needs an operator.
    pub fn exit_code(&self) -> u8 {
        match self {
            #[cfg(feature = "pkcs11")]
            Self::Config(ConfigError::Token(error)) if error.needs_operator() => 8,
            Self::Config(_)
            | Self::State(_)
            | Self::Start(_)
            | Self::Signing(_)
            | Self::Request(_) => 2,
            Self::Transport(_) => 3,
            Self::Refused(_) | Self::InvalidClient => 4,
            Self::Pending => 5,
            Self::BadAnswer { .. } => 6,
            Self::NeedsOperator(_) => 8,
        }
    }

    pub(crate) fn refused(refusal: Refusal) -> Self {
        match refusal.needs_operator() {
            true => Self::NeedsOperator(refusal),
            false => Self::Refused(refusal),
        }
    }
}

impl From<Stopped> for ClientError {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Refused(refusal) => Self::refused(refusal),
            Stopped::BadAnswer { purpose, reason } => Self::BadAnswer { purpose, reason },
            Stopped::InvalidClient => Self::InvalidClient,
            Stopped::Request(error) => Self::Request(error),
        }
    }
}
