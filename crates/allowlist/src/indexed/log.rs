//! The end of an indexed file: changes since it was written, one slot of 64 bytes for each.

use super::checksum::sum;
use super::header::{Header, number};
use crate::{Change, Damaged, Entry, ImageDigest};

/// The changes of an indexed file that count: those up to the end of the last whole commit.
#[derive(Clone, Copy, Debug)]
pub struct Log<'l> {
    slots: &'l [[u8; SLOT]],
    /// Where the last commit that counts begins, and where it ends.
    begins: usize,
    used: usize,
    tail: Tail,
}

/// What a log has after its last whole commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// Empty slots only: the next commit may be written there.
    Empty,
    /// A part of a commit that was cut off, or is being written now. It does not count.
    Unfinished,
}

impl<'l> Log<'l> {
    pub(super) const EMPTY: Self = Self {
        slots: &[],
        begins: 0,
        used: 0,
        tail: Tail::Empty,
    };

    /// Reads the log of a file: all bytes from [`Header::log_at`] on.
    ///
    /// # Errors
    /// [`Damaged`]: a slot is neither empty nor right, or one is missing before a later commit. What it
    /// said is not known, so nothing of the list can be believed. While somebody writes, a slot may look
    /// so for a moment.
    pub fn read(bytes: &'l [u8], header: &Header) -> Result<Self, Damaged> {
        let slots = bytes.as_chunks().0;
        let salt = header.checksum();
        let (mut begins, mut used, mut last, mut gap) = (0, 0, 0, false);
        for (place, slot) in slots.iter().enumerate() {
            if *slot == EMPTY {
                gap = true;
                continue;
            }
            let at = header.log_at() + (place * SLOT) as u64;
            let slot = Slot::read(slot, place, salt).ok_or(Damaged { at })?;
            // All slots of a commit say where it begins. One that begins after a gap proves that what
            // was in the gap had been written.
            if slot.first != used {
                return Err(Damaged { at });
            }
            last = place + 1;
            if slot.ends && !gap {
                (begins, used) = (slot.first, last);
            }
        }
        let tail = if last > used {
            Tail::Unfinished
        } else {
            Tail::Empty
        };
        Ok(Self {
            slots,
            begins,
            used,
            tail,
        })
    }

    /// What was last said of `digest` since the file was written; `None` if nothing was.
    pub fn find(&self, digest: &ImageDigest) -> Option<Change<'static>> {
        self.changes().rev().find(|change| change.digest == *digest)
    }

    /// All changes that count, in the order in which they were made.
    pub fn changes(&self) -> impl DoubleEndedIterator<Item = Change<'static>> + Clone + use<'l> {
        let used = self.slots.get(..self.used).unwrap_or_default();
        used.iter().filter_map(change)
    }

    /// The slots of the last commit that counts; none if none does.
    pub fn last_commit(&self) -> &'l [[u8; SLOT]] {
        self.slots.get(self.begins..self.used).unwrap_or_default()
    }

    /// How many slots count.
    pub const fn used(&self) -> usize {
        self.used
    }

    /// What is behind them.
    pub const fn tail(&self) -> Tail {
        self.tail
    }
}

/// The slots that say `changes` in one commit, for the places from `used` on in the log of a file.
/// Written there and made durable, they count all or not at all.
///
/// `None` if there is no room for them, or if one says more than times: then the file has to be written
/// anew.
pub fn commit<'c>(
    header: &Header,
    used: usize,
    changes: &'c [Change<'c>],
) -> Option<impl Iterator<Item = [u8; SLOT]> + use<'c>> {
    let room = (header.log_slots() as usize).checked_sub(used)?;
    let fits = changes.len() <= room.min(usize::from(u16::MAX));
    if !fits || !changes.iter().all(|change| says_times_only(change)) {
        return None;
    }
    let salt = header.checksum();
    let last = changes.len().saturating_sub(1);
    Some(changes.iter().enumerate().map(move |(place, change)| {
        let ends = if place == last { ENDS } else { 0 };
        write(change, used + place, place, ends, salt)
    }))
}

fn says_times_only(change: &Change<'_>) -> bool {
    let Some(entry) = change.entry else {
        return true;
    };
    entry
        == Entry {
            not_before: entry.not_before,
            expires: entry.expires,
            ..Entry::default()
        }
}

fn write(change: &Change<'_>, at: usize, place: usize, ends: u64, salt: u64) -> [u8; SLOT] {
    let entry = change.entry.unwrap_or_default();
    let operation = if change.entry.is_some() { ADD } else { REMOVE };
    let times = u64::from(entry.not_before.is_some()) | u64::from(entry.expires.is_some()) << 1;
    let what = (at as u64 + 1) | (operation | ends) << 32 | times << 40 | (place as u64) << 48;
    let mut slot = EMPTY;
    let numbers = [entry.not_before, entry.expires].map(Option::unwrap_or_default);
    let bytes = what
        .to_le_bytes()
        .into_iter()
        .chain(*change.digest.as_bytes());
    let bytes = bytes.chain(numbers.into_iter().flat_map(u64::to_le_bytes));
    slot.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    if let Some((fields, checksum)) = slot.split_last_chunk_mut::<8>() {
        *checksum = sum(salt, fields).to_le_bytes();
    }
    slot
}

struct Slot {
    /// The place of the first slot of the commit.
    first: usize,
    ends: bool,
}

impl Slot {
    fn read(slot: &[u8; SLOT], place: usize, salt: u64) -> Option<Self> {
        let (fields, checksum) = slot.split_last_chunk::<8>()?;
        let what = number(slot, 0);
        let right = u64::from_le_bytes(*checksum) == sum(salt, fields)
            && what & 0xffff_ffff == place as u64 + 1
            && matches!(what >> 32 & !ENDS & 0xff, ADD | REMOVE);
        right.then_some(())?;
        Some(Self {
            first: place.checked_sub((what >> 48) as usize)?,
            ends: what >> 32 & ENDS != 0,
        })
    }
}

/// What a slot says that was found to be right.
fn change(slot: &[u8; SLOT]) -> Option<Change<'static>> {
    let what = number(slot, 0) >> 32;
    let digest = slot.get(8..40)?.first_chunk::<32>()?;
    let entry = Entry {
        not_before: (what & 1 << 8 != 0).then(|| number(slot, 40)),
        expires: (what & 2 << 8 != 0).then(|| number(slot, 48)),
        ..Entry::default()
    };
    Some(Change {
        digest: ImageDigest::from_bytes(*digest),
        entry: (what & !ENDS & 0xff == ADD).then_some(entry),
    })
}

/// The bytes of a slot of a log.
pub const SLOT: usize = 64;
const EMPTY: [u8; SLOT] = [0; SLOT];
const ADD: u64 = 1;
const REMOVE: u64 = 2;
/// Marks the last slot of a commit.
const ENDS: u64 = 0x80;
