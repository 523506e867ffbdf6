use super::*;
use crate::{Binding, Freshness, Limits, NonceIssuer, NonceRefused, Window};
use gangplank_key::{Algorithm, Backend, CertificateDer, PublicKey, SigningKey, SoftwareKey};
use gangplank_testkit::{TestRng, openssl_accepts, temp_dir};
use proptest::prelude::*;
use std::string::ToString;

const KEY: &str = include_str!("../../../key/tests/data/p256.key.pem");
const ED25519_KEY: &str = include_str!("../../../key/tests/data/ed25519.key.pem");
const CERTIFICATE: &[u8] = include_bytes!("../../../key/tests/data/p256.cert.der");
const NOW: u64 = 1_767_225_600;

fn signer() -> SoftwareKey {
    SoftwareKey::from_pem(KEY).unwrap()
}

fn id() -> CertificateId {
    CertificateId::parse("SN-0001").unwrap()
}

fn trusted(key: &SoftwareKey) -> TrustedKey {
    TrustedKey::vouch(id(), key.public_key().clone())
}

fn audience() -> Audience {
    Audience::parse("https://wfm.example/margo").unwrap()
}

fn window(now: u64) -> Window {
    Window {
        now: unix(now),
        max_age: Duration::from_secs(300),
        max_lead: Duration::from_secs(60),
    }
}

fn binding() -> Binding {
    Binding::new(PayloadType::ONBOARDING_REQUEST)
}

fn seal(payload: &[u8], form: Form) -> Vec<u8> {
    Envelope::prepare(payload.to_vec(), form, &id())
        .unwrap()
        .sign_with(&signer())
        .unwrap()
}

fn check(wire: &[u8], expect: &Expect<'_>) -> Result<(Vec<u8>, Vec<OnceKey>), VerifyError> {
    let mut scratch = Vec::new();
    let envelope = Envelope::decode(wire, &Limits::DEFAULT, &mut scratch).unwrap();
    let verified = envelope.verify(&trusted(&signer()), expect)?;
    Ok((verified.payload().to_vec(), verified.once_keys().to_vec()))
}

fn undemanding() -> Expect<'static> {
    Expect {
        form: ExpectedForm::Any,
        audience: ExpectedAudience::NotCompared,
        freshness: Freshness::NotRequired,
    }
}

/// `docs/envelope.md` §5: both envelopes were made by Python's `cryptography`.
mod worked_example {
    use super::*;

    const SPKI: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Z5A/4QCLi8maQa6elWKLxk8vGyDC1+n1F3o8KU1EYimQ==";
    const PLAIN: &str = r#"{"payload":"eyJhcGlWZXJzaW9uIjoib25ib2FyZGluZy5tYXJnby5vcmcvdjFhbHBoYTEiLCJraW5kIjoiT25ib2FyZGluZ1JlcXVlc3QifQ==","digest":"sha256:61876e9f6957e89d77e6adca692a171e112414cd16769da1c369ed862a27f5b9","signature":"MEQCICSEvZHb6JJyYf2WNatZeHoxeDTfZF2YXwA5ygJspkp7AiAc7keP1uW5XWvxFbyk7MbPKCJ7DIFGAU0kqPZ3LhAlmw==","certificateId":"SN-0001"}"#;
    const BOUND: &str = r#"{"payload":"eyJhcGlWZXJzaW9uIjoib25ib2FyZGluZy5tYXJnby5vcmcvdjFhbHBoYTEiLCJraW5kIjoiT25ib2FyZGluZ1JlcXVlc3QifQ==","digest":"sha256:61876e9f6957e89d77e6adca692a171e112414cd16769da1c369ed862a27f5b9","signature":"MEYCIQCOK0TjtMXo0bGo/2x+0gAq4gJjr4HAJ4RTMo0dJUyUdAIhALFgAI3DoMaAVjngp4BjrA/lU+HCizkO0S65RN1QGW0A","certificateId":"SN-0001","type":"OnboardingRequest","created":1767225600,"nonce":"AAECAwQFBgcICQoLDA0ODw","audience":"https://wfm.example/margo"}"#;

    fn key() -> PublicKey {
        let mut spki = Vec::new();
        crate::base64_text::read_standard(SPKI.as_bytes(), &mut spki).unwrap();
        PublicKey::from_spki(&spki, Backend::PURE_RUST).unwrap()
    }

    #[test]
    fn python_signs_and_we_verify() {
        for text in [PLAIN, BOUND] {
            let mut scratch = Vec::new();
            let envelope =
                Envelope::decode(text.as_bytes(), &Limits::DEFAULT, &mut scratch).unwrap();
            let verified = envelope
                .verify(&TrustedKey::vouch(id(), key()), &undemanding())
                .unwrap();
            assert!(verified.payload().starts_with(b"{\"apiVersion\""));
            assert_eq!(verified.is_bound(), text == BOUND);
            assert_eq!(verified.created(), (text == BOUND).then_some(unix(NOW)));
            let nonce = (text == BOUND).then_some("AAECAwQFBgcICQoLDA0ODw");
            assert_eq!(verified.nonce().map(Nonce::as_str), nonce);
            let payload_type = (text == BOUND).then_some(PayloadType::ONBOARDING_REQUEST);
            assert_eq!(verified.payload_type(), payload_type.as_ref());
            assert!(verified.certificates().is_empty());
            assert_eq!(envelope.encode(), text.as_bytes());
        }
    }

    #[test]
    fn we_prepare_the_bytes_that_python_signed() {
        let payload =
            br#"{"apiVersion":"onboarding.margo.org/v1alpha1","kind":"OnboardingRequest"}"#;
        let binding = binding()
            .created(unix(NOW))
            .nonce(Nonce::parse("AAECAwQFBgcICQoLDA0ODw").unwrap())
            .audience(audience());
        let prepared = Envelope::prepare(payload.to_vec(), Form::Bound(binding), &id()).unwrap();
        let hash = Backend::PURE_RUST.sha256(&[prepared.message()]);
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(prepared.message().len(), 190);
        assert_eq!(
            hex,
            "ce7df8c8ee6bc47b5a309c38325345e28d96da6abfc876182ed35c779822df82"
        );
    }
}

#[test]
fn anyone_checks_a_plain_envelope_with_openssl() {
    let wire = seal(b"{\"a\":1}", Form::Plain);
    let value: serde_json::Value = serde_json::from_slice(&wire).unwrap();
    let mut signature = Vec::new();
    crate::base64_text::read_standard(
        value["signature"].as_str().unwrap().as_bytes(),
        &mut signature,
    )
    .unwrap();
    let folder = temp_dir();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    std::fs::write(path("key.pem"), KEY).unwrap();
    std::fs::write(path("signature"), &signature).unwrap();
    let arguments = [
        "dgst",
        "-sha256",
        "-prverify",
        &path("key.pem"),
        "-signature",
        &path("signature"),
    ];
    assert_ne!(openssl_accepts(&arguments, b"{\"a\":1}"), Some(false));
    assert_ne!(openssl_accepts(&arguments, b"{\"a\":2}"), Some(true));
}

#[test]
fn every_changed_member_is_noticed() {
    let certificate = CertificateDer::from(CERTIFICATE.to_vec());
    let form = Form::Bound(
        binding()
            .created(unix(NOW))
            .nonce(Nonce::from_bytes(&[1; 16]).unwrap())
            .audience(audience())
            .certificates([certificate.clone(), certificate].into()),
    );
    let wire = seal(b"payload", form);
    assert!(check(&wire, &undemanding()).is_ok());
    let text = String::from_utf8(wire).unwrap();
    let chain = text.split("\"certificates\":").nth(1).unwrap();
    let one = chain.split(',').next().unwrap();
    let changes = [
        text.replace("cGF5bG9hZA==", "cGF5bG9hZQ=="),
        text.replace(
            "\"type\":\"OnboardingRequest\"",
            "\"type\":\"OnboardingRequest2\"",
        ),
        text.replace("1767225600", "1767225601"),
        text.replace("AQEBAQEBAQEBAQEBAQEBAQ", "AQEBAQEBAQEBAQEBAQEBAg"),
        text.replace("/margo\"", "/cargo\""),
        text.replace(",\"audience\":\"https://wfm.example/margo\"", ""),
        text.replace(",\"created\":1767225600", ""),
        text.replace(chain, &format!("{one}]}}")),
        text.replace(&format!(",\"certificates\":{chain}"), "}"),
    ];
    for changed in changes {
        assert_ne!(changed, text);
        let refused = check(changed.as_bytes(), &undemanding()).unwrap_err();
        assert!(
            matches!(refused, VerifyError::Signature | VerifyError::Digest),
            "{refused}"
        );
    }
}

#[test]
fn another_signer_and_another_key_are_refused() {
    let wire = seal(b"p", Form::Bound(binding()));
    let mut scratch = Vec::new();
    let envelope = Envelope::decode(&wire, &Limits::DEFAULT, &mut scratch).unwrap();
    let other = TrustedKey::vouch(
        CertificateId::parse("SN-0002").unwrap(),
        signer().public_key().clone(),
    );
    assert!(matches!(
        envelope.verify(&other, &undemanding()),
        Err(VerifyError::OtherSigner { .. })
    ));
    for algorithm in [Algorithm::EcdsaP256Sha256, Algorithm::Ed25519] {
        let key = SoftwareKey::generate(algorithm, &mut TestRng::new(1)).unwrap();
        assert_eq!(
            envelope.verify(&trusted(&key), &undemanding()).unwrap_err(),
            VerifyError::Signature
        );
    }
}

#[test]
fn a_relabelled_envelope_does_not_verify() {
    let text = String::from_utf8(seal(b"p", Form::Bound(binding()))).unwrap();
    let text = text.replace("SN-0001", "SN-0002");
    let mut scratch = Vec::new();
    let envelope = Envelope::decode(text.as_bytes(), &Limits::DEFAULT, &mut scratch).unwrap();
    let key = TrustedKey::vouch(
        CertificateId::parse("SN-0002").unwrap(),
        signer().public_key().clone(),
    );
    assert_eq!(
        envelope.verify(&key, &undemanding()).unwrap_err(),
        VerifyError::Signature
    );
}

#[test]
fn neither_form_passes_for_the_other() {
    // A bound signing input, signed as a plain payload, and the reverse.
    let prepared = Envelope::prepare(b"p".to_vec(), Form::Bound(binding()), &id()).unwrap();
    assert_eq!(
        Envelope::prepare(prepared.message().to_vec(), Form::Plain, &id()).unwrap_err(),
        crate::PrepareError::PlainPayload
    );
    let plain = seal(b"{}", Form::Plain);
    let text = String::from_utf8(plain)
        .unwrap()
        .replace("}", ",\"type\":\"OnboardingRequest\"}");
    assert_eq!(
        check(text.as_bytes(), &undemanding()).unwrap_err(),
        VerifyError::Signature
    );
}

#[test]
fn a_plain_payload_is_one_json_object() {
    let prepare = |payload: &[u8]| Envelope::prepare(payload.to_vec(), Form::Plain, &id());
    assert!(prepare(b" {\"a\":[1,{}]}\n").is_ok());
    for payload in [
        &b""[..],
        b"1",
        b"[]",
        b"{} {}",
        b"{",
        b"{\"a\":\"\xff\"}",
        b"\xef\xbb\xbf{}",
    ] {
        assert!(prepare(payload).is_err(), "{payload:?}");
        // Somebody else's signer may not check; the verifier does.
        let signature = signer().sign(payload).unwrap().to_wire();
        let mut wire = Vec::new();
        let parts = crate::encode::Parts {
            payload,
            digest: &Backend::PURE_RUST.sha256(&[payload]),
            signature: &signature,
            certificate_id: &id(),
            form: &Form::Plain,
        };
        parts.write(&mut wire);
        assert_eq!(
            check(&wire, &undemanding()).unwrap_err(),
            VerifyError::PlainPayload
        );
    }
}

#[test]
fn the_expected_form_and_type_are_required() {
    let plain = seal(b"{}", Form::Plain);
    let bound = seal(b"{}", Form::Bound(binding()));
    let request = || PayloadType::ONBOARDING_REQUEST;
    let status = || PayloadType::DEPLOYMENT_STATUS;
    let with = |form: ExpectedForm| Expect {
        form,
        ..undemanding()
    };
    let refused = |wire: &[u8], form| check(wire, &with(form)).unwrap_err();
    assert!(check(&plain, &with(ExpectedForm::Plain)).is_ok());
    assert!(check(&plain, &with(ExpectedForm::PlainOrBound(status()))).is_ok());
    assert!(check(&bound, &with(ExpectedForm::PlainOrBound(request()))).is_ok());
    assert!(check(&bound, &with(ExpectedForm::Bound(request()))).is_ok());
    assert!(check(&bound, &with(ExpectedForm::BoundAnyType)).is_ok());
    assert_eq!(
        refused(&plain, ExpectedForm::Bound(request())),
        VerifyError::PlainForm
    );
    assert_eq!(
        refused(&plain, ExpectedForm::BoundAnyType),
        VerifyError::PlainForm
    );
    assert_eq!(refused(&bound, ExpectedForm::Plain), VerifyError::BoundForm);
    for form in [
        ExpectedForm::Bound(status()),
        ExpectedForm::PlainOrBound(status()),
    ] {
        assert_eq!(
            refused(&bound, form).to_string(),
            "the envelope holds OnboardingRequest, not DeploymentStatus"
        );
    }
}

#[test]
fn the_audience_is_compared_and_must_be_there() {
    let expect = Expect {
        audience: ExpectedAudience::Exactly(audience()),
        ..undemanding()
    };
    assert!(
        check(
            &seal(b"", Form::Bound(binding().audience(audience()))),
            &expect
        )
        .is_ok()
    );
    let nobody = check(&seal(b"", Form::Bound(binding())), &expect).unwrap_err();
    assert_eq!(
        nobody.to_string(),
        "the envelope is meant for nobody in particular, not for https://wfm.example/margo"
    );
    let other = Audience::parse("https://wfm.example").unwrap();
    let other = check(&seal(b"", Form::Bound(binding().audience(other))), &expect).unwrap_err();
    assert!(
        other
            .to_string()
            .starts_with("the envelope is meant for https://wfm.example, not")
    );
}

#[test]
fn created_must_lie_in_the_window() {
    let wire = seal(b"", Form::Bound(binding().created(unix(NOW))));
    let at = |now| {
        check(
            &wire,
            &Expect {
                freshness: Freshness::Created(window(now)),
                ..undemanding()
            },
        )
    };
    assert_eq!(at(NOW).unwrap().1[0].until, unix(NOW + 300));
    assert!(at(NOW + 300).is_ok() && at(NOW - 60).is_ok());
    assert_eq!(
        at(NOW + 301).unwrap_err(),
        VerifyError::Stale(Stale::TooOld { age: 301, max: 300 })
    );
    assert_eq!(
        at(NOW - 61).unwrap_err(),
        VerifyError::Stale(Stale::TooNew { lead: 61, max: 60 })
    );
    let without = seal(b"", Form::Bound(binding()));
    let expect = Expect {
        freshness: Freshness::Created(window(NOW)),
        ..undemanding()
    };
    assert_eq!(
        check(&without, &expect).unwrap_err(),
        VerifyError::Stale(Stale::CreatedMissing)
    );
}

#[test]
fn an_answer_echoes_the_nonce_of_its_request() {
    let nonce = Nonce::from_bytes(&[1; 16]).unwrap();
    let expect = Expect {
        freshness: Freshness::Echo(&nonce),
        ..undemanding()
    };
    assert!(
        check(
            &seal(b"", Form::Bound(binding().nonce(nonce.clone()))),
            &expect
        )
        .is_ok()
    );
    let other = Nonce::from_bytes(&[2; 16]).unwrap();
    for form in [binding(), binding().nonce(other)] {
        assert_eq!(
            check(&seal(b"", Form::Bound(form)), &expect).unwrap_err(),
            VerifyError::Stale(Stale::NotEchoed)
        );
    }
}

#[test]
fn a_server_nonce_stands_in_for_a_clock() {
    let issuer = NonceIssuer::new([7; 32], Duration::from_secs(300));
    let nonce = issuer.issue(unix(NOW), &mut TestRng::new(1));
    let random = Nonce::random(&mut TestRng::new(2));
    let either = Expect {
        freshness: Freshness::CreatedOrServerNonce(window(NOW), &issuer),
        ..undemanding()
    };
    let keys = |form: Binding, expect: &Expect<'_>| {
        check(&seal(b"", Form::Bound(form)), expect).map(|(_, keys)| keys)
    };
    let by_nonce = keys(binding().nonce(nonce.clone()), &either).unwrap();
    assert_eq!(by_nonce[0].key, nonce.as_bytes());
    assert_eq!(by_nonce[0].until, unix(NOW + 300));
    let by_time = keys(binding().created(unix(NOW)).nonce(random.clone()), &either).unwrap();
    assert_eq!(by_time.len(), 1);
    assert_ne!(by_time, by_nonce);
    // A clock that is wrong is not excused by a nonce: leave `created` out.
    assert!(matches!(
        keys(
            binding().created(unix(NOW - 999)).nonce(nonce.clone()),
            &either
        ),
        Err(VerifyError::Stale(Stale::TooOld { .. }))
    ));
    assert_eq!(
        keys(binding().nonce(random), &either).unwrap_err(),
        VerifyError::Stale(Stale::Nonce(NonceRefused::NotOurs))
    );
    assert_eq!(
        keys(binding(), &either).unwrap_err(),
        VerifyError::Stale(Stale::NonceMissing)
    );
    let both = Expect {
        freshness: Freshness::Both(window(NOW), &issuer),
        ..undemanding()
    };
    assert_eq!(
        keys(binding().created(unix(NOW)).nonce(nonce.clone()), &both)
            .unwrap()
            .len(),
        2
    );
    assert_eq!(
        keys(binding().nonce(nonce), &both).unwrap_err(),
        VerifyError::Stale(Stale::CreatedMissing)
    );
}

#[test]
fn the_once_key_does_not_depend_on_the_signature() {
    let expect = Expect {
        freshness: Freshness::Created(window(NOW)),
        ..undemanding()
    };
    let form = || {
        Form::Bound(
            binding()
                .created(unix(NOW))
                .nonce(Nonce::from_bytes(&[1; 16]).unwrap()),
        )
    };
    let prepared = Envelope::prepare(b"".to_vec(), form(), &id()).unwrap();
    let low = signer().sign(prepared.message()).unwrap();
    // n - s also verifies: ECDSA signatures are malleable.
    let mut fixed = low.to_fixed();
    let s = p256_order_minus(fixed[32..].try_into().unwrap());
    fixed[32..].copy_from_slice(&s);
    let high = Signature::from_fixed(Algorithm::EcdsaP256Sha256, &fixed).unwrap();
    assert_ne!(low, high);
    let (_, one) = check(&prepared.clone().complete(&low), &expect).unwrap();
    let (_, other) = check(&prepared.complete(&high), &expect).unwrap();
    assert_eq!(one, other);
}

fn p256_order_minus(s: [u8; 32]) -> [u8; 32] {
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc,
        0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let (mut difference, mut borrow) = ([0; 32], 0i16);
    for i in (0..32).rev() {
        let digit = i16::from(ORDER[i]) - i16::from(s[i]) - borrow;
        borrow = i16::from(digit < 0);
        difference[i] = digit.rem_euclid(256) as u8;
    }
    difference
}

#[test]
fn the_leading_certificate_carries_the_signing_key() {
    let own = CertificateDer::from(CERTIFICATE.to_vec());
    assert!(
        check(
            &seal(
                b"",
                Form::Bound(binding().certificates([own.clone()].into()))
            ),
            &undemanding()
        )
        .is_ok()
    );
    let other = SoftwareKey::from_pem(ED25519_KEY).unwrap();
    let form = Form::Bound(binding().certificates([own].into()));
    let prepared = Envelope::prepare(b"".to_vec(), form, &id()).unwrap();
    assert_eq!(
        prepared.clone().sign_with(&other).unwrap_err(),
        crate::SealError::Certificate
    );
    let wire = prepared
        .clone()
        .complete(&other.sign(prepared.message()).unwrap());
    let mut scratch = Vec::new();
    let envelope = Envelope::decode(&wire, &Limits::DEFAULT, &mut scratch).unwrap();
    assert_eq!(
        envelope
            .verify(&trusted(&other), &undemanding())
            .unwrap_err(),
        VerifyError::Certificate
    );
}

/// Any bytes in a DER SEQUENCE.
fn sequence(content: Vec<u8>) -> CertificateDer<'static> {
    let length = u8::try_from(content.len()).unwrap();
    CertificateDer::from([&[0x30, length][..], &content].concat())
}

fn any_binding() -> impl Strategy<Value = Binding> {
    (
        "[A-Za-z0-9.-]{1,64}",
        proptest::option::of(0u64..1 << 53),
        proptest::option::of(proptest::collection::vec(any::<u8>(), 16..=64)),
        proptest::option::of("[a-z][a-z0-9]{0,19}(/[A-Za-z0-9_~:-]{1,9}){0,3}"),
        proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..40), 0..=8),
    )
        .prop_map(
            |(payload_type, created, nonce, audience, certificates)| Binding {
                payload_type: PayloadType::parse(&payload_type).unwrap(),
                created,
                nonce: nonce.map(|bytes| Nonce::from_bytes(&bytes).unwrap()),
                audience: audience.map(|rest| Audience::parse(&format!("https://{rest}")).unwrap()),
                certificates: certificates.into_iter().map(sequence).collect(),
            },
        )
}

#[test]
fn nothing_of_a_used_buffer_gets_into_the_next_text_or_payload() {
    let (mut text, mut scratch) = (Vec::new(), Vec::new());
    for length in [5000, 0, 1, 200, 1 << 17, 3] {
        let payload = vec![0x5a; length];
        let prepared = Envelope::prepare(&payload, Form::Bound(binding()), &id()).unwrap();
        prepared.sign_into(&signer(), &mut text).unwrap();
        // The signer is deterministic (RFC 6979).
        assert_eq!(text, prepared.sign_with(&signer()).unwrap());
        let envelope = Envelope::decode(&text, &Limits::DEFAULT, &mut scratch).unwrap();
        assert_eq!(envelope.encode(), text);
        let verified = envelope
            .verify(&trusted(&signer()), &undemanding())
            .unwrap();
        assert_eq!(verified.payload(), payload);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn decode_of_encode_is_the_same(payload in any::<Vec<u8>>(), binding in any_binding(), signature in proptest::collection::vec(any::<u8>(), 1..100)) {
        let form = Form::Bound(binding);
        let digest = Backend::PURE_RUST.sha256(&[&payload]);
        let envelope = Envelope { payload: &payload, digest, signature, certificate_id: id(), form };
        let text = envelope.encode();
        let mut scratch = Vec::new();
        let again = Envelope::decode(&text, &Limits::DEFAULT, &mut scratch).unwrap();
        prop_assert_eq!(&again, &envelope);
        prop_assert_eq!(again.encode(), text);
    }

    #[test]
    fn what_is_sealed_verifies_and_nothing_else_does(payload in any::<Vec<u8>>(), flip in any::<u16>(), bit in 0u8..8, signature in any::<[u8; 64]>()) {
        let wire = seal(&payload, Form::Bound(binding().created(unix(NOW))));
        prop_assert_eq!(&check(&wire, &undemanding()).unwrap().0, &payload);
        let mut changed = wire.clone();
        let at = usize::from(flip) % changed.len();
        changed[at] ^= 1 << bit;
        let mut scratch = Vec::new();
        if let Ok(envelope) = Envelope::decode(&changed, &Limits::DEFAULT, &mut scratch) {
            let expect = Expect { form: ExpectedForm::Bound(PayloadType::ONBOARDING_REQUEST), ..undemanding() };
            prop_assert!(envelope.verify(&trusted(&signer()), &expect).is_err());
        }
        if let Ok(random) = Signature::from_fixed(Algorithm::EcdsaP256Sha256, &signature) {
            let prepared = Envelope::prepare(payload, Form::Bound(binding()), &id()).unwrap();
            prop_assert!(check(&prepared.complete(&random), &undemanding()).is_err());
        }
    }
}

#[test]
fn payloads_are_not_printed() {
    let secret = br#"{"clientSecret":"hunter2"}"#;
    let unsigned = Envelope::prepare(secret.to_vec(), Form::Plain, &id()).unwrap();
    let wire = unsigned.clone().sign_with(&signer()).unwrap();
    let mut scratch = Vec::new();
    let envelope = Envelope::decode(&wire, &Limits::DEFAULT, &mut scratch).unwrap();
    let verified = envelope
        .verify(&trusted(&signer()), &undemanding())
        .unwrap();
    assert_eq!(
        format!("{unsigned:?}"),
        "ToBeSigned { payload_length: 26, signer: CertificateId(\"SN-0001\"), form: Plain, .. }"
    );
    let shown = "Envelope { payload_length: 26, certificate_id: CertificateId(\"SN-0001\"), \
                 form: Plain, .. }";
    assert_eq!(format!("{envelope:?}"), shown);
    assert_eq!(
        format!("{verified:?}"),
        format!("Verified {{ envelope: {shown}, once: [] }}")
    );
}

#[test]
fn certificates_come_with_what_is_verified() {
    let certificate = CertificateDer::from(CERTIFICATE);
    let form = Form::Bound(binding().certificates([certificate.clone()].into()));
    let wire = seal(b"{}", form);
    let mut scratch = Vec::new();
    let envelope = Envelope::decode(&wire, &Limits::DEFAULT, &mut scratch).unwrap();
    let verified = envelope
        .verify(&trusted(&signer()), &undemanding())
        .unwrap();
    assert_eq!(verified.certificates(), [certificate]);
}
