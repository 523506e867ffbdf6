//! `vectors/message`: every backend accepts and refuses the same messages.
//!
//! The cases come from `vectors/generate_message.py`, which signs them with Python's `cryptography`.
//! docs/vectors.md says what the members mean.

// A test reports by panicking; clippy sees that only inside the test functions themselves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use gangplank_key::{Backend, PublicKey, UnixTime};
use gangplank_message::margo::{self, Incoming, Profile};
use gangplank_message::{
    ClaimError, Expect, ExpectedTag, Field, Freshness, Limits, Message, ReadError, Request,
    Response, Signatures, Target, VerifyError, Window,
};
use gangplank_testkit::{Case, count_at_least, deny_unknown_keys};

#[test]
fn every_backend_says_what_the_vectors_say() {
    let (mut run, mut refused, mut wrong) = (0, 0, Vec::new());
    for case in count_at_least("message", COMMITTED) {
        case.deny_unknown_keys(&["comment", "spec", "expect", "inputs"]);
        deny_unknown_keys(&case.name(), &case.value["inputs"], INPUTS);
        let expected = case.value["expect"].as_str().unwrap();
        for backend in [Backend::PURE_RUST, Backend::AWS_LC_RS] {
            let found = outcome(&case, backend);
            if found != expected {
                wrong.push(format!("{} by {backend:?}: {found}", case.name()));
            }
        }
        run += 1;
        refused += usize::from(expected != "accept");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    println!("vectors/message: {run} run, {run} passed, 0 excepted ({refused} must be refused)");
}

fn outcome(case: &Case, backend: Backend) -> &'static str {
    let inputs = &case.value["inputs"];
    let mut fields = lines(&inputs["fields"]);
    if let Some(name) = text(case, "swap") {
        let mut lines = fields
            .iter_mut()
            .filter(|(found, _)| found.eq_ignore_ascii_case(name));
        let (one, other) = (lines.next().unwrap(), lines.next().unwrap());
        std::mem::swap(one, other);
    }
    let target = Target::parse(text(case, "target").unwrap()).unwrap();
    let trailers = inputs.get("trailers").map(lines).unwrap_or_default();
    let method = text(case, "method").unwrap();
    let request = Request::new(method, target, &fields).with_trailers(&trailers);
    let key = bytes(case, "spki");
    let key = PublicKey::from_spki(&key, backend).unwrap();
    match text(case, "policy").unwrap() {
        "margo" => by_margo(case, &request, &key),
        "rfc9421" => match inputs["status"].as_u64() {
            Some(status) => {
                let asked = inputs.get("requestFields").map(lines);
                let asked = asked
                    .as_deref()
                    .map(|asked| Request::new(method, target, asked));
                let status = u16::try_from(status).unwrap();
                let mut response = Response::new(status, &fields).with_trailers(&trailers);
                if let Some(asked) = &asked {
                    response = response.answering(asked);
                }
                by_rfc9421(case, (&response).into(), &fields, &key)
            }
            None => by_rfc9421(case, (&request).into(), &fields, &key),
        },
        other => panic!("{}: policy {other}", case.name()),
    }
}

fn lines(pairs: &serde_json::Value) -> Vec<Field<'_>> {
    let pairs = pairs.as_array().unwrap().iter();
    pairs
        .map(|pair| {
            (
                pair[0].as_str().unwrap(),
                pair[1].as_str().unwrap().as_bytes(),
            )
        })
        .collect()
}

fn by_margo(case: &Case, request: &Request<'_>, key: &PublicKey) -> &'static str {
    use margo::VerifyError as E;
    let body = bytes(case, "body");
    let incoming = Incoming::new(request, &body);
    let (profile, window) = (profile(case), window(case));
    match margo::verify(&incoming, "c-1", key, &profile, &window, &Limits::DEFAULT) {
        Ok(verified) => {
            assert_eq!(verified.body(), body);
            assert_eq!(verified.once_keys().len(), 1);
            if text(case, "names").is_none() {
                has_base(case, request.into(), request.fields());
            }
            "accept"
        }
        Err(error) => {
            let said = match error {
                E::DigestMissing | E::Digest(_) | E::Sha256Missing | E::DigestMismatch => {
                    "refuse: content-digest"
                }
                E::Read(_) => "refuse: signature-fields",
                E::Claim(ClaimError::NoSuchLabel { .. }) => "refuse: label",
                E::Claim(_) => "refuse: parameters",
                E::NotCovered { .. } => "refuse: not-covered",
                E::KeyId => "refuse: key-id",
                E::Key(_) | E::Algorithm { .. } => "refuse: algorithm",
                E::Base(_) => "refuse: base",
                E::Signature => "refuse: signature",
                E::Stale(_) => "refuse: stale",
                other => panic!("{}: {other}", case.name()),
            };
            let status = if said == "refuse: content-digest" {
                400
            } else {
                401
            };
            assert_eq!(error.http_status(), status, "{}", case.name());
            said
        }
    }
}

fn by_rfc9421(
    case: &Case,
    message: Message<'_>,
    fields: &[Field<'_>],
    key: &PublicKey,
) -> &'static str {
    use VerifyError as E;
    let limits = Limits::DEFAULT;
    let expect = Expect {
        covered: &[],
        freshness: Freshness::Created(window(case)),
        tag: ExpectedTag::NotCompared,
    };
    let label = text(case, "label").unwrap();
    let verified = Signatures::read(fields, &limits)
        .map_err(|error: ReadError| panic!("{}: {error}", case.name()))
        .and_then(|signatures| signatures.verify(message, label, key, &expect, &limits));
    match verified {
        Ok(verified) => {
            assert_eq!(verified.base().as_str(), text(case, "base").unwrap());
            has_base(case, message, fields);
            "accept"
        }
        Err(E::Base(_)) => "refuse: base",
        Err(E::Signature) => "refuse: signature",
        Err(other) => panic!("{}: {other}", case.name()),
    }
}

/// The base is the one that Python put together.
fn has_base(case: &Case, message: Message<'_>, fields: &[Field<'_>]) {
    let limits = Limits::DEFAULT;
    let signatures = Signatures::read(fields, &limits).unwrap();
    let claimed = signatures.claimed(text(case, "label").unwrap()).unwrap();
    let base = claimed.base(message, &limits).unwrap();
    assert_eq!(Some(base.as_str()), text(case, "base"), "{}", case.name());
}

fn profile(case: &Case) -> Profile {
    let mut profile = Profile::MARGO_1_0;
    match text(case, "authority") {
        Some("required") => profile.authority = margo::AuthorityRule::Required,
        other => assert_eq!(other, None),
    }
    match text(case, "rsa") {
        Some("pkcs1") => profile.rsa = margo::RsaPaddings::Pkcs1,
        other => assert_eq!(other, None),
    }
    match text(case, "ed25519") {
        Some("accepted") => profile.ed25519 = margo::Ed25519Rule::Accepted,
        other => assert_eq!(other, None),
    }
    match text(case, "names") {
        Some("content-digest-with-capitals") => {
            profile.names = margo::ComponentNames::ContentDigestWithCapitals;
        }
        other => assert_eq!(other, None),
    }
    profile
}

fn window(case: &Case) -> Window {
    let number = |name: &str| case.value["inputs"][name].as_u64().expect(name);
    Window {
        now: UnixTime::since_unix_epoch(Duration::from_secs(number("now"))),
        max_age: Duration::from_secs(number("maxAge")),
        max_lead: Duration::from_secs(number("maxLead")),
    }
}

fn text<'c>(case: &'c Case, name: &str) -> Option<&'c str> {
    case.value["inputs"]
        .get(name)
        .map(|value| value.as_str().expect(name))
}

fn bytes(case: &Case, name: &str) -> Vec<u8> {
    BASE64_STANDARD
        .decode(text(case, name).expect(name))
        .expect(name)
}

const COMMITTED: usize = 102;
const INPUTS: &[&str] = &[
    "policy",
    "method",
    "target",
    "fields",
    "body",
    "spki",
    "label",
    "now",
    "maxAge",
    "maxLead",
    "base",
    "status",
    "swap",
    "authority",
    "rsa",
    "ed25519",
    "names",
    "trailers",
    "requestFields",
];
