use alloc::collections::BTreeMap;

use gangplank_key::Backend;

use super::{Budget, Signed};
use crate::ChainError;

/// What was found out about signatures: none is verified twice, however many paths it is in.
pub(crate) struct Signatures<'p> {
    backend: Backend,
    verified: BTreeMap<(Thing, &'p [u8]), Result<(), ChainError>>,
}

/// What is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Thing {
    /// A certificate, by its place among those given.
    Certificate(usize),
    /// A revocation list, likewise.
    RevocationList(usize),
}

impl<'p> Signatures<'p> {
    pub(crate) fn new(backend: Backend) -> Self {
        Self {
            backend,
            verified: BTreeMap::new(),
        }
    }

    /// Whether the holder of a key (DER SubjectPublicKeyInfo) signed a thing.
    pub(crate) fn check(
        &mut self,
        thing: Thing,
        signed: &Signed<'_>,
        spki: &'p [u8],
        budget: &mut Budget,
    ) -> Result<(), ChainError> {
        if let Some(known) = self.verified.get(&(thing, spki)) {
            return known.clone();
        }
        budget.signature()?;
        let found = signed.verify(spki, self.backend);
        self.verified.insert((thing, spki), found.clone());
        found
    }
}
