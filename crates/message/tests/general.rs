//! Signing and verifying without Margo's policy: each rule of RFC 9421 §3.2 and §4 broken alone.

// A test reports by panicking; clippy sees that only inside the test functions themselves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use gangplank_key::{Algorithm, SigningKey, SoftwareKey, UnixTime};
use gangplank_message::{
    ClaimError, Component, Expect, ExpectedTag, Field, Freshness, Limits, Message, OnceKey,
    PrepareError, ReadError, Request, Response, SignError, SignatureFields, SignatureParams,
    Signatures, Stale, Target, VerifyError, Window, prepare,
};
use gangplank_testkit::TestRng;

const CREATED: u64 = 1_767_225_600;
const LIMITS: &Limits = &Limits::DEFAULT;
const METHOD: &[Component<'static>] = &[Component::METHOD];
const ANYTHING: Expect<'static> = Expect {
    covered: &[],
    freshness: Freshness::NotRequired,
    tag: ExpectedTag::NotCompared,
};

fn key() -> SoftwareKey {
    SoftwareKey::generate(Algorithm::EcdsaP256Sha256, &mut TestRng::new(7)).unwrap()
}

fn request<'m>(fields: &'m [Field<'m>]) -> Request<'m> {
    Request::new(
        "GET",
        Target::parse("https://wfm.example/a").unwrap(),
        fields,
    )
}

fn params() -> SignatureParams<'static> {
    let params = SignatureParams::new([Component::METHOD, Component::PATH].into()).unwrap();
    params
        .with_created(CREATED)
        .and_then(|params| params.with_expires(CREATED + 10))
        .and_then(|params| params.with_tag("app"))
        .unwrap()
}

fn signed(params: &SignatureParams<'_>) -> SignatureFields {
    let to_be_signed = prepare((&request(&[])).into(), "a", params, LIMITS).unwrap();
    assert_eq!(to_be_signed.digest(key().public_key()).unwrap().len(), 32);
    // What a distant signer does, which does not see the parameters.
    let signature = key().sign(to_be_signed.message()).unwrap();
    to_be_signed.complete(&signature).unwrap()
}

fn verify(fields: &SignatureFields, expect: &Expect<'_>) -> Result<usize, VerifyError> {
    let fields: [Field<'_>; 2] = [
        ("Signature-Input", fields.signature_input.as_bytes()),
        ("Signature", fields.signature.as_bytes()),
    ];
    let signatures = Signatures::read(&fields, LIMITS).unwrap();
    let request = request(&fields);
    let message = Message::Request(&request);
    let verified = signatures.verify(message, "a", key().public_key(), expect, LIMITS)?;
    assert!(verified.covers(&Component::PATH) && !verified.covers(&Component::QUERY));
    Ok(verified.once_keys().len())
}

fn at(now: u64) -> Freshness<'static> {
    Freshness::Created(Window {
        now: UnixTime::since_unix_epoch(Duration::from_secs(now)),
        max_age: Duration::from_secs(60),
        max_lead: Duration::from_secs(5),
    })
}

#[test]
fn a_verifier_insists_on_what_it_expects() {
    let fields = signed(&params());
    assert_eq!(verify(&fields, &ANYTHING), Ok(0));
    let wanting = |covered, freshness, tag| Expect {
        covered,
        freshness,
        tag,
    };
    let all = wanting(METHOD, at(CREATED + 10), ExpectedTag::Exactly("app"));
    assert_eq!(verify(&fields, &all), Ok(1));
    let query = [Component::QUERY];
    let missing = wanting(&query, Freshness::NotRequired, ExpectedTag::NotCompared);
    assert_eq!(
        verify(&fields, &missing),
        Err(VerifyError::NotCovered {
            component: "\"@query\"".into()
        })
    );
    let late = wanting(&[], at(CREATED + 11), ExpectedTag::NotCompared);
    assert_eq!(
        verify(&fields, &late),
        Err(VerifyError::Stale(Stale::Expired { ago: 1 }))
    );
    let other = wanting(&[], Freshness::NotRequired, ExpectedTag::Exactly("other"));
    assert_eq!(
        verify(&fields, &other),
        Err(VerifyError::Tag {
            expected: "other".into()
        })
    );
}

#[test]
fn an_algorithm_in_the_message_can_only_agree() {
    let named = params().with_alg(Algorithm::EcdsaP256Sha256);
    assert_eq!(verify(&signed(&named), &ANYTHING), Ok(0));
    // Signed as it stands, by a signer that does not care; the name is refused all the same.
    let lying = named
        .to_string()
        .replace("ecdsa-p256-sha256", "hmac-sha256");
    let bounds = gangplank_message::structured::Bounds::DEFAULT;
    let lying = SignatureParams::parse(&lying, &bounds).unwrap();
    let honest = prepare((&request(&[])).into(), "a", &lying, LIMITS).unwrap();
    let signature = key().sign(honest.message()).unwrap();
    assert_eq!(
        honest.clone().complete(&signature),
        Err(SignError::Algorithm {
            named: "hmac-sha256".into(),
            algorithm: Algorithm::EcdsaP256Sha256
        })
    );
    assert!(honest.sign_with(&key()).is_err());
    let base64 = signed(&params()).signature;
    let fields = SignatureFields {
        signature_input: format!("a={lying}"),
        signature: base64,
    };
    assert_eq!(
        verify(&fields, &ANYTHING),
        Err(VerifyError::Algorithm {
            named: "hmac-sha256".into(),
            algorithm: Algorithm::EcdsaP256Sha256
        })
    );
}

#[test]
fn labels_are_in_both_fields() {
    let read = |input: &str, signature: &str| {
        let fields: [Field<'_>; 2] = [
            ("signature-input", input.as_bytes()),
            ("signature", signature.as_bytes()),
        ];
        Signatures::read(&fields, LIMITS).map(|signatures| signatures.labels().count())
    };
    let lone = |label: &str| {
        Err(ReadError::OneField {
            label: label.into(),
        })
    };
    assert_eq!(read("a=(), b=()", "b=:AA==:, a=:AA==:"), Ok(2));
    assert_eq!(read("a=(), b=()", "a=:AA==:"), lone("b"));
    assert_eq!(read("a=()", "a=:AA==:, b=:AA==:"), lone("b"));
    assert!(matches!(
        prepare((&request(&[])).into(), "A", &params(), LIMITS),
        Err(PrepareError::Label { .. })
    ));
}

/// What a verifier has to remember of a signature, and until when.
fn once(key: &SoftwareKey, fields: &SignatureFields, label: &str, method: &str) -> OnceKey {
    let fields: [Field<'_>; 2] = [
        ("Signature-Input", fields.signature_input.as_bytes()),
        ("Signature", fields.signature.as_bytes()),
    ];
    let signatures = Signatures::read(&fields, LIMITS).unwrap();
    let request = Request::new(method, *request(&[]).target(), &[]);
    let expect = Expect {
        freshness: at(CREATED + 1),
        ..ANYTHING
    };
    let message = Message::Request(&request);
    let verified = signatures.verify(message, label, key.public_key(), &expect, LIMITS);
    verified.unwrap().once_keys()[0]
}

#[test]
fn a_signature_is_remembered_however_it_is_written() {
    let other_key =
        SoftwareKey::generate(Algorithm::EcdsaP256Sha256, &mut TestRng::new(8)).unwrap();
    let sign = |key: &SoftwareKey, method: &str, params: &SignatureParams<'_>| {
        let request = Request::new(method, *request(&[]).target(), &[]);
        let to_be_signed = prepare((&request).into(), "a", params, LIMITS).unwrap();
        to_be_signed.sign_with(key).unwrap()
    };
    let nonce = |nonce| params().with_nonce(nonce).unwrap();
    let fields = sign(&key(), "GET", &nonce("n"));
    let first = once(&key(), &fields, "a", "GET");
    assert_eq!(
        first.until,
        UnixTime::since_unix_epoch(Duration::from_secs(CREATED + 10))
    );
    assert_eq!(once(&key(), &fields, "a", "GET").key, first.key);

    // Nothing else is signed, and so nobody needs the key to change these.
    let relabelled = SignatureFields {
        signature_input: fields.signature_input.replacen("a=", "b=", 1),
        signature: fields.signature.replacen("a=", "b=", 1),
    };
    assert_eq!(once(&key(), &relabelled, "b", "GET").key, first.key);
    let respelt = SignatureFields {
        signature_input: fields
            .signature_input
            .replacen("(", "(  ", 1)
            .replace(";", ";  "),
        signature: fields.signature.replace("=:", ":").replacen("a:", "a=:", 1),
    };
    assert_ne!(respelt, fields);
    assert_eq!(once(&key(), &respelt, "a", "GET").key, first.key);
    let mirrored = SignatureFields {
        signature: mirrored(&fields.signature),
        ..fields.clone()
    };
    assert_ne!(mirrored, fields);
    assert_eq!(once(&key(), &mirrored, "a", "GET").key, first.key);

    for (what, other) in [
        (
            "nonce",
            once(&key(), &sign(&key(), "GET", &nonce("m")), "a", "GET"),
        ),
        (
            "value",
            once(&key(), &sign(&key(), "PUT", &nonce("n")), "a", "PUT"),
        ),
        (
            "key",
            once(
                &other_key,
                &sign(&other_key, "GET", &nonce("n")),
                "a",
                "GET",
            ),
        ),
    ] {
        assert_ne!(other.key, first.key, "another {what}");
    }
}

/// The same ECDSA signature with n − s in place of s, which verifies, too.
fn mirrored(signature: &str) -> String {
    let value = signature.strip_prefix("a=:").unwrap().trim_end_matches(':');
    let mut bytes = BASE64_STANDARD.decode(value).unwrap();
    let mut borrow = 0;
    for (s, n) in bytes[32..].iter_mut().zip(P256_ORDER).rev() {
        let difference = i32::from(n) - i32::from(*s) - borrow;
        borrow = i32::from(difference < 0);
        *s = u8::try_from(difference.rem_euclid(256)).unwrap();
    }
    format!("a=:{}:", BASE64_STANDARD.encode(bytes))
}

/// SP 800-186 §3.2.1.3.
const P256_ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6,
    0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

#[test]
fn signature_fields_may_be_folded() {
    let fields = signed(&params());
    let folded = |value: &str| value.replacen(' ', " \r\n\t ", 1);
    let folded = SignatureFields {
        signature_input: folded(&fields.signature_input),
        signature: fields.signature.replace("a=", "\r\n a=") + ",\n b=::",
    };
    let both = SignatureFields {
        signature_input: folded.signature_input + ",\r\n b=()",
        ..folded
    };
    assert_eq!(verify(&both, &ANYTHING), Ok(0));
}

#[test]
fn a_response_is_bound_to_its_request() {
    let key = key();
    let request_of = |method| Request::new(method, *request(&[]).target(), &[]);
    let (asked, other) = (request_of("GET"), request_of("PUT"));
    let response = Response::new(200, &[]).answering(&asked);
    let method = Component::METHOD.of_request().unwrap();
    let params = SignatureParams::new([Component::STATUS, method].into()).unwrap();
    let signed = prepare((&response).into(), "r", &params, LIMITS)
        .unwrap()
        .sign_with(&key)
        .unwrap();
    let fields: [Field<'_>; 2] = [
        ("Signature-Input", signed.signature_input.as_bytes()),
        ("Signature", signed.signature.as_bytes()),
    ];
    let signatures = Signatures::read(&fields, LIMITS).unwrap();
    let verify = |status, request: &Request<'_>| {
        let response = Response::new(status, &fields).answering(request);
        let message = Message::Response(&response);
        signatures
            .verify(message, "r", key.public_key(), &ANYTHING, LIMITS)
            .map(drop)
    };
    assert_eq!(verify(200, &asked), Ok(()));
    assert_eq!(verify(201, &asked), Err(VerifyError::Signature));
    assert_eq!(verify(200, &other), Err(VerifyError::Signature));
    assert!(matches!(
        signatures.claimed("x"),
        Err(ClaimError::NoSuchLabel { .. })
    ));
}
