use super::checksum::sum;
use super::{Damaged, IndexError};

/// What an indexed file says of itself: how much it has of each part. Where the parts lie follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub(super) count: u32,
    pub(super) buckets: u32,
    pub(super) numbered: bool,
    pub(super) records: u32,
    pub(super) entries_length: u64,
    pub(super) log_slots: u32,
    pub(super) serial: u64,
    /// The sum of all rows and records, with which all other checksums begin: what an earlier file left
    /// on the disk is not taken for this one's.
    pub(super) content: u64,
}

impl Header {
    /// Reads the first [`Header::LENGTH`] bytes of a file.
    ///
    /// # Errors
    /// [`IndexError`]: it is no indexed list, or of a later kind, or damaged.
    pub fn read(file: &[u8]) -> Result<Self, IndexError> {
        let header = file.first_chunk::<{ Self::LENGTH }>();
        let header = header.ok_or(IndexError::Short(file.len() as u64))?;
        let (fields, rest) = header.split_at(FIELDS);
        if !fields.starts_with(MAGIC) {
            return Err(IndexError::NotAList);
        }
        let (fields, checksum) = fields.split_at(FIELDS - 8);
        if number(checksum, 0) != sum(0, fields) || rest != ZEROS {
            return Err(IndexError::Damaged(Damaged { at: 0 }));
        }
        Self::of_fields(fields)
    }

    fn of_fields(fields: &[u8]) -> Result<Self, IndexError> {
        let kind = number(fields, 16);
        let (version, flags) = (kind as u32, kind >> 32);
        if version != VERSION || flags > NUMBERED {
            return Err(IndexError::Kind {
                version,
                flags: flags as u32,
            });
        }
        let small = |at| u32::try_from(number(fields, at)).map_err(|_| IndexError::Size);
        let header = Self {
            count: small(24)?,
            buckets: small(32)?,
            numbered: flags == NUMBERED,
            records: small(40)?,
            entries_length: number(fields, 48),
            log_slots: small(56)?,
            serial: number(fields, 64),
            content: number(fields, 72),
        };
        let table = u64::from(header.records) * 4;
        let fits = header.buckets > 0 && header.entries_length >= table;
        // Places are of 64 bits and the parts of less, but for this one.
        if !fits || header.entries_length > u64::from(u32::MAX) {
            return Err(IndexError::Size);
        }
        Ok(header)
    }

    /// The bytes of the header: one page, mostly zeros.
    pub const LENGTH: usize = 4096;

    /// How many digests the file had when it was written; its log may add and remove some.
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// The serial number that the list was given when the file was written.
    pub const fn serial(&self) -> u64 {
        self.serial
    }

    /// How many changes the log has room for.
    pub const fn log_slots(&self) -> u32 {
        self.log_slots
    }

    /// Where the log begins, in bytes: a multiple of 4096. What is before it never changes.
    pub const fn log_at(&self) -> u64 {
        (self.entries_at() + self.entries_length).next_multiple_of(4096)
    }

    /// The bytes of the whole file.
    pub const fn file_length(&self) -> u64 {
        self.log_at() + self.log_slots as u64 * 64
    }

    /// Behind where each bucket begins, and the last one ends.
    pub(super) const fn checksums_at(&self) -> u64 {
        INDEX_AT + (self.buckets as u64 + 1) * 4
    }

    #[inline]
    pub(super) const fn rows_at(&self) -> u64 {
        aligned(self.checksums_at() + self.buckets as u64 * 4)
    }

    #[inline]
    pub(super) const fn numbers_at(&self) -> u64 {
        self.rows_at() + self.count as u64 * 32
    }

    pub(super) const fn entries_at(&self) -> u64 {
        let numbers = if self.numbered {
            self.count as u64 * 4
        } else {
            0
        };
        aligned(self.numbers_at() + numbers)
    }

    /// The bucket that a digest is in: buckets share the range of its first 32 bits evenly.
    #[inline]
    pub(super) fn bucket_of(&self, digest: &[u8; 32]) -> u32 {
        let first = digest
            .first_chunk::<4>()
            .map_or(0, |first| u32::from_be_bytes(*first));
        ((u64::from(first) * u64::from(self.buckets)) >> 32) as u32
    }

    /// The checksum as it is in the file; slots of the log begin theirs with it.
    pub(super) fn checksum(&self) -> u64 {
        sum(0, &self.fields())
    }

    /// The bytes of the header.
    #[cfg(any(test, feature = "alloc"))]
    pub(super) fn to_bytes(self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        let all = self
            .fields()
            .into_iter()
            .chain(self.checksum().to_le_bytes());
        bytes.iter_mut().zip(all).for_each(|(to, from)| *to = from);
        bytes
    }

    fn fields(&self) -> [u8; FIELDS - 8] {
        let kind = u64::from(VERSION) | u64::from(self.numbered) << 32;
        let numbers = [
            kind,
            self.count.into(),
            self.buckets.into(),
            self.records.into(),
            self.entries_length,
            self.log_slots.into(),
            self.serial,
            self.content,
        ];
        let mut fields = [0; FIELDS - 8];
        let bytes = MAGIC
            .iter()
            .copied()
            .chain(numbers.into_iter().flat_map(u64::to_le_bytes));
        fields
            .iter_mut()
            .zip(bytes)
            .for_each(|(to, from)| *to = from);
        fields
    }
}

/// The little-endian number at a place that the caller knows to be there.
#[inline]
pub(super) fn number(bytes: &[u8], at: usize) -> u64 {
    let found = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>);
    found.map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// The next place of a line of memory.
const fn aligned(place: u64) -> u64 {
    (place + 63) & !63
}

/// What every indexed file begins with. The control character stops it from being shown as text.
pub(super) const MAGIC: &[u8; 16] = b"gangplank list\n\x1a";
pub(super) const INDEX_AT: u64 = Header::LENGTH as u64;
const VERSION: u32 = 1;
const NUMBERED: u64 = 1;
const ZEROS: &[u8] = &[0; Header::LENGTH - FIELDS];
/// Bytes before the zeros: the magic, eight numbers and the checksum.
const FIELDS: usize = 88;
