use super::IndexedList;
use crate::{Change, Damaged, Entry, ImageDigest};

/// All digests of an indexed list in ascending order, each with what is said of it.
///
/// A bucket whose checksum is wrong yields [`Damaged`] once, and nothing of what it has; one that has a row
/// of another bucket, nothing from that row on.
#[derive(Clone, Debug)]
pub struct Rows<'l> {
    list: IndexedList<'l>,
    /// The next bucket to look at.
    bucket: u32,
    /// What is left of the rows of the bucket before it, and which row of the file is the first.
    rows: &'l [[u8; 32]],
    row: usize,
    /// What the log says of the lowest digest that was not reached yet.
    change: Option<Change<'l>>,
}

impl<'l> Rows<'l> {
    pub(super) fn new(list: IndexedList<'l>) -> Self {
        let change = next_change(&list, None);
        Self {
            list,
            bucket: 0,
            rows: &[],
            row: 0,
            change,
        }
    }

    /// The digest of the next row of the file, which is held against its checksum at the beginning of
    /// each bucket.
    fn peek(&mut self) -> Result<Option<ImageDigest>, Damaged> {
        let base = &self.list.base;
        loop {
            if let Some(row) = self.rows.first() {
                let number = self.bucket - 1;
                let Some(digest) = base.header.digest_of(number, row) else {
                    self.rows = &[];
                    return Err(base.bucket(number).damaged());
                };
                return Ok(Some(digest));
            }
            if self.bucket == base.header.buckets {
                return Ok(None);
            }
            let bucket = base.bucket(self.bucket);
            self.bucket += 1;
            self.rows = base.check(&bucket)?;
            self.row = bucket.start as usize;
        }
    }

    fn pass(&mut self) {
        self.rows = self.rows.get(1..).unwrap_or_default();
        self.row += 1;
    }
}

impl<'l> Iterator for Rows<'l> {
    type Item = Result<(ImageDigest, Entry<'l>), Damaged>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let row = match self.peek() {
                Ok(row) => row,
                Err(damaged) => return Some(Err(damaged)),
            };
            let change = self
                .change
                .filter(|change| row.is_none_or(|row| change.digest <= row));
            let Some(change) = change else {
                let row = row?;
                let entry = self.list.base.entry(self.row);
                self.pass();
                return Some(entry.map(|entry| (row, entry)));
            };
            self.change = next_change(&self.list, Some(&change.digest));
            if row == Some(change.digest) {
                self.pass();
            }
            if let Some(entry) = change.entry {
                return Some(Ok((change.digest, entry)));
            }
        }
    }
}

/// What the log says last of the lowest digest above `after`. Walks through the log, which is short.
fn next_change<'l>(list: &IndexedList<'l>, after: Option<&ImageDigest>) -> Option<Change<'l>> {
    let above = list
        .log
        .changes()
        .filter(|change| after.is_none_or(|after| change.digest > *after));
    above.reduce(|lowest, change| {
        if change.digest <= lowest.digest {
            change
        } else {
            lowest
        }
    })
}
