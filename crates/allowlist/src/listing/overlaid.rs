use core::fmt;

use super::{Damaged, Listing, place};
use crate::{Entry, ImageDigest};

/// A listing and what was changed since: the changes decide.
#[derive(Clone, Copy)]
pub struct Overlaid<'l> {
    base: &'l dyn Listing,
    changes: &'l [Change<'l>],
}

/// What a list says of one digest from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change<'l> {
    /// Of what.
    pub digest: ImageDigest,
    /// What is said; `None` takes it off the list.
    pub entry: Option<Entry<'l>>,
}

impl<'l> Overlaid<'l> {
    /// Lays `changes` over `base`. They are in ascending order of their digests, each once: takes time
    /// in proportion to their number to see that.
    ///
    /// # Errors
    /// [`Unsorted`]: they are in another order, in which what was taken off might not be found.
    pub fn new(base: &'l dyn Listing, changes: &'l [Change<'l>]) -> Result<Self, Unsorted> {
        let ascends = |pair: &[Change<'_>]| match pair {
            [before, after] => before.digest < after.digest,
            _ => true,
        };
        match changes.windows(2).position(|pair| !ascends(pair)) {
            None => Ok(Self { base, changes }),
            Some(at) => Err(Unsorted { at: at + 1 }),
        }
    }
}

impl Listing for Overlaid<'_> {
    fn find(&self, digest: &ImageDigest) -> Result<Option<Entry<'_>>, Damaged> {
        match place(self.changes, |change| &change.digest, digest) {
            Some(change) => Ok(change.entry),
            None => self.base.find(digest),
        }
    }
}

impl fmt::Debug for Overlaid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Overlaid")
            .field("changes", &self.changes)
            .finish_non_exhaustive()
    }
}

/// Changes are not in ascending order, or one digest is changed twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("change {at} is not above the one before")]
pub struct Unsorted {
    /// The place of the first change, from 0, that is not above the one before.
    pub at: usize,
}
