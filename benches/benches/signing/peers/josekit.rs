use std::hint::black_box;

use gangplank_benches::cases::Operation;
use gangplank_benches::material::{Material, payload};
use josekit::jws::{self, ES256, JwsHeader};

pub fn verify(material: &Material, size: usize) -> Operation<'_> {
    let signer = ES256.signer_from_der(&material.pkcs8).unwrap();
    let verifier = ES256.verifier_from_der(&material.spki).unwrap();
    let token = jws::serialize_compact(&payload(size), &JwsHeader::new(), &signer).unwrap();
    Box::new(move || {
        black_box(jws::deserialize_compact(black_box(&token), &verifier).unwrap());
    })
}

pub fn sign(material: &Material, size: usize) -> Operation<'_> {
    let payload = payload(size);
    let signer = ES256.signer_from_der(&material.pkcs8).unwrap();
    let header = JwsHeader::new();
    Box::new(move || {
        black_box(jws::serialize_compact(black_box(&payload), &header, &signer).unwrap());
    })
}
