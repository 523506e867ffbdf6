//! C2SP Wycheproof's HMAC-SHA-256 cases, for the function that issued nonces are made with.

// A test reports by panicking; clippy sees that only inside the test functions themselves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use gangplank_testkit::suite;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

#[test]
fn every_tag_is_judged_as_wycheproof_does() {
    let Some(folder) = suite("wycheproof") else {
        return;
    };
    let text = std::fs::read_to_string(folder.join("hmac_sha256_test.json")).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    let mut run = 0;
    for group in file["testGroups"].as_array().unwrap() {
        for case in group["tests"].as_array().unwrap() {
            let mut mac = Hmac::<Sha256>::new_from_slice(&hex(&case["key"])).unwrap();
            mac.update(&hex(&case["msg"]));
            let tag = mac.finalize().into_bytes();
            let found = hex(&case["tag"]) == tag[..group["tagSize"].as_u64().unwrap() as usize / 8];
            assert_eq!(found, case["result"] == "valid", "{case}");
            run += 1;
        }
    }
    println!("wycheproof HMAC: {run} run, {run} passed, 0 excepted");
    assert!(run >= 174, "{run} cases");
}

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}
