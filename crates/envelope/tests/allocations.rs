//! What reading and writing an envelope of 1 MiB allocates: the payload or the text once, and little
//! else; nothing of that size into a buffer that the caller keeps.

// A test reports by panicking; clippy sees that only inside the test functions themselves.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use allocation_counter::{AllocationInfo, measure};
use gangplank_envelope::{
    Audience, Binding, Envelope, Expect, ExpectedAudience, ExpectedForm, Form, Freshness, Limits,
    Nonce, PayloadType, Window,
};
use gangplank_key::{
    AwsLcKey, Backend, CertificateId, PublicKey, SigningKey, TrustedKey, UnixTime,
};

#[test]
fn verifying_allocates_the_payload_once() {
    let key = AwsLcKey::from_pem(KEY).unwrap();
    let wire = sealed(&key);
    for backend in [Backend::PURE_RUST, Backend::AWS_LC_RS] {
        let public = PublicKey::from_spki(key.public_key().spki(), backend).unwrap();
        let trusted = TrustedKey::vouch(id(), public);
        let mut scratch = Vec::new();
        let mut verify = || {
            measure(|| {
                let envelope = Envelope::decode(&wire, &Limits::DEFAULT, &mut scratch).unwrap();
                let verified = envelope.verify(&trusted, &expect()).unwrap();
                assert_eq!(verified.payload().len(), MIB);
            })
        };
        let (first, second) = (verify(), verify());
        println!("verify by {backend:?}: {first:?}, then {second:?}");
        // Before decoding, the payload may be thought two bytes longer than it is.
        at_most(&first, MIB + 2 + SMALL);
        at_most(&second, SMALL);
    }
}

#[test]
fn signing_allocates_the_text_once() {
    let key = AwsLcKey::from_pem(KEY).unwrap();
    let payload = payload();
    let length = sealed(&key).len();
    let (form, id) = (form(), id());
    let prepare = || {
        let form = form.clone();
        Envelope::prepare_with(&payload, form, &id, Backend::AWS_LC_RS).unwrap()
    };
    let new = measure(|| drop(prepare().sign_with(&key).unwrap()));
    let mut text = Vec::new();
    prepare().sign_into(&key, &mut text).unwrap();
    let reused = measure(|| prepare().sign_into(&key, &mut text).unwrap());
    println!("sign a text of {length}: {new:?}, into the same buffer again: {reused:?}");
    // The text gets some room to spare.
    at_most(&new, length + 2 * SMALL);
    at_most(&reused, SMALL);
}

fn at_most(found: &AllocationInfo, bytes: usize) {
    assert!(found.bytes_total <= bytes as u64, "{found:?}, not {bytes}");
}

fn sealed(key: &AwsLcKey) -> Vec<u8> {
    let prepared = Envelope::prepare(payload(), form(), &id()).unwrap();
    prepared.sign_with(key).unwrap()
}

fn payload() -> Vec<u8> {
    (0..MIB).map(|at| (at * 31 % 251) as u8).collect()
}

fn form() -> Form {
    let audience = Audience::parse("https://wfm.example/margo").unwrap();
    Form::Bound(
        Binding::new(PayloadType::DEVICE_CAPABILITIES)
            .created(NOW)
            .nonce(Nonce::from_bytes(&[7; 16]).unwrap())
            .audience(audience),
    )
}

fn expect() -> Expect<'static> {
    Expect {
        form: ExpectedForm::Bound(PayloadType::DEVICE_CAPABILITIES),
        audience: ExpectedAudience::NotCompared,
        freshness: Freshness::Created(Window {
            now: NOW,
            max_age: Duration::from_secs(300),
            max_lead: Duration::from_secs(60),
        }),
    }
}

fn id() -> CertificateId {
    CertificateId::parse("SN-0001").unwrap()
}

const KEY: &str = include_str!("../../key/tests/data/p256.key.pem");
const NOW: UnixTime = UnixTime::since_unix_epoch(Duration::from_secs(1_767_225_600));
const MIB: usize = 1 << 20;
/// The signature, the small members and the signing input, each a few dozen or hundred bytes.
const SMALL: usize = 1200;
