//! `vectors/hash-chain`: logs. docs/vectors.md says what the members mean.

// A test reports by panicking; clippy sees that only inside the test functions themselves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use gangplank_hash_chain::{Head, Verifier};
use gangplank_testkit::{count_at_least, deny_unknown_keys};
use serde_json::Value;

#[test]
fn logs_are_what_the_vectors_say() {
    for case in count_at_least("hash-chain", COMMITTED) {
        case.deny_unknown_keys(&["comment", "spec", "expect", "inputs"]);
        let (name, inputs) = (case.name(), &case.value["inputs"]);
        deny_unknown_keys(&name, inputs, &MEMBERS);
        let log = inputs["log"].as_str().unwrap();
        let head = |member: &str| inputs[member].as_str().map(|text| text.parse().unwrap());
        let mut verifier = head("after").map_or_else(Verifier::new, Verifier::after);
        if let Some(kept) = head("head") {
            verifier = verifier.expecting(kept);
        }
        let found = verifier.verify(log.as_bytes());
        let said = match &found {
            Ok(_) => "accept".to_owned(),
            Err(broken) => format!("refuse: {}", broken.fault.code()),
        };
        assert_eq!(said, case.value["expect"].as_str().unwrap(), "{name}");
        match found {
            Ok(summary) => {
                assert_eq!(summary.head.to_string(), inputs["ends"], "{name}");
                let unfinished = inputs["unfinished"].as_u64().unwrap_or(0);
                assert_eq!(summary.unfinished as u64, unfinished, "{name}");
                assert_eq!(summary.set_back, inputs["setBack"].as_u64(), "{name}");
                let lines = log.bytes().filter(|byte| *byte == b'\n').count();
                assert_eq!(summary.lines, lines as u64, "{name}");
            }
            Err(broken) => assert_eq!(Some(broken.line), inputs["line"].as_u64(), "{name}"),
        }
        if let Some(records) = inputs["records"].as_array() {
            assert_eq!(written(records), log, "{name}");
        }
    }
}

fn written(records: &[Value]) -> String {
    let mut head = Head::START;
    let mut log = Vec::new();
    for record in records {
        let time = record["time"].as_u64().unwrap();
        let line = head.append(time, &record["payload"]).unwrap();
        log.extend_from_slice(line.text());
        head = line.head();
    }
    String::from_utf8(log).unwrap()
}

const MEMBERS: [&str; 8] = [
    "log",
    "after",
    "head",
    "ends",
    "unfinished",
    "setBack",
    "line",
    "records",
];
const COMMITTED: usize = 40;
