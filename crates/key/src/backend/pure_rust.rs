//! The pure-Rust backend as values that webpki and rustls take unchanged, one file per family.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use rustls_pki_types::{InvalidSignature, SignatureVerificationAlgorithm};
use sha2::{Digest, Sha256};

use super::{Sha256Hasher, VerifySha256};
use crate::{Algorithm, BadSignature};

#[cfg(any(feature = "p256", feature = "p384"))]
mod ecdsa;
#[cfg(feature = "ed25519")]
mod ed25519;
#[cfg(feature = "rsa")]
mod rsa;

#[cfg(feature = "p256")]
use ecdsa::p256;
#[cfg(feature = "p384")]
use ecdsa::p384;

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

pub(super) fn hasher() -> Box<dyn Sha256Hasher> {
    Box::new(Hasher(Sha256::new()))
}

struct Hasher(Sha256);

impl Sha256Hasher for Hasher {
    fn update(&mut self, part: &[u8]) {
        self.0.update(part);
    }

    fn finish(self: Box<Self>) -> [u8; 32] {
        self.0.finalize().into()
    }
}

#[cfg_attr(
    not(any(feature = "p256", feature = "rsa")),
    expect(
        unused_variables,
        reason = "no family is left that hashes with SHA-256"
    )
)]
pub(super) fn key_verifier(algorithm: Algorithm, key: &[u8]) -> Option<Arc<dyn VerifySha256>> {
    match algorithm {
        #[cfg(feature = "p256")]
        Algorithm::EcdsaP256Sha256 => Some(unparsed(key, p256::verify_hash)),
        #[cfg(feature = "rsa")]
        Algorithm::RsaPkcs1Sha256 => Some(unparsed(key, rsa::verify_pkcs1::<Sha256>)),
        #[cfg(feature = "rsa")]
        Algorithm::RsaPssSha256 => Some(unparsed(key, rsa::verify_pss::<Sha256>)),
        // Keys of a family that this build lacks cannot be made.
        _ => None,
    }
}

#[cfg_attr(
    not(any(feature = "p256", feature = "rsa")),
    expect(dead_code, reason = "no family is left that hashes with SHA-256")
)]
fn unparsed(key: &[u8], verify: VerifyHash) -> Arc<dyn VerifySha256> {
    let key = key.to_vec();
    Arc::new(Unparsed { key, verify })
}

type VerifyHash = fn(&[u8], &[u8], &[u8]) -> Result<(), InvalidSignature>;

/// A key as bytes: reading it again takes a hundredth of the time that verifying takes.
struct Unparsed {
    key: Vec<u8>,
    verify: VerifyHash,
}

impl VerifySha256 for Unparsed {
    fn verify_sha256(&self, sha256: &[u8; 32], signature: &[u8]) -> Result<(), BadSignature> {
        (self.verify)(&self.key, sha256, signature).map_err(|_| BadSignature)
    }
}

impl fmt::Debug for Unparsed {
    /// Without the content, which the `PublicKey` around it shows: a value that anything may print
    /// would bring the printing of lists into every program.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unparsed")
    }
}
