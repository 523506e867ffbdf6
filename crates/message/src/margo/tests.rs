//! Margo's worked example to the byte, and each rule of the policy broken alone.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use gangplank_freshness::{Nonce, Stale, Window};
use gangplank_key::{Algorithm, Backend, PublicKey, SigningKey, SoftwareKey, UnixTime};
use gangplank_testkit::TestRng;

use super::*;
use crate::content_digest::{DigestAlgorithm, DigestError, field_value, sha256_field_value};
use crate::{
    ClaimError, Component, Field, Limits, ReadError, Request, SignatureParams, Target, prepare,
};

const CREATED: u64 = 1_767_225_600;
const URI: &str = "https://wfm.example/api/v1/clients/c-1/deployments/d-1/status";
const BODY: &[u8] = br#"{"a":1}"#;
const ONLY_ED25519_TOO: Profile = Profile {
    ed25519: Ed25519Rule::Accepted,
    ..Profile::MARGO_1_0
};

/// The key of the worked example.
fn device() -> SoftwareKey {
    let mut der = Vec::from(*b"\x30\x41\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01");
    der.extend(b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x04\x27\x30\x25\x02\x01\x01\x04\x20");
    let scalar = "ff111c603bdb7cf789701ea34425d7008ecd71787adc2dcadd8f40e3339740f9";
    der.extend((0..32).map(|at| u8::from_str_radix(&scalar[2 * at..2 * at + 2], 16).unwrap()));
    SoftwareKey::from_pkcs8_der(&der).unwrap()
}

fn window(now: u64) -> Window {
    Window {
        now: UnixTime::since_unix_epoch(Duration::from_secs(now)),
        max_age: Duration::from_secs(300),
        max_lead: Duration::from_secs(60),
    }
}

/// A request with these fields, verified with the example's key.
fn verified<'m>(
    fields: &'m [Field<'m>],
    body: &'m [u8],
    profile: &Profile,
    check: impl FnOnce(Result<Verified<'_>, VerifyError>),
) {
    let key = PublicKey::from_spki(device().public_key().spki(), Backend::AWS_LC_RS).unwrap();
    let request = Request::new("POST", Target::parse(URI).unwrap(), fields);
    let incoming = Incoming::new(&request, body);
    let window = window(CREATED);
    check(verify(
        &incoming,
        "c-1",
        &key,
        profile,
        &window,
        &Limits::DEFAULT,
    ));
}

#[test]
fn the_worked_example_to_the_byte() {
    let device = device();
    let digest = field_value(DigestAlgorithm::Sha256, BODY, Backend::PURE_RUST);
    assert_eq!(digest, DIGEST);
    // It is older than the nonce.
    let covered = [
        Component::METHOD,
        Component::TARGET_URI,
        Component::AUTHORITY,
        Component::CONTENT_DIGEST,
    ];
    let params = SignatureParams::new(covered.into())
        .and_then(|params| params.with_created(CREATED))
        .and_then(|params| params.with_key_id(key_id(device.public_key())))
        .unwrap();
    let fields: [Field<'_>; 1] = [("content-digest", DIGEST.as_bytes())];
    let request = Request::new("POST", Target::parse(URI).unwrap(), &fields);
    let signed = prepare((&request).into(), LABEL, &params, &Limits::DEFAULT).unwrap();
    let signed = signed.sign_with(&device).unwrap();
    assert_eq!(signed.signature_input, INPUT);
    assert_eq!(signed.signature, SIGNATURE);
    // A request of today differs by the nonce alone.
    let nonce = Nonce::random(&mut TestRng::new(2));
    let (target, created) = (Target::parse(URI).unwrap(), window(CREATED).now);
    let key = device.public_key();
    let outgoing = super::prepare("POST", target, Some(BODY), created, &nonce, key).unwrap();
    let headers = outgoing.sign_with(&device).unwrap();
    assert_eq!(headers.content_digest.as_deref(), Some(DIGEST));
    let input = format!("{INPUT};nonce=\"{}\"", nonce.as_str());
    assert_eq!(headers.signature_input, input);
    verified(
        &[
            ("Content-Digest", DIGEST.as_bytes()),
            ("Signature-Input", INPUT.as_bytes()),
            ("Signature", SIGNATURE.as_bytes()),
        ],
        BODY,
        &Profile::MARGO_1_0,
        |verified| {
            let verified = verified.unwrap();
            assert_eq!(verified.body(), BODY);
            assert_eq!(verified.algorithm(), Algorithm::EcdsaP256Sha256);
            assert_eq!(verified.params().created(), Some(CREATED));
            assert_eq!(verified.once_keys().len(), 1);
        },
    );
}

/// What a client of other habits might send: `build` changes the parameters, `fields` what is sent.
struct Sent {
    covered: Vec<Component<'static>>,
    label: &'static str,
    created: Option<u64>,
    key_id: Option<String>,
    alg: Option<Algorithm>,
    expires: Option<u64>,
    digest: Option<String>,
    body: &'static [u8],
}

impl Sent {
    fn new() -> Self {
        Self {
            covered: [
                Component::METHOD,
                Component::TARGET_URI,
                Component::CONTENT_DIGEST,
            ]
            .into(),
            label: LABEL,
            created: Some(CREATED),
            key_id: Some("my-key".into()),
            alg: None,
            expires: None,
            digest: Some(DIGEST.into()),
            body: BODY,
        }
    }

    /// Signs, sends, and gives the server's answer.
    fn error(self, profile: &Profile) -> Option<VerifyError> {
        let device = device();
        let mut params = SignatureParams::new(self.covered).unwrap();
        if let Some(created) = self.created {
            params = params.with_created(created).unwrap();
        }
        if let Some(key_id) = self.key_id {
            params = params.with_key_id(key_id).unwrap();
        }
        if let Some(expires) = self.expires {
            params = params.with_expires(expires).unwrap();
        }
        if let Some(alg) = self.alg {
            params = params.with_alg(alg);
        }
        let digest = self.digest.unwrap_or_default();
        let mut fields: Vec<Field<'_>> = Vec::new();
        if !digest.is_empty() {
            fields.push(("content-digest", digest.as_bytes()));
        }
        let request = Request::new("POST", Target::parse(URI).unwrap(), &fields);
        let to_be_signed =
            prepare((&request).into(), self.label, &params, &Limits::DEFAULT).unwrap();
        let signature = device.sign(to_be_signed.message()).unwrap();
        // `alg` may be a lie, so the check of an honest signer is gone round.
        let value = BASE64_STANDARD.encode(signature.to_fixed());
        let input = format!("{}={params}", self.label);
        let value = format!("{}=:{value}:", self.label);
        let mut fields = fields.clone();
        fields.push(("signature-input", input.as_bytes()));
        fields.push(("signature", value.as_bytes()));
        let mut error = None;
        verified(&fields, self.body, profile, |found| error = found.err());
        error
    }
}

#[test]
fn the_least_that_margo_asks_for_is_accepted() {
    assert_eq!(Sent::new().error(&Profile::MARGO_1_0), None);
    let nothing = Sent {
        covered: [Component::METHOD, Component::TARGET_URI].into(),
        key_id: None,
        digest: None,
        body: b"",
        ..Sent::new()
    };
    assert_eq!(nothing.error(&Profile::MARGO_1_0), None);
}

#[test]
fn what_is_not_covered_is_refused() {
    let not_covered = |component: Component<'_>| {
        Some(VerifyError::NotCovered {
            component: component.to_string(),
        })
    };
    for left_out in [
        Component::METHOD,
        Component::TARGET_URI,
        Component::CONTENT_DIGEST,
    ] {
        let mut sent = Sent::new();
        sent.covered.retain(|component| *component != left_out);
        assert_eq!(sent.error(&Profile::MARGO_1_0), not_covered(left_out));
    }
    let strict = Profile {
        authority: AuthorityRule::Required,
        ..Profile::MARGO_1_0
    };
    assert_eq!(
        Sent::new().error(&strict),
        not_covered(Component::AUTHORITY)
    );
    let mut sent = Sent::new();
    sent.covered.push(Component::AUTHORITY);
    assert_eq!(sent.error(&strict), None);
    // A part of the field is not the field.
    let mut sent = Sent::new();
    sent.covered.pop();
    sent.covered
        .push(Component::CONTENT_DIGEST.member("sha-256").unwrap());
    assert_eq!(
        sent.error(&Profile::MARGO_1_0),
        not_covered(Component::CONTENT_DIGEST)
    );
}

#[test]
fn time_is_judged() {
    let created = |created| Sent {
        created,
        ..Sent::new()
    };
    let stale = |stale| Some(VerifyError::Stale(stale));
    let profile = &Profile::MARGO_1_0;
    assert_eq!(created(Some(CREATED - 300)).error(profile), None);
    assert_eq!(
        created(Some(CREATED - 301)).error(profile),
        stale(Stale::TooOld { age: 301, max: 300 })
    );
    assert_eq!(created(Some(CREATED + 60)).error(profile), None);
    assert_eq!(
        created(Some(CREATED + 61)).error(profile),
        stale(Stale::TooNew { lead: 61, max: 60 })
    );
    assert_eq!(created(None).error(profile), stale(Stale::CreatedMissing));
    let expires = |expires| Sent {
        expires: Some(expires),
        ..Sent::new()
    };
    assert_eq!(expires(CREATED).error(profile), None);
    assert_eq!(
        expires(CREATED - 1).error(profile),
        stale(Stale::Expired { ago: 1 })
    );
}

#[test]
fn the_key_is_the_registered_one() {
    let named = |key_id: &str| Sent {
        key_id: Some(key_id.into()),
        ..Sent::new()
    };
    let profile = &Profile::MARGO_1_0;
    let hash = "554d4b95d1406a67c1d6c6e24d5608606fa48c23260fb3fbf53afde3e17c1c92";
    assert_eq!(named(hash).error(profile), None);
    let other = hash.replace('5', "6");
    assert_eq!(named(&other).error(profile), Some(VerifyError::KeyId));
    // No hash, so the client's own name: too short, and no hexadecimal digits.
    for own in ["my-rsa-key", &other[..63], &other.replace('6', "g")] {
        assert_eq!(named(own).error(profile), None, "{own}");
    }
    let alg = |alg| Sent {
        alg: Some(alg),
        ..Sent::new()
    };
    assert_eq!(alg(Algorithm::EcdsaP256Sha256).error(profile), None);
    assert_eq!(
        alg(Algorithm::Ed25519).error(&ONLY_ED25519_TOO),
        Some(VerifyError::Algorithm {
            named: "ed25519".into()
        })
    );
}

#[test]
fn ed25519_is_for_the_profile_to_decide() {
    let key = SoftwareKey::generate(Algorithm::Ed25519, &mut TestRng::new(1)).unwrap();
    let nonce = Nonce::random(&mut TestRng::new(2));
    let target = Target::parse(URI).unwrap();
    let headers = super::prepare(
        "GET",
        target,
        None,
        window(CREATED).now,
        &nonce,
        key.public_key(),
    )
    .unwrap()
    .sign_with(&key)
    .unwrap();
    assert_eq!(headers.content_digest, None);
    let fields: [Field<'_>; 2] = [
        ("signature-input", headers.signature_input.as_bytes()),
        ("signature", headers.signature.as_bytes()),
    ];
    let request = Request::new("GET", target, &fields);
    let incoming = Incoming::new(&request, b"");
    let answer = |profile: &Profile| {
        let key = key.public_key();
        let (window, limits) = (window(CREATED), Limits::DEFAULT);
        verify(&incoming, "c-1", key, profile, &window, &limits)
            .map(|verified| verified.params().nonce() == Some(nonce.as_str()))
    };
    assert_eq!(answer(&ONLY_ED25519_TOO), Ok(true));
    assert_eq!(
        answer(&Profile::MARGO_1_0),
        Err(VerifyError::Key(Algorithm::Ed25519))
    );
}

#[test]
fn the_label_is_sig1() {
    let sent = Sent {
        label: "sig2",
        ..Sent::new()
    };
    assert_eq!(
        sent.error(&Profile::MARGO_1_0),
        Some(VerifyError::Claim(ClaimError::NoSuchLabel {
            label: "sig1".into()
        }))
    );
}

#[test]
fn the_body_is_the_one_that_was_signed() {
    let profile = &Profile::MARGO_1_0;
    let with = |digest: &str, body| Sent {
        digest: Some(digest.into()),
        body,
        ..Sent::new()
    };
    let status = |error: Option<VerifyError>| error.as_ref().map(VerifyError::http_status);
    let other = with(DIGEST, br#"{"a":2}"#).error(profile);
    assert_eq!(other, Some(VerifyError::DigestMismatch));
    assert_eq!(status(other), Some(400));
    // A digest is believed of an empty body, too.
    let emptied = with(DIGEST, b"").error(profile);
    assert_eq!(emptied, Some(VerifyError::DigestMismatch));
    let empty = sha256_field_value(&Backend::PURE_RUST.sha256(&[b""]));
    assert_eq!(with(&empty, b"").error(profile), None);
    for (digest, error) in [
        (
            "sha-512=:YQ==:",
            VerifyError::Digest(DigestError::Value {
                algorithm: "sha-512".into(),
            }),
        ),
        ("md5=:YQ==:", VerifyError::Sha256Missing),
        (
            "sha-256=1",
            VerifyError::Digest(DigestError::Value {
                algorithm: "sha-256".into(),
            }),
        ),
    ] {
        let found = with(digest, BODY).error(profile);
        assert_eq!(found, Some(error), "{digest}");
        assert_eq!(status(found), Some(400), "{digest}");
    }
    // Without the field there is nothing that content-digest could cover.
    let missing = Sent {
        covered: [Component::METHOD, Component::TARGET_URI].into(),
        digest: None,
        ..Sent::new()
    };
    let missing = missing.error(profile);
    assert_eq!(missing, Some(VerifyError::DigestMissing));
    assert_eq!(status(missing), Some(400));
}

#[test]
fn what_is_changed_on_the_way_is_refused() {
    let tampered = SIGNATURE.replace("SSSR", "SSSS");
    let answer = |fields: &[Field<'_>]| {
        let mut error = None;
        verified(fields, BODY, &Profile::MARGO_1_0, |found| {
            error = found.err()
        });
        error.unwrap()
    };
    let error = answer(&[
        ("Content-Digest", DIGEST.as_bytes()),
        ("Signature-Input", INPUT.as_bytes()),
        ("Signature", tampered.as_bytes()),
    ]);
    assert_eq!(error, VerifyError::Signature);
    assert_eq!(error.http_status(), 401);
    // DER is never accepted, whatever it holds.
    let der = format!(
        "sig1=:{}:",
        BASE64_STANDARD.encode([0x30, 6, 2, 1, 1, 2, 1, 1])
    );
    let error = answer(&[
        ("Content-Digest", DIGEST.as_bytes()),
        ("Signature-Input", INPUT.as_bytes()),
        ("Signature", der.as_bytes()),
    ]);
    assert_eq!(error, VerifyError::Signature);
    let error = answer(&[("Content-Digest", DIGEST.as_bytes())]);
    assert!(matches!(
        error,
        VerifyError::Read(ReadError::Missing { .. })
    ));
    assert_eq!(error.http_status(), 401);
}

#[test]
fn once_keys_name_the_client_and_the_base_but_not_the_signature() {
    let key = device();
    let fields: [Field<'_>; 3] = [
        ("Content-Digest", DIGEST.as_bytes()),
        ("Signature-Input", INPUT.as_bytes()),
        ("Signature", SIGNATURE.as_bytes()),
    ];
    let request = Request::new("POST", Target::parse(URI).unwrap(), &fields);
    let incoming = Incoming::new(&request, BODY);
    let once = |client| {
        let (window, limits) = (window(CREATED), Limits::DEFAULT);
        let profile = Profile::MARGO_1_0;
        let verified = verify(
            &incoming,
            client,
            key.public_key(),
            &profile,
            &window,
            &limits,
        );
        verified.unwrap().once_keys()[0]
    };
    assert_eq!(once("c-1").key, once("c-1").key);
    assert_ne!(once("c-1").key, once("c-2").key);
    assert_eq!(once("c-1").until, window(CREATED + 300).now);
}

#[test]
fn content_digest_with_capitals_is_an_option() {
    let device = device();
    let fields: [Field<'_>; 1] = [("content-digest", DIGEST.as_bytes())];
    let input = INPUT.replace("\"content-digest\"", "\"Content-Digest\"");
    let base = format!(
        "\"@method\": POST\n\"@target-uri\": {URI}\n\"@authority\": wfm.example\n\
        \"Content-Digest\": {DIGEST}\n\"@signature-params\": {}",
        input.strip_prefix("sig1=").unwrap()
    );
    let signature = device.sign(base.as_bytes()).unwrap().to_fixed();
    let signature = format!("sig1=:{}:", BASE64_STANDARD.encode(signature));
    let mut fields = Vec::from(fields);
    fields.push(("signature-input", input.as_bytes()));
    fields.push(("signature", signature.as_bytes()));
    let lenient = Profile {
        names: ComponentNames::ContentDigestWithCapitals,
        ..Profile::MARGO_1_0
    };
    verified(&fields, BODY, &lenient, |found| {
        assert!(found.is_ok(), "{found:?}")
    });
    verified(&fields, BODY, &Profile::MARGO_1_0, |found| {
        assert!(matches!(found, Err(VerifyError::Claim(_))));
    });
}

// facts: Margo's worked example.
const DIGEST: &str = "sha-256=:AVq9f1zFei3ZS3WQ8ErYCEJzkF7jPsXOvq5iJ2qX+GI=:";
const INPUT: &str = "sig1=(\"@method\" \"@target-uri\" \"@authority\" \"content-digest\");created=1767225600;keyid=\"554d4b95d1406a67c1d6c6e24d5608606fa48c23260fb3fbf53afde3e17c1c92\"";
const SIGNATURE: &str = "sig1=:SSSRkbwvhEZkmE7V5BCPKmYkvYEiN0cV+x8AVJTZrCzfZkngzy0E8aEmI9Wkv8m7bj6+BnVCNnq/BPZz/27kPA==:";
