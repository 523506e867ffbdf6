use alloc::format;

use gangplank_key::{Backend, PublicKey, SigningKey, SoftwareKey};
use gangplank_testkit::TestRng;

use super::*;

const P256: &str = include_str!("../../../key/tests/data/p256.key.pem");
const ED25519: &str = include_str!("../../../key/tests/data/ed25519.key.pem");
const BODY: &[u8] = b" {\"kind\":\"DeploymentStatus\"}\n";

fn key(pem: &str) -> SoftwareKey {
    SoftwareKey::from_pem(pem).unwrap()
}

fn trusted(key: &SoftwareKey) -> TrustedKey {
    let id = CertificateId::parse("SN-0001").unwrap();
    TrustedKey::vouch(id, key.public_key().clone())
}

fn signed(key: &SoftwareKey, body: &[u8]) -> SignedBody {
    PayloadSignature::prepare(body.to_vec(), key.public_key())
        .unwrap()
        .sign_with(key)
        .unwrap()
}

fn decode(value: &str) -> Result<PayloadSignature, DecodeError> {
    PayloadSignature::decode(value.as_bytes(), Spelling::Wrapped)
}

fn text(bytes: &[u8]) -> String {
    standard(bytes)
}

#[test]
fn a_signed_body_is_read_under_the_registered_key_alone() {
    for pem in [P256, ED25519] {
        let key = key(pem);
        let signed = signed(&key, BODY);
        assert_eq!(signed.body, BODY);
        let header = decode(&signed.header).unwrap();
        assert_eq!(header.claimed_key(), key.public_key().spki());
        assert_eq!(header.encode(), signed.header);
        let trusted = trusted(&key);
        let verified = header.verify(BODY, &trusted, &Limits::DEFAULT).unwrap();
        assert_eq!((verified.body(), verified.signer()), (BODY, trusted.id()));
        let refused = header.verify(b"{}", &trusted, &Limits::DEFAULT);
        assert_eq!(refused.unwrap_err(), VerifyError::Signature);
    }
}

/// Margo's text has the verifier believe the key in the header, so that any key passes.
#[test]
fn the_key_in_the_header_never_verifies_by_itself() {
    let registered = trusted(&key(ED25519));
    let header = decode(&signed(&key(P256), BODY).header).unwrap();
    let refused = header
        .verify(BODY, &registered, &Limits::DEFAULT)
        .unwrap_err();
    assert_eq!(
        refused,
        VerifyError::OtherKey {
            trusted: registered.id().clone()
        }
    );
}

#[test]
fn the_registered_key_in_front_of_another_s_signature_helps_nobody() {
    let registered = trusted(&key(P256));
    let other = SoftwareKey::generate(
        gangplank_key::Algorithm::EcdsaP256Sha256,
        &mut TestRng::new(7),
    );
    let signature = other.unwrap().sign(BODY).unwrap().to_wire();
    let header = decode(&value(registered.key().spki(), &signature)).unwrap();
    let refused = header.verify(BODY, &registered, &Limits::DEFAULT);
    assert_eq!(refused.unwrap_err(), VerifyError::Signature);
}

#[test]
fn only_a_json_object_can_be_signed_or_read() {
    let key = key(P256);
    let trusted = trusted(&key);
    for body in [
        &b"[]"[..],
        b"",
        b"{",
        b"{} {}",
        b"\xFFgangplank-envelope/1",
        b"{\"a\":\"\xFF\"}",
    ] {
        let refused = PayloadSignature::prepare(body.to_vec(), key.public_key());
        assert_eq!(refused.unwrap_err(), PrepareError::NoObject, "{body:x?}");
        let signature = key.sign(body).unwrap().to_wire();
        let header = decode(&value(trusted.key().spki(), &signature)).unwrap();
        let refused = header.verify(body, &trusted, &Limits::DEFAULT);
        assert_eq!(refused.unwrap_err(), VerifyError::NoObject, "{body:x?}");
    }
}

#[test]
fn a_body_has_a_limit() {
    let key = key(P256);
    let trusted = trusted(&key);
    let header = decode(&signed(&key, BODY).header).unwrap();
    let with = |payload| Limits {
        payload,
        ..Limits::DEFAULT
    };
    let limit = BODY.len();
    assert!(header.verify(BODY, &trusted, &with(limit)).is_ok());
    assert_eq!(
        header.verify(BODY, &trusted, &with(limit - 1)).unwrap_err(),
        VerifyError::TooLarge {
            length: limit,
            limit: limit - 1
        }
    );
}

#[test]
fn the_bare_pair_is_read_only_where_it_was_asked_for() {
    let bare = format!("{};{}", text(b"key"), text(b"signature"));
    let read = |spelling| PayloadSignature::decode(bare.as_bytes(), spelling);
    let header = read(Spelling::WrappedOrBare).unwrap();
    assert_eq!(
        read(Spelling::Wrapped),
        Err(DecodeError::Base64 { part: "header" })
    );
    assert_eq!(
        header.encode(),
        text(bare.as_bytes()),
        "one way to write it"
    );
    for spelling in [Spelling::Wrapped, Spelling::WrappedOrBare] {
        let read = PayloadSignature::decode(header.encode().as_bytes(), spelling);
        assert_eq!(read.as_ref(), Ok(&header));
    }
}

#[test]
fn a_value_has_one_spelling() {
    let base64 = |part| DecodeError::Base64 { part };
    let inner = |text: &str| self::text(text.as_bytes());
    // "a2V5" is "key", "c2ln" is "sig", "czI=" is "s2" and "czJ=" the same with a stray bit.
    for (value, expected) in [
        (inner("a2V5;czI=") + "=", base64("header")),
        (format!(" {}", inner("a2V5;c2ln")), base64("header")),
        (
            inner("a2V5;c2lnbg==").trim_end_matches('=').to_owned(),
            base64("header"),
        ),
        (inner("a2V5;czI"), base64("signature")),
        (inner("a2V5;czJ="), base64("signature")),
        (inner("a2V5;c2ln\n"), base64("signature")),
        (inner("a2-5;c2ln"), base64("public key")),
        (inner("a2V5"), DecodeError::NoPair),
        (inner("a2V5;c2ln;"), DecodeError::NoPair),
        (String::new(), DecodeError::NoPair),
        (inner(";c2ln"), DecodeError::Empty { part: "public key" }),
        (inner("a2V5;"), DecodeError::Empty { part: "signature" }),
    ] {
        assert_eq!(decode(&value), Err(expected), "{value}");
    }
    assert!(decode(&inner("a2V5;czI=")).is_ok());
    let not_text = PayloadSignature::decode(b"\xFF", Spelling::WrappedOrBare);
    assert_eq!(not_text, Err(base64("header")));
}

#[test]
fn keys_and_signatures_have_limits() {
    let of = |spki: usize, signature: usize| decode(&value(&vec![1; spki], &vec![1; signature]));
    assert!(of(PUBLIC_KEY, SIGNATURE).is_ok());
    let limit = PUBLIC_KEY;
    let part = "public key";
    assert_eq!(of(limit + 1, 1), Err(DecodeError::TooLarge { part, limit }));
    let limit = SIGNATURE;
    let part = "signature";
    assert_eq!(of(1, limit + 1), Err(DecodeError::TooLarge { part, limit }));
    let long = "A".repeat(LONGEST_VALUE + 1);
    let length = long.len();
    assert_eq!(decode(&long), Err(DecodeError::TooLong { length }));
    assert_eq!(
        value(&[1; PUBLIC_KEY], &[1; SIGNATURE]).len(),
        LONGEST_VALUE
    );
}

#[test]
fn another_key_than_prepared_for_does_not_sign() {
    let prepared = PayloadSignature::prepare(BODY.to_vec(), key(P256).public_key()).unwrap();
    let refused = prepared.clone().sign_with(&key(ED25519));
    assert_eq!(refused.unwrap_err(), SealError::OtherKey);
    let signature = key(ED25519).sign(prepared.message()).unwrap();
    assert_eq!(
        prepared.complete(&signature).unwrap_err(),
        SealError::OtherKey
    );
}

/// The backend is the verifier's affair: equal keys are equal whoever verifies for them.
#[test]
fn another_backend_reads_the_same() {
    let key = key(P256);
    let header = decode(&signed(&key, BODY).header).unwrap();
    let spki = PublicKey::from_spki(key.public_key().spki(), Backend::AWS_LC_RS).unwrap();
    let trusted = TrustedKey::vouch(CertificateId::parse("SN-0001").unwrap(), spki);
    assert!(header.verify(BODY, &trusted, &Limits::DEFAULT).is_ok());
}

#[test]
fn bodies_are_not_printed() {
    let key = key(P256);
    let secret = br#"{"clientSecret":"hunter2"}"#;
    let unsigned = PayloadSignature::prepare(secret.to_vec(), key.public_key()).unwrap();
    let trusted = trusted(&key);
    let signed = signed(&key, secret);
    let header = decode(&signed.header).unwrap();
    let verified = header.verify(secret, &trusted, &Limits::DEFAULT).unwrap();
    for shown in [
        format!("{unsigned:?}"),
        format!("{signed:?}"),
        format!("{verified:?}"),
    ] {
        assert!(shown.contains("body_length: 26, "), "{shown}");
        // As a list of numbers it would begin with the brace and the quotation mark.
        assert!(!shown.contains("[123, 34"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
