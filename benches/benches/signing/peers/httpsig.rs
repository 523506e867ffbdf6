use std::hint::black_box;

use base64::{Engine, prelude::BASE64_STANDARD};
use gangplank_benches::cases::Operation;
use gangplank_benches::material::{Material, NOW, payload};
use httpsig::prelude::message_component::HttpMessageComponent;
use httpsig::prelude::{
    AlgorithmName, HttpSignatureBase, HttpSignatureHeaders, HttpSignatureParams, PublicKey,
    SecretKey,
};
use sha2::{Digest, Sha256};

pub fn verify(material: &Material, size: usize) -> Operation<'_> {
    let body = payload(size);
    let signed = make(&body, &secret(material));
    let key = PublicKey::from_bytes(&AlgorithmName::EcdsaP256Sha256, &material.point).unwrap();
    Box::new(move || {
        let signed = black_box(&signed);
        assert_eq!(content_digest(black_box(&body)), signed.digest);
        let all = HttpSignatureHeaders::try_parse(&signed.signature, &signed.input).unwrap();
        let headers = all.get("sig1").unwrap();
        let components = components(&signed.digest);
        HttpSignatureBase::try_new(&components, headers.signature_params())
            .and_then(|base| base.verify_signature_headers(&key, headers))
            .unwrap();
    })
}

pub fn sign(material: &Material, size: usize) -> Operation<'_> {
    let (body, key) = (payload(size), secret(material));
    Box::new(move || {
        black_box(make(black_box(&body), &key));
    })
}

/// The values of three header fields.
struct Signed {
    digest: String,
    input: String,
    signature: String,
}

fn make(body: &[u8], key: &SecretKey) -> Signed {
    let digest = content_digest(body);
    let components = components(&digest);
    let ids: Vec<_> = components.iter().map(|line| line.id.clone()).collect();
    let mut parameters = HttpSignatureParams::try_new(&ids).unwrap();
    parameters
        .set_created(NOW.as_secs())
        .set_keyid(&"5".repeat(64));
    let headers = HttpSignatureBase::try_new(&components, &parameters)
        .and_then(|base| base.build_signature_headers(key, Some("sig1")))
        .unwrap();
    Signed {
        digest,
        input: headers.signature_input_header_value(),
        signature: headers.signature_header_value(),
    }
}

fn content_digest(body: &[u8]) -> String {
    format!("sha-256=:{}:", BASE64_STANDARD.encode(Sha256::digest(body)))
}

fn components(digest: &str) -> Vec<HttpMessageComponent> {
    [
        "\"@method\": POST",
        "\"@target-uri\": https://wfm.example/api/v1/clients/c-1/deployments/d-1/status",
        "\"@authority\": wfm.example",
        &format!("\"content-digest\": {digest}"),
    ]
    .map(|line| HttpMessageComponent::try_from(line).unwrap())
    .into()
}

fn secret(material: &Material) -> SecretKey {
    SecretKey::from_der(&AlgorithmName::EcdsaP256Sha256, &material.pkcs8).unwrap()
}
