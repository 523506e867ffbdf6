//! `vectors/signed-list`: manifests that Python signed, the bytes and deltas they name, and what is
//! remembered of them, against both backends. docs/vectors.md says what the members mean.
#![cfg(feature = "signed")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::convert::Infallible;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use gangplank_allowlist::signed::{
    ContentError, DeltaError, ExpectedList, ExpectedName, Kept, ListName, Rollback, SignedList,
    SignedListError, VerifiedManifest, write_delta,
};
use gangplank_allowlist::text::CanonicalText;
use gangplank_envelope::{Audience, ExpectedAudience};
use gangplank_key::{Backend, CertificateId, PublicKey, TrustedKey};
use gangplank_testkit::{count_at_least, deny_unknown_keys};
use serde_json::Value;

#[test]
fn both_backends_say_what_python_said() {
    let cases = count_at_least("signed-list", COMMITTED);
    for case in &cases {
        case.deny_unknown_keys(&["comment", "spec", "expect", "inputs"]);
        let inputs = &case.value["inputs"];
        deny_unknown_keys(&case.name(), inputs, INPUTS);
        for backend in [Backend::PURE_RUST, Backend::AWS_LC_RS] {
            let found = match judge(&case.name(), inputs, backend) {
                Ok(()) => "accept".to_owned(),
                Err(code) => format!("refuse: {code}"),
            };
            let expected = case.value["expect"].as_str().unwrap();
            assert_eq!(found, expected, "{} ({})", case.name(), backend.name());
        }
    }
    let run = cases.len();
    println!("vectors/signed-list: {run} run, {run} passed, 0 excepted");
}

fn judge(name: &str, inputs: &Value, backend: Backend) -> Result<(), &'static str> {
    let before = bytes(inputs, "before")
        .map(|before| Kept::decode(&before, backend))
        .transpose()
        .map_err(|_| "kept")?;
    let verified = verify(inputs, backend)?;
    let kept = verified
        .follow(before.as_ref())
        .map_err(|error| match error {
            Rollback::Older { .. } => "older",
            Rollback::Replaced { .. } => "replaced",
            Rollback::OtherList => "kept-other-list",
            Rollback::OtherSigner { .. } => "kept-other-signer",
            other => panic!("{name}: {other}"),
        })?;
    if let Some(list) = bytes(inputs, "bytes") {
        check(&verified, &list)?;
    }
    if let Some(base) = bytes(inputs, "base") {
        deltas(name, inputs, &verified, &base)?;
    }
    // What this crate writes is what Python wrote.
    let encoded = kept.encode(backend);
    assert_eq!(Some(&encoded), bytes(inputs, "kept").as_ref(), "{name}");
    assert_eq!(
        Kept::decode(&encoded, backend).as_ref(),
        Ok(&kept),
        "{name}"
    );
    let json = String::from_utf8(verified.manifest().to_json().unwrap()).unwrap();
    if !name.contains("order-and-space") {
        assert_eq!(json, inputs["payload"].as_str().unwrap(), "{name}");
    }
    Ok(())
}

fn verify(inputs: &Value, backend: Backend) -> Result<VerifiedManifest, &'static str> {
    let text = |member: &str| inputs[member].as_str().unwrap();
    let key = PublicKey::from_spki(&bytes(inputs, "spki").unwrap(), backend).unwrap();
    let key = TrustedKey::vouch(CertificateId::parse(text("certificateId")).unwrap(), key);
    let expect = ExpectedList {
        name: ExpectedName::Exactly(ListName::parse(text("list")).unwrap()),
        audience: match inputs["audience"].as_str() {
            Some(audience) => ExpectedAudience::Exactly(Audience::parse(audience).unwrap()),
            None => ExpectedAudience::NotCompared,
        },
    };
    let signed = SignedList::new(text("envelope").as_bytes());
    signed.verify(&key, &expect).map_err(|error| match error {
        SignedListError::Decode(_) | SignedListError::Envelope(_) => "envelope",
        SignedListError::Manifest(error) => error.code(),
        SignedListError::OtherList { .. } => "other-list",
        other => panic!("{other}"),
    })
}

/// In one go and in parts of every length up to 70, which have to say the same.
fn check(verified: &VerifiedManifest, list: &[u8]) -> Result<(), &'static str> {
    let code = |error| match error {
        ContentError::Size { .. } => "size",
        ContentError::Digest => "digest",
        other => panic!("{other}"),
    };
    let whole = verified.check(list).map(|_| ()).map_err(code);
    for length in 1..=70 {
        let mut checking = verified.checking();
        let fed = list.chunks(length).try_for_each(|part| checking.feed(part));
        let in_parts = fed.and_then(|()| checking.finish()).map_err(code);
        assert_eq!(in_parts, whole);
    }
    whole
}

fn deltas(
    name: &str,
    inputs: &Value,
    verified: &VerifiedManifest,
    base: &[u8],
) -> Result<(), &'static str> {
    let delta = bytes(inputs, "delta").unwrap();
    let mut made = Vec::new();
    let collect = |made: &mut Vec<u8>, part: &[u8]| {
        made.extend_from_slice(part);
        Ok::<_, Infallible>(())
    };
    verified
        .apply_delta(base, &delta, |part| collect(&mut made, part))
        .map_err(|error| match error {
            DeltaError::Base => "delta-base",
            DeltaError::Delta(_) => "delta-bytes",
            DeltaError::Line(_) => "delta-line",
            DeltaError::Result(_) => "delta-result",
            other => panic!("{name}: {other}"),
        })?;
    assert_eq!(Some(&made), bytes(inputs, "bytes").as_ref(), "{name}");
    let mut written = Vec::new();
    let (from, to) = (
        CanonicalText::read(base).unwrap(),
        CanonicalText::read(&made).unwrap(),
    );
    write_delta(from, to, |part| collect(&mut written, part)).unwrap();
    assert_eq!(written, delta, "{name}");
    Ok(())
}

fn bytes(inputs: &Value, member: &str) -> Option<Vec<u8>> {
    Some(
        BASE64_STANDARD
            .decode(inputs.get(member)?.as_str()?)
            .unwrap(),
    )
}

const INPUTS: &[&str] = &[
    "envelope",
    "spki",
    "certificateId",
    "list",
    "audience",
    "payload",
    "bytes",
    "before",
    "kept",
    "base",
    "delta",
];
const COMMITTED: usize = 87;
