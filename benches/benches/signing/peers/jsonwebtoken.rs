use std::hint::black_box;

use base64::{Engine, prelude::BASE64_STANDARD};
use gangplank_benches::cases::Operation;
use gangplank_benches::material::{Material, NOW, payload};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Claims {
    payload: String,
    aud: String,
    iat: u64,
    exp: u64,
    nonce: String,
}

pub fn verify(material: &Material, size: usize) -> Operation<'_> {
    let token = make(&payload(size), &EncodingKey::from_ec_der(&material.pkcs8));
    let key = DecodingKey::from_ec_der(&material.point);
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_audience(&[AUDIENCE]);
    Box::new(move || {
        let read = decode::<Claims>(black_box(&token), &key, &validation).unwrap();
        black_box(BASE64_STANDARD.decode(read.claims.payload).unwrap());
    })
}

pub fn sign(material: &Material, size: usize) -> Operation<'_> {
    let payload = payload(size);
    let key = EncodingKey::from_ec_der(&material.pkcs8);
    Box::new(move || {
        black_box(make(black_box(&payload), &key));
    })
}

fn make(payload: &[u8], key: &EncodingKey) -> String {
    let claims = Claims {
        payload: BASE64_STANDARD.encode(payload),
        aud: AUDIENCE.into(),
        iat: NOW.as_secs(),
        exp: u64::from(u32::MAX),
        nonce: "BwcHBwcHBwcHBwcHBwcHBw".into(),
    };
    encode(&Header::new(Algorithm::ES256), &claims, key).unwrap()
}

const AUDIENCE: &str = "https://wfm.example/margo";
