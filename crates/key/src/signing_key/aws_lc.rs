use core::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair};

use super::private_key::{PrivateKey, PrivateKeyError};
use super::software::SoftwareKey;
use crate::{Algorithm, Backend, PublicKey, Signature, SigningError, SigningKey};

/// A private key in memory, signing with aws-lc-rs.
///
/// Its ECDSA signatures are randomised by the system's generator.
pub struct AwsLcKey {
    private: Private,
    public: PublicKey,
}

enum Private {
    EcdsaP256(EcdsaKeyPair, SystemRandom),
    Ed25519(Ed25519KeyPair),
}

impl AwsLcKey {
    /// Reads one PEM block, `PRIVATE KEY` (PKCS#8) or `EC PRIVATE KEY` (SEC 1).
    ///
    /// # Errors
    /// [`PrivateKeyError`] when there is none or it is of an unsupported kind.
    pub fn from_pem(text: &str) -> Result<Self, PrivateKeyError> {
        Self::from_pkcs8_der(&PrivateKey::from_pem(text)?.to_pkcs8_der()?)
    }

    /// Reads DER PKCS#8 (RFC 5958).
    ///
    /// # Errors
    /// [`PrivateKeyError`] when it is broken or of an unsupported kind.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, PrivateKeyError> {
        // Read by the same code as the software key, so that both take the same files.
        let software = SoftwareKey::from_pkcs8_der(der)?;
        let der = software.to_pkcs8_der()?;
        let private = match software.public_key().algorithm() {
            Algorithm::EcdsaP256Sha256 => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &der)
                    .map(|key| Private::EcdsaP256(key, SystemRandom::new()))
            }
            Algorithm::Ed25519 => {
                Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map(Private::Ed25519)
            }
        };
        let private = private.map_err(|_| PrivateKeyError::Malformed)?;
        let public = PublicKey::from_spki(software.public_key().spki(), Backend::AWS_LC_RS)
            .map_err(|_| PrivateKeyError::Malformed)?;
        Ok(Self { private, public })
    }
}

impl SigningKey for AwsLcKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SigningError> {
        let failed = |reason: &str| SigningError {
            reason: alloc::string::String::from(reason),
        };
        let signature = match &self.private {
            Private::EcdsaP256(key, random) => key
                .sign(random, message)
                .map_err(|_| failed("aws-lc refused to sign"))?,
            Private::Ed25519(key) => key.sign(message),
        };
        Signature::from_wire(self.public.algorithm(), signature.as_ref())
            .map_err(|_| failed("aws-lc made an unreadable signature"))
    }
}

impl fmt::Debug for AwsLcKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsLcKey")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}
