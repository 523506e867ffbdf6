use alloc::sync::Arc;
use alloc::vec::Vec;

use der::Decode;
use der::asn1::ObjectIdentifier;
use rustls_pki_types::{
    AlgorithmIdentifier, CertificateDer, SignatureVerificationAlgorithm, alg_id,
};
#[cfg(any(feature = "p384", feature = "rsa"))]
use sha2::Digest;
use spki::SubjectPublicKeyInfoRef;

use crate::certificate::spki_of;
use crate::{Algorithm, Backend, Signature, VerifySha256};

mod check;
#[cfg(feature = "rsa")]
mod rsa_numbers;

use check::{algorithm_of, check};
#[cfg(feature = "rsa")]
pub(crate) use rsa_numbers::RsaNumbers;

/// A public key that passed every check a key can fail, with the backend that verifies for it.
///
/// Keys that are too weak, off the curve, of small order, non-canonical or of an unsupported kind
/// are refused here, when the key is registered, and alike by every backend. Two keys are equal when
/// their SubjectPublicKeyInfo is.
#[derive(Clone, Debug)]
pub struct PublicKey {
    algorithm: Algorithm,
    spki: Vec<u8>,
    subject_public_key: Vec<u8>,
    backend: Backend,
    verifier: &'static dyn SignatureVerificationAlgorithm,
    hash_verifier: Option<Arc<dyn VerifySha256>>,
}

impl PublicKey {
    /// Reads a DER SubjectPublicKeyInfo (RFC 5280 §4.1.2.7).
    ///
    /// # Errors
    /// [`KeyError`]: what is wrong with the key, or that `backend` cannot verify for it.
    pub fn from_spki(spki: &[u8], backend: Backend) -> Result<Self, KeyError> {
        let (algorithm, subject_public_key) = checked(spki)?;
        Ok(Self {
            algorithm,
            spki: spki.to_vec(),
            subject_public_key: subject_public_key.to_vec(),
            backend,
            verifier: verifier(backend, algorithm)?,
            hash_verifier: backend.verify_sha256(algorithm, subject_public_key),
        })
    }

    /// Checks a DER SubjectPublicKeyInfo as [`from_spki`](Self::from_spki) does, and makes nothing of
    /// it: for keys that verify one signature with an algorithm that somebody else picked, as those
    /// of authorities do.
    ///
    /// # Errors
    /// [`KeyError`]: what is wrong with the key.
    pub fn check_spki(spki: &[u8]) -> Result<Algorithm, KeyError> {
        checked(spki).map(|(algorithm, _)| algorithm)
    }

    /// The same RSA key with another padding, because the holder of the key or the profile of a
    /// protocol says so; never because a message does.
    ///
    /// # Errors
    /// [`KeyError::Use`] when the key has another algorithm and this is no padding of RSA.
    pub fn using(&self, algorithm: Algorithm) -> Result<Self, KeyError> {
        let same_family = self.algorithm.is_rsa() && algorithm.is_rsa();
        if algorithm != self.algorithm && !same_family {
            return Err(KeyError::Use {
                key: self.algorithm,
                wanted: algorithm,
            });
        }
        Ok(Self {
            algorithm,
            verifier: verifier(self.backend, algorithm)?,
            hash_verifier: self
                .backend
                .verify_sha256(algorithm, &self.subject_public_key),
            ..self.clone()
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
        Self::from_spki(spki_of(certificate)?, backend)
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
        self.check_signature(signature)?;
        self.verifier
            .verify_signature(&self.subject_public_key, message, &signature.to_wire())
            .map_err(|_| BadSignature)
    }

    /// Verifies `signature` over `message`, whose SHA-256 the caller has computed.
    ///
    /// The message is not hashed again where the algorithm hashes with SHA-256 and the backend
    /// [can do without](Backend::with_verify_sha256) the message.
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    pub fn verify_hashed(
        &self,
        message: &[u8],
        sha256: &[u8; 32],
        signature: &Signature,
    ) -> Result<(), BadSignature> {
        match &self.hash_verifier {
            Some(verifier) => {
                self.check_signature(signature)?;
                verifier.verify_sha256(sha256, &signature.to_wire())
            }
            None => self.verify(message, signature),
        }
    }

    /// What a TPM, a token or a key service is given to sign instead of the message: its hash, by
    /// the hash function of this key's algorithm. `None` for Ed25519, which signs the message.
    pub fn digest(&self, message: &[u8]) -> Option<Vec<u8>> {
        match self.algorithm {
            Algorithm::EcdsaP256Sha256 | Algorithm::RsaPkcs1Sha256 | Algorithm::RsaPssSha256 => {
                Some(self.backend.sha256(&[message]).to_vec())
            }
            #[cfg(feature = "p384")]
            Algorithm::EcdsaP384Sha384 => Some(sha2::Sha384::digest(message).to_vec()),
            #[cfg(feature = "rsa")]
            Algorithm::RsaPssSha512 => Some(sha2::Sha512::digest(message).to_vec()),
            _ => None,
        }
    }

    /// What backends judge differently is judged here, before any of them sees it.
    fn check_signature(&self, signature: &Signature) -> Result<(), BadSignature> {
        let good = signature.algorithm() == self.algorithm
            && match self.algorithm {
                // An R of small order, or one that is not canonical.
                #[cfg(feature = "ed25519")]
                Algorithm::Ed25519 => signature
                    .as_fixed()
                    .first_chunk()
                    .is_some_and(crate::ed25519::is_strict_point),
                _ => true,
            };
        if good { Ok(()) } else { Err(BadSignature) }
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
    #[error("keys of algorithm {0} are not supported; use P-256, P-384, Ed25519 or RSA")]
    Algorithm(ObjectIdentifier),
    /// An elliptic curve other than P-256 and P-384.
    #[error("the elliptic curve {0} is not supported; use P-256 or P-384")]
    Curve(ObjectIdentifier),
    /// A kind of key that was left out of this build.
    #[error("this build lacks the feature of gangplank-key for {0} keys")]
    Feature(Algorithm),
    /// The point is off the curve, at infinity, of small order or not canonically encoded.
    #[error("the {0} public key is not a valid point")]
    Point(Algorithm),
    /// An RSA modulus that is too short to be safe, or so long that verifying is an attack.
    #[error("the RSA modulus has {bits} bits; it must have 2048 to 8192")]
    ModulusBits {
        /// Bits in the modulus.
        bits: usize,
    },
    /// An RSA modulus that is no product of two odd primes.
    #[error("the RSA modulus is even")]
    EvenModulus,
    /// An RSA exponent that is even, below 65537 or longer than 33 bits.
    #[error("the RSA exponent is not an odd number from 65537 to 2^33 - 1")]
    Exponent,
    /// The key cannot be used with that algorithm.
    #[error("a key for {key} cannot be used with {wanted}")]
    Use {
        /// The key's algorithm.
        key: Algorithm,
        /// What it was to be used with.
        wanted: Algorithm,
    },
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

/// The algorithm of a key that passed every check, and the content of its `subjectPublicKey`.
fn checked(spki: &[u8]) -> Result<(Algorithm, &[u8]), KeyError> {
    let info = SubjectPublicKeyInfoRef::from_der(spki).map_err(|_| KeyError::Malformed)?;
    let algorithm = algorithm_of(&info)?;
    let subject_public_key = info
        .subject_public_key
        .as_bytes()
        .ok_or(KeyError::Malformed)?;
    check(algorithm, subject_public_key)?;
    Ok((algorithm, subject_public_key))
}

fn verifier(
    backend: Backend,
    algorithm: Algorithm,
) -> Result<&'static dyn SignatureVerificationAlgorithm, KeyError> {
    let (key, signature): (AlgorithmIdentifier, AlgorithmIdentifier) = match algorithm {
        Algorithm::EcdsaP256Sha256 => (alg_id::ECDSA_P256, alg_id::ECDSA_SHA256),
        Algorithm::EcdsaP384Sha384 => (alg_id::ECDSA_P384, alg_id::ECDSA_SHA384),
        Algorithm::Ed25519 => (alg_id::ED25519, alg_id::ED25519),
        Algorithm::RsaPkcs1Sha256 => (alg_id::RSA_ENCRYPTION, alg_id::RSA_PKCS1_SHA256),
        Algorithm::RsaPssSha256 => (alg_id::RSA_ENCRYPTION, alg_id::RSA_PSS_SHA256),
        Algorithm::RsaPssSha512 => (alg_id::RSA_ENCRYPTION, alg_id::RSA_PSS_SHA512),
    };
    backend
        .algorithms()
        .iter()
        .copied()
        .find(|candidate| {
            candidate.public_key_alg_id() == key && candidate.signature_alg_id() == signature
        })
        .ok_or(KeyError::NotByBackend {
            algorithm,
            backend: backend.name(),
        })
}

#[cfg(test)]
mod tests;
