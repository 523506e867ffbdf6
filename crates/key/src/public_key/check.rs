//! Which keys are good enough to be registered.

use der::asn1::ObjectIdentifier;
use spki::SubjectPublicKeyInfoRef;

use super::KeyError;
use crate::Algorithm;
use crate::oid::{EC_PUBLIC_KEY, ED25519, RSA_ENCRYPTION, SECP256R1, SECP384R1};

pub(super) fn algorithm_of(info: &SubjectPublicKeyInfoRef<'_>) -> Result<Algorithm, KeyError> {
    let parameters = info.algorithm.parameters;
    match info.algorithm.oid {
        // RFC 5480 §2.1.1: a named curve, never implicit or explicit parameters.
        EC_PUBLIC_KEY => match parameters.map(|any| any.decode_as::<ObjectIdentifier>()) {
            Some(Ok(SECP256R1)) => Ok(Algorithm::EcdsaP256Sha256),
            Some(Ok(SECP384R1)) => Ok(Algorithm::EcdsaP384Sha384),
            Some(Ok(curve)) => Err(KeyError::Curve(curve)),
            _ => Err(KeyError::Malformed),
        },
        // RFC 8410 §3: the parameters are absent.
        ED25519 if parameters.is_none() => Ok(Algorithm::Ed25519),
        // RFC 3279 §2.3.1: the parameters are NULL.
        RSA_ENCRYPTION if parameters.is_some_and(|any| any.is_null()) => {
            Ok(Algorithm::RsaPkcs1Sha256)
        }
        ED25519 | RSA_ENCRYPTION => Err(KeyError::Malformed),
        other => Err(KeyError::Algorithm(other)),
    }
}

/// Checks the content of `subjectPublicKey`.
#[cfg_attr(
    not(any(
        feature = "p256",
        feature = "p384",
        feature = "ed25519",
        feature = "rsa"
    )),
    expect(
        unused_variables,
        unreachable_code,
        reason = "no family is left to check"
    )
)]
pub(super) fn check(algorithm: Algorithm, bytes: &[u8]) -> Result<(), KeyError> {
    let is_good = match algorithm {
        #[cfg(feature = "p256")]
        Algorithm::EcdsaP256Sha256 => {
            is_uncompressed(bytes) && p256::ecdsa::VerifyingKey::from_sec1_bytes(bytes).is_ok()
        }
        #[cfg(feature = "p384")]
        Algorithm::EcdsaP384Sha384 => {
            is_uncompressed(bytes) && p384::ecdsa::VerifyingKey::from_sec1_bytes(bytes).is_ok()
        }
        #[cfg(feature = "ed25519")]
        Algorithm::Ed25519 => bytes.try_into().is_ok_and(crate::ed25519::is_strict_point),
        #[cfg(feature = "rsa")]
        Algorithm::RsaPkcs1Sha256 | Algorithm::RsaPssSha256 | Algorithm::RsaPssSha512 => {
            super::RsaNumbers::read(bytes)?;
            true
        }
        #[cfg(not(all(
            feature = "p256",
            feature = "p384",
            feature = "ed25519",
            feature = "rsa"
        )))]
        left_out => return Err(KeyError::Feature(left_out)),
    };
    if is_good {
        Ok(())
    } else {
        Err(KeyError::Point(algorithm))
    }
}

/// RFC 5480 §2.2 allows compressed points; gangplank takes the uncompressed form alone, so that one
/// key has one SubjectPublicKeyInfo and so one identity.
#[cfg(any(feature = "p256", feature = "p384"))]
fn is_uncompressed(point: &[u8]) -> bool {
    /// SEC 1 §2.3.3: the first byte of an uncompressed point.
    const UNCOMPRESSED: u8 = 0x04;
    point.first() == Some(&UNCOMPRESSED)
}
