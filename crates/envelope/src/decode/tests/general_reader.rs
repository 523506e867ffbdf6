//! The reader of envelopes beside serde_json: both take and refuse the same texts, and read the same
//! members out of them.

use super::super::raw::Raw;
use super::{BOUND, Envelope, Limits, suite};
use proptest::prelude::*;
use serde::Deserialize;
use serde::de::Deserializer;

/// An envelope's members, by a general JSON reader. It leaves to the members' own alphabets what the
/// other one leaves to them, so what it takes is compared only after those.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct General<'w> {
    payload: &'w str,
    digest: &'w str,
    signature: &'w str,
    certificate_id: &'w str,
    #[serde(rename = "type", borrow, default, deserialize_with = "present")]
    payload_type: Option<&'w str>,
    #[serde(default, deserialize_with = "present")]
    created: Option<u64>,
    #[serde(borrow, default, deserialize_with = "present")]
    nonce: Option<&'w str>,
    #[serde(borrow, default, deserialize_with = "present")]
    audience: Option<&'w str>,
    #[serde(borrow, default, deserialize_with = "present")]
    certificates: Option<Vec<&'w str>>,
}

/// An optional member may be left out, but not be null.
fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// Whether the text is an envelope, which must not depend on the reader.
fn agreed(text: &[u8]) -> bool {
    let mut scratch = Vec::new();
    let decoded = Envelope::decode(text, &Limits::DEFAULT, &mut scratch).is_ok();
    let object = text.trim_ascii_start().starts_with(b"{") && !text.contains(&b'\\');
    let general = object
        .then(|| serde_json::from_slice::<General<'_>>(text).ok())
        .flatten();
    let Some(general) = general else {
        assert!(!decoded, "only we take {}", String::from_utf8_lossy(text));
        return false;
    };
    let many = general
        .certificates
        .as_ref()
        .is_some_and(|all| all.len() > 8);
    let raw = match Raw::read(text) {
        Ok(raw) => raw,
        Err(error) => {
            // It stops at the ninth certificate, and the other one when all have been read.
            assert!(many, "{error} in {}", String::from_utf8_lossy(text));
            return false;
        }
    };
    assert_eq!(raw.payload, general.payload.as_bytes());
    assert_eq!(raw.digest, general.digest.as_bytes());
    assert_eq!(raw.signature, general.signature.as_bytes());
    assert_eq!(raw.certificate_id, general.certificate_id);
    assert_eq!(raw.payload_type, general.payload_type);
    assert_eq!(raw.created, general.created);
    assert_eq!(raw.nonce, general.nonce);
    assert_eq!(raw.audience, general.audience);
    let certificates = general.certificates.as_ref();
    let certificates = certificates.map(|all| all.iter().map(|one| one.as_bytes()).collect());
    assert_eq!(raw.certificates, certificates);
    decoded
}

#[test]
fn the_texts_of_the_suite() {
    let Some(folder) = suite("json/JSONTestSuite/test_parsing") else {
        return;
    };
    let mut values = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read(entry.unwrap().path()).unwrap();
        agreed(&text);
        // As the value of each member, where a wrong one might pass.
        for member in ["\"SN-0001\"", "1767225600", "\"OnboardingRequest\""] {
            let (before, after) = BOUND.split_once(member).unwrap();
            agreed(&[before.as_bytes(), &text, after.as_bytes()].concat());
        }
        let (before, after) = BOUND.split_once("\"audience\"").unwrap();
        let before = format!("{before}\"certificates\":");
        agreed(&[before.as_bytes(), &text, b",\"audience\"", after.as_bytes()].concat());
        values += 1;
    }
    println!("JSONTestSuite as members: {values} run, {values} passed, 0 excepted");
    assert!(values >= 318, "{values} files");
}

/// What makes and breaks JSON.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let tokens: Vec<&[u8]> = vec![
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"\"",
        b" ",
        b"\t",
        b"\n",
        b"\r",
        b"\x0c",
        b"\0",
        b"\\",
        b"0",
        b"1",
        b"-",
        b".",
        b"e",
        b"null",
        b"true",
        b"=",
        b"AAAA",
        b"\"\"",
        b"\"type\"",
        b"\"created\":",
        b",\"created\":0",
        b",\"nonce\":\"AAECAwQFBgcICQoLDA0ODw\"",
        b",\"certificates\":[\"MAIFAA==\",\"MAIFAA==\"]",
        b"\xff",
        "ä".as_bytes(),
        b"9999999999999999999999",
    ];
    prop_oneof![
        8 => proptest::sample::select(tokens).prop_map(<[u8]>::to_vec),
        1 => any::<Vec<u8>>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn changed_envelopes(
        changes in prop::collection::vec((0usize..600, 0usize..3, piece()), 0..4),
        pretty in any::<bool>(),
    ) {
        let value: serde_json::Value = serde_json::from_str(BOUND).unwrap();
        let pretty = pretty.then(|| serde_json::to_string_pretty(&value).unwrap());
        let mut text = pretty.unwrap_or_else(|| BOUND.into()).into_bytes();
        for (at, removed, piece) in changes {
            let at = at % (text.len() + 1);
            let end = text.len().min(at + removed);
            text.splice(at..end, piece);
        }
        agreed(&text);
    }

    #[test]
    fn pieces_alone(pieces in prop::collection::vec(piece(), 0..40)) {
        agreed(&pieces.concat());
    }

    #[test]
    fn members_in_any_order(
        order in Just((0..8).collect::<Vec<usize>>()).prop_shuffle(),
        kept in 0usize..9,
        blanks in prop::collection::vec(prop::sample::select(vec!["", " ", "\n", "\t\r"]), 24),
    ) {
        let value: serde_json::Value = serde_json::from_str(BOUND).unwrap();
        let members: Vec<(&String, &serde_json::Value)> = value.as_object().unwrap().iter().collect();
        let mut blanks = blanks.into_iter().cycle();
        let mut blank = || blanks.next().unwrap();
        let members: Vec<String> = order
            .iter()
            .take(kept)
            .map(|at| {
                let (name, value) = members[*at];
                format!("{}\"{name}\"{}:{}{value}{}", blank(), blank(), blank(), blank())
            })
            .collect();
        let text = format!("{{{}}}{}", members.join(","), blank());
        let whole = agreed(text.as_bytes());
        prop_assert!(whole || kept < 8, "{text}");
    }
}
