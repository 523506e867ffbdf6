use core::fmt;

use alloc::string::String;
use alloc::vec::Vec;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
};
#[cfg(feature = "rsa")]
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
};

use super::private_key::{PrivateKey, PrivateKeyError};
use super::software::SoftwareKey;
use crate::{Algorithm, Backend, KeyError, PublicKey, Signature, SigningError, SigningKey};

/// A private key in memory, signing with aws-lc-rs.
///
/// Its ECDSA and RSA-PSS signatures are randomised by the system's generator.
pub struct AwsLcKey {
    private: Private,
    public: PublicKey,
}

enum Private {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    #[cfg(feature = "rsa")]
    Rsa(RsaKeyPair),
}

impl AwsLcKey {
    /// Reads one PEM block, `PRIVATE KEY` (PKCS#8), `EC PRIVATE KEY` (SEC 1) or `RSA PRIVATE KEY`
    /// (PKCS#1).
    ///
    /// # Errors
    /// [`PrivateKeyError`] when there is none or it is of an unsupported kind.
    pub fn from_pem(text: &str) -> Result<Self, PrivateKeyError> {
        PrivateKey::from_pem(text).and_then(|private| Self::from_private(&private))
    }

    /// Reads DER PKCS#8 (RFC 5958).
    ///
    /// # Errors
    /// [`PrivateKeyError`] when it is broken or of an unsupported kind.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, PrivateKeyError> {
        PrivateKey::from_pkcs8_der(der).and_then(|private| Self::from_private(&private))
    }

    /// The same RSA key, signing with another padding.
    ///
    /// # Errors
    /// As [`PublicKey::using`].
    pub fn using(self, algorithm: Algorithm) -> Result<Self, KeyError> {
        let public = self.public.using(algorithm)?;
        Ok(Self { public, ..self })
    }

    fn from_private(private: &PrivateKey) -> Result<Self, PrivateKeyError> {
        if private.algorithm.is_rsa() {
            return Self::from_rsa(private);
        }
        // Read by the same code as the software key, so that both take the same files.
        let software = SoftwareKey::from_pkcs8_der(&private.pkcs8)?;
        let der = software.to_pkcs8_der()?;
        let private = match private.algorithm {
            Algorithm::EcdsaP256Sha256 => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &der).map(Private::Ecdsa)
            }
            Algorithm::EcdsaP384Sha384 => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_ASN1_SIGNING, &der).map(Private::Ecdsa)
            }
            _ => Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map(Private::Ed25519),
        };
        Ok(Self {
            private: private.map_err(|_| PrivateKeyError::Malformed)?,
            public: PublicKey::from_spki(software.public_key().spki(), Backend::AWS_LC_RS)?,
        })
    }

    #[cfg(feature = "rsa")]
    fn from_rsa(private: &PrivateKey) -> Result<Self, PrivateKeyError> {
        let pair =
            RsaKeyPair::from_pkcs8(&private.pkcs8).map_err(|_| PrivateKeyError::Malformed)?;
        let spki = rsa_spki(pair.public_key().as_ref()).ok_or(PrivateKeyError::Malformed)?;
        Ok(Self {
            private: Private::Rsa(pair),
            public: PublicKey::from_spki(&spki, Backend::AWS_LC_RS)?,
        })
    }

    #[cfg(not(feature = "rsa"))]
    fn from_rsa(private: &PrivateKey) -> Result<Self, PrivateKeyError> {
        Err(PrivateKeyError::Feature(private.algorithm))
    }

    fn raw_signature(&self, message: &[u8]) -> Option<Vec<u8>> {
        match &self.private {
            Private::Ecdsa(key) => {
                let signature = key.sign(&SystemRandom::new(), message).ok()?;
                Some(signature.as_ref().to_vec())
            }
            Private::Ed25519(key) => Some(key.sign(message).as_ref().to_vec()),
            #[cfg(feature = "rsa")]
            Private::Rsa(key) => {
                let padding: &'static dyn RsaEncoding = match self.public.algorithm() {
                    Algorithm::RsaPssSha256 => &RSA_PSS_SHA256,
                    Algorithm::RsaPssSha512 => &RSA_PSS_SHA512,
                    _ => &RSA_PKCS1_SHA256,
                };
                let mut signature = alloc::vec![0; key.public_modulus_len()];
                key.sign(padding, &SystemRandom::new(), message, &mut signature)
                    .ok()?;
                Some(signature)
            }
        }
    }
}

impl SigningKey for AwsLcKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SigningError> {
        self.raw_signature(message)
            .and_then(|raw| Signature::from_wire(self.public.algorithm(), &raw).ok())
            .ok_or_else(|| SigningError {
                reason: String::from("aws-lc made no signature"),
            })
    }
}

impl fmt::Debug for AwsLcKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsLcKey")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

/// The SubjectPublicKeyInfo (RFC 3279 §2.3.1) of a DER `RSAPublicKey`.
#[cfg(feature = "rsa")]
fn rsa_spki(rsa_public_key: &[u8]) -> Option<Vec<u8>> {
    use der::{Encode, asn1::BitStringRef};
    let info = spki::SubjectPublicKeyInfoRef {
        algorithm: spki::AlgorithmIdentifierRef {
            oid: crate::oid::RSA_ENCRYPTION,
            parameters: Some(der::asn1::AnyRef::NULL),
        },
        subject_public_key: BitStringRef::from_bytes(rsa_public_key).ok()?,
    };
    info.to_der().ok()
}
