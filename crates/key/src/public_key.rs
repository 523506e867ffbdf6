use alloc::vec::Vec;

use der::asn1::ObjectIdentifier;
use der::{Decode, Encode};
use rustls_pki_types::{
    AlgorithmIdentifier, CertificateDer, SignatureVerificationAlgorithm, alg_id,
};
use spki::SubjectPublicKeyInfoRef;

use crate::ed25519::is_strict_point;
use crate::{Algorithm, Backend, Signature};

/// A public key that passed every check a key can fail, with the backend that verifies for it.
///
/// Keys that are off the curve, of small order, non-canonical or of an unsupported kind are refused
/// here, when the key is registered, and alike by every backend. Two keys are equal when their
/// SubjectPublicKeyInfo is.
#[derive(Clone, Debug)]
pub struct PublicKey {
    algorithm: Algorithm,
    spki: Vec<u8>,
    subject_public_key: Vec<u8>,
    backend: Backend,
    verifier: &'static dyn SignatureVerificationAlgorithm,
}

impl PublicKey {
    /// Reads a DER SubjectPublicKeyInfo (RFC 5280 §4.1.2.7).
    ///
    /// # Errors
    /// [`KeyError`]: what is wrong with the key, or that `backend` cannot verify for it.
    pub fn from_spki(spki: &[u8], backend: Backend) -> Result<Self, KeyError> {
        let info = SubjectPublicKeyInfoRef::from_der(spki).map_err(|_| KeyError::Malformed)?;
        let algorithm = algorithm_of(&info)?;
        let subject_public_key = info
            .subject_public_key
            .as_bytes()
            .ok_or(KeyError::Malformed)?;
        check_point(algorithm, subject_public_key)?;
        let verifier = backend
            .algorithms()
            .iter()
            .copied()
            .find(|candidate| matches_algorithm(*candidate, algorithm))
            .ok_or(KeyError::NotByBackend {
                algorithm,
                backend: backend.name(),
            })?;
        Ok(Self {
            algorithm,
            spki: spki.to_vec(),
            subject_public_key: subject_public_key.to_vec(),
            backend,
            verifier,
        })
    }

    /// Takes the key of a DER certificate. Nothing else of the certificate is looked at.
    ///
    /// # Errors
    /// [`KeyError::Certificate`] when it is no certificate, else as [`from_spki`](Self::from_spki).
    pub fn from_certificate(
        certificate: &CertificateDer<'_>,
        backend: Backend,
    ) -> Result<Self, KeyError> {
        let spki = spki_of(certificate)?;
        Self::from_spki(&spki, backend)
    }

    /// Whether `certificate` is a DER certificate that carries this very key.
    pub fn is_of_certificate(&self, certificate: &CertificateDer<'_>) -> bool {
        spki_of(certificate).is_ok_and(|spki| spki == self.spki)
    }

    /// The one algorithm this key verifies.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// DER SubjectPublicKeyInfo.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// SHA-256 of the SubjectPublicKeyInfo: the key's name in stores and key ids.
    pub fn spki_sha256(&self) -> [u8; 32] {
        self.backend.sha256(&[&self.spki])
    }

    /// The backend that verifies and hashes for this key.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// Verifies `signature` over `message`, which is hashed here if the algorithm hashes.
    ///
    /// # Errors
    /// [`BadSignature`], without a reason: whoever made the signature learns nothing from it.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
        if signature.algorithm() != self.algorithm {
            return Err(BadSignature);
        }
        let wire = signature.to_wire();
        // Backends differ on an R of small order, so it is refused before any of them sees it.
        if self.algorithm == Algorithm::Ed25519 && !wire.first_chunk().is_some_and(is_strict_point)
        {
            return Err(BadSignature);
        }
        self.verifier
            .verify_signature(&self.subject_public_key, message, &wire)
            .map_err(|_| BadSignature)
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.spki == other.spki
    }
}

impl Eq for PublicKey {}

/// Why a key cannot be registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The bytes are no DER certificate.
    #[error("the bytes are not a DER X.509 certificate")]
    Certificate,
    /// The bytes are no DER SubjectPublicKeyInfo.
    #[error("the public key is not a DER SubjectPublicKeyInfo")]
    Malformed,
    /// A kind of key that gangplank does not support.
    #[error("keys of algorithm {0} are not supported; use P-256 or Ed25519")]
    Algorithm(ObjectIdentifier),
    /// An elliptic curve other than P-256.
    #[error("the elliptic curve {0} is not supported; use P-256")]
    Curve(ObjectIdentifier),
    /// The point is off the curve, at infinity, of small order or not canonically encoded.
    #[error("the {0} public key is not a valid point")]
    Point(Algorithm),
    /// The caller's backend has no verification for a key that gangplank supports.
    #[error("the backend {backend} does not verify {algorithm}")]
    NotByBackend {
        /// The key's algorithm.
        algorithm: Algorithm,
        /// The backend's name.
        backend: &'static str,
    },
}

/// The signature does not verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct BadSignature;

fn spki_of(certificate: &CertificateDer<'_>) -> Result<Vec<u8>, KeyError> {
    x509_cert::Certificate::from_der(certificate)
        .and_then(|certificate| {
            certificate
                .tbs_certificate()
                .subject_public_key_info()
                .to_der()
        })
        .map_err(|_| KeyError::Certificate)
}

fn algorithm_of(info: &SubjectPublicKeyInfoRef<'_>) -> Result<Algorithm, KeyError> {
    let parameters = info.algorithm.parameters;
    match info.algorithm.oid {
        // RFC 5480 §2.1.1: a named curve, never implicit or explicit parameters.
        ID_EC_PUBLIC_KEY => match parameters.map(|any| any.decode_as::<ObjectIdentifier>()) {
            Some(Ok(SECP256R1)) => Ok(Algorithm::EcdsaP256Sha256),
            Some(Ok(curve)) => Err(KeyError::Curve(curve)),
            _ => Err(KeyError::Malformed),
        },
        // RFC 8410 §3: the parameters are absent.
        ID_ED25519 if parameters.is_none() => Ok(Algorithm::Ed25519),
        ID_ED25519 => Err(KeyError::Malformed),
        other => Err(KeyError::Algorithm(other)),
    }
}

fn check_point(algorithm: Algorithm, bytes: &[u8]) -> Result<(), KeyError> {
    let valid = match algorithm {
        // RFC 5480 §2.2 allows compressed points; gangplank takes the uncompressed form alone, so
        // that one key has one SubjectPublicKeyInfo and so one identity.
        Algorithm::EcdsaP256Sha256 => {
            bytes.first() == Some(&UNCOMPRESSED)
                && p256::ecdsa::VerifyingKey::from_sec1_bytes(bytes).is_ok()
        }
        Algorithm::Ed25519 => bytes.try_into().is_ok_and(is_strict_point),
    };
    if valid {
        Ok(())
    } else {
        Err(KeyError::Point(algorithm))
    }
}

fn matches_algorithm(candidate: &dyn SignatureVerificationAlgorithm, algorithm: Algorithm) -> bool {
    let (key, signature): (AlgorithmIdentifier, AlgorithmIdentifier) = match algorithm {
        Algorithm::EcdsaP256Sha256 => (alg_id::ECDSA_P256, alg_id::ECDSA_SHA256),
        Algorithm::Ed25519 => (alg_id::ED25519, alg_id::ED25519),
    };
    candidate.public_key_alg_id() == key && candidate.signature_alg_id() == signature
}

const ID_EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const SECP256R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const ID_ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
/// SEC 1 §2.3.3: the first byte of an uncompressed point.
const UNCOMPRESSED: u8 = 0x04;

#[cfg(test)]
mod tests;
