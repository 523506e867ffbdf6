use super::checksum::{BucketSum, words};
use super::header::{Header, INDEX_AT};
use super::records::Records;
use crate::{Damaged, Entry, ImageDigest};

/// The part of an indexed file that never changes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Base<'l> {
    pub(super) header: Header,
    pub(super) index: &'l [[u8; 8]],
    pub(super) rows: &'l [[u8; 32]],
    /// The number of each row's entry, or nothing where no row has one.
    pub(super) numbers: &'l [[u8; 4]],
    pub(super) records: Records<'l>,
}

/// Which rows a bucket has, and what they have to sum up to. Nothing of it is believed before.
#[derive(Clone, Copy, Default)]
pub(super) struct Bucket {
    number: u32,
    pub(super) start: u32,
    pub(super) end: u32,
    checksum: u32,
}

impl<'l> Base<'l> {
    /// What the list says of `digest`.
    pub(super) fn find(&self, digest: &ImageDigest) -> Result<Option<Entry<'l>>, Damaged> {
        let bucket = self.bucket(self.header.bucket_of(digest.as_bytes()));
        self.search(&bucket, digest)
    }

    /// What the index says of a bucket; one that is not there is given a range that is none.
    pub(super) fn bucket(&self, number: u32) -> Bucket {
        let found = self.index.get(number as usize..);
        let pair = found.and_then(<[_]>::first_chunk::<2>);
        let [this, next] = pair.map_or([u64::MAX, 0], |pair| pair.map(u64::from_le_bytes));
        Bucket {
            number,
            start: this as u32,
            end: next as u32,
            checksum: (this >> 32) as u32,
        }
    }

    /// The rows of a bucket, not yet held against their checksum.
    pub(super) fn rows_of(&self, bucket: &Bucket) -> Result<&'l [[u8; 32]], Damaged> {
        let rows = self.rows.get(bucket.start as usize..bucket.end as usize);
        rows.ok_or(bucket.damaged())
    }

    /// What the bucket says of `digest`. All its rows are read: the answer is worth what their
    /// checksum says.
    pub(super) fn search(
        &self,
        bucket: &Bucket,
        digest: &ImageDigest,
    ) -> Result<Option<Entry<'l>>, Damaged> {
        let rows = self.rows_of(bucket)?;
        let wanted = words(digest.as_bytes());
        let (sum, candidate) = self.scan(bucket, rows, wanted[0]);
        if sum != bucket.checksum {
            return Err(bucket.damaged());
        }
        let found = match rows.get(candidate) {
            None => None,
            Some(row) if words(row) == wanted => Some(candidate),
            // Another row begins alike.
            Some(_) => rows.iter().position(|row| row == digest.as_bytes()),
        };
        match found {
            None => Ok(None),
            // Most lists say nothing more, and are answered without a copy.
            Some(_) if self.numbers.is_empty() => Ok(Some(Entry::default())),
            Some(place) => self.entry(bucket.start as usize + place).map(Some),
        }
    }

    /// Whether the rows of a bucket agree with its checksum.
    pub(super) fn check(&self, bucket: &Bucket) -> Result<&'l [[u8; 32]], Damaged> {
        let rows = self.rows_of(bucket)?;
        let (sum, _) = self.scan(bucket, rows, 0);
        if sum == bucket.checksum {
            Ok(rows)
        } else {
            Err(bucket.damaged())
        }
    }

    /// The entry of the row at `place`, whose bucket was found to be right.
    pub(super) fn entry(&self, place: usize) -> Result<Entry<'l>, Damaged> {
        match self.numbers.get(place) {
            None => Ok(Entry::default()),
            Some(number) => self.records.get(u32::from_le_bytes(*number)),
        }
    }

    fn scan(&self, bucket: &Bucket, rows: &[[u8; 32]], first: u64) -> (u32, usize) {
        let numbers = self.numbers.get(bucket.start as usize..);
        match numbers.filter(|numbers| !numbers.is_empty()) {
            None => scan(bucket, rows, core::iter::repeat(0), first),
            Some(numbers) => {
                let numbers = numbers.iter().map(|number| u32::from_le_bytes(*number));
                scan(bucket, rows, numbers, first)
            }
        }
    }
}

impl Bucket {
    pub(super) fn damaged(&self) -> Damaged {
        let at = INDEX_AT + u64::from(self.number) * 8;
        Damaged { at }
    }
}

/// The sum of a bucket's rows and their numbers, and the last row that begins with the word `first`.
fn scan(
    bucket: &Bucket,
    rows: &[[u8; 32]],
    numbers: impl Iterator<Item = u32>,
    first: u64,
) -> (u32, usize) {
    let mut sum = BucketSum::new(bucket.number, rows.len() as u32);
    let mut candidate = usize::MAX;
    for (place, (row, number)) in rows.iter().zip(numbers).enumerate() {
        let row = words(row);
        // One word, and no branch: guessing wrong which row it is would take longer than all of them.
        candidate = if row[0] == first { place } else { candidate };
        sum.add(&row, number);
    }
    (sum.finish(), candidate)
}
