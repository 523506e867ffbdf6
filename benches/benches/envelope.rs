//! An envelope's cost beside the bare operation, in one run.
//!
//! - Bare: aws-lc-rs 1.19 (aws-lc-sys), ECDSA P-256 with SHA-256 over the same payload, keys parsed
//!   before the clock starts, signature as DER. Signatures are randomised.
//! - Envelope: gangplank-envelope, bound form with type, created, nonce and audience, backend
//!   `Backend::AWS_LC_RS`, keys parsed as well; verifying includes reading the text, signing includes
//!   writing it. One buffer is reused for reading, as a server does; signing is given its own payload.
//! - Payload: 1 KiB and 1 MiB of zero bytes.
//! - The `pure_rust` rows are the same with `Backend::PURE_RUST` and `SoftwareKey`.
//!
//! `cargo bench --manifest-path benches/Cargo.toml --bench envelope`

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair, ParsedPublicKey,
};
use divan::{Bencher, black_box};
use gangplank_envelope::{
    Audience, Binding, Envelope, Expect, ExpectedAudience, ExpectedForm, Form, Freshness, Limits,
    Nonce, PayloadType, Window,
};
use gangplank_key::{
    AwsLcKey, Backend, CertificateId, PublicKey, SigningKey, SoftwareKey, TrustedKey, UnixTime,
};
use std::time::Duration;

fn main() {
    divan::Divan::from_args().sample_count(1000).main();
}

#[divan::bench(args = SIZES)]
fn verify_1_bare(bencher: Bencher<'_, '_>, size: usize) {
    let (payload, key) = (vec![0; size], bare_key());
    let signature = key.sign(&SystemRandom::new(), &payload).unwrap();
    let public = key.public_key().as_ref();
    let public = ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, public).unwrap();
    bencher.bench_local(|| {
        public
            .verify_sig(black_box(&payload), signature.as_ref())
            .unwrap()
    });
}

#[divan::bench(args = SIZES)]
fn verify_2_envelope(bencher: Bencher<'_, '_>, size: usize) {
    verify(bencher, size, Backend::AWS_LC_RS);
}

#[divan::bench(args = SIZES)]
fn verify_3_envelope_pure_rust(bencher: Bencher<'_, '_>, size: usize) {
    verify(bencher, size, Backend::PURE_RUST);
}

#[divan::bench(args = SIZES)]
fn sign_1_bare(bencher: Bencher<'_, '_>, size: usize) {
    let (payload, key, random) = (vec![0; size], bare_key(), SystemRandom::new());
    bencher.bench_local(|| key.sign(&random, black_box(&payload)).unwrap());
}

#[divan::bench(args = SIZES)]
fn sign_2_envelope(bencher: Bencher<'_, '_>, size: usize) {
    let key = AwsLcKey::from_pkcs8_der(&pkcs8()).unwrap();
    sign(bencher, size, &key, Backend::AWS_LC_RS);
}

#[divan::bench(args = SIZES)]
fn sign_3_envelope_pure_rust(bencher: Bencher<'_, '_>, size: usize) {
    let key = SoftwareKey::from_pkcs8_der(&pkcs8()).unwrap();
    sign(bencher, size, &key, Backend::PURE_RUST);
}

fn verify(bencher: Bencher<'_, '_>, size: usize, backend: Backend) {
    let key = AwsLcKey::from_pkcs8_der(&pkcs8()).unwrap();
    let wire = seal(vec![0; size], &key, Backend::AWS_LC_RS);
    let public = PublicKey::from_spki(key.public_key().spki(), backend).unwrap();
    let trusted = TrustedKey::vouch(id(), public);
    let expect = Expect {
        form: ExpectedForm::Bound(PayloadType::DEVICE_CAPABILITIES),
        audience: ExpectedAudience::Exactly(audience()),
        freshness: Freshness::Created(Window {
            now: NOW,
            max_age: Duration::from_secs(300),
            max_lead: Duration::from_secs(60),
        }),
    };
    let mut scratch = Vec::new();
    bencher.bench_local(|| {
        let envelope = Envelope::decode(black_box(&wire), &Limits::DEFAULT, &mut scratch).unwrap();
        envelope.verify(&trusted, &expect).unwrap().payload().len()
    });
}

fn sign(bencher: Bencher<'_, '_>, size: usize, key: &dyn SigningKey, backend: Backend) {
    bencher
        .with_inputs(|| vec![0; size])
        .bench_local_values(|payload| seal(black_box(payload), key, backend));
}

fn seal(payload: Vec<u8>, key: &dyn SigningKey, backend: Backend) -> Vec<u8> {
    let binding = Binding::new(PayloadType::DEVICE_CAPABILITIES)
        .created(NOW)
        .nonce(Nonce::from_bytes(&[7; 16]).unwrap())
        .audience(audience());
    let prepared = Envelope::prepare_with(payload, Form::Bound(binding), &id(), backend).unwrap();
    prepared.sign_with(key).unwrap()
}

fn bare_key() -> EcdsaKeyPair {
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &pkcs8()).unwrap()
}

fn pkcs8() -> Vec<u8> {
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    pair.serialize_der()
}

fn id() -> CertificateId {
    CertificateId::parse("SN-0001").unwrap()
}

fn audience() -> Audience {
    Audience::parse("https://wfm.example/margo").unwrap()
}

const SIZES: [usize; 2] = [1 << 10, 1 << 20];
const NOW: UnixTime = UnixTime::since_unix_epoch(Duration::from_secs(1_767_225_600));
