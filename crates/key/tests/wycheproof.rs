//! C2SP Wycheproof: every signature case of the algorithms that keys have, by both backends.

// A test reports by panicking; clippy sees that only inside the test functions themselves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use gangplank_key::{Algorithm, Backend, PublicKey, Signature};
use gangplank_testkit::suite;
use serde_json::Value;

#[test]
fn every_case_is_judged_as_wycheproof_does() {
    let Some(folder) = suite("wycheproof") else {
        return;
    };
    let exceptions: Value =
        serde_json::from_str(include_str!("wycheproof-exceptions.json")).unwrap();
    let mut exceptions: Vec<&Value> = exceptions.as_array().unwrap().iter().collect();
    let excepted = exceptions.len();
    let (mut run, mut refused) = (0, 0);
    for (file, algorithm, encoding) in FILES {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        let file_value: Value = serde_json::from_str(&text).unwrap();
        let before = run;
        for group in file_value["testGroups"].as_array().unwrap() {
            for case in group["tests"].as_array().unwrap() {
                let mut expected = expected(case);
                let exception = exceptions
                    .iter()
                    .position(|other| other["file"] == *file && other["tcId"] == case["tcId"]);
                if let Some(at) = exception {
                    assert_eq!(case["result"], exceptions.remove(at)["suite"]);
                    expected = !expected;
                }
                for backend in [Backend::PURE_RUST, Backend::AWS_LC_RS] {
                    let found = verifies(group, case, *algorithm, *encoding, backend);
                    let id = &case["tcId"];
                    assert_eq!(found, expected, "{file} {id} by {backend:?}: {case}");
                }
                run += 1;
                refused += usize::from(!expected);
            }
        }
        let stated = file_value["numberOfTests"].as_u64().unwrap();
        assert_eq!(u64::try_from(run - before).unwrap(), stated, "{file}");
    }
    assert!(exceptions.is_empty(), "no longer needed: {exceptions:?}");
    let passed = run - excepted;
    println!(
        "wycheproof signatures: {run} run, {passed} passed, {excepted} excepted ({refused} refusals)"
    );
    assert!(run >= COMMITTED, "{run} cases");
}

/// "Acceptable" is a signature over a DigestInfo without NULL, which RFC 8017 §9.2 does not make and
/// §8.2.2 leaves to the verifier: it is refused, so that one message has one signature.
fn expected(case: &Value) -> bool {
    match case["result"].as_str().unwrap() {
        "valid" => true,
        "invalid" => false,
        "acceptable" => {
            assert_eq!(case["flags"][0], "MissingNull");
            false
        }
        other => panic!("result {other}"),
    }
}

fn verifies(
    group: &Value,
    case: &Value,
    algorithm: Algorithm,
    encoding: Encoding,
    backend: Backend,
) -> bool {
    let spki = hex(&group["publicKeyDer"]);
    let Ok(key) = PublicKey::from_spki(&spki, backend) else {
        return false;
    };
    let key = key.using(algorithm).unwrap();
    let (message, bytes) = (hex(&case["msg"]), hex(&case["sig"]));
    let signature = match encoding {
        Encoding::Wire => Signature::from_wire(algorithm, &bytes),
        Encoding::Fixed => Signature::from_fixed(algorithm, &bytes),
    };
    let Ok(signature) = signature else {
        return false;
    };
    let verified = key.verify(&message, &signature).is_ok();
    let hash = backend.sha256(&[&message]);
    let hashed = key.verify_hashed(&message, &hash, &signature).is_ok();
    assert_eq!(verified, hashed, "a finished hash makes no difference");
    verified
}

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

#[derive(Clone, Copy)]
enum Encoding {
    /// As certificates have it; DER for ECDSA.
    Wire,
    /// r‖s.
    Fixed,
}

const FILES: &[(&str, Algorithm, Encoding)] = &[
    (
        "ecdsa_secp256r1_sha256_test.json",
        Algorithm::EcdsaP256Sha256,
        Encoding::Wire,
    ),
    (
        "ecdsa_secp256r1_sha256_p1363_test.json",
        Algorithm::EcdsaP256Sha256,
        Encoding::Fixed,
    ),
    (
        "ecdsa_secp384r1_sha384_test.json",
        Algorithm::EcdsaP384Sha384,
        Encoding::Wire,
    ),
    (
        "ecdsa_secp384r1_sha384_p1363_test.json",
        Algorithm::EcdsaP384Sha384,
        Encoding::Fixed,
    ),
    ("ed25519_test.json", Algorithm::Ed25519, Encoding::Wire),
    (
        "rsa_signature_2048_sha256_test.json",
        Algorithm::RsaPkcs1Sha256,
        Encoding::Wire,
    ),
    (
        "rsa_signature_3072_sha256_test.json",
        Algorithm::RsaPkcs1Sha256,
        Encoding::Wire,
    ),
    (
        "rsa_signature_4096_sha256_test.json",
        Algorithm::RsaPkcs1Sha256,
        Encoding::Wire,
    ),
    (
        "rsa_pss_2048_sha256_mgf1_32_test.json",
        Algorithm::RsaPssSha256,
        Encoding::Wire,
    ),
    (
        "rsa_pss_3072_sha256_mgf1_32_test.json",
        Algorithm::RsaPssSha256,
        Encoding::Wire,
    ),
];

/// Cases in the files above when they were last looked at.
const COMMITTED: usize = 2673;
