//! Two JWTs: the client assertion (RFC 7523 §3) and the DPoP proof (RFC 9449 §4).
//!
//! They are the two purposes whose bytes have one grammar. The `typ` under the signature tells them
//! apart (RFC 8725 §3.11), and so do the claims that each must have (§3.12).

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use gangplank_key::{Algorithm, PublicKey, Signature, SigningKey};
use serde_json::{Value, json};
use x509_cert::der::Decode;
use x509_cert::der::asn1::UintRef;

use crate::x509::raw_public_key;
use crate::{Purpose, Signed};

pub(crate) struct ClientAssertion;

impl Purpose for ClientAssertion {
    fn name(&self) -> &'static str {
        "client assertion"
    }

    fn sign(&self, key: &dyn SigningKey, bait: &[u8]) -> Signed {
        let header = json!({ "alg": alg(key.public_key()) });
        let claims = json!({
            "iss": CLIENT, "sub": CLIENT, "aud": SERVER, "exp": 1_767_225_660,
            "jti": String::from_utf8_lossy(bait),
        });
        Signed::new(key, signing_input(&header, &claims))
    }

    fn accepts(&self, key: &PublicKey, signed: &Signed) -> bool {
        let Some((header, claims)) = open(key, signed) else {
            return false;
        };
        let own_type = header["typ"]
            .as_str()
            .is_none_or(|typ| typ.eq_ignore_ascii_case("JWT"));
        own_type
            && claims["iss"] == CLIENT
            && claims["sub"] == CLIENT
            && claims["aud"] == SERVER
            && claims["exp"].is_u64()
    }
}

pub(crate) struct DpopProof;

impl Purpose for DpopProof {
    fn name(&self) -> &'static str {
        "DPoP proof"
    }

    fn sign(&self, key: &dyn SigningKey, bait: &[u8]) -> Signed {
        let public = key.public_key();
        let header = json!({ "typ": DPOP, "alg": alg(public), "jwk": jwk(public) });
        let claims = json!({
            "jti": "4rQ1", "htm": "POST", "htu": format!("{SERVER}/token"), "iat": 1_767_225_600,
            "nonce": String::from_utf8_lossy(bait),
        });
        Signed::new(key, signing_input(&header, &claims))
    }

    /// RFC 9449 §4.3.
    fn accepts(&self, key: &PublicKey, signed: &Signed) -> bool {
        open(key, signed).is_some_and(|(header, claims)| {
            header["typ"] == DPOP
                && header["jwk"] == jwk(key)
                && claims["jti"].is_string()
                && claims["htm"] == "POST"
                && claims["htu"] == format!("{SERVER}/token")
                && claims["iat"].is_u64()
        })
    }
}

fn signing_input(header: &Value, claims: &Value) -> Vec<u8> {
    [header, claims]
        .map(|part| BASE64_URL_SAFE_NO_PAD.encode(part.to_string()))
        .join(".")
        .into_bytes()
}

/// RFC 7515 §5.2 of the compact serialisation, for the one key that is registered.
fn open(key: &PublicKey, signed: &Signed) -> Option<(Value, Value)> {
    let signature = BASE64_URL_SAFE_NO_PAD.encode(signed.signature.to_fixed());
    let token = [&signed.bytes[..], b".", signature.as_bytes()].concat();
    let token = core::str::from_utf8(&token).ok()?;
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else {
        return None;
    };
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
    let signature = Signature::from_fixed(key.algorithm(), &bytes).ok()?;
    key.verify(format!("{header}.{claims}").as_bytes(), &signature)
        .ok()?;
    let header = json_object(header)?;
    (header["alg"] == alg(key) && header.get("crit").is_none()).then_some(())?;
    Some((header, json_object(claims)?))
}

/// A part of a token, which is a JSON object in base64url.
pub(crate) fn json_object(part: &str) -> Option<Value> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(part).ok()?;
    let value: Value = serde_json::from_slice(&bytes).ok()?;
    value.is_object().then_some(value)
}

fn alg(key: &PublicKey) -> &'static str {
    match key.algorithm() {
        Algorithm::EcdsaP256Sha256 => "ES256",
        Algorithm::EcdsaP384Sha384 => "ES384",
        Algorithm::Ed25519 => "EdDSA",
        Algorithm::RsaPkcs1Sha256 => "RS256",
        other => panic!("no name for {other:?}"),
    }
}

fn jwk(key: &PublicKey) -> Value {
    let raw = raw_public_key(key);
    let text = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let on_curve = |name| {
        let (x, y) = raw[1..].split_at(raw.len() / 2);
        json!({ "kty": "EC", "crv": name, "x": text(x), "y": text(y) })
    };
    match key.algorithm() {
        Algorithm::EcdsaP256Sha256 => on_curve("P-256"),
        Algorithm::EcdsaP384Sha384 => on_curve("P-384"),
        Algorithm::Ed25519 => json!({ "kty": "OKP", "crv": "Ed25519", "x": text(&raw) }),
        Algorithm::RsaPkcs1Sha256 => {
            let numbers = Vec::<UintRef<'_>>::from_der(&raw).unwrap();
            let [n, e] = [0, 1].map(|at: usize| text(numbers[at].as_bytes()));
            json!({ "kty": "RSA", "n": n, "e": e })
        }
        other => panic!("no JWK for {other:?}"),
    }
}

pub(crate) const DPOP: &str = "dpop+jwt";
const CLIENT: &str = "press-7";
const SERVER: &str = "https://wfm.example/margo";
