//! The search itself: webpki's, with our conditions on each path that it finds.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;

use der::asn1::AnyRef;
use der::{Encode, Tag};
use gangplank_key::{Backend, KeyError, PublicKey};
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, Error, ExtendedKeyUsageValidator, VerifiedPath};
use x509_cert::Certificate;
use x509_cert::ext::pkix::KeyUsage;

use super::name_constraints::MAX_COMPARISONS;
use super::{check_leaf_window, conformance, supported};
use crate::certificate;
use crate::{Anchor, CertificateFault, ChainError};

/// One search for a path.
#[derive(Clone, Copy)]
pub(crate) struct Search<'s> {
    pub(crate) leaf: &'s CertificateDer<'s>,
    pub(crate) intermediates: &'s [CertificateDer<'s>],
    pub(crate) max_intermediates: usize,
    pub(crate) backend: Backend,
    pub(crate) now: UnixTime,
}

impl Search<'_> {
    /// The anchor that the path from the leaf ends at; its window is not looked at.
    ///
    /// webpki bounds its own work: 100 signatures, 200,000 steps and six intermediate certificates.
    pub(crate) fn build<'t>(
        &self,
        anchors: &[&'t Anchor],
        purpose: impl ExtendedKeyUsageValidator + Named,
    ) -> Result<&'t Anchor, ChainError> {
        // Both lists have the same order, so the place in one is the place in the other.
        let (anchors, authorities): (Vec<&Anchor>, Vec<TrustAnchor<'_>>) = anchors
            .iter()
            .filter_map(|anchor| Some((*anchor, anchor.authority()?.clone())))
            .unzip();
        if authorities.is_empty() {
            return Err(ChainError::NoUsableAnchor);
        }
        let needed = purpose.name();
        let leaf = EndEntityCert::try_from(self.leaf).map_err(|error| match error {
            Error::UnsupportedCriticalExtension => ChainError::UnknownCriticalExtension,
            _ => ChainError::Malformed { position: 0 },
        })?;
        // webpki hands back a reference into our slice; its place there tells equal names apart.
        let anchor_of = |path: &VerifiedPath<'_>| {
            let at = authorities
                .iter()
                .position(|authority| core::ptr::eq(authority, path.anchor()));
            at.and_then(|at| anchors.get(at).copied())
                .ok_or(ChainError::NoAnchorForIssuer)
        };
        let refused = RefCell::new(None);
        let condition = |path: &VerifiedPath<'_>| {
            let checked = anchor_of(path).and_then(|anchor| self.check(path, anchor, &purpose));
            checked.map_err(|error| {
                refused.replace(Some(error));
                // Not fatal: webpki goes on to the next path.
                Error::UnknownIssuer
            })
        };
        let found = leaf.verify_for_usage(
            &supported(self.backend),
            &authorities,
            self.intermediates,
            self.now,
            &purpose,
            None,
            Some(&condition),
        );
        match found {
            Ok(path) => anchor_of(&path),
            Err(error) => Err(match (self.translate(error, needed), refused.take()) {
                (ChainError::TooComplex, _) => ChainError::TooComplex,
                // A path that webpki would have taken came nearest.
                (_, Some(refused)) => refused,
                (error, None) => error,
            }),
        }
    }

    /// What a path must fulfil beyond webpki's rules.
    fn check(
        &self,
        path: &VerifiedPath<'_>,
        anchor: &Anchor,
        purpose: &impl Named,
    ) -> Result<(), ChainError> {
        let leaf = parse(self.leaf, 0)?;
        conformance::check_leaf(&leaf, |usage| purpose.allows(usage)).map_err(at(0))?;
        let (mut below, mut counted, mut budget) = (vec![leaf], 0, MAX_COMPARISONS);
        for authority in path.intermediate_certificates() {
            let position = below.len();
            let parsed = parse(&authority.der(), position)?;
            // RFC 5280 §6.1.4 (n): webpki looks at `cA` alone.
            if !certificate::is_authority(&parsed) {
                return Err(ChainError::IssuerIsNoCa);
            }
            let constraints = conformance::check_intermediate(&parsed).map_err(at(position))?;
            constraints.check(&below, &mut budget)?;
            PublicKey::from_spki(&authority.subject_public_key_info(), self.backend)
                .map_err(ChainError::AuthorityKey)?;
            // RFC 5280 §4.2.1.9: self-issued certificates do not count.
            counted += usize::from(authority.issuer() != authority.subject());
            below.push(parsed);
        }
        let constraints = anchor.constraints().map_err(at(below.len()))?;
        constraints.check(&below, &mut budget)?;
        check_anchor_key(path.anchor(), self.backend).map_err(ChainError::AuthorityKey)?;
        match counted > self.max_intermediates {
            true => Err(ChainError::PathTooLong),
            false => Ok(()),
        }
    }

    fn translate(&self, error: Error, needed: &'static str) -> ChainError {
        match error {
            // webpki does not say which certificate it was, so the leaf's own window decides.
            Error::CertExpired { time, not_after } => self
                .leaf_window_error(time)
                .unwrap_or(ChainError::IntermediateExpired { not_after }),
            Error::CertNotValidYet { time, not_before } => self
                .leaf_window_error(time)
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

    fn leaf_window_error(&self, now: UnixTime) -> Option<ChainError> {
        let leaf = certificate::parse(self.leaf)?;
        check_leaf_window(certificate::validity(&leaf), now).err()
    }
}

/// A purpose as refusals name it.
pub(crate) trait Named {
    fn name(&self) -> &'static str;

    /// Whether a leaf with this key usage may serve it (RFC 5280 §4.2.1.12).
    fn allows(&self, usage: KeyUsage) -> bool;
}

fn parse(der: &CertificateDer<'_>, position: usize) -> Result<Certificate, ChainError> {
    certificate::parse(der).ok_or(ChainError::Malformed { position })
}

fn at(position: usize) -> impl Fn(CertificateFault) -> ChainError {
    move |fault| ChainError::NotConformant { position, fault }
}

/// Holds an anchor's key to the rules for every key: backends differ in the keys they take.
fn check_anchor_key(anchor: &TrustAnchor<'_>, backend: Backend) -> Result<(), KeyError> {
    // webpki keeps what is inside of the SEQUENCE.
    let spki = AnyRef::new(Tag::Sequence, &anchor.subject_public_key_info)
        .and_then(|sequence| sequence.to_der())
        .map_err(|_| KeyError::Malformed)?;
    PublicKey::from_spki(&spki, backend).map(|_| ())
}
