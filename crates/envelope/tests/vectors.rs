//! `vectors/envelope`: every backend accepts and refuses the same envelopes.
//!
//! The cases come from `vectors/generate.py`, which signs them with Python's `cryptography` after
//! docs/envelope.md. docs/vectors.md says what the members mean.

// A test reports by panicking; clippy sees that only inside the test functions themselves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use gangplank_envelope::{
    Audience, DecodeError, Envelope, Expect, ExpectedAudience, ExpectedForm, Freshness, Limits,
    MemberError, Nonce, PayloadType, VerifyError, Window,
};
use gangplank_key::{Backend, CertificateDer, CertificateId, PublicKey, TrustedKey, UnixTime};
use gangplank_testkit::{Case, count_at_least, deny_unknown_keys};

#[test]
fn every_backend_says_what_the_vectors_say() {
    for case in count_at_least("envelope", COMMITTED) {
        case.deny_unknown_keys(&["comment", "spec", "expect", "inputs"]);
        deny_unknown_keys(&case.name(), &case.value["inputs"], INPUTS);
        let expected = case.value["expect"].as_str().unwrap();
        for backend in [Backend::PURE_RUST, Backend::AWS_LC_RS] {
            let found = outcome(&case, backend);
            assert_eq!(found, expected, "{} by {backend:?}", case.name());
        }
    }
}

fn outcome(case: &Case, backend: Backend) -> &'static str {
    let wire = text(case, "envelope")
        .map(|text| text.as_bytes().to_vec())
        .or_else(|| bytes(case, "envelopeBase64"))
        .expect("an envelope");
    let mut scratch = Vec::new();
    let envelope = match Envelope::decode(&wire, &Limits::DEFAULT, &mut scratch) {
        Ok(envelope) => envelope,
        Err(error) => return unreadable(&error),
    };
    encodes_in_one_way(case, &envelope);
    let nonce = text(case, "nonce").map(|text| Nonce::parse(text).unwrap());
    let expect = Expect {
        form: form(case),
        audience: match text(case, "audience") {
            Some(text) => ExpectedAudience::Exactly(Audience::parse(text).unwrap()),
            None => ExpectedAudience::NotCompared,
        },
        freshness: freshness(case, nonce.as_ref()),
    };
    match envelope.verify(&trusted_key(case, backend), &expect) {
        Ok(verified) => {
            let written: serde_json::Value = serde_json::from_slice(&wire).unwrap();
            let payload = BASE64_STANDARD.decode(written["payload"].as_str().unwrap());
            assert_eq!(verified.payload(), payload.unwrap(), "{}", case.name());
            "accept"
        }
        Err(error) => unverified(&error),
    }
}

fn encodes_in_one_way(case: &Case, envelope: &Envelope<'_>) {
    let text = envelope.encode();
    let mut scratch = Vec::new();
    let again = Envelope::decode(&text, &Limits::DEFAULT, &mut scratch).unwrap();
    assert_eq!(&again, envelope, "{}", case.name());
    assert_eq!(again.encode(), text, "{}", case.name());
}

fn trusted_key(case: &Case, backend: Backend) -> TrustedKey {
    let key = match (bytes(case, "spki"), bytes(case, "certificate")) {
        (Some(spki), None) => PublicKey::from_spki(&spki, backend),
        (None, Some(der)) => PublicKey::from_certificate(&CertificateDer::from(der), backend),
        _ => panic!("{}: one of spki and certificate", case.name()),
    };
    let id = CertificateId::parse(text(case, "certificateId").unwrap()).unwrap();
    TrustedKey::vouch(id, key.unwrap())
}

fn form(case: &Case) -> ExpectedForm {
    let payload_type = text(case, "type").map(|text| PayloadType::parse(text).unwrap());
    match (text(case, "form"), payload_type) {
        (Some("bound"), Some(payload_type)) => ExpectedForm::Bound(payload_type),
        (Some("plain"), None) => ExpectedForm::Plain,
        (Some("any"), None) => ExpectedForm::Any,
        other => panic!("{}: {other:?}", case.name()),
    }
}

fn freshness<'n>(case: &Case, nonce: Option<&'n Nonce>) -> Freshness<'n> {
    let seconds = |member| number(case, member).map(Duration::from_secs);
    match (nonce, seconds("now"), seconds("maxAge"), seconds("maxLead")) {
        (None, None, None, None) => Freshness::NotRequired,
        (Some(nonce), None, None, None) => Freshness::Echo(nonce),
        (None, Some(now), Some(max_age), Some(max_lead)) => Freshness::Created(Window {
            now: UnixTime::since_unix_epoch(now),
            max_age,
            max_lead,
        }),
        other => panic!("{}: {other:?}", case.name()),
    }
}

fn unreadable(error: &DecodeError) -> &'static str {
    match error {
        DecodeError::TooLarge { .. }
        | DecodeError::Member {
            reason: MemberError::TooLarge { .. },
            ..
        } => "refuse: too-large",
        _ => "refuse: unreadable",
    }
}

fn unverified(error: &VerifyError) -> &'static str {
    match error {
        VerifyError::OtherSigner { .. } => "refuse: signer",
        VerifyError::PlainForm | VerifyError::BoundForm => "refuse: form",
        VerifyError::Digest => "refuse: digest",
        VerifyError::Certificate => "refuse: certificate",
        VerifyError::Signature => "refuse: signature",
        VerifyError::PlainPayload => "refuse: payload",
        VerifyError::Type { .. } => "refuse: type",
        VerifyError::Audience { .. } => "refuse: audience",
        VerifyError::Stale(_) => "refuse: freshness",
        other => panic!("no vector expects {other:?}"),
    }
}

fn text<'c>(case: &'c Case, member: &str) -> Option<&'c str> {
    Some(case.value["inputs"].get(member)?.as_str().unwrap())
}

fn number(case: &Case, member: &str) -> Option<u64> {
    Some(case.value["inputs"].get(member)?.as_u64().unwrap())
}

fn bytes(case: &Case, member: &str) -> Option<Vec<u8>> {
    let text = text(case, member)?;
    Some(BASE64_STANDARD.decode(text).unwrap())
}

const INPUTS: &[&str] = &[
    "envelope",
    "envelopeBase64",
    "spki",
    "certificate",
    "certificateId",
    "form",
    "type",
    "audience",
    "now",
    "maxAge",
    "maxLead",
    "nonce",
];

/// Cases in the folder when it was last changed: fewer would be tests that silently went missing.
const COMMITTED: usize = 94;
