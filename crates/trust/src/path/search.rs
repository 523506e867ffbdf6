//! The search for a path, from the leaf up.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::ControlFlow;

use gangplank_key::Backend;
use rustls_pki_types::{CertificateDer, UnixTime};

use super::pool::{Issuer, Pool};
use super::preference::keep_nearer;
use super::signatures::{Signatures, Thing};
use super::{Budget, Element, MAX_INTERMEDIATES, Need, VerifiedPath, check_anchor_window};
use crate::certificate::Names;
use crate::revocation::{LeafStatus, NoStatus, Revocation};
use crate::{Anchor, ChainError, OcspChecking};

/// What a path is looked for with.
#[derive(Clone, Copy)]
pub(crate) struct Search<'s> {
    pub(crate) leaf: &'s CertificateDer<'s>,
    pub(crate) intermediates: &'s [CertificateDer<'s>],
    pub(crate) max_intermediates: usize,
    pub(crate) revocation: Revocation<'s>,
    pub(crate) backend: Backend,
    pub(crate) now: UnixTime,
}

impl Search<'_> {
    /// The path found first; if there is none, why the one that came nearest is none.
    pub(crate) fn run<'t>(
        &self,
        anchors: impl IntoIterator<Item = &'t Anchor>,
        need: &impl Need,
    ) -> Result<VerifiedPath<'t>, ChainError> {
        let anchors: Vec<&Anchor> = anchors
            .into_iter()
            .filter(|anchor| anchor.is_authority())
            .collect();
        let mut names = Names::default();
        for anchor in &anchors {
            names.add(anchor.name_der(), anchor.prepared_name().clone());
        }
        let leaf = Element::read(0, self.leaf, &mut names);
        let leaf = leaf.ok_or(ChainError::Malformed { position: 0 })?;
        if anchors.is_empty() {
            return Err(ChainError::NoUsableAnchor);
        }
        let (mut elements, mut nearest) = (vec![leaf], ChainError::NoAnchorForIssuer);
        for (place, intermediate) in (1..).zip(self.intermediates) {
            match Element::read(place, intermediate, &mut names) {
                Some(element) => elements.push(element),
                None => keep_nearer(&mut nearest, ChainError::Malformed { position: place }),
            }
        }
        let Some(leaf) = elements.first() else {
            return Err(nearest);
        };
        let mut climb = Climb {
            search: self,
            need,
            pool: &Pool::new(&elements, &anchors),
            signatures: Signatures::new(self.backend),
            budget: Budget::default(),
            nearest,
        };
        match climb.climb(&mut vec![leaf]) {
            ControlFlow::Break(found) => found,
            ControlFlow::Continue(()) => Err(climb.nearest),
        }
    }
}

/// One search under way.
pub(super) struct Climb<'p, 't, N> {
    pub(super) search: &'p Search<'p>,
    pub(super) need: &'p N,
    pub(super) pool: &'p Pool<'p, 't>,
    pub(super) signatures: Signatures<'p>,
    pub(super) budget: Budget,
    /// Why the path is none that came nearest so far.
    nearest: ChainError,
}

/// What stands against a path.
pub(super) enum Setback {
    /// Another path may do.
    Path(ChainError),
    /// No other path changes it.
    Search(ChainError),
}

/// The end of the search, or that it goes on.
type Found<'t> = ControlFlow<Result<VerifiedPath<'t>, ChainError>>;

impl<'p, 't: 'p, N: Need> Climb<'p, 't, N> {
    /// Looks for issuers of the last certificate of `path`, which is sound as far as it goes. How deep
    /// this calls itself, [`check_depth`] bounds.
    fn climb(&mut self, path: &mut Vec<&'p Element<'p>>) -> Found<'t> {
        let Some(last) = path.last() else {
            return ControlFlow::Continue(());
        };
        for issuer in self.pool.issuers(&last.certificate.issuer) {
            if let Err(error) = self.budget.step() {
                return ControlFlow::Break(Err(error));
            }
            match issuer {
                Issuer::Anchor(anchor) => match self.check_anchor(path, anchor) {
                    Ok(()) => return ControlFlow::Break(Ok(VerifiedPath::new(anchor, path))),
                    Err(setback) => self.keep(setback)?,
                },
                Issuer::Intermediate(element) if is_loop(path, element) => {}
                Issuer::Intermediate(element) => match self.check_next(path, element) {
                    Ok(()) => {
                        path.push(element);
                        self.climb(path)?;
                        path.pop();
                    }
                    Err(setback) => self.keep(setback)?,
                },
            }
        }
        ControlFlow::Continue(())
    }

    fn keep(&mut self, setback: Setback) -> Found<'t> {
        match setback {
            Setback::Path(error) => keep_nearer(&mut self.nearest, error),
            Setback::Search(error) => return ControlFlow::Break(Err(error)),
        }
        ControlFlow::Continue(())
    }

    /// Whether `next` can stand above `path`. What costs most comes last.
    fn check_next(
        &mut self,
        path: &[&'p Element<'p>],
        next: &'p Element<'p>,
    ) -> Result<(), Setback> {
        check_depth(path, next, self.search.max_intermediates)?;
        let authority = next
            .authority(self.need, self.search.now)
            .map_err(|unfit| unfit.at(path.len()))?;
        check_path_length(path, authority.path_length)?;
        self.check_signature(path, next.certificate.fields.spki)?;
        authority.constraints.check(path, &mut self.budget)?;
        Ok(())
    }

    /// Whether `path` may end at `anchor`: first what is about the anchor, then about the leaf, then
    /// about revocation.
    fn check_anchor(
        &mut self,
        path: &[&'p Element<'p>],
        anchor: &'t Anchor,
    ) -> Result<(), Setback> {
        let now = self.search.now;
        self.check_signature(path, anchor.spki())?;
        let constraints = anchor
            .constraints()
            .map_err(|fault| ChainError::NotConformant {
                position: path.len(),
                fault,
            })?;
        check_path_length(path, anchor.path_length())?;
        constraints.check(path, &mut self.budget)?;
        check_anchor_window(anchor, now)?;
        if let Some(leaf) = path.first() {
            // Whatever the path, the leaf is the same.
            leaf.check_leaf(self.need, now).map_err(Setback::Search)?;
        }
        self.check_revocation(path, anchor)
    }

    /// RFC 5280 §6.1.3 (a) (1).
    fn check_signature(
        &mut self,
        path: &[&'p Element<'p>],
        spki: &'p [u8],
    ) -> Result<(), ChainError> {
        let last = path.last().ok_or(ChainError::NoAnchorForIssuer)?;
        let thing = Thing::Certificate(last.place);
        let signed = &last.certificate.fields.signed;
        self.signatures.check(thing, signed, spki, &mut self.budget)
    }

    /// RFC 5280 §6.1.3 (a) (3).
    fn check_revocation(
        &mut self,
        path: &[&'p Element<'p>],
        anchor: &'t Anchor,
    ) -> Result<(), Setback> {
        // That no other anchor is tried, the operator of this one may rely on.
        check_asked_status(anchor, self.search.revocation).map_err(Setback::Search)?;
        let Revocation::Lists(lists) = self.search.revocation else {
            return Ok(());
        };
        self.check_lists(lists, path, anchor)
    }
}

impl From<ChainError> for Setback {
    fn from(error: ChainError) -> Self {
        match error {
            ChainError::TooComplex => Self::Search(error),
            _ => Self::Path(error),
        }
    }
}

/// Fails where the anchor's policy wants a status of the leaf, and there is no good one. Revocation
/// lists give one to every certificate, or the path fails.
pub(crate) fn check_asked_status(
    anchor: &Anchor,
    revocation: Revocation<'_>,
) -> Result<(), ChainError> {
    let why = NoStatus::NotGiven;
    match (anchor.policy().ocsp.checking, revocation) {
        (OcspChecking::Disabled, _) | (_, Revocation::Lists(_)) => Ok(()),
        (_, Revocation::Leaf(LeafStatus::Good)) => Ok(()),
        (_, Revocation::Leaf(LeafStatus::Revoked)) => Err(ChainError::Revoked { position: 0 }),
        (_, Revocation::Leaf(LeafStatus::Unknown) | Revocation::NotChecked) => {
            Err(ChainError::RevocationUnknown { position: 0, why })
        }
    }
}

/// RFC 4158 §2.4.2: no certificate twice in a path, and no other one with the same name and key.
fn is_loop(path: &[&Element<'_>], next: &Element<'_>) -> bool {
    path.iter().any(|below| {
        below.place == next.place
            || below.certificate.fields.spki == next.certificate.fields.spki
                && below.certificate.subject == next.certificate.subject
    })
}

/// Holds a path to the caller's limit and to ours. Self-issued certificates do not count, but have a
/// limit of their own.
fn check_depth(path: &[&Element<'_>], next: &Element<'_>, most: usize) -> Result<(), ChainError> {
    let most = most.min(MAX_INTERMEDIATES);
    let counted = counted(path) + usize::from(!next.certificate.is_self_issued());
    match counted > most || path.len() > 2 * MAX_INTERMEDIATES {
        true => Err(ChainError::PathTooLong),
        false => Ok(()),
    }
}

/// RFC 5280 §4.2.1.9, §6.1.4 (l), (m), and for anchors RFC 5937 §3.2.
fn check_path_length(path: &[&Element<'_>], most: Option<u8>) -> Result<(), ChainError> {
    match most {
        Some(most) if counted(path) > usize::from(most) => Err(ChainError::PathTooLong),
        _ => Ok(()),
    }
}

/// "The number of non-self-issued intermediate certificates": all but the leaf are intermediate.
fn counted(path: &[&Element<'_>]) -> usize {
    let above_leaf = path.iter().skip(1);
    above_leaf
        .filter(|element| !element.certificate.is_self_issued())
        .count()
}
