//! The aws-lc-rs backend: the values of rustls' provider, and verification over a finished hash.

use alloc::boxed::Box;
use alloc::sync::Arc;

use aws_lc_rs::digest::{Context, Digest, SHA256, digest};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    VerificationAlgorithm,
};
use rustls_pki_types::SignatureVerificationAlgorithm;
use webpki::aws_lc_rs as provider;

use super::{Sha256Hasher, VerifySha256};
use crate::{Algorithm, BadSignature};

/// First those that keys are verified with, then those that only stand in certificates: the same
/// as in pure Rust, so that both believe the same certificates.
pub(super) static ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[
    #[cfg(feature = "p256")]
    provider::ECDSA_P256_SHA256,
    #[cfg(feature = "p384")]
    provider::ECDSA_P384_SHA384,
    #[cfg(feature = "ed25519")]
    provider::ED25519,
    #[cfg(feature = "rsa")]
    provider::RSA_PKCS1_2048_8192_SHA256,
    #[cfg(feature = "rsa")]
    provider::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
    #[cfg(feature = "rsa")]
    provider::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
    #[cfg(feature = "p384")]
    provider::ECDSA_P384_SHA256,
    #[cfg(feature = "rsa")]
    provider::RSA_PKCS1_2048_8192_SHA384,
    #[cfg(feature = "rsa")]
    provider::RSA_PKCS1_2048_8192_SHA512,
];

pub(super) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let digest = match parts {
        // In one go: a context costs as much as hashing a hundred bytes.
        [whole] => digest(&SHA256, whole),
        _ => {
            let mut context = Context::new(&SHA256);
            for part in parts {
                context.update(part);
            }
            context.finish()
        }
    };
    bytes(&digest)
}

pub(super) fn hasher() -> Box<dyn Sha256Hasher> {
    Box::new(Hasher(Context::new(&SHA256)))
}

struct Hasher(Context);

impl Sha256Hasher for Hasher {
    fn update(&mut self, part: &[u8]) {
        self.0.update(part);
    }

    fn finish(self: Box<Self>) -> [u8; 32] {
        bytes(&self.0.finish())
    }
}

fn bytes(digest: &Digest) -> [u8; 32] {
    let mut hash = [0; 32];
    for (to, from) in hash.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    hash
}

pub(super) fn key_verifier(algorithm: Algorithm, key: &[u8]) -> Option<Arc<dyn VerifySha256>> {
    let algorithm: &'static dyn VerificationAlgorithm = match algorithm {
        Algorithm::EcdsaP256Sha256 => &ECDSA_P256_SHA256_ASN1,
        Algorithm::RsaPkcs1Sha256 => &RSA_PKCS1_2048_8192_SHA256,
        Algorithm::RsaPssSha256 => &RSA_PSS_2048_8192_SHA256,
        _ => return None,
    };
    let key = ParsedPublicKey::new(algorithm, key).ok()?;
    Some(Arc::new(Parsed(key)))
}

#[derive(Debug)]
struct Parsed(ParsedPublicKey);

impl VerifySha256 for Parsed {
    fn verify_sha256(&self, sha256: &[u8; 32], signature: &[u8]) -> Result<(), BadSignature> {
        // "Less safe" since a caller could pass what is no hash; here it always is one.
        let digest = Digest::import_less_safe(sha256, &SHA256).map_err(|_| BadSignature)?;
        self.0
            .verify_digest_sig(&digest, signature)
            .map_err(|_| BadSignature)
    }
}
