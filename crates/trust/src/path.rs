//! Path building by webpki, and its errors in our words.

use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use der::asn1::AnyRef;
use der::{Encode, Tag};
use gangplank_key::{Backend, KeyError, PublicKey};
use rustls_pki_types::{
    AlgorithmIdentifier, CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime,
    alg_id,
};
use webpki::{EndEntityCert, Error, ExtendedKeyUsageValidator};

use crate::certificate::{self, Window};
use crate::{Anchor, ChainError};

/// Certificates read of one chain, the leaf included (envelope version 1, member `certificates`).
pub const MAX_CERTIFICATES: usize = 8;

/// Bytes read of one certificate; those met in the field stay below 4 KiB.
pub const MAX_CERTIFICATE_BYTES: usize = 16 * 1024;

/// The leaf and the rest of a chain that is small enough to look at.
pub(crate) fn bounded<'c, 'd>(
    chain: &'c [CertificateDer<'d>],
) -> Result<(&'c CertificateDer<'d>, &'c [CertificateDer<'d>]), ChainError> {
    if chain.len() > MAX_CERTIFICATES {
        return Err(ChainError::TooMany { count: chain.len() });
    }
    for (position, certificate) in chain.iter().enumerate() {
        let length = certificate.len();
        if length > MAX_CERTIFICATE_BYTES {
            return Err(ChainError::TooLong { position, length });
        }
    }
    chain.split_first().ok_or(ChainError::Empty)
}

/// The number, in `anchors`, of the one that the path from `leaf` ends at.
///
/// webpki bounds its own search: 100 signatures and six intermediate certificates.
pub(crate) fn build(
    leaf: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    anchors: &[&TrustAnchor<'static>],
    purpose: impl ExtendedKeyUsageValidator + Named,
    backend: Backend,
    now: UnixTime,
) -> Result<usize, ChainError> {
    let needed = purpose.name();
    let end_entity = EndEntityCert::try_from(leaf).map_err(|error| match error {
        Error::UnsupportedCriticalExtension => ChainError::UnknownCriticalExtension,
        _ => ChainError::Malformed { position: 0 },
    })?;
    let anchors: Vec<TrustAnchor<'_>> = anchors.iter().map(|anchor| (*anchor).clone()).collect();
    let path = end_entity
        .verify_for_usage(
            &supported(backend),
            &anchors,
            intermediates,
            now,
            purpose,
            None,
            None,
        )
        .map_err(|error| translate(error, leaf, needed))?;
    for authority in path.intermediate_certificates() {
        PublicKey::from_spki(&authority.subject_public_key_info(), backend)
            .map_err(ChainError::AuthorityKey)?;
    }
    check_anchor_key(path.anchor(), backend).map_err(ChainError::AuthorityKey)?;
    // webpki hands back a reference into our slice; its place there tells equal names apart.
    anchors
        .iter()
        .position(|anchor| core::ptr::eq(anchor, path.anchor()))
        .ok_or(ChainError::NoAnchorForIssuer)
}

/// Holds an anchor's key to the rules for every key: backends differ in the keys they take.
fn check_anchor_key(anchor: &TrustAnchor<'_>, backend: Backend) -> Result<(), KeyError> {
    // webpki keeps what is inside of the SEQUENCE.
    let spki = AnyRef::new(Tag::Sequence, &anchor.subject_public_key_info)
        .and_then(|sequence| sequence.to_der())
        .map_err(|_| KeyError::Malformed)?;
    PublicKey::from_spki(&spki, backend).map(|_| ())
}

/// The backend's values for the algorithms gangplank supports: a backend may list more, and a path
/// must not be believed by one backend and refused by another.
pub(crate) fn supported(backend: Backend) -> Vec<&'static dyn SignatureVerificationAlgorithm> {
    let supported = |algorithm: &&dyn SignatureVerificationAlgorithm| {
        SUPPORTED.contains(&(algorithm.public_key_alg_id(), algorithm.signature_alg_id()))
    };
    backend
        .algorithms()
        .iter()
        .copied()
        .filter(supported)
        .collect()
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

/// What a purpose is called in a refusal.
pub(crate) trait Named {
    fn name(&self) -> &'static str;
}

/// Fails when `now` is outside the leaf's window.
pub(crate) fn check_leaf_window(window: Window, now: UnixTime) -> Result<(), ChainError> {
    let Window {
        not_before,
        not_after,
    } = window;
    if now < not_before {
        return Err(ChainError::LeafNotYetValid { not_before });
    }
    if now > not_after {
        return Err(ChainError::LeafExpired { not_after });
    }
    Ok(())
}

/// Fails when `now` is outside the anchor's window.
pub(crate) fn check_anchor_window(anchor: &Anchor, now: UnixTime) -> Result<(), ChainError> {
    let Window {
        not_before,
        not_after,
    } = anchor.window();
    let id = || anchor.id().to_string();
    if now < not_before {
        return Err(ChainError::AnchorNotYetValid {
            anchor: id(),
            not_before,
        });
    }
    if now > not_after {
        return Err(ChainError::AnchorExpired {
            anchor: id(),
            not_after,
        });
    }
    Ok(())
}

fn translate(error: Error, leaf: &CertificateDer<'_>, needed: &'static str) -> ChainError {
    match error {
        // webpki does not say which certificate it was, so the leaf's own window decides.
        Error::CertExpired { time, not_after } => {
            leaf_window_error(leaf, time).unwrap_or(ChainError::IntermediateExpired { not_after })
        }
        Error::CertNotValidYet { time, not_before } => leaf_window_error(leaf, time)
            .unwrap_or(ChainError::IntermediateNotYetValid { not_before }),
        Error::CaUsedAsEndEntity => ChainError::LeafIsCa,
        Error::EndEntityUsedAsCa => ChainError::IssuerIsNoCa,
        Error::RequiredEkuNotFoundContext(_) | Error::EmptyEkuExtension => {
            ChainError::PurposeNotAllowed { needed }
        }
        Error::UnsupportedCriticalExtension => ChainError::UnknownCriticalExtension,
        Error::PathLenConstraintViolated | Error::MaximumPathDepthExceeded => {
            ChainError::PathTooLong
        }
        Error::NameConstraintViolation => ChainError::NameNotAllowed,
        Error::UnknownIssuer => ChainError::NoAnchorForIssuer,
        Error::InvalidSignatureForPublicKey => ChainError::BadSignature,
        Error::UnsupportedSignatureAlgorithmContext(_)
        | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
            ChainError::UnsupportedSignature
        }
        Error::MaximumSignatureChecksExceeded
        | Error::MaximumPathBuildCallsExceeded
        | Error::MaximumNameConstraintComparisonsExceeded => ChainError::TooComplex,
        other => ChainError::PathInvalid(format!("{other}")),
    }
}

fn leaf_window_error(leaf: &CertificateDer<'_>, now: UnixTime) -> Option<ChainError> {
    let leaf = certificate::parse(leaf)?;
    check_leaf_window(certificate::window(&leaf), now).err()
}
