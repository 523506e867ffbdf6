//! `vectors/trust`: tenants as JSON documents. docs/vectors.md says what the members mean.

// A test reports by panicking; clippy sees that only inside the test functions themselves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use gangplank_testkit::{count_at_least, deny_unknown_keys};
use gangplank_trust::{AdapterView, DocumentError, TenantDocument};
use serde_json::Value;

#[test]
fn documents_are_what_the_vectors_say() {
    for case in count_at_least("trust", COMMITTED) {
        case.deny_unknown_keys(&["comment", "spec", "expect", "inputs"]);
        let inputs = &case.value["inputs"];
        let members = ["view", "document", "written", "pointer"];
        deny_unknown_keys(&case.name(), inputs, &members);
        let document = inputs["document"].as_str().unwrap().as_bytes();
        let written = match inputs["view"].as_str().unwrap() {
            "management" => {
                TenantDocument::decode(document, &mut || "made".into()).map(|read| read.encode())
            }
            "adapter" => AdapterView::decode(document).map(|read| read.encode()),
            other => panic!("{}: view {other}", case.name()),
        };
        let found = match &written {
            Ok(_) => "accept".to_owned(),
            Err(error) => format!("refuse: {}", code(error)),
        };
        assert_eq!(
            found,
            case.value["expect"].as_str().unwrap(),
            "{}",
            case.name()
        );
        match written {
            Ok(written) => {
                let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
                let expected = value(inputs["written"].as_str().unwrap());
                assert_eq!(value(&written), expected, "{}", case.name());
            }
            Err(error) => {
                let expected = inputs["pointer"].as_str().unwrap();
                assert_eq!(error.pointer(), expected, "{}", case.name());
            }
        }
    }
}

fn code(error: &DocumentError) -> &'static str {
    match error {
        DocumentError::Unreadable { .. } => "unreadable",
        DocumentError::Repeated { .. } => "repeated",
        DocumentError::Unknown { .. } => "unknown",
        DocumentError::Missing { .. } => "missing",
        DocumentError::Unexpected { .. } => "unexpected",
        other => panic!("{other}"),
    }
}

const COMMITTED: usize = 19;
