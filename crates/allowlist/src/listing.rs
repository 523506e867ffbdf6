use crate::{Entry, ImageDigest};

/// A list of digests to look into: sorted in memory or in flash, or in an indexed file.
pub trait Listing {
    /// What the list says of `digest`; `None` if it does not have it.
    ///
    /// # Errors
    /// [`Damaged`]: what had to be read is not as it was written.
    fn find(&self, digest: &ImageDigest) -> Result<Option<Entry<'_>>, Damaged>;
}

/// Some bytes of a list are not as they were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the list is damaged at byte {at}")]
pub struct Damaged {
    /// Where the part begins that does not agree with its checksum.
    pub at: u64,
}

/// Digests in ascending order, each once, without more said of them: [`crate`]'s smallest list, which
/// may lie in flash. In another order, what is on it may not be found.
impl Listing for [ImageDigest] {
    fn find(&self, digest: &ImageDigest) -> Result<Option<Entry<'_>>, Damaged> {
        Ok(self.binary_search(digest).ok().map(|_| Entry::default()))
    }
}
