//! What the parts of a message and of a signature say of themselves, and each limit to the byte.

// A test reports by panicking; clippy sees that only inside the test functions themselves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::cmp::Ordering;
use std::collections::BTreeSet;

use gangplank_key::{Algorithm, SigningKey, SoftwareKey, UnixTime};
use gangplank_message::structured::{Bounds, Key};
use gangplank_message::{
    BaseError, Component, Field, Limits, Message, Nonce, ParamsError, ReadError, Request, Response,
    SignatureBase, SignatureParams, Signatures, Target, margo,
};
use gangplank_testkit::{TestRng, openssl};

const URI: &str = "https://WFM.example:443/a%20b?c=d";
const FIELDS: &[Field<'static>] = &[("X-One", b"1"), ("X-Two", b"2")];

fn target() -> Target<'static> {
    Target::parse(URI).unwrap()
}

#[test]
fn messages_give_back_what_they_were_made_of() {
    let request = Request::new("PATCH", target(), FIELDS);
    assert_eq!(request.method(), "PATCH");
    assert_eq!(request.fields(), FIELDS);
    assert_eq!(request.target().authority(), "WFM.example:443");
    assert_eq!(request.target().path(), "/a%20b");
    assert_eq!(request.target().query(), Some("c=d"));
    let response = Response::new(204, FIELDS);
    assert_eq!((response.status(), response.fields()), (204, FIELDS));
}

#[test]
fn components_have_names_and_an_order() {
    let parse = |text| Component::parse(text).unwrap();
    assert_eq!(Component::METHOD.name(), "@method");
    assert_eq!(parse("\"x-one\";key=\"a\"").name(), "x-one");
    // The order of parameters does not count (RFC 9421 §2).
    let (one, other) = (parse("\"x\";sf;req"), parse("\"x\";req;sf"));
    assert_eq!(one.partial_cmp(&other), Some(one.cmp(&other)));
    assert_eq!(BTreeSet::from([one, other]).len(), 1);
    let (small, large) = (parse("\"x-a\""), parse("\"x-b\""));
    assert_eq!(small.partial_cmp(&large), Some(Ordering::Less));
    assert_eq!(large.partial_cmp(&small), Some(Ordering::Greater));
}

#[test]
fn keys_have_an_order() {
    let key = |text: &'static str| Key::new(text).unwrap();
    assert_eq!(key("a").partial_cmp(&key("b")), Some(Ordering::Less));
    assert_eq!(key("b").partial_cmp(&key("a")), Some(Ordering::Greater));
}

#[test]
fn parameters_have_their_types() {
    let parse = |text: &str| SignatureParams::parse(text, &Bounds::DEFAULT).map(|_| ());
    for parameter in ["created", "expires", "nonce", "alg", "keyid", "tag"] {
        for value in ["=:AA==:", "", "=a", "=1.0", "=-1"] {
            let text = format!("();{parameter}{value}");
            let parameter = parameter.to_owned();
            assert_eq!(parse(&text), Err(ParamsError::Type { parameter }), "{text}");
        }
    }
    assert!(parse("();created=0;expires=0").is_ok());
    assert!(parse(r#"();nonce="";alg="";keyid="";tag="";other=1.0"#).is_ok());
}

#[test]
fn a_field_of_signatures_may_be_as_long_as_the_limit() {
    let key = SoftwareKey::generate(Algorithm::Ed25519, &mut TestRng::new(1)).unwrap();
    let request = Request::new("GET", target(), &[]);
    let params = SignatureParams::new([Component::METHOD, Component::PATH].into()).unwrap();
    let to_be_signed =
        gangplank_message::prepare((&request).into(), "a", &params, &Limits::DEFAULT).unwrap();
    let signed = to_be_signed.sign_with(&key).unwrap();
    let fields = [
        ("signature-input", signed.signature_input.as_bytes()),
        ("signature", signed.signature.as_bytes()),
    ];
    let longest = fields.iter().map(|(_, value)| value.len()).max().unwrap();
    let read = |field| {
        let limits = Limits {
            field,
            ..Limits::DEFAULT
        };
        Signatures::read(&fields, &limits).map(|_| ())
    };
    assert_eq!(read(longest), Ok(()));
    let limit = longest - 1;
    let field = "signature";
    assert_eq!(read(limit), Err(ReadError::TooLong { field, limit }));
}

#[test]
fn a_base_may_be_as_long_as_the_limit() {
    let request = Request::new("GET", target(), FIELDS);
    let named = |name| Component::named(name).unwrap();
    let params = SignatureParams::new([named("x-one"), named("x-two")].into()).unwrap();
    let text = "\"x-one\": 1\n\"x-two\": 2\n\"@signature-params\": (\"x-one\" \"x-two\")";
    let build = |components, base| {
        let limits = Limits {
            components,
            base,
            ..Limits::DEFAULT
        };
        let base = SignatureBase::build(Message::Request(&request), &params, &limits)?;
        Ok(base.as_str().to_owned())
    };
    let length = text.len();
    assert_eq!(build(2, length).as_deref(), Ok(text));
    for limit in [length - 1, "\"x-one\": 1\n".len(), 0] {
        assert_eq!(build(2, limit), Err(BaseError::TooLong { limit }));
    }
    assert_eq!(
        build(1, length),
        Err(BaseError::TooManyComponents { limit: 1 })
    );
}

#[test]
fn a_distant_signer_gets_the_base_or_its_hash() {
    let mut rng = TestRng::new(1);
    let nonce = Nonce::random(&mut rng);
    let created = UnixTime::since_unix_epoch(std::time::Duration::from_secs(7));
    for (algorithm, hashes) in [
        (Algorithm::EcdsaP256Sha256, true),
        (Algorithm::Ed25519, false),
    ] {
        let key = SoftwareKey::generate(algorithm, &mut rng).unwrap();
        let public = key.public_key();
        let outgoing =
            margo::prepare("PUT", target(), Some(b"{}"), created, &nonce, public).unwrap();
        let message = outgoing.message();
        assert!(message.starts_with(b"\"@method\": PUT\n"));
        if let Some(hash) = openssl(&["dgst", "-sha256", "-binary"], message) {
            assert_eq!(outgoing.digest(public), hashes.then_some(hash));
        }
    }
}
