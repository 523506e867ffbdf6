//! The two wrappings of a signed JSON object: the plain envelope and `X-Payload-Signature`.

use base64::{Engine, prelude::BASE64_STANDARD};
use gangplank_envelope::payload_signature::{PayloadSignature, Spelling};
use gangplank_envelope::{
    Envelope, Expect, ExpectedAudience, ExpectedForm, Form, Freshness, Limits,
};
use gangplank_key::{Backend, CertificateId, PublicKey, SigningKey, TrustedKey};
use serde_json::json;

use crate::{Purpose, Signed};

pub(crate) struct PlainEnvelope;

impl Purpose for PlainEnvelope {
    fn name(&self) -> &'static str {
        PLAIN_ENVELOPE
    }

    fn sign(&self, key: &dyn SigningKey, bait: &[u8]) -> Signed {
        // Our signer refuses a bait that is no JSON object, so the attacker packs it into one.
        let prepare = |payload: Vec<u8>| Envelope::prepare(payload, Form::Plain, &id());
        let prepared = prepare(bait.to_vec()).or_else(|_| prepare(object_with(bait)));
        Signed::by(key, |key| drop(prepared.unwrap().sign_with(key)))
    }

    fn accepts(&self, key: &PublicKey, signed: &Signed) -> bool {
        let digest = Backend::PURE_RUST.sha256(&[&signed.bytes]);
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let text = json!({
            "payload": BASE64_STANDARD.encode(&signed.bytes),
            "digest": format!("sha256:{digest}"),
            "signature": BASE64_STANDARD.encode(signed.signature.to_wire()),
            "certificateId": id().as_str(),
        });
        opens(text.to_string().as_bytes(), key)
    }
}

pub(crate) struct PayloadHeader;

impl Purpose for PayloadHeader {
    fn name(&self) -> &'static str {
        PAYLOAD_HEADER
    }

    fn sign(&self, key: &dyn SigningKey, bait: &[u8]) -> Signed {
        let prepare = |body| PayloadSignature::prepare(body, key.public_key());
        let prepared = prepare(bait.to_vec()).or_else(|_| prepare(object_with(bait)));
        Signed::by(key, |key| drop(prepared.unwrap().sign_with(key)))
    }

    fn accepts(&self, key: &PublicKey, signed: &Signed) -> bool {
        let encode = |bytes: &[u8]| BASE64_STANDARD.encode(bytes);
        let pair = format!(
            "{};{}",
            encode(key.spki()),
            encode(&signed.signature.to_wire())
        );
        let value = encode(pair.as_bytes());
        let header = PayloadSignature::decode(value.as_bytes(), Spelling::Wrapped).unwrap();
        let registered = TrustedKey::vouch(id(), key.clone());
        header
            .verify(&signed.bytes, &registered, &Limits::DEFAULT)
            .is_ok()
    }
}

/// Whether a verifier that takes every form, type and audience accepts the envelope.
pub(crate) fn opens(text: &[u8], key: &PublicKey) -> bool {
    let mut scratch = Vec::new();
    let Ok(envelope) = Envelope::decode(text, &Limits::DEFAULT, &mut scratch) else {
        return false;
    };
    let expect = Expect {
        form: ExpectedForm::Any,
        audience: ExpectedAudience::NotCompared,
        freshness: Freshness::NotRequired,
    };
    let registered = TrustedKey::vouch(envelope.claimed_signer().clone(), key.clone());
    envelope.verify(&registered, &expect).is_ok()
}

pub(crate) fn id() -> CertificateId {
    CertificateId::parse("SN-0001").unwrap()
}

fn object_with(bait: &[u8]) -> Vec<u8> {
    json!({ "kind": "Report", "note": String::from_utf8_lossy(bait) })
        .to_string()
        .into_bytes()
}

pub(crate) const PLAIN_ENVELOPE: &str = "envelope, plain";
pub(crate) const PAYLOAD_HEADER: &str = "X-Payload-Signature";
