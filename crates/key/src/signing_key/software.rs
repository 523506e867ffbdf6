use core::fmt;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::private_key::{PrivateKey, PrivateKeyError};
use crate::{Algorithm, Backend, PublicKey, Signature, SigningError, SigningKey};

#[cfg(any(feature = "p256", feature = "p384"))]
mod ecdsa;
#[cfg(feature = "ed25519")]
mod ed25519;

#[cfg(feature = "p256")]
use ecdsa::p256;
#[cfg(feature = "p384")]
use ecdsa::p384;

/// A private key in memory, signing in portable Rust: P-256, P-384 or Ed25519, not RSA.
///
/// ECDSA signatures are deterministic (RFC 6979), so they need no randomness and their bytes can be
/// written down in test vectors.
pub struct SoftwareKey {
    family: Box<dyn Family>,
    public: PublicKey,
}

/// A private key of one family.
trait Family: Send + Sync {
    /// DER SubjectPublicKeyInfo.
    fn spki(&self) -> Option<Vec<u8>>;
    fn to_pkcs8(&self) -> Option<Zeroizing<Vec<u8>>>;
    /// The fixed-length signature.
    fn sign(&self, message: &[u8]) -> Option<Vec<u8>>;
}

impl SoftwareKey {
    /// Reads one PEM block, `PRIVATE KEY` (PKCS#8) or `EC PRIVATE KEY` (SEC 1).
    ///
    /// # Errors
    /// [`PrivateKeyError`] when there is none or it is of an unsupported kind.
    pub fn from_pem(text: &str) -> Result<Self, PrivateKeyError> {
        PrivateKey::from_pem(text).and_then(Self::from_private)
    }

    /// Reads DER PKCS#8 (RFC 5958).
    ///
    /// # Errors
    /// [`PrivateKeyError`] when it is broken or of an unsupported kind.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, PrivateKeyError> {
        PrivateKey::from_pkcs8_der(der).and_then(Self::from_private)
    }

    /// Makes a new key out of `rng`.
    ///
    /// # Errors
    /// [`PrivateKeyError`] for RSA, and for families that this build lacks.
    pub fn generate(
        algorithm: Algorithm,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, PrivateKeyError> {
        match algorithm {
            #[cfg(feature = "p256")]
            Algorithm::EcdsaP256Sha256 => Self::of(Some(p256::generate(rng))),
            #[cfg(feature = "p384")]
            Algorithm::EcdsaP384Sha384 => Self::of(Some(p384::generate(rng))),
            #[cfg(feature = "ed25519")]
            Algorithm::Ed25519 => Self::of(Some(ed25519::generate(rng))),
            other => Err(unavailable(other)),
        }
    }

    /// DER PKCS#8 of the private key, wiped when dropped.
    ///
    /// # Errors
    /// [`PrivateKeyError`], which does not happen for a key that was read or made here.
    pub fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, PrivateKeyError> {
        self.family.to_pkcs8().ok_or(PrivateKeyError::Malformed)
    }

    /// PEM `PRIVATE KEY` of the private key, wiped when dropped.
    ///
    /// # Errors
    /// As [`to_pkcs8_der`](Self::to_pkcs8_der).
    pub fn to_pkcs8_pem(&self) -> Result<Zeroizing<String>, PrivateKeyError> {
        let der = self.to_pkcs8_der()?;
        der::pem::encode_string("PRIVATE KEY", der::pem::LineEnding::LF, &der)
            .map(Zeroizing::new)
            .map_err(|_| PrivateKeyError::Malformed)
    }

    fn from_private(private: PrivateKey) -> Result<Self, PrivateKeyError> {
        match private.algorithm {
            #[cfg(feature = "p256")]
            Algorithm::EcdsaP256Sha256 => Self::of(p256::read(&private.pkcs8)),
            #[cfg(feature = "p384")]
            Algorithm::EcdsaP384Sha384 => Self::of(p384::read(&private.pkcs8)),
            #[cfg(feature = "ed25519")]
            Algorithm::Ed25519 => Self::of(ed25519::read(&private.pkcs8)),
            other => Err(unavailable(other)),
        }
    }

    fn of(family: Option<impl Family + 'static>) -> Result<Self, PrivateKeyError> {
        let family = family.ok_or(PrivateKeyError::Malformed)?;
        let spki = family.spki().ok_or(PrivateKeyError::Malformed)?;
        Ok(Self {
            family: Box::new(family),
            public: PublicKey::from_spki(&spki, Backend::PURE_RUST)?,
        })
    }
}

impl SigningKey for SoftwareKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SigningError> {
        self.family
            .sign(message)
            .and_then(|fixed| Signature::from_fixed(self.public.algorithm(), &fixed).ok())
            .ok_or_else(|| SigningError {
                reason: String::from("the private key made no signature"),
            })
    }
}

impl fmt::Debug for SoftwareKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SoftwareKey")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

fn unavailable(algorithm: Algorithm) -> PrivateKeyError {
    if algorithm.is_rsa() {
        PrivateKeyError::RsaInPureRust
    } else {
        PrivateKeyError::Feature(algorithm)
    }
}
