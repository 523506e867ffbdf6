use std::cmp::Ordering;
use std::iter::Peekable;

use gangplank_allowlist::indexed::Rows;
use gangplank_allowlist::{Change, Damaged, Entry, ImageDigest};

/// A list and changes of it, both in ascending order, as one list.
pub(super) struct Merged<'l, C: Iterator> {
    rows: Peekable<Rows<'l>>,
    changes: Peekable<C>,
}

impl<'l, C: Iterator<Item = Change<'l>>> Merged<'l, C> {
    pub(super) fn new(rows: Rows<'l>, changes: C) -> Self {
        Self {
            rows: rows.peekable(),
            changes: changes.peekable(),
        }
    }
}

impl<'l, C: Iterator<Item = Change<'l>>> Iterator for Merged<'l, C> {
    type Item = Result<(ImageDigest, Entry<'l>), Damaged>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let order = match (self.rows.peek(), self.changes.peek()) {
                (Some(Ok((row, _))), Some(change)) => row.cmp(&change.digest),
                (None, Some(_)) => Ordering::Greater,
                _ => Ordering::Less,
            };
            if order == Ordering::Less {
                return self.rows.next();
            }
            if order == Ordering::Equal {
                self.rows.next();
            }
            let change = self.changes.next()?;
            if let Some(entry) = change.entry {
                return Some(Ok((change.digest, entry)));
            }
        }
    }
}
