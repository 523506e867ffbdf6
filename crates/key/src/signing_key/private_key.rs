//! The files private keys come in: PKCS#8 (RFC 5958), for EC keys SEC 1 (RFC 5915) and for RSA keys
//! PKCS#1 (RFC 8017 §A.1.2), in PEM or DER.

use alloc::string::String;
use alloc::vec::Vec;

use der::Decode;
use der::asn1::AnyRef;
use pkcs8::{ObjectIdentifier, PrivateKeyInfoRef, SecretDocument};
use zeroize::Zeroizing;

use crate::Algorithm;
use crate::oid::{EC_PUBLIC_KEY, ED25519, RSA_ENCRYPTION, SECP256R1, SECP384R1};

/// A private key as it was read, before a backend takes it.
pub(super) struct PrivateKey {
    pub(super) algorithm: Algorithm,
    /// DER PKCS#8, whatever the file was.
    pub(super) pkcs8: Zeroizing<Vec<u8>>,
}

impl PrivateKey {
    /// Reads one PEM block `PRIVATE KEY`, `EC PRIVATE KEY` or `RSA PRIVATE KEY`; text around it is
    /// left alone, as OpenSSL writes `EC PARAMETERS` before its keys.
    pub(super) fn from_pem(text: &str) -> Result<Self, PrivateKeyError> {
        for (label, to_pkcs8) in FORMS {
            if let Some(block) = block(text, label) {
                // RFC 1421 §4.6.1.1: how OpenSSL encrypts the forms older than PKCS#8.
                if block.contains("Proc-Type: 4,ENCRYPTED") {
                    return Err(PrivateKeyError::Encrypted);
                }
                let (_, document) =
                    SecretDocument::from_pem(block).map_err(|_| PrivateKeyError::Malformed)?;
                return Self::from_pkcs8_der(&to_pkcs8(document.as_bytes())?);
            }
        }
        match text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") {
            true => Err(PrivateKeyError::Encrypted),
            false => Err(PrivateKeyError::NoKey),
        }
    }

    pub(super) fn from_pkcs8_der(der: &[u8]) -> Result<Self, PrivateKeyError> {
        let info = PrivateKeyInfoRef::from_der(der).map_err(|_| PrivateKeyError::Malformed)?;
        Ok(Self {
            algorithm: algorithm_of(&info)?,
            pkcs8: Zeroizing::new(der.to_vec()),
        })
    }
}

/// Why a private key cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrivateKeyError {
    /// There is no PEM block of a private key.
    #[error("the text holds no PEM block `PRIVATE KEY`, `EC PRIVATE KEY` or `RSA PRIVATE KEY`")]
    NoKey,
    /// The key is encrypted with a passphrase.
    #[error("the private key is encrypted; decrypt it first, for example with `openssl pkey`")]
    Encrypted,
    /// The key's encoding is broken.
    #[error("the private key is not well-formed PKCS#8, SEC 1 or PKCS#1")]
    Malformed,
    /// A kind of key that gangplank does not sign with.
    #[error("private keys of kind {0} are not supported; use P-256, P-384, Ed25519 or RSA")]
    Unsupported(String),
    /// RSA in pure Rust, whose private operations leak the key through time (RUSTSEC-2023-0071).
    #[error("RSA keys do not sign in pure Rust, which is not safe; use aws-lc-rs or a token")]
    RsaInPureRust,
    /// A kind of key that was left out of this build.
    #[error("this build lacks the feature of gangplank-key for {0} keys")]
    Feature(Algorithm),
    /// The public half fails a check that every key has to pass.
    #[error(transparent)]
    Public(#[from] crate::KeyError),
}

fn algorithm_of(info: &PrivateKeyInfoRef<'_>) -> Result<Algorithm, PrivateKeyError> {
    let curve = info.algorithm.parameters_oid();
    match (info.algorithm.oid, curve) {
        (ED25519, _) => Ok(Algorithm::Ed25519),
        (RSA_ENCRYPTION, _) => Ok(Algorithm::RsaPkcs1Sha256),
        (EC_PUBLIC_KEY, Ok(SECP256R1)) => Ok(Algorithm::EcdsaP256Sha256),
        (EC_PUBLIC_KEY, Ok(SECP384R1)) => Ok(Algorithm::EcdsaP384Sha384),
        (EC_PUBLIC_KEY, Ok(curve)) => Err(PrivateKeyError::Unsupported(alloc::format!(
            "elliptic curve {curve}"
        ))),
        (kind, _) => Err(PrivateKeyError::Unsupported(alloc::format!("{kind}"))),
    }
}

fn block<'t>(text: &'t str, label: &str) -> Option<&'t str> {
    let start = text.find(&alloc::format!("-----BEGIN {label}-----"))?;
    let end_line = alloc::format!("-----END {label}-----");
    let rest = text.get(start..)?;
    let end = rest.find(&end_line)? + end_line.len();
    rest.get(..end)
}

type ToPkcs8 = fn(&[u8]) -> Result<Zeroizing<Vec<u8>>, PrivateKeyError>;

/// PEM labels, and how PKCS#8 is made of what stands below them.
const FORMS: [(&str, ToPkcs8); 3] = [
    ("PRIVATE KEY", |der| Ok(Zeroizing::new(der.to_vec()))),
    ("EC PRIVATE KEY", |der| {
        let key = sec1::EcPrivateKey::from_der(der).map_err(|_| PrivateKeyError::Malformed)?;
        let curve = match key
            .parameters
            .and_then(|parameters| parameters.named_curve())
        {
            Some(curve) => curve,
            None if key.private_key.len() == 32 => SECP256R1,
            None => SECP384R1,
        };
        pkcs8(EC_PUBLIC_KEY, AnyRef::from(&curve), der)
    }),
    ("RSA PRIVATE KEY", |der| {
        pkcs8(RSA_ENCRYPTION, AnyRef::NULL, der)
    }),
];

fn pkcs8(
    oid: ObjectIdentifier,
    parameters: AnyRef<'_>,
    key: &[u8],
) -> Result<Zeroizing<Vec<u8>>, PrivateKeyError> {
    let algorithm = spki::AlgorithmIdentifierRef {
        oid,
        parameters: Some(parameters),
    };
    der::asn1::OctetStringRef::new(key)
        .map(|key| PrivateKeyInfoRef::new(algorithm, key))
        .and_then(|info| SecretDocument::encode_msg(&info))
        .map(|document| document.to_bytes())
        .map_err(|_| PrivateKeyError::Malformed)
}
