//! ECDSA over P-256 (FIPS 186-5 §6).

use p256::ecdsa::signature::hazmat::PrehashVerifier;
use p256::ecdsa::{Signature, VerifyingKey};
use rustls_pki_types::{
    AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id,
};
use sha2::{Digest, Sha256};

#[derive(Debug)]
pub(super) struct WithSha256;

impl SignatureVerificationAlgorithm for WithSha256 {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        verify_hash(public_key, &Sha256::digest(message), signature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P256
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_SHA256
    }
}

pub(super) fn verify_hash(
    public_key: &[u8],
    hash: &[u8],
    signature: &[u8],
) -> Result<(), InvalidSignature> {
    let key = VerifyingKey::from_sec1_bytes(public_key).map_err(|_| InvalidSignature)?;
    let signature = Signature::from_der(signature).map_err(|_| InvalidSignature)?;
    key.verify_prehash(hash, &signature)
        .map_err(|_| InvalidSignature)
}
