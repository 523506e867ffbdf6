use std::hint::black_box;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, UnparsedPublicKey,
};
use coset::{CborSerializable, CoseSign1, CoseSign1Builder, HeaderBuilder, iana};
use gangplank_benches::cases::Operation;
use gangplank_benches::material::{Material, payload};

pub fn verify(material: &Material, size: usize) -> Operation<'_> {
    let wire = make(&payload(size), &key(material));
    Box::new(move || {
        let read = CoseSign1::from_slice(black_box(&wire)).unwrap();
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &material.point);
        read.verify_signature(b"", |signature, data| key.verify(data, signature))
            .unwrap();
        black_box(read.payload);
    })
}

pub fn sign(material: &Material, size: usize) -> Operation<'_> {
    let (payload, key) = (payload(size), key(material));
    Box::new(move || {
        black_box(make(black_box(&payload), &key));
    })
}

fn make(payload: &[u8], key: &EcdsaKeyPair) -> Vec<u8> {
    let header = HeaderBuilder::new().algorithm(iana::Algorithm::ES256);
    CoseSign1Builder::new()
        .protected(header.build())
        .payload(payload.to_vec())
        .create_signature(b"", |data| {
            let signature = key.sign(&SystemRandom::new(), data).unwrap();
            signature.as_ref().to_vec()
        })
        .build()
        .to_vec()
        .unwrap()
}

fn key(material: &Material) -> EcdsaKeyPair {
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &material.pkcs8).unwrap()
}
