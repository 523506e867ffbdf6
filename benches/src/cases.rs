//! The bare operations and gangplank's. Each is made once, with all keys parsed, and then run many
//! times.

use std::hint::black_box;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use gangplank_envelope::{Envelope, Limits};
use gangplank_key::{Backend, PublicKey, SigningKey};
use gangplank_message::margo::{self, Incoming, Profile};
use gangplank_message::{Nonce, Request, Target};
use p256::ecdsa::signature::{Signer, Verifier};
use p256::pkcs8::DecodePrivateKey;

use crate::material::{Material, NOW, expect, form, id, payload, window};

/// One operation, to be run again and again.
pub type Operation<'m> = Box<dyn FnMut() + 'm>;

/// Who owns the buffer that a payload or text is written into.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Buffer {
    /// A new one each time.
    New,
    /// The caller's, used again.
    Reused,
}

/// aws-lc-rs alone: the key as bytes each time, as rustls' values use it, and a DER signature.
pub fn verify_bare(material: &Material, size: usize) -> Operation<'_> {
    let payload = payload(size);
    let signature = material.software.sign(&payload).unwrap().to_wire();
    Box::new(move || {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &material.point)
            .verify(black_box(&payload), &signature)
            .unwrap();
    })
}

/// p256 alone: the key parsed before, a DER signature.
pub fn verify_p256(material: &Material, size: usize) -> Operation<'_> {
    let payload = payload(size);
    let signature = material.software.sign(&payload).unwrap().to_wire();
    let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&material.point).unwrap();
    Box::new(move || {
        let signature = p256::ecdsa::Signature::from_der(&signature).unwrap();
        key.verify(black_box(&payload), &signature).unwrap();
    })
}

/// From the envelope's text to the verified payload.
pub fn verify_envelope(
    material: &Material,
    size: usize,
    backend: Backend,
    buffer: Buffer,
) -> Operation<'_> {
    let payload = payload(size);
    let prepared = Envelope::prepare(&payload, form(), &id()).unwrap();
    let wire = prepared.sign_with(&material.software).unwrap();
    let (trusted, expect) = (material.trusted(backend), expect());
    let mut kept = Vec::new();
    Box::new(move || {
        let mut new = Vec::new();
        let scratch = match buffer {
            Buffer::New => &mut new,
            Buffer::Reused => &mut kept,
        };
        let envelope = Envelope::decode(black_box(&wire), &Limits::DEFAULT, scratch).unwrap();
        black_box(envelope.verify(&trusted, &expect).unwrap().payload());
    })
}

/// From a request's fields and body to the verified body, by Margo 1.0's profile.
pub fn verify_message(material: &Material, size: usize, backend: Backend) -> Operation<'_> {
    let body = payload(size);
    let headers = message(&body, &material.software);
    let key = PublicKey::from_spki(&material.spki, backend).unwrap();
    Box::new(move || {
        let content_digest = headers.content_digest.as_deref().unwrap_or_default();
        let fields = [
            ("content-digest", content_digest.as_bytes()),
            ("signature-input", headers.signature_input.as_bytes()),
            ("signature", headers.signature.as_bytes()),
        ];
        let request = Request::new("POST", Target::parse(TARGET).unwrap(), &fields);
        let verified = margo::verify(
            &Incoming::new(&request, black_box(&body)),
            "c-1",
            &key,
            &Profile::MARGO_1_0,
            &window(),
            &gangplank_message::Limits::DEFAULT,
        );
        black_box(verified.unwrap().body());
    })
}

/// aws-lc-rs alone: the key parsed before; the nonce is random.
pub fn sign_bare(material: &Material, size: usize) -> Operation<'_> {
    let (payload, random) = (payload(size), SystemRandom::new());
    Box::new(move || {
        black_box(material.bare.sign(&random, black_box(&payload)).unwrap());
    })
}

/// p256 alone: the key parsed before; the nonce is that of RFC 6979.
pub fn sign_p256(material: &Material, size: usize) -> Operation<'_> {
    let payload = payload(size);
    let key = p256::ecdsa::SigningKey::from_pkcs8_der(&material.pkcs8).unwrap();
    Box::new(move || {
        let signature: p256::ecdsa::Signature = key.sign(black_box(&payload));
        black_box(signature.to_der());
    })
}

/// From the payload to the envelope's text. The payload is lent; the form is copied each time.
pub fn sign_envelope(
    material: &Material,
    size: usize,
    backend: Backend,
    buffer: Buffer,
) -> Operation<'_> {
    let (payload, form, id) = (payload(size), form(), id());
    let key = signing_key(material, backend);
    let mut kept = Vec::new();
    Box::new(move || {
        let payload = black_box(payload.as_slice());
        let prepared = Envelope::prepare_with(payload, form.clone(), &id, backend).unwrap();
        match buffer {
            Buffer::New => drop(black_box(prepared.sign_with(key).unwrap())),
            Buffer::Reused => prepared.sign_into(key, black_box(&mut kept)).unwrap(),
        }
    })
}

/// From a body to the three fields that Margo 1.0's profile adds to its request.
pub fn sign_message(material: &Material, size: usize, backend: Backend) -> Operation<'_> {
    let body = payload(size);
    let key = signing_key(material, backend);
    Box::new(move || {
        black_box(message(black_box(&body), key));
    })
}

fn message(body: &[u8], key: &dyn SigningKey) -> margo::Headers {
    let nonce = Nonce::from_bytes(&[7; 16]).unwrap();
    let target = Target::parse(TARGET).unwrap();
    let prepared =
        margo::prepare("POST", target, Some(body), NOW, &nonce, key.public_key()).unwrap();
    prepared.sign_with(key).unwrap()
}

fn signing_key(material: &Material, backend: Backend) -> &dyn SigningKey {
    if backend.name() == Backend::PURE_RUST.name() {
        &material.software
    } else {
        &material.aws_lc
    }
}

const TARGET: &str = "https://wfm.example/api/v1/clients/c-1/deployments/d-1/status";
