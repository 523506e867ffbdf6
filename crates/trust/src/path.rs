//! Paths from a leaf to an anchor: what is asked of them, and when they hold.

pub(crate) mod conformance;
mod fault;
mod general_name;
pub(crate) mod name_constraints;
mod profile;
mod search;
mod subtree;

use alloc::string::ToString;
use alloc::vec::Vec;

use gangplank_key::Backend;
use rustls_pki_types::{
    AlgorithmIdentifier, CertificateDer, SignatureVerificationAlgorithm, UnixTime, alg_id,
};

use crate::{Anchor, ChainError, Validity};

pub(crate) use search::{Named, Search};

pub use fault::CertificateFault;
pub use profile::{MAX_INTERMEDIATES, PathProfile, Purpose};

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

/// Looks for a path from `leaf` through `intermediates`, of which any may be left out, to one of
/// `anchors`, and returns that anchor.
///
/// This is the path alone: RFC 5280 §6 with the rules of [`verify`](crate::verify), without its pins,
/// its limits on what a device may send, and what it asks of a leaf's key and subject.
///
/// # Errors
/// [`ChainError`]: why there is no such path.
pub fn verify_path<'t>(
    leaf: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    anchors: impl IntoIterator<Item = &'t Anchor>,
    profile: PathProfile,
    backend: Backend,
    now: UnixTime,
) -> Result<&'t Anchor, ChainError> {
    let (current, others): (Vec<&Anchor>, Vec<&Anchor>) = anchors
        .into_iter()
        .partition(|anchor| check_anchor_window(anchor, now).is_ok());
    let build = |anchors: &[&'t Anchor]| {
        let search = Search {
            leaf,
            intermediates,
            max_intermediates: profile.max_intermediates,
            backend,
            now,
        };
        search.build(anchors, profile.purpose)
    };
    let error = match build(&current) {
        Ok(anchor) => return Ok(anchor),
        Err(error) => error,
    };
    // An anchor outside its window never verifies a path; it only tells the operator why there is
    // none. A renewed root has the same name and key, so the current ones had to be tried first.
    let about_anchor = matches!(
        error,
        ChainError::NoUsableAnchor | ChainError::NoAnchorForIssuer | ChainError::BadSignature
    );
    match build(&others) {
        Ok(anchor) if about_anchor => Err(check_anchor_window(anchor, now).err().unwrap_or(error)),
        _ => Err(error),
    }
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

/// Fails when `now` is outside the leaf's window.
pub(crate) fn check_leaf_window(window: Validity, now: UnixTime) -> Result<(), ChainError> {
    let Validity {
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
    let Validity {
        not_before,
        not_after,
    } = anchor.validity();
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

#[cfg(test)]
mod tests;
