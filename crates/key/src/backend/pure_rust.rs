//! The pure-Rust backend as values that webpki and rustls take unchanged, one file per family.

use rustls_pki_types::SignatureVerificationAlgorithm;
use sha2::{Digest, Sha256};

use crate::{Algorithm, BadSignature};

#[cfg(feature = "ed25519")]
mod ed25519;
#[cfg(feature = "p256")]
mod p256;
#[cfg(feature = "p384")]
mod p384;
#[cfg(feature = "rsa")]
mod rsa;

/// First those that keys are verified with, then those that only stand in certificates.
pub(super) static ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[
    #[cfg(feature = "p256")]
    &p256::WithSha256,
    #[cfg(feature = "p384")]
    &p384::WithSha384,
    #[cfg(feature = "ed25519")]
    &ed25519::Ed25519,
    #[cfg(feature = "rsa")]
    &rsa::Pkcs1Sha256,
    #[cfg(feature = "rsa")]
    &rsa::PssSha256,
    #[cfg(feature = "rsa")]
    &rsa::PssSha512,
    #[cfg(feature = "p384")]
    &p384::WithSha256,
    #[cfg(feature = "rsa")]
    &rsa::Pkcs1Sha384,
    #[cfg(feature = "rsa")]
    &rsa::Pkcs1Sha512,
];

pub(super) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg_attr(
    not(any(feature = "p256", feature = "rsa")),
    expect(
        unused_variables,
        reason = "no family is left that hashes with SHA-256"
    )
)]
pub(super) fn verify_sha256(
    algorithm: Algorithm,
    public_key: &[u8],
    hash: &[u8; 32],
    signature: &[u8],
) -> Result<(), BadSignature> {
    match algorithm {
        #[cfg(feature = "p256")]
        Algorithm::EcdsaP256Sha256 => {
            p256::verify_hash(public_key, hash, signature).map_err(|_| BadSignature)
        }
        #[cfg(feature = "rsa")]
        Algorithm::RsaPkcs1Sha256 => {
            rsa::verify_pkcs1::<Sha256>(public_key, hash, signature).map_err(|_| BadSignature)
        }
        #[cfg(feature = "rsa")]
        Algorithm::RsaPssSha256 => {
            rsa::verify_pss::<Sha256>(public_key, hash, signature).map_err(|_| BadSignature)
        }
        // Keys of a family that this build lacks cannot be made.
        _ => Err(BadSignature),
    }
}
