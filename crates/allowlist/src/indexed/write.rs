use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::checksum::{BucketSum, Row, content_of, sum, words};
use super::header::{Header, INDEX_AT};
use super::log::SLOT;
use super::records::{EXPIRES, HEAD, NOT_BEFORE, OWNER, REASON, REPOSITORY, TENANT, start};
use super::sort::order;
use crate::{Entry, ImageDigest};

/// What a writer decides beside the entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// A number for the list, as its owner likes.
    pub serial: u64,
    /// For how many changes the log has room; 64 bytes each.
    pub log_slots: u32,
}

impl Default for Layout {
    /// Serial 0, and 64 KiB of log.
    fn default() -> Self {
        Self {
            serial: 0,
            log_slots: 1024,
        }
    }
}

/// Writes an indexed list piece by piece to `sink`: the same entries and layout make the same bytes.
///
/// `entries` yields the same entries each time it is called, in ascending order of their digests, each
/// once ([`sort`](super::sort) and `dedup` bring digests there). It is called up to four times, so that only
/// the texts of entries and two bytes a digest have to be held in memory.
///
/// # Errors
/// [`WriteError`]; what the sink has then is no list.
pub fn write<'e, I, S, W>(
    entries: impl Fn() -> I,
    layout: &Layout,
    sink: impl FnMut(&[u8]) -> Result<(), W>,
) -> Result<Header, WriteError<S, W>>
where
    I: Iterator<Item = Result<(ImageDigest, Entry<'e>), S>>,
{
    write_into(buckets, entries, layout, sink)
}

/// Into as many buckets as are said to be right for so many digests.
pub(super) fn write_into<'e, I, S, W>(
    buckets: impl Fn(u32) -> u32,
    entries: impl Fn() -> I,
    layout: &Layout,
    sink: impl FnMut(&[u8]) -> Result<(), W>,
) -> Result<Header, WriteError<S, W>>
where
    I: Iterator<Item = Result<(ImageDigest, Entry<'e>), S>>,
{
    let survey = Survey::of(entries())?;
    let (content, records) = survey.records()?;
    let header = Header {
        count: survey.count,
        buckets: buckets(survey.count),
        numbered: !survey.known.is_empty(),
        records: survey.known.len() as u32,
        entries_length: records.len() as u64,
        log_slots: layout.log_slots,
        serial: layout.serial,
        content,
    };
    let mut out = Output::new(sink);
    out.put(&header.to_bytes())?;
    write_index(&header, &survey, entries(), &mut out)?;
    out.pad(header.rows_at())?;
    for entry in entries() {
        let (digest, _) = entry.map_err(WriteError::Source)?;
        let row = header.row_of(header.bucket_of(digest.as_bytes()), &digest);
        out.put(row.map(u64::to_le_bytes).as_flattened())?;
    }
    if header.numbered {
        for entry in entries() {
            let number = survey.number(&entry.map_err(WriteError::Source)?.1);
            out.put(&number.to_le_bytes())?;
        }
    }
    out.pad(header.entries_at())?;
    out.put(&records)?;
    out.pad(header.log_at())?;
    for _ in 0..header.log_slots {
        out.put(&[0; SLOT])?;
    }
    out.finish()?;
    Ok(header)
}

/// Why a list was not written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError<S, W> {
    /// Reading the entries failed.
    #[error("the entries cannot be read: {0}")]
    Source(S),
    /// The sink took no more.
    #[error("the list cannot be written: {0}")]
    Sink(W),
    /// An entry is not above the one before it.
    #[error("{0} is not above the digest before it")]
    Order(ImageDigest),
    /// More than 2^32 - 1 digests.
    #[error("an indexed list has at most 4294967295 digests")]
    TooMany,
    /// A text of more than 65535 bytes, or 4 GiB of them.
    #[error("the texts of the entries are longer than an indexed list can hold")]
    TooLong,
}

/// So many that 20 buckets have 41 rows: as many as 36 bytes a digest allow.
pub(super) fn buckets(count: u32) -> u32 {
    (u64::from(count) * 20).div_ceil(41).max(1) as u32
}

/// What has to be known before the first byte is written.
struct Survey<'e> {
    count: u32,
    /// All entries that say anything, numbered from 1 in the order of their first digest.
    known: BTreeMap<Key<'e>, u32>,
    /// What the digests add to the list's content.
    sum: u64,
}

type Key<'e> = ([Option<u64>; 2], [Option<&'e str>; 4]);

impl<'e> Survey<'e> {
    fn of<S, W>(
        entries: impl Iterator<Item = Result<(ImageDigest, Entry<'e>), S>>,
    ) -> Result<Self, WriteError<S, W>> {
        let mut survey = Self {
            count: 0,
            known: BTreeMap::new(),
            sum: 0,
        };
        let mut before = None;
        for entry in entries {
            let (digest, entry) = entry.map_err(WriteError::Source)?;
            let place = order(&digest);
            if before.is_some_and(|before| before >= place) {
                return Err(WriteError::Order(digest));
            }
            before = Some(place);
            survey.count = survey.count.checked_add(1).ok_or(WriteError::TooMany)?;
            let mut number = 0;
            if entry != Entry::default() {
                number = survey.known.len() as u32 + 1;
                number = *survey.known.entry(key(&entry)).or_insert(number);
            }
            let digest = content_of(&words(digest.as_bytes()), number);
            survey.sum = survey.sum.wrapping_add(digest);
        }
        Ok(survey)
    }

    fn number(&self, entry: &Entry<'e>) -> u32 {
        if self.known.is_empty() || *entry == Entry::default() {
            return 0;
        }
        self.known.get(&key(entry)).copied().unwrap_or_default()
    }

    /// The header's `content`, and the table and the records.
    fn records<S, W>(&self) -> Result<(u64, Vec<u8>), WriteError<S, W>> {
        let mut by_number: Vec<(u32, Vec<u8>)> = Vec::new();
        for (key, number) in &self.known {
            by_number.push((*number, record(key).ok_or(WriteError::TooLong)?));
        }
        by_number.sort_unstable_by_key(|(number, _)| *number);
        let records = by_number.iter();
        let content = records.fold(0, |before, (_, record)| sum(before, record));
        let content = self.sum.wrapping_add(content);
        let table = (by_number.len() * 4).next_multiple_of(8);
        let (mut places, mut records) = (Vec::new(), Vec::new());
        for (number, record) in by_number {
            let place = u32::try_from(table + records.len()).map_err(|_| WriteError::TooLong)?;
            places.extend(place.to_le_bytes());
            let checksum = sum(start(content, number), &record);
            records.extend(record);
            records.extend(checksum.to_le_bytes());
        }
        places.resize(table, 0);
        places.append(&mut records);
        u32::try_from(places.len()).map_err(|_| WriteError::TooLong)?;
        Ok((content, places))
    }
}

fn key<'e>(entry: &Entry<'e>) -> Key<'e> {
    let texts = [entry.tenant, entry.repository, entry.owner, entry.reason];
    ([entry.not_before, entry.expires], texts)
}

/// A record without its checksum; `None` if a text is too long.
fn record((times, texts): &Key<'_>) -> Option<Vec<u8>> {
    let said = times
        .iter()
        .map(Option::is_some)
        .chain(texts.iter().map(Option::is_some));
    let bits = [NOT_BEFORE, EXPIRES, TENANT, REPOSITORY, OWNER, REASON];
    let present = said
        .zip(bits)
        .map(|(said, bit)| if said { bit } else { 0 })
        .sum::<u32>();
    let text = texts.iter().map(|text| text.unwrap_or_default());
    let length = text.clone().map(str::len).sum::<usize>() + HEAD;
    let padded = length.next_multiple_of(8);
    let mut record = Vec::with_capacity(padded);
    record.extend((u64::from(present) | (padded as u64 + 8) << 32).to_le_bytes());
    record.extend(
        times
            .iter()
            .flat_map(|time| time.unwrap_or_default().to_le_bytes()),
    );
    for text in text.clone() {
        record.extend(u16::try_from(text.len()).ok()?.to_le_bytes());
    }
    record.extend(text.flat_map(str::bytes));
    record.resize(padded, 0);
    Some(record)
}

fn write_index<'e, S, W>(
    header: &Header,
    survey: &Survey<'e>,
    entries: impl Iterator<Item = Result<(ImageDigest, Entry<'e>), S>>,
    out: &mut Output<impl FnMut(&[u8]) -> Result<(), W>>,
) -> Result<(), WriteError<S, W>> {
    let mut rows: Vec<(Row, u32)> = Vec::new();
    let mut checksums: Vec<u8> = Vec::new();
    let mut start = 0u32;
    let mut close = |bucket: &mut u32, rows: &mut Vec<(Row, u32)>| {
        let mut sum = BucketSum::new(header.content, *bucket, rows.len() as u32);
        rows.iter().for_each(|(row, number)| sum.add(row, *number));
        checksums.extend(sum.finish().to_le_bytes());
        let began = start;
        start += rows.len() as u32;
        *bucket += 1;
        rows.clear();
        out.put(&began.to_le_bytes())
    };
    let mut open = 0;
    for entry in entries {
        let (digest, entry) = entry.map_err(WriteError::Source)?;
        while open < header.bucket_of(digest.as_bytes()) {
            close(&mut open, &mut rows)?;
        }
        rows.push((header.row_of(open, &digest), survey.number(&entry)));
    }
    while open < header.buckets {
        close(&mut open, &mut rows)?;
    }
    out.put(&header.count.to_le_bytes())?;
    out.put(&checksums)
}

/// The sink behind a buffer, and how far the file has come.
struct Output<K> {
    sink: K,
    buffer: Vec<u8>,
    at: u64,
}

impl<K> Output<K> {
    fn new(sink: K) -> Self {
        Self {
            sink,
            buffer: Vec::new(),
            at: 0,
        }
    }

    #[inline]
    fn put<S, W>(&mut self, bytes: &[u8]) -> Result<(), WriteError<S, W>>
    where
        K: FnMut(&[u8]) -> Result<(), W>,
    {
        self.at += bytes.len() as u64;
        if self.buffer.len() + bytes.len() < PIECE {
            self.buffer.extend_from_slice(bytes);
            return Ok(());
        }
        self.fill(bytes)
    }

    fn fill<S, W>(&mut self, mut bytes: &[u8]) -> Result<(), WriteError<S, W>>
    where
        K: FnMut(&[u8]) -> Result<(), W>,
    {
        while let Some((fits, rest)) = bytes.split_at_checked(PIECE - self.buffer.len()) {
            self.buffer.extend_from_slice(fits);
            self.finish()?;
            bytes = rest;
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// Zeros up to a place, less than a page away.
    fn pad<S, W>(&mut self, place: u64) -> Result<(), WriteError<S, W>>
    where
        K: FnMut(&[u8]) -> Result<(), W>,
    {
        let missing = place.saturating_sub(self.at) as usize;
        self.put([0; INDEX_AT as usize].get(..missing).unwrap_or_default())
    }

    fn finish<S, W>(&mut self) -> Result<(), WriteError<S, W>>
    where
        K: FnMut(&[u8]) -> Result<(), W>,
    {
        (self.sink)(&self.buffer).map_err(WriteError::Sink)?;
        self.buffer.clear();
        Ok(())
    }
}

/// Bytes that the sink gets at once, all of them but for the last: with pieces of this size at multiples
/// of it, a file system can keep a file in large pages, in which memory is found sooner.
const PIECE: usize = 1 << 21;
