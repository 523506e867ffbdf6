//! The files private keys come in: PKCS#8 (RFC 5958) and, for EC keys, SEC 1 (RFC 5915), in PEM or DER.

use alloc::string::String;

use der::Decode;
use der::pem::PemLabel;
use der::zeroize::Zeroizing;
use pkcs8::{DecodePrivateKey, PrivateKeyInfoRef, SecretDocument};

/// A private key as it was read, before a backend takes it.
pub(super) enum PrivateKey {
    EcdsaP256(p256::SecretKey),
    Ed25519(ed25519_dalek::SigningKey),
}

impl PrivateKey {
    /// Reads one PEM block `PRIVATE KEY` or `EC PRIVATE KEY`; text around it is left alone, as
    /// OpenSSL writes `EC PARAMETERS` before its keys.
    pub(super) fn from_pem(text: &str) -> Result<Self, PrivateKeyError> {
        if let Some(block) = block(text, PrivateKeyInfoRef::PEM_LABEL) {
            let (_, document) =
                SecretDocument::from_pem(block).map_err(|_| PrivateKeyError::Malformed)?;
            return Self::from_pkcs8_der(document.as_bytes());
        }
        if let Some(block) = block(text, SEC1_LABEL) {
            let (_, document) =
                SecretDocument::from_pem(block).map_err(|_| PrivateKeyError::Malformed)?;
            return p256::SecretKey::from_sec1_der(document.as_bytes())
                .map(Self::EcdsaP256)
                .map_err(|_| PrivateKeyError::Unsupported(String::from("EC PRIVATE KEY")));
        }
        if text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") {
            return Err(PrivateKeyError::Encrypted);
        }
        Err(PrivateKeyError::NoKey)
    }

    pub(super) fn from_pkcs8_der(der: &[u8]) -> Result<Self, PrivateKeyError> {
        let info = PrivateKeyInfoRef::from_der(der).map_err(|_| PrivateKeyError::Malformed)?;
        if info.algorithm.oid == ED25519 {
            return ed25519_dalek::SigningKey::from_pkcs8_der(der)
                .map(Self::Ed25519)
                .map_err(|_| PrivateKeyError::Malformed);
        }
        if info.algorithm.oid == EC && info.algorithm.parameters_oid() == Ok(SECP256R1) {
            return p256::SecretKey::from_pkcs8_der(der)
                .map(Self::EcdsaP256)
                .map_err(|_| PrivateKeyError::Malformed);
        }
        let kind = match info.algorithm.parameters_oid() {
            Ok(curve) if info.algorithm.oid == EC => alloc::format!("elliptic curve {curve}"),
            _ => alloc::format!("{}", info.algorithm.oid),
        };
        Err(PrivateKeyError::Unsupported(kind))
    }

    pub(super) fn to_pkcs8_der(&self) -> Result<Zeroizing<alloc::vec::Vec<u8>>, PrivateKeyError> {
        use pkcs8::EncodePrivateKey;
        match self {
            Self::EcdsaP256(key) => key.to_pkcs8_der(),
            // Version 1 without the public key (RFC 8410 §7), which every reader accepts.
            Self::Ed25519(key) => ed25519_dalek::pkcs8::KeypairBytes {
                secret_key: key.to_bytes(),
                public_key: None,
            }
            .to_pkcs8_der(),
        }
        .map(|document| document.to_bytes())
        .map_err(|_| PrivateKeyError::Malformed)
    }
}

/// Why a private key cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrivateKeyError {
    /// There is no PEM block of a private key.
    #[error("the text holds no PEM block `PRIVATE KEY` or `EC PRIVATE KEY`")]
    NoKey,
    /// The key is encrypted with a passphrase.
    #[error("the private key is encrypted; decrypt it first, for example with `openssl pkey`")]
    Encrypted,
    /// The key's encoding is broken.
    #[error("the private key is not well-formed PKCS#8")]
    Malformed,
    /// A kind of key that gangplank does not sign with.
    #[error("private keys of kind {0} are not supported; use P-256 or Ed25519")]
    Unsupported(String),
}

fn block<'t>(text: &'t str, label: &str) -> Option<&'t str> {
    let start = text.find(&alloc::format!("-----BEGIN {label}-----"))?;
    let end_line = alloc::format!("-----END {label}-----");
    let rest = text.get(start..)?;
    let end = rest.find(&end_line)? + end_line.len();
    rest.get(..end)
}

const SEC1_LABEL: &str = "EC PRIVATE KEY";
const EC: pkcs8::ObjectIdentifier = pkcs8::ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const SECP256R1: pkcs8::ObjectIdentifier =
    pkcs8::ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const ED25519: pkcs8::ObjectIdentifier = pkcs8::ObjectIdentifier::new_unwrap("1.3.101.112");
