mod overlaid;

pub use overlaid::{Change, Overlaid, Unsorted};

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
        Ok(place(self, |listed| listed, digest).map(|_| Entry::default()))
    }
}

impl<const N: usize> Listing for [ImageDigest; N] {
    fn find(&self, digest: &ImageDigest) -> Result<Option<Entry<'_>>, Damaged> {
        self.as_slice().find(digest)
    }
}

impl<L: Listing + ?Sized> Listing for &L {
    fn find(&self, digest: &ImageDigest) -> Result<Option<Entry<'_>>, Damaged> {
        (**self).find(digest)
    }
}

/// The element of `sorted` whose key is `wanted`. Generic, so that a test can count the comparisons.
fn place<'s, T, K: Ord + 's>(
    sorted: &'s [T],
    key: impl Fn(&'s T) -> &'s K,
    wanted: &K,
) -> Option<&'s T> {
    let at = sorted.binary_search_by(|element| key(element).cmp(wanted));
    sorted.get(at.ok()?)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::cmp::Ordering;

    use super::*;

    thread_local!(static COMPARISONS: Cell<usize> = const { Cell::new(0) });

    #[derive(PartialEq, Eq)]
    struct Counted(usize);

    impl Ord for Counted {
        fn cmp(&self, other: &Self) -> Ordering {
            COMPARISONS.set(COMPARISONS.get() + 1);
            self.0.cmp(&other.0)
        }
    }

    impl PartialOrd for Counted {
        fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
            Some(self.cmp(other))
        }
    }

    #[test]
    fn a_hundred_take_ten_comparisons_at_most() {
        let sorted: Vec<Counted> = (0..100).map(|at| Counted(2 * at + 1)).collect();
        let mut most = 0;
        for wanted in 0..=200 {
            COMPARISONS.set(0);
            let found = place(&sorted, |counted| counted, &Counted(wanted));
            assert_eq!(found.is_some(), wanted % 2 == 1);
            most = most.max(COMPARISONS.get());
        }
        println!("{most} comparisons at most");
        assert!((1..=10).contains(&most));
    }
}
