use std::fmt::Display;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use gangplank_envelope::{DecodeError, MemberError, VerifyError, payload_signature};
use gangplank_onboarding::{MessageError, Problem, ProblemName};
use gangplank_trust::Reason;
use http::header::{HeaderName, HeaderValue, RETRY_AFTER};

use crate::admission::Refused;
use crate::listen::problem_response;
#[cfg(feature = "message")]
use crate::message_signature;
use crate::server::Server;
use crate::store::{Inadmissible, StoreError};

/// A request that is not carried out: a problem for the wire (RFC 9457) that leaks nothing, and
/// the reason for the operator's log.
#[derive(Debug)]
pub(crate) struct Refusal {
    name: ProblemName,
    detail: Option<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
    reason: String,
    /// The code of the rule that refuses and its status, for who may know.
    rule: Option<(&'static str, u16)>,
}

impl Refusal {
    pub(crate) fn new(name: ProblemName, reason: impl Display) -> Self {
        Self {
            name,
            detail: None,
            headers: Vec::new(),
            reason: reason.to_string(),
            rule: None,
        }
    }

    /// 403, the same for everybody; the reason stays here.
    pub(crate) fn not_admitted(reason: impl Display) -> Self {
        Self::new(ProblemName::NotAdmitted, reason)
    }

    pub(crate) fn not_found(reason: impl Display) -> Self {
        Self::new(ProblemName::NotFound, reason)
    }

    /// 401 on the admin listener.
    pub(crate) fn operator_unknown() -> Self {
        Self::new(
            ProblemName::AdminUnauthenticated,
            "the admin token is missing or wrong",
        )
    }

    /// 202: not yet.
    pub(crate) fn awaiting_approval(retry: Duration, reason: impl Display) -> Self {
        Self::new(ProblemName::AwaitingApproval, reason).retry_after(retry)
    }

    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn retry_after(self, wait: Duration) -> Self {
        self.header(RETRY_AFTER, wait.as_secs().into())
    }

    /// Says on the wire what is wrong, where it tells the sender only about its own message.
    pub(crate) fn explained(mut self) -> Self {
        self.detail = Some(self.reason.clone());
        self
    }

    /// Why a device is refused, for protocol adapters and operators.
    pub(crate) fn for_reason(reason: &Reason) -> Self {
        let logged = format!("{}: {reason}", reason.code());
        Self {
            detail: Some(reason.to_string()),
            rule: Some((reason.code(), reason.http_status())),
            ..Self::new(ProblemName::DeviceRefused, logged)
        }
    }

    /// The answer to a decision to refuse: 403 for every reason but a conflict of identities.
    pub(crate) fn decided(reason: &Reason) -> Self {
        let name = match reason {
            Reason::IdentityConflict { .. } => ProblemName::IdentityConflict,
            _ => ProblemName::NotAdmitted,
        };
        Self::new(name, format!("{}: {reason}", reason.code()))
    }
}

impl Server {
    /// The one 401 of the device API, whatever the reason, with a nonce for the next try.
    pub(crate) fn unauthenticated(&self, reason: impl Display) -> Refusal {
        let nonce = self
            .shared
            .nonces
            .issue(self.now(), &mut crate::random::system());
        let refusal = Refusal::new(ProblemName::NotAuthenticated, reason);
        match HeaderValue::from_str(nonce.as_str()) {
            Ok(value) => refusal.header(REPLAY_NONCE, value),
            Err(_) => refusal,
        }
    }

    /// An envelope or a signed body that is not accepted.
    pub(crate) fn refused(&self, refused: &Refused) -> Refusal {
        match refused {
            Refused::Verify(VerifyError::PlainForm) => {
                Refusal::new(ProblemName::PlainFormNotAllowed, refused)
            }
            Refused::Body(payload_signature::VerifyError::TooLarge { .. }) => {
                Refusal::new(ProblemName::TooLarge, refused).explained()
            }
            #[cfg(feature = "message")]
            Refused::Message(message_signature::VerifyError::Message { reason, .. })
                if reason.http_status() == 400 =>
            {
                Refusal::new(ProblemName::ContentDigest, reason).explained()
            }
            _ => self.unauthenticated(refused),
        }
    }
}

impl From<DecodeError> for Refusal {
    fn from(error: DecodeError) -> Self {
        let name = match error {
            DecodeError::TooLarge { .. }
            | DecodeError::Member {
                reason: MemberError::TooLarge { .. },
                ..
            } => ProblemName::TooLarge,
            _ => ProblemName::UnreadableRequest,
        };
        Self::new(name, error).explained()
    }
}

impl From<MessageError> for Refusal {
    fn from(error: MessageError) -> Self {
        Self::new(error.problem(), error).explained()
    }
}

impl From<Inadmissible> for Refusal {
    fn from(reason: Inadmissible) -> Self {
        Self::not_admitted(reason)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store failed");
        let name = match error {
            StoreError::Unavailable { .. } | StoreError::Full { .. } => ProblemName::Unavailable,
            _ => ProblemName::InternalError,
        };
        Self::new(name, error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        tracing::info!(problem = %self.name, reason = ?self.reason, "refused");
        let problem = match &self.detail {
            Some(detail) => Problem::new(self.name).with_detail(detail),
            None => Problem::new(self.name),
        };
        let problem = match self.rule {
            Some((code, status)) => problem.with_reason(code, status),
            None => problem,
        };
        let mut response = problem_response(&problem);
        let headers = response.headers_mut();
        headers.extend(self.headers);
        response
    }
}

/// RFC 8555 §6.5.1.
pub(crate) const REPLAY_NONCE: HeaderName = HeaderName::from_static("replay-nonce");
