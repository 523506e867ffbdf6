use core::fmt;

use gangplank_envelope::{DecodeError, PrepareError, VerifyError, payload_signature};
use gangplank_key::KeyError;
use gangplank_onboarding::{MessageError, Problem, ProblemName, RootUrl};
use gangplank_token::ResponseError;
use gangplank_trust::{ChainError, roots::RootError};

use crate::Purpose;

/// Why a state machine has stopped for good.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Stopped {
    /// The orchestrator refused, and it was certainly the orchestrator.
    #[error("{0}")]
    Refused(Refusal),
    /// Several answers in a row could not be believed.
    #[error("the answer to {purpose} cannot be believed: {reason}")]
    BadAnswer {
        /// Of what.
        purpose: Purpose,
        /// Of the last one.
        reason: BadAnswer,
    },
    /// The token endpoint does not know the client or its secret: onboard again.
    #[error("the orchestrator no longer accepts this device's client secret")]
    InvalidClient,
    /// The device's own request could not be put together.
    #[error("the request cannot be made: {0}")]
    Request(RequestError),
}

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Of what.
    pub purpose: Purpose,
    /// The HTTP status.
    pub status: u16,
    /// Which problem (RFC 9457), if the body says so.
    pub problem: Option<ProblemName>,
}

impl Refusal {
    pub(crate) fn read(purpose: Purpose, status: u16, body: &[u8]) -> Self {
        let problem = Problem::decode(body)
            .ok()
            .and_then(|problem| problem.name());
        Self {
            purpose,
            status,
            problem,
        }
    }

    /// Whether an operator has to look: the identity belongs to another key or certificate.
    pub fn needs_operator(&self) -> bool {
        self.status == 409
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the orchestrator refused {} with status {}",
            self.purpose, self.status
        )?;
        match &self.problem {
            Some(problem) => write!(f, " ({problem})"),
            None => Ok(()),
        }
    }
}

/// Why a machine waits instead of going on.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Trouble {
    /// No answer came.
    Lost(Purpose),
    /// An operator must approve the device.
    Pending,
    /// The server asked for patience, or failed: 408, 425, 429, 5xx.
    Busy(Refusal),
    /// 401: the signature, the token, the freshness or the root URL; the server tells nobody which.
    NotAuthenticated(Refusal),
    /// A refusal over a connection for which the orchestrator's root does not answer.
    Refused(Refusal),
    /// An answer that cannot be believed.
    BadAnswer {
        /// Of what.
        purpose: Purpose,
        /// Why.
        reason: BadAnswer,
    },
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(purpose) => write!(f, "no answer to {purpose}"),
            Self::Pending => f.write_str("an operator must approve this device"),
            Self::Busy(refusal) => {
                write!(
                    f,
                    "the orchestrator is busy: status {} to {}",
                    refusal.status, refusal.purpose
                )
            }
            Self::NotAuthenticated(refusal) => write!(
                f,
                "status 401 to {}: key, certificate id, clock or root URL may be wrong",
                refusal.purpose
            ),
            Self::Refused(refusal) => {
                write!(
                    f,
                    "{refusal}, over a connection that is not verified under its root"
                )
            }
            Self::BadAnswer { purpose, reason } => {
                write!(f, "the answer to {purpose} cannot be believed: {reason}")
            }
        }
    }
}

/// Why an answer is not believed. Whoever made it is at fault: the orchestrator, or a box between.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BadAnswer {
    /// Longer than [`MAX_ANSWER`](crate::MAX_ANSWER).
    #[error("it is longer than 4 MiB")]
    TooLarge,
    /// A status that this request is never answered with.
    #[error("it has the status {0}")]
    Status(u16),
    /// No envelope.
    #[error("it is no envelope: {0}")]
    Envelope(DecodeError),
    /// The signing certificate is not the orchestrator's.
    #[error("its certificate is not the orchestrator's: {0}")]
    Signer(ChainError),
    /// The envelope does not verify: forged, changed, old, or meant for another.
    #[error("its envelope does not verify: {0}")]
    Verify(VerifyError),
    /// Made at a time at which the certificates that vouch for it are not valid: the orchestrator's
    /// clock is wrong.
    #[error("its time cannot be right, its certificates are not valid then: {0}")]
    Created(ChainError),
    /// Older than an answer that was believed, to a request whose nonce a box in between may have
    /// chosen: one of earlier, with its nonce.
    #[error("it is older than an answer of before")]
    Old,
    /// The message is not what it must be.
    #[error("its message is not readable: {0}")]
    Message(MessageError),
    /// Not a token answer.
    #[error("{0}")]
    Token(ResponseError),
    /// Not a root certificate.
    #[error("{0}")]
    Root(RootError),
    /// Another root than the pinned one.
    #[error("the root certificate is not the pinned one")]
    OtherRoot,
    /// A URL in the answer is not on the root URL's host and port.
    #[error("{member} is not at the orchestrator's own host and port")]
    OtherOrigin {
        /// The member of the answer.
        member: &'static str,
    },
    /// A URL to which the client adds a query has one already.
    #[error("{member} has a query")]
    Query {
        /// The member of the answer.
        member: &'static str,
    },
    /// Signed, but without a client secret, and this client has no other way to authenticate.
    #[error("it has no client secret")]
    NoClientSecret,
}

/// Why a request cannot be made; the caller is at fault, or the key.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The envelope cannot be made.
    #[error("{0}")]
    Prepare(PrepareError),
    /// There is no certificate whose key could be named.
    #[error("the device has no certificate")]
    NoCertificate,
    /// The key of the device's certificate cannot be read.
    #[error("the key of the device's certificate: {0}")]
    Key(KeyError),
    /// The header cannot sign the body.
    #[error("{0}")]
    PrepareBody(payload_signature::PrepareError),
    /// The body cannot be signed.
    #[error("{0}")]
    SealBody(payload_signature::SealError),
    /// A message signature says when it was made, and the device does not know the time.
    #[cfg(feature = "message")]
    #[error(
        "a message signature says when it was made, and this device does not know the time: set its \
         clock, or report in an envelope, which needs none"
    )]
    NoClock,
    /// The URL cannot be covered by a message signature.
    #[cfg(feature = "message")]
    #[error("{0}")]
    Target(gangplank_message::TargetError),
    /// The request cannot be signed as an HTTP message.
    #[cfg(feature = "message")]
    #[error("{0}")]
    PrepareMessage(gangplank_message::margo::PrepareError),
    /// The HTTP message cannot be signed.
    #[cfg(feature = "message")]
    #[error("{0}")]
    SealMessage(gangplank_message::SignError),
}

/// Why a device cannot start with these settings and this state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The chain of the device is empty or longer than an envelope takes.
    #[error("the device needs 1 to 8 certificates, leaf first, and has {0}")]
    Certificates(usize),
    /// The root URL with the certificate id is no audience.
    #[error("the root URL is too long")]
    RootUrl,
    /// The root that was handed over is no root.
    #[error("{0}")]
    Root(RootError),
    /// The state belongs to another orchestrator: its secrets do not go to this one. Reset first.
    #[error("the state belongs to {held}, not to {asked}; reset the device to move it")]
    OtherRootUrl {
        /// The root URL of the state.
        held: RootUrl,
        /// The root URL of the settings.
        asked: RootUrl,
    },
    /// The state belongs to another certificate id.
    #[error("the state belongs to another certificate id; reset the device first")]
    OtherCertificateId,
    /// The state has another root certificate than the one pinned or handed over.
    #[error("the state has another root certificate than the one given; reset the device first")]
    OtherRoot,
    /// The state says nothing of a device that is aboard.
    #[error("the device is not aboard yet")]
    NotAboard,
}
