//! Which form of signature a request has: headers and body claim it, the route's policy allows it.

use gangplank_envelope::payload_signature::PayloadSignature;
use gangplank_envelope::{Envelope, Limits, MEDIA_TYPE};
use gangplank_onboarding::ProblemName;
use http::HeaderMap;
use http::header::CONTENT_TYPE;

use super::Refusal;
use crate::server::{HeaderForm, MessageForm};

/// The one form in which a request is signed. Nothing has been verified yet.
#[derive(Debug)]
pub(super) enum SignedBy {
    /// The body is an envelope.
    Envelope,
    /// `X-Payload-Signature` signs the body.
    Header(PayloadSignature),
    /// `Signature` signs the request and its body.
    #[cfg(feature = "message")]
    Message(gangplank_message::margo::Profile),
}

/// What a route accepts beside the envelope, which every route accepts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Forms {
    pub(super) header: HeaderForm,
    pub(super) message: MessageForm,
}

impl Forms {
    pub(super) const ENVELOPE_ONLY: Self = Self {
        header: HeaderForm::Refuse,
        message: MessageForm::Refuse,
    };

    /// Finds the form of a request. With two forms nobody can say which one counts.
    pub(super) fn signed_by(self, headers: &HeaderMap, body: &[u8]) -> Result<SignedBy, Refusal> {
        let by_header = headers.get_all(PayloadSignature::HEADER).iter().count();
        let by_message = MESSAGE_SIGNATURE
            .iter()
            .any(|name| headers.contains_key(*name));
        let claims = by_header + usize::from(by_message);
        if claims > 1 || (claims == 1 && is_envelope(headers, body)) {
            let reason = "the request is signed in more than one form, or twice";
            return Err(Refusal::new(ProblemName::TwoSignatures, reason).explained());
        }
        if by_message {
            return self.by_message(headers);
        }
        let Some(value) = headers.get(PayloadSignature::HEADER) else {
            media_type_is_one_of(headers, &[MEDIA_TYPE, JSON])?;
            return Ok(SignedBy::Envelope);
        };
        let HeaderForm::Accept(spelling) = self.header else {
            return Err(not_allowed(
                "the header X-Payload-Signature is not accepted here",
            ));
        };
        media_type_is_one_of(headers, &[JSON])?;
        PayloadSignature::decode(value.as_bytes(), spelling)
            .map(SignedBy::Header)
            .map_err(|error| Refusal::new(ProblemName::UnreadableRequest, error).explained())
    }

    /// `headers` count for nothing where no message signature is known.
    #[cfg_attr(not(feature = "message"), allow(unused_variables))]
    fn by_message(self, headers: &HeaderMap) -> Result<SignedBy, Refusal> {
        match self.message {
            MessageForm::Refuse => {
                Err(not_allowed("HTTP message signatures are not accepted here"))
            }
            #[cfg(feature = "message")]
            MessageForm::Accept(profile) => {
                media_type_is_one_of(headers, &[JSON])?;
                Ok(SignedBy::Message(profile))
            }
        }
    }
}

fn not_allowed(reason: &str) -> Refusal {
    Refusal::new(ProblemName::SignatureFormNotAllowed, reason).explained()
}

/// Devices that know no envelope but Margo's call it JSON, so the media type alone does not tell.
fn is_envelope(headers: &HeaderMap, body: &[u8]) -> bool {
    let named = essence(headers).is_some_and(|essence| essence.eq_ignore_ascii_case(MEDIA_TYPE));
    named || Envelope::decode(body, &Limits::DEFAULT, &mut Vec::new()).is_ok()
}

fn media_type_is_one_of(headers: &HeaderMap, known: &[&str]) -> Result<(), Refusal> {
    if !headers.contains_key(CONTENT_TYPE)
        || essence(headers)
            .is_some_and(|found| known.iter().any(|known| found.eq_ignore_ascii_case(known)))
    {
        return Ok(());
    }
    let reason = format!("the body's media type is not {}", known.join(" or "));
    Err(Refusal::new(ProblemName::UnreadableRequest, reason).explained())
}

fn essence(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    value.split(';').next().map(str::trim)
}

/// RFC 9421 §4.
const MESSAGE_SIGNATURE: [&str; 2] = ["signature", "signature-input"];
const JSON: &str = "application/json";
