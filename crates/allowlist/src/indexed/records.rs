use super::checksum::sum;
use super::header::{Header, number};
use crate::{Damaged, Entry};

/// What is said of digests beyond that they are listed: a table of places, then the records.
#[derive(Clone, Copy, Debug)]
pub(super) struct Records<'l> {
    /// Where this part begins in the file.
    at: u64,
    content: u64,
    table: &'l [[u8; 4]],
    /// The part, table included: places count from its first byte.
    bytes: &'l [u8],
}

impl<'l> Records<'l> {
    /// The records of a file, and the part of it where they are.
    pub(super) fn new(header: &Header, bytes: &'l [u8]) -> Self {
        let (table, _) = bytes.as_chunks();
        let table = table.get(..header.records as usize);
        Self {
            at: header.entries_at(),
            content: header.content,
            table: table.unwrap_or_default(),
            bytes,
        }
    }

    /// The entry of a number; nothing is said under 0.
    pub(super) fn get(&self, wanted: u32) -> Result<Entry<'l>, Damaged> {
        match wanted {
            0 => Ok(Entry::default()),
            _ => self.record(wanted).map(|(_, entry)| entry),
        }
    }

    /// The bytes of a record whose number is not 0, without their checksum, and what they say.
    pub(super) fn record(&self, wanted: u32) -> Result<(&'l [u8], Entry<'l>), Damaged> {
        let place = wanted.wrapping_sub(1);
        let at = self.at + u64::from(place) * 4;
        let place = self.table.get(place as usize).ok_or(Damaged { at })?;
        let place = u32::from_le_bytes(*place);
        let bytes = self.bytes.get(place as usize..);
        let record = bytes.and_then(|bytes| split(start(self.content, wanted), bytes));
        let read = record.and_then(|record| Some((record, read(record)?)));
        read.ok_or(Damaged {
            at: self.at + u64::from(place),
        })
    }
}

/// What the checksum of a record begins with in a list with this `content`.
pub(super) fn start(content: u64, number: u32) -> u64 {
    content.wrapping_add(number.into())
}

/// The record that bytes begin with, if its checksum is right.
fn split(start: u64, bytes: &[u8]) -> Option<&[u8]> {
    let length = (number(bytes.first_chunk::<8>()?, 0) >> 32) as usize;
    let (record, checksum) = bytes.get(..length)?.split_last_chunk::<8>()?;
    (u64::from_le_bytes(*checksum) == sum(start, record)).then_some(record)
}

fn read(record: &[u8]) -> Option<Entry<'_>> {
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
