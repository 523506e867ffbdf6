//! `vectors/key`: every backend accepts and refuses the same keys and signatures.
//!
//! The cases come from `vectors/generate.py`, which builds them with Python's `cryptography` and by
//! hand from the RFCs. docs/vectors.md says what the members mean.

// A test reports by panicking; clippy sees that only inside the test functions themselves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use base64::{Engine, prelude::BASE64_STANDARD};
use gangplank_key::{Algorithm, Backend, CertificateDer, KeyError, PublicKey, Signature};
use gangplank_testkit::{Case, count_at_least, deny_unknown_keys};

#[test]
fn every_backend_says_what_the_vectors_say() {
    for case in count_at_least("key", COMMITTED) {
        case.deny_unknown_keys(&["comment", "spec", "expect", "inputs"]);
        let members = ["spki", "certificate", "algorithm", "message", "signature"];
        deny_unknown_keys(&case.name(), &case.value["inputs"], &members);
        let expected = case.value["expect"].as_str().unwrap();
        for backend in BACKENDS {
            let found = outcome(&case, *backend);
            assert_eq!(found, expected, "{} by {backend:?}", case.name());
        }
    }
}

fn outcome(case: &Case, backend: Backend) -> &'static str {
    let key = match (bytes(case, "spki"), bytes(case, "certificate")) {
        (Some(spki), None) => PublicKey::from_spki(&spki, backend),
        (None, Some(der)) => PublicKey::from_certificate(&CertificateDer::from(der), backend),
        _ => panic!("{}: one of spki and certificate", case.name()),
    };
    let key = match key.and_then(|key| key.using(algorithm(case, &key))) {
        Ok(key) => key,
        Err(error) => return code(&error),
    };
    let (Some(message), Some(signature)) = (bytes(case, "message"), bytes(case, "signature"))
    else {
        return "accept";
    };
    let verified = Signature::from_wire(key.algorithm(), &signature)
        .is_ok_and(|signature| key.verify(&message, &signature).is_ok());
    if verified {
        "accept"
    } else {
        "refuse: signature"
    }
}

/// The padding that an RSA key is to be used with, if the case says.
fn algorithm(case: &Case, key: &PublicKey) -> Algorithm {
    match case.value["inputs"].get("algorithm") {
        None => key.algorithm(),
        Some(name) => *[
            Algorithm::RsaPkcs1Sha256,
            Algorithm::RsaPssSha256,
            Algorithm::RsaPssSha512,
        ]
        .iter()
        .find(|algorithm| name == algorithm.name())
        .unwrap(),
    }
}

fn code(error: &KeyError) -> &'static str {
    match error {
        KeyError::Certificate => "refuse: certificate",
        KeyError::Malformed => "refuse: malformed",
        KeyError::Algorithm(_) => "refuse: algorithm",
        KeyError::Curve(_) => "refuse: curve",
        KeyError::Point(_) => "refuse: point",
        KeyError::ModulusBits { .. } => "refuse: modulus bits",
        KeyError::EvenModulus => "refuse: even modulus",
        KeyError::Exponent => "refuse: exponent",
        KeyError::Use { .. } => "refuse: use",
        other => panic!("no vector expects {other:?}"),
    }
}

fn bytes(case: &Case, member: &str) -> Option<Vec<u8>> {
    let text = case.value["inputs"].get(member)?.as_str().unwrap();
    Some(BASE64_STANDARD.decode(text).unwrap())
}

const BACKENDS: &[Backend] = &[Backend::PURE_RUST, Backend::AWS_LC_RS];

/// Cases in the folder when it was last changed: fewer would be tests that silently went missing.
const COMMITTED: usize = 103;
