//! Paths from a leaf to an anchor: what is asked of them, and when they hold.

mod budget;
pub(crate) mod conformance;
mod element;
mod fault;
mod general_name;
pub(crate) mod name_constraints;
mod pool;
mod preference;
mod profile;
mod purpose;
mod search;
mod signatures;
mod signed;
mod status;
mod subtree;

use alloc::string::ToString;
use alloc::vec::Vec;

use gangplank_key::Backend;
use rustls_pki_types::{CertificateDer, UnixTime};

use crate::{Anchor, ChainError, Revocation, Validity};

use budget::Budget;
use element::Element;

pub(crate) use purpose::Need;
pub(crate) use search::{Search, check_asked_status};
pub(crate) use signed::Signed;

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
/// `anchors`.
///
/// This is the path alone: RFC 5280 §6 with the rules of [`verify`](crate::verify), without its pins,
/// its limits on what a device may send, and what it asks of a leaf's key and subject.
///
/// # Errors
/// [`ChainError`]: why there is no such path. Of several that fail, the one that came nearest says why:
/// the search goes on as long as a name, a key or a certificate in between stands in the way, and it
/// looks at the leaf itself once some path leads to an anchor that counts, at revocation last.
pub fn verify_path<'t>(
    leaf: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    anchors: impl IntoIterator<Item = &'t Anchor>,
    profile: PathProfile,
    revocation: Revocation<'_>,
    backend: Backend,
    now: UnixTime,
) -> Result<VerifiedPath<'t>, ChainError> {
    let search = Search {
        leaf,
        intermediates,
        max_intermediates: profile.max_intermediates,
        revocation,
        backend,
        now,
    };
    search.run(anchors, &profile.purpose)
}

/// A path that [`verify_path`] found.
#[derive(Clone, Debug)]
pub struct VerifiedPath<'t> {
    anchor: &'t Anchor,
    intermediates: Vec<usize>,
}

impl<'t> VerifiedPath<'t> {
    fn new(anchor: &'t Anchor, path: &[&Element<'_>]) -> Self {
        let above_leaf = path.iter().skip(1);
        Self {
            anchor,
            intermediates: above_leaf.map(|element| element.place - 1).collect(),
        }
    }

    /// The anchor that it ends at.
    pub fn anchor(&self) -> &'t Anchor {
        self.anchor
    }

    /// The intermediate certificates of it, from the leaf up: each its index among those given.
    pub fn intermediates(&self) -> &[usize] {
        &self.intermediates
    }
}

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
