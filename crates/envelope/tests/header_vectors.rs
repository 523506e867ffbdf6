//! `vectors/header`: every backend accepts and refuses the same `X-Payload-Signature` headers.
//!
//! The cases come from `vectors/generate_header.py`, which signs them with Python's `cryptography`
//! after docs/payload-signature.md. docs/vectors.md says what the members mean.

// A test reports by panicking; clippy sees that only inside the test functions themselves.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use base64::{Engine, prelude::BASE64_STANDARD};
use gangplank_envelope::Limits;
use gangplank_envelope::payload_signature::{DecodeError, PayloadSignature, Spelling, VerifyError};
use gangplank_key::{Backend, CertificateId, PublicKey, TrustedKey};
use gangplank_testkit::{Case, count_at_least, deny_unknown_keys};

#[test]
fn every_backend_says_what_the_vectors_say() {
    let cases = count_at_least("header", COMMITTED);
    for case in &cases {
        case.deny_unknown_keys(&["comment", "spec", "expect", "inputs"]);
        deny_unknown_keys(&case.name(), &case.value["inputs"], INPUTS);
        let expected = case.value["expect"].as_str().unwrap();
        for backend in [Backend::PURE_RUST, Backend::AWS_LC_RS] {
            let found = outcome(case, backend);
            assert_eq!(found, expected, "{} by {backend:?}", case.name());
        }
    }
    let run = cases.len();
    println!("vectors/header: {run} run, {run} passed, 0 excepted (each on two backends)");
}

fn outcome(case: &Case, backend: Backend) -> &'static str {
    let body = bytes(case, "body", "bodyBase64");
    let spelling = match text(case, "spelling") {
        Some("wrapped") => Spelling::Wrapped,
        Some("wrapped-or-bare") => Spelling::WrappedOrBare,
        other => panic!("{}: {other:?}", case.name()),
    };
    let header = match PayloadSignature::decode(&bytes(case, "header", "headerBase64"), spelling) {
        Ok(header) => header,
        Err(error) => return unreadable(&error),
    };
    let again = PayloadSignature::decode(header.encode().as_bytes(), Spelling::Wrapped);
    assert_eq!(again.as_ref(), Ok(&header), "{}", case.name());
    let spki = BASE64_STANDARD.decode(text(case, "spki").unwrap()).unwrap();
    let key = PublicKey::from_spki(&spki, backend).unwrap();
    let trusted = TrustedKey::vouch(CertificateId::parse("SN-0001").unwrap(), key);
    match header.verify(&body, &trusted, &Limits::DEFAULT) {
        Ok(verified) => {
            assert_eq!(verified.body(), body, "{}", case.name());
            "accept"
        }
        Err(error) => unverified(&error),
    }
}

fn unreadable(error: &DecodeError) -> &'static str {
    match error {
        DecodeError::TooLong { .. } | DecodeError::TooLarge { .. } => "refuse: too-large",
        _ => "refuse: unreadable",
    }
}

fn unverified(error: &VerifyError) -> &'static str {
    match error {
        VerifyError::OtherKey { .. } => "refuse: key",
        VerifyError::Signature => "refuse: signature",
        VerifyError::NoObject => "refuse: payload",
        other => panic!("no vector expects {other:?}"),
    }
}

fn bytes(case: &Case, as_text: &str, as_base64: &str) -> Vec<u8> {
    match (text(case, as_text), text(case, as_base64)) {
        (Some(text), None) => text.as_bytes().to_vec(),
        (None, Some(text)) => BASE64_STANDARD.decode(text).unwrap(),
        _ => panic!("{}: one of {as_text} and {as_base64}", case.name()),
    }
}

fn text<'c>(case: &'c Case, member: &str) -> Option<&'c str> {
    Some(case.value["inputs"].get(member)?.as_str().unwrap())
}

const INPUTS: &[&str] = &[
    "header",
    "headerBase64",
    "body",
    "bodyBase64",
    "spki",
    "spelling",
];

/// Cases in the folder when it was last changed: fewer would be tests that silently went missing.
const COMMITTED: usize = 66;
