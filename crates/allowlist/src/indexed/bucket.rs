use super::checksum::{BucketSum, Row, words};
use super::header::{Header, INDEX_AT};
use super::records::Records;
use crate::{Damaged, Entry, ImageDigest};

/// The part of an indexed file that never changes. Where things lie in it is reckoned each time, which
/// takes less than having it looked up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Base<'l> {
    pub(super) header: Header,
    pub(super) bytes: &'l [u8],
}

/// Which rows a bucket has. It is not believed before they were found to be right.
#[derive(Clone, Copy, Default)]
pub(super) struct Bucket {
    pub(super) number: u32,
    pub(super) start: u32,
    pub(super) end: u32,
}

impl<'l> Base<'l> {
    /// What the list says of `digest`.
    #[inline]
    pub(super) fn find(&self, digest: &ImageDigest) -> Result<Option<Entry<'l>>, Damaged> {
        let bucket = self.bucket(self.header.bucket_of(digest.as_bytes()));
        self.search(&bucket, digest)
    }

    /// What the index says of a bucket; one that is not there is given a range that is none.
    #[inline]
    pub(super) fn bucket(&self, number: u32) -> Bucket {
        let at = INDEX_AT + u64::from(number) * 4;
        let pair = self.part_of(at, at + 8).and_then(<[u8]>::first_chunk::<8>);
        let pair = pair.map_or(u32::MAX.into(), |pair| u64::from_le_bytes(*pair));
        Bucket {
            number,
            start: pair as u32,
            end: (pair >> 32) as u32,
        }
    }

    /// The rows of a bucket, not yet held against their checksum.
    #[inline]
    pub(super) fn rows_of(&self, bucket: &Bucket) -> Result<&'l [[u8; 32]], Damaged> {
        let part = (self.header.rows_at(), self.header.count);
        self.part(part, bucket).ok_or(bucket.damaged())
    }

    /// What the bucket says of `digest`. A sealed row is believed as it is; all else is worth what the
    /// checksum of the bucket says, for which all its rows are read.
    #[inline]
    pub(super) fn search(
        &self,
        bucket: &Bucket,
        digest: &ImageDigest,
    ) -> Result<Option<Entry<'l>>, Damaged> {
        let rows = self.rows_of(bucket)?;
        let place = place_of(rows, &self.header.row_of(bucket.number, digest));
        if place.is_some() && self.header.seals() && !self.header.numbered {
            return Ok(Some(Entry::default()));
        }
        self.confirm(*bucket, place)
    }

    /// What is said of the row at `place` of a bucket, or that there is none, if its checksum is right.
    #[inline(never)]
    fn confirm(self, bucket: Bucket, place: Option<usize>) -> Result<Option<Entry<'l>>, Damaged> {
        self.check(&bucket)?;
        match place {
            None => Ok(None),
            Some(place) => self.entry(bucket.start as usize + place).map(Some),
        }
    }

    #[inline]
    pub(super) fn checksum_of(&self, bucket: &Bucket) -> Option<u32> {
        let at = self.header.checksums_at() + u64::from(bucket.number) * 4;
        let checksum = self.part_of(at, at + 4)?.first_chunk::<4>()?;
        Some(u32::from_le_bytes(*checksum))
    }

    /// The rows of a bucket, if they agree with its checksum.
    pub(super) fn check(&self, bucket: &Bucket) -> Result<&'l [[u8; 32]], Damaged> {
        let rows = self.rows_of(bucket)?;
        let mut sum = BucketSum::new(self.header.content, bucket.number, rows.len() as u32);
        match self.numbers_of(bucket)? {
            [] => rows.iter().for_each(|row| sum.add(&words(row), 0)),
            numbers => rows.iter().zip(numbers).for_each(|(row, number)| {
                sum.add(&words(row), u32::from_le_bytes(*number));
            }),
        }
        match self.checksum_of(bucket) {
            Some(checksum) if checksum == sum.finish() => Ok(rows),
            _ => Err(bucket.damaged()),
        }
    }

    /// The entry of the row at `place`, whose bucket was found to be right.
    pub(super) fn entry(&self, place: usize) -> Result<Entry<'l>, Damaged> {
        match self.numbers().get(place) {
            None => Ok(Entry::default()),
            Some(number) => self.records().get(u32::from_le_bytes(*number)),
        }
    }

    /// The number of each row's entry, or nothing where no row has one.
    pub(super) fn numbers(&self) -> &'l [[u8; 4]] {
        let (from, end) = (self.header.numbers_at(), self.header.entries_at());
        let numbers = self.part_of(from, end);
        let numbers = numbers.unwrap_or_default().as_chunks().0;
        // Behind them is padding.
        match self.header.numbered {
            true => numbers
                .get(..self.header.count as usize)
                .unwrap_or_default(),
            false => &[],
        }
    }

    pub(super) fn records(&self) -> Records<'l> {
        let at = self.header.entries_at();
        let bytes = self.part_of(at, at + self.header.entries_length);
        Records::new(&self.header, bytes.unwrap_or_default())
    }

    fn numbers_of(&self, bucket: &Bucket) -> Result<&'l [[u8; 4]], Damaged> {
        if !self.header.numbered {
            return Ok(&[]);
        }
        let part = (self.header.numbers_at(), self.header.count);
        self.part(part, bucket).ok_or(bucket.damaged())
    }

    /// What a part that has something for each row has for those of a bucket.
    #[inline]
    fn part<const SIZE: usize>(
        &self,
        (at, count): (u64, u32),
        bucket: &Bucket,
    ) -> Option<&'l [[u8; SIZE]]> {
        if bucket.end > count {
            return None;
        }
        let place = |row: u32| at + u64::from(row) * SIZE as u64;
        let bytes = self.part_of(place(bucket.start), place(bucket.end))?;
        Some(bytes.as_chunks().0)
    }

    /// The bytes of the file between two places. A file may be longer than there are addresses.
    #[inline]
    fn part_of(&self, from: u64, to: u64) -> Option<&'l [u8]> {
        let from = usize::try_from(from).ok()?;
        self.bytes.get(from..usize::try_from(to).ok()?)
    }
}

impl Bucket {
    pub(super) fn damaged(&self) -> Damaged {
        let at = INDEX_AT + u64::from(self.number) * 4;
        Damaged { at }
    }
}

/// Where `wanted` is among rows.
#[inline]
fn place_of(rows: &[[u8; 32]], wanted: &Row) -> Option<usize> {
    let last = rows.len().checked_sub(1)?;
    let mut candidate = usize::MAX;
    // One word of each, and no branch, not even on how many there are: a processor that guesses wrong
    // begins nothing else in the meantime, which takes longer than to look at one row several times.
    for place in 0..MOST {
        let place = place.min(last);
        let first = rows.get(place).map_or(0, |row| words(row)[0]);
        candidate = if first == wanted[0] { place } else { candidate };
    }
    match rows.get(candidate) {
        Some(row) if is_same(row, wanted) => Some(candidate),
        // Another row begins alike, or there are more.
        _ => rows.iter().position(|row| is_same(row, wanted)),
    }
}

#[inline]
fn is_same(row: &[u8; 32], wanted: &Row) -> bool {
    let pairs = words(row).into_iter().zip(wanted);
    pairs.fold(0, |differ, (one, other)| differ | (one ^ other)) == 0
}

/// Rows that the bucket of a listed digest has at most, but for one of fifty.
const MOST: usize = 6;
