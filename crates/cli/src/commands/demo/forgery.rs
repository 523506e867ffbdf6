//! Changing envelopes without their signer's key.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::key::Backend;
use crate::{json, output};

/// The payload of an envelope's text.
pub(super) fn payload(envelope: &Value) -> Option<Vec<u8>> {
    STANDARD.decode(json::text(envelope, "payload")?).ok()
}

/// Puts another payload in, and leaves everything else.
pub(super) fn put_payload(envelope: &mut Value, payload: &[u8]) {
    json::set(envelope, "payload", STANDARD.encode(payload));
}

/// Makes the digest fit a payload: anybody can. Only the signature cannot be made to.
pub(super) fn put_digest_of(envelope: &mut Value, payload: &[u8]) {
    let digest = Backend::AWS_LC_RS.sha256(&[payload]);
    json::set(
        envelope,
        "digest",
        format!("sha256:{}", output::hex(&digest)),
    );
}

/// An envelope with its payload as JSON, for people.
pub(super) fn opened(wire: &[u8]) -> Value {
    let mut envelope: Value = serde_json::from_slice(wire).unwrap_or_default();
    let payload = payload(&envelope).and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    if let Some(payload) = payload {
        json::set(&mut envelope, "payload", payload);
    }
    envelope
}
