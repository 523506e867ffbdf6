//! Why a signature may not verify, beside a wrong key and a wrong base.

use crate::key::{Algorithm, PublicKey, Signature};
use crate::message::{ClaimedSignature, margo};

/// What strikes about the signature's value and its key id. None of it is believed.
pub(super) fn find(claimed: &ClaimedSignature<'_>, key: &PublicKey) -> Vec<String> {
    let mut hints = Vec::new();
    let value = claimed.claimed_value();
    let algorithm = key.algorithm();
    let expected = match algorithm {
        Algorithm::EcdsaP256Sha256 | Algorithm::Ed25519 => Some(64),
        Algorithm::EcdsaP384Sha384 => Some(96),
        _ => None,
    };
    let is_ecdsa = algorithm != Algorithm::Ed25519 && expected.is_some();
    if is_ecdsa && value.first() == Some(&0x30) && Signature::from_wire(algorithm, value).is_ok() {
        hints.push(format!(
            "the value is DER; RFC 9421 §3.3 has r and s side by side, {} bytes",
            expected.unwrap_or_default()
        ));
    } else if let Some(expected) = expected
        && value.len() != expected
    {
        let found = value.len();
        hints.push(format!(
            "the value has {found} bytes; one of {} has {expected}",
            algorithm.name()
        ));
    }
    let hash = margo::key_id(key);
    let key_id = claimed.claimed_params().key_id().unwrap_or_default();
    let is_hash = key_id.len() == 64 && key_id.bytes().all(|digit| digit.is_ascii_hexdigit());
    if is_hash && !key_id.eq_ignore_ascii_case(&hash) {
        hints.push(format!(
            "keyid looks like the hash of another key; SHA-256 of this one's SubjectPublicKeyInfo is {hash}"
        ));
    }
    hints
}
