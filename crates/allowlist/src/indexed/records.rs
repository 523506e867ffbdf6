use super::checksum::sum;
use super::header::number;
use crate::{Damaged, Entry};

/// What is said of digests beyond that they are listed: a table of places, then the records.
#[derive(Clone, Copy, Debug)]
pub(super) struct Records<'l> {
    /// Where this part begins in the file.
    at: u64,
    table: &'l [[u8; 4]],
    /// The part, table included: places count from its first byte.
    bytes: &'l [u8],
}

impl<'l> Records<'l> {
    /// Of `count` records and the part of the file that begins at `at`.
    pub(super) fn new(at: u64, count: u32, bytes: &'l [u8]) -> Self {
        let (table, _) = bytes.as_chunks();
        let table = table.get(..count as usize).unwrap_or_default();
        Self { at, table, bytes }
    }

    /// The entry of a number; nothing is said under 0.
    pub(super) fn get(&self, wanted: u32) -> Result<Entry<'l>, Damaged> {
        let Some(place) = wanted.checked_sub(1) else {
            return Ok(Entry::default());
        };
        let at = self.at + u64::from(place) * 4;
        let place = self.table.get(place as usize).ok_or(Damaged { at })?;
        let place = u32::from_le_bytes(*place);
        let record = self
            .bytes
            .get(place as usize..)
            .and_then(|bytes| read(wanted, bytes));
        record.ok_or(Damaged {
            at: self.at + u64::from(place),
        })
    }
}

/// Reads the record that bytes begin with, if its checksum is right.
fn read(wanted: u32, bytes: &[u8]) -> Option<Entry<'_>> {
    let length = number(bytes.first_chunk::<8>()?, 0);
    let (_, length) = (length as u32, (length >> 32) as usize);
    let (record, checksum) = bytes.get(..length)?.split_last_chunk::<8>()?;
    if record.len() < HEAD || u64::from_le_bytes(*checksum) != sum(wanted.into(), record) {
        return None;
    }
    let (head, strings) = record.split_at_checked(HEAD)?;
    let present = number(head, 0) as u32;
    let mut lengths = number(head, 24);
    let mut strings = core::str::from_utf8(strings).ok()?;
    let mut next = |bit: u32| -> Option<Option<&str>> {
        let length = (lengths & 0xffff) as usize;
        lengths >>= 16;
        let (string, rest) = strings.split_at_checked(length)?;
        strings = rest;
        Some((present & bit != 0).then_some(string))
    };
    Some(Entry {
        not_before: (present & NOT_BEFORE != 0).then(|| number(head, 8)),
        expires: (present & EXPIRES != 0).then(|| number(head, 16)),
        tenant: next(TENANT)?,
        repository: next(REPOSITORY)?,
        owner: next(OWNER)?,
        reason: next(REASON)?,
    })
}

pub(super) const NOT_BEFORE: u32 = 1;
pub(super) const EXPIRES: u32 = 2;
pub(super) const TENANT: u32 = 4;
pub(super) const REPOSITORY: u32 = 8;
pub(super) const OWNER: u32 = 16;
pub(super) const REASON: u32 = 32;
/// Bytes of a record before its strings.
pub(super) const HEAD: usize = 32;
