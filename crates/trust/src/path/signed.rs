//! What certificates and revocation lists have in common: bytes, and a signature over them (RFC 5280
//! §4.1.1, §5.1.1).

use der::Decode;
use der::asn1::BitStringRef;
use gangplank_key::{Backend, PublicKey};
use rustls_pki_types::{AlgorithmIdentifier, SignatureVerificationAlgorithm, alg_id};

use crate::ChainError;
use crate::elements::{Elements, SEQUENCE};

/// A `Certificate` or a `CertificateList`, split and not verified yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signed<'d> {
    /// What the signature is over, as it stands in the DER.
    pub(crate) message: &'d [u8],
    /// The content of the `AlgorithmIdentifier` beside the signature.
    pub(crate) algorithm: &'d [u8],
    signature: &'d [u8],
}

impl<'d> Signed<'d> {
    pub(crate) fn split(der: &'d [u8]) -> Option<Self> {
        let mut parts = Elements::inside(SEQUENCE, der)?;
        let message = parts.whole()?;
        let algorithm = parts.content(SEQUENCE)?;
        let signature = BitStringRef::from_der(parts.whole()?).ok()?;
        parts.is_finished().then_some(())?;
        Some(Self {
            message,
            algorithm,
            signature: signature.as_bytes()?,
        })
    }

    /// Verifies the signature with a key (DER SubjectPublicKeyInfo), of whose kind alone the choice of
    /// the algorithm is.
    pub(crate) fn verify(&self, spki: &[u8], backend: Backend) -> Result<(), ChainError> {
        let (kind, key) = key_of(spki).ok_or(ChainError::UnsupportedSignature)?;
        let algorithm = supported(backend)
            .find(|candidate| {
                candidate.public_key_alg_id().as_ref() == kind
                    && candidate.signature_alg_id().as_ref() == self.algorithm
            })
            .ok_or(ChainError::UnsupportedSignature)?;
        // Before the signature: backends differ in the keys they take.
        PublicKey::check_spki(spki).map_err(ChainError::AuthorityKey)?;
        algorithm
            .verify_signature(key, self.message, self.signature)
            .map_err(|_| ChainError::BadSignature)
    }
}

/// The content of a key's `AlgorithmIdentifier`, and of its `subjectPublicKey`.
fn key_of(spki: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut parts = Elements::inside(SEQUENCE, spki)?;
    let kind = parts.content(SEQUENCE)?;
    let key = BitStringRef::from_der(parts.whole()?).ok()?;
    Some((kind, key.as_bytes()?))
}

/// The backend's values for the algorithms gangplank supports: a backend may list more, and a path
/// must not be believed by one backend and refused by another.
fn supported(
    backend: Backend,
) -> impl Iterator<Item = &'static dyn SignatureVerificationAlgorithm> {
    let listed = backend.algorithms().iter().copied();
    listed.filter(|algorithm| {
        SUPPORTED.contains(&(algorithm.public_key_alg_id(), algorithm.signature_alg_id()))
    })
}

/// Kinds of key and of signature. Authorities on P-384 sign with either hash; RSA-PSS in
/// certificates, whose parameters are many, is left out.
const SUPPORTED: &[(AlgorithmIdentifier, AlgorithmIdentifier)] = &[
    (alg_id::ECDSA_P256, alg_id::ECDSA_SHA256),
    (alg_id::ECDSA_P384, alg_id::ECDSA_SHA256),
    (alg_id::ECDSA_P384, alg_id::ECDSA_SHA384),
    (alg_id::ED25519, alg_id::ED25519),
    (alg_id::RSA_ENCRYPTION, alg_id::RSA_PKCS1_SHA256),
    (alg_id::RSA_ENCRYPTION, alg_id::RSA_PKCS1_SHA384),
    (alg_id::RSA_ENCRYPTION, alg_id::RSA_PKCS1_SHA512),
];
