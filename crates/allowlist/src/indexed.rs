//! A list of any size as a file that is searched where it lies.

mod bucket;
mod checksum;
mod error;
mod header;
mod log;
mod records;
mod row;
mod rows;
#[cfg(any(test, feature = "alloc"))]
mod sort;
#[cfg(test)]
mod tests;
mod verify;
#[cfg(any(test, feature = "alloc"))]
mod write;

pub use error::IndexError;
pub use header::Header;
pub use log::{Log, SLOT, Tail, commit};
pub use rows::Rows;
#[cfg(any(test, feature = "alloc"))]
pub use sort::{order, sort};
#[cfg(any(test, feature = "alloc"))]
pub use write::{Layout, WriteError, write};

use bucket::{Base, Bucket};

use crate::{Damaged, Entry, ImageDigest, Listing};

/// Whether bytes begin as every indexed list does: 16 bytes tell.
pub fn is_indexed(file: &[u8]) -> bool {
    file.starts_with(header::MAGIC)
}

/// A list of any size in an indexed file, searched where it lies: in flash, in memory, in a map of a
/// file on disk. See `docs/allowlist.md` for the format, byte by byte.
///
/// Opening looks at the header and at the log. Finding a digest reads one bucket of a few rows, compares
/// all 256 bits, and holds the row against the checksum in it, or the bucket against its own; it
/// allocates nothing. Where a bit has flipped that the answer rests on, it is [`Damaged`]. The checksums
/// guard against decay, not against somebody who can write the file.
#[derive(Clone, Copy, Debug)]
pub struct IndexedList<'l> {
    base: Base<'l>,
    log: Log<'l>,
}

impl<'l> IndexedList<'l> {
    /// Opens the bytes of a whole file.
    ///
    /// # Errors
    /// [`IndexError`]: it is no indexed list, is cut or too long, or header or log are damaged.
    pub fn open(file: &'l [u8]) -> Result<Self, IndexError> {
        let header = Header::read(file)?;
        let log_at = usize::try_from(header.log_at()).map_err(|_| IndexError::Size)?;
        match file.split_at_checked(log_at) {
            Some((base, log)) => Self::of(header, base, log),
            None => Err(IndexError::length(&header, file.len())),
        }
    }

    /// Opens a file of which the log was read apart: it changes, what is before [`Header::log_at`] does
    /// not.
    ///
    /// # Errors
    /// As of [`open`](Self::open).
    pub fn open_parts(base: &'l [u8], log: &'l [u8]) -> Result<Self, IndexError> {
        Self::of(Header::read(base)?, base, log)
    }

    /// A file without its log, whose header was read before: so little work that it can be done before
    /// each look-up. Where bytes end before [`Header::log_at`], what is missing is [`Damaged`].
    #[inline]
    pub fn of_base(header: &Header, bytes: &'l [u8]) -> Self {
        let header = *header;
        Self {
            base: Base { header, bytes },
            log: Log::EMPTY,
        }
    }

    fn of(header: Header, base: &'l [u8], log: &'l [u8]) -> Result<Self, IndexError> {
        let found = base.len() as u64 + log.len() as u64;
        if base.len() as u64 != header.log_at() || found != header.file_length() {
            return Err(IndexError::length(&header, base.len() + log.len()));
        }
        let log = Log::read(log, &header).map_err(IndexError::Damaged)?;
        let base = Base {
            header,
            bytes: base,
        };
        Ok(Self { base, log })
    }

    /// What the list says of `digest`; `None` if it does not have it.
    ///
    /// # Errors
    /// [`Damaged`]: the bucket that the digest would be in is not as it was written.
    #[inline]
    pub fn find(&self, digest: &ImageDigest) -> Result<Option<Entry<'l>>, Damaged> {
        if self.log.used() > 0
            && let Some(change) = self.log.find(digest)
        {
            return Ok(change.entry);
        }
        self.base.find(digest)
    }

    /// As [`find`](Self::find) for many digests, in their order, in less time than one by one: what
    /// memory takes to answer is waited for together.
    pub fn find_many(
        &self,
        digests: &[ImageDigest],
        mut each: impl FnMut(&ImageDigest, Result<Option<Entry<'l>>, Damaged>),
    ) {
        for digests in digests.chunks(BATCH) {
            let buckets = self.base.fetch(digests);
            for (digest, bucket) in digests.iter().zip(&buckets) {
                let found = match self.log.find(digest) {
                    Some(change) => Ok(change.entry),
                    None => self.base.search(bucket, digest),
                };
                each(digest, found);
            }
        }
    }

    /// All digests in ascending order with what is said of them, changes of the log included.
    pub fn rows(&self) -> Rows<'l> {
        Rows::new(*self)
    }

    /// The list as it was when the file was written.
    pub fn without_log(&self) -> Self {
        Self {
            log: Log::EMPTY,
            ..*self
        }
    }

    /// What the file says of itself.
    pub const fn header(&self) -> &Header {
        &self.base.header
    }

    /// What was changed since the file was written.
    pub const fn log(&self) -> &Log<'l> {
        &self.log
    }
}

impl Listing for IndexedList<'_> {
    fn find(&self, digest: &ImageDigest) -> Result<Option<Entry<'_>>, Damaged> {
        Self::find(self, digest)
    }
}

impl<'l> Base<'l> {
    /// Reads the index for all digests of a batch, then a byte of each line of memory that their rows
    /// and checksums are in: plain loads that do not wait for each other.
    fn fetch(&self, digests: &[ImageDigest]) -> [Bucket; BATCH] {
        let mut buckets = [Bucket::default(); BATCH];
        for (bucket, digest) in buckets.iter_mut().zip(digests) {
            *bucket = self.bucket(self.header.bucket_of(digest.as_bytes()));
        }
        let mut touched = 0;
        for bucket in buckets.iter().take(digests.len()) {
            let rows = self.rows_of(bucket).unwrap_or_default();
            let some = rows.iter().step_by(2).take(2).chain(rows.last());
            touched = some.fold(touched, |touched, [first, ..]| touched ^ first);
            touched ^= self
                .checksum_of(bucket)
                .map_or(0, |checksum| checksum as u8);
        }
        // Else the compiler would leave the loads out.
        core::hint::black_box(touched);
        buckets
    }
}

/// Look-ups that wait for memory together: as many loads as a processor has under way, and some.
const BATCH: usize = 32;
