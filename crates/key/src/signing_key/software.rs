use core::fmt;

use alloc::string::String;
use alloc::vec::Vec;

use p256::ecdsa::signature::Signer;
use rand_core::CryptoRng;
use spki::EncodePublicKey;
use zeroize::Zeroizing;

use super::private_key::{PrivateKey, PrivateKeyError};
use crate::{Algorithm, Backend, PublicKey, Signature, SigningError, SigningKey};

/// A private key in memory, signing in portable Rust.
///
/// ECDSA signatures are deterministic (RFC 6979), so they need no randomness and their bytes can be
/// written down in test vectors.
pub struct SoftwareKey {
    private: Private,
    public: PublicKey,
}

enum Private {
    EcdsaP256(p256::ecdsa::SigningKey),
    Ed25519(ed25519_dalek::SigningKey),
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
    /// [`PrivateKeyError`], which does not happen with a working `rng`.
    pub fn generate(
        algorithm: Algorithm,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, PrivateKeyError> {
        Self::from_private(match algorithm {
            Algorithm::EcdsaP256Sha256 => PrivateKey::EcdsaP256(random_p256(rng)),
            Algorithm::Ed25519 => {
                let mut seed = Zeroizing::new([0; 32]);
                rng.fill_bytes(seed.as_mut());
                PrivateKey::Ed25519(ed25519_dalek::SigningKey::from_bytes(&seed))
            }
        })
    }

    /// DER PKCS#8 of the private key, wiped when dropped.
    ///
    /// # Errors
    /// [`PrivateKeyError`], which does not happen for a key that was read or made here.
    pub fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, PrivateKeyError> {
        match &self.private {
            Private::EcdsaP256(key) => {
                PrivateKey::EcdsaP256(p256::SecretKey::from(key.as_nonzero_scalar()))
            }
            Private::Ed25519(key) => PrivateKey::Ed25519(key.clone()),
        }
        .to_pkcs8_der()
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
        let (private, spki) = match private {
            PrivateKey::EcdsaP256(key) => {
                let spki = key.public_key().to_public_key_der();
                (Private::EcdsaP256(p256::ecdsa::SigningKey::from(key)), spki)
            }
            PrivateKey::Ed25519(key) => {
                let spki = key.verifying_key().to_public_key_der();
                (Private::Ed25519(key), spki)
            }
        };
        let spki = spki.map_err(|_| PrivateKeyError::Malformed)?;
        let public = PublicKey::from_spki(spki.as_bytes(), Backend::PURE_RUST)
            .map_err(|_| PrivateKeyError::Malformed)?;
        Ok(Self { private, public })
    }
}

impl SigningKey for SoftwareKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SigningError> {
        let failed = |error: &dyn fmt::Display| SigningError {
            reason: alloc::format!("{error}"),
        };
        let fixed = match &self.private {
            Private::EcdsaP256(key) => {
                let signature: p256::ecdsa::Signature =
                    key.try_sign(message).map_err(|error| failed(&error))?;
                signature.to_bytes().to_vec()
            }
            Private::Ed25519(key) => key
                .try_sign(message)
                .map_err(|error| failed(&error))?
                .to_bytes()
                .to_vec(),
        };
        Signature::from_fixed(self.public.algorithm(), &fixed).map_err(|error| failed(&error))
    }
}

impl fmt::Debug for SoftwareKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SoftwareKey")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

/// FIPS 186-5 §A.2.2: draw until the number is in range.
fn random_p256(rng: &mut dyn CryptoRng) -> p256::SecretKey {
    let mut candidate = Zeroizing::new([0; 32]);
    loop {
        rng.fill_bytes(candidate.as_mut());
        if let Ok(key) = p256::SecretKey::from_slice(candidate.as_ref()) {
            return key;
        }
    }
}
