#![no_main]

use std::convert::Infallible;
use std::sync::{LazyLock, Mutex, PoisonError};

use gangplank_allowlist::indexed::{Header, Layout, write};
use gangplank_allowlist::{Entry, ImageDigest, IndexedList};
use libfuzzer_sys::fuzz_target;

// A list so large that its rows are sealed, of which bits were flipped, two in a row and one in a word
// elsewhere at most: each answer is right, or says that the list is damaged. Four bytes of the input are
// a place.
fuzz_target!(|data: &[u8]| {
    let list = match data.first() {
        Some(first) if first & 1 == 0 => &PLAIN,
        _ => &WITH_ENTRIES,
    };
    let mut file = list.file.lock().unwrap_or_else(PoisonError::into_inner);
    let mut bits: Vec<usize> = data
        .as_chunks()
        .0
        .iter()
        .take(16)
        .map(|place| u32::from_be_bytes(*place) as usize % (file.len() * 8))
        .collect();
    bits.sort_unstable();
    bits.dedup();
    let mut before = [usize::MAX; 2];
    bits.retain(|bit| {
        let unit = list.unit(*bit / 8);
        let [one, other] = before;
        before = [other, unit];
        unit != other || (unit != one && list.row(*bit / 8).is_some())
    });
    bits.iter().for_each(|bit| file[bit / 8] ^= 1 << (bit % 8));
    list.judge(&file, &bits);
    bits.iter().for_each(|bit| file[bit / 8] ^= 1 << (bit % 8));
});

struct Sealed {
    header: Header,
    /// In ascending order, as the rows of the file.
    digests: Vec<ImageDigest>,
    entries: [Entry<'static>; 2],
    rows_at: usize,
    file: Mutex<Vec<u8>>,
}

static PLAIN: LazyLock<Sealed> = LazyLock::new(|| Sealed::new([Entry::default(); 2]));
static WITH_ENTRIES: LazyLock<Sealed> = LazyLock::new(|| {
    let mut entry = Entry::default();
    entry.tenant = Some("acme");
    Sealed::new([Entry::default(), entry])
});

impl Sealed {
    fn new(entries: [Entry<'static>; 2]) -> Self {
        let mut state = 1u64;
        let mut word = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 32) as u8
        };
        let mut digests: Vec<ImageDigest> = (0..COUNT)
            .map(|_| ImageDigest::from_bytes(std::array::from_fn(|_| word())))
            .collect();
        digests.sort_unstable();
        digests.dedup();
        let layout = Layout {
            serial: 1,
            log_slots: 4,
        };
        let mut file = Vec::new();
        let source = || {
            let listed = digests.iter().enumerate();
            listed.map(|(place, digest)| Ok::<_, Infallible>((*digest, entries[place % 2])))
        };
        let header = write(source, &layout, |bytes| {
            file.extend_from_slice(bytes);
            Ok::<_, Infallible>(())
        });
        // 4096 bytes of header, then two numbers a bucket and one more: docs/allowlist.md.
        let buckets = (COUNT * 20).div_ceil(41);
        let rows_at = (4096 + 4 * (2 * buckets + 1)).next_multiple_of(64);
        assert_eq!(digests.len(), COUNT);
        assert!(buckets >= 1 << 16);
        Self {
            header: header.expect("sorted entries"),
            digests,
            entries,
            rows_at,
            file: Mutex::new(file),
        }
    }

    /// What has one checksum: a row, or a word elsewhere.
    fn unit(&self, byte: usize) -> usize {
        match self.row(byte) {
            Some(row) => usize::MAX - row,
            None => byte / 8,
        }
    }

    fn row(&self, byte: usize) -> Option<usize> {
        let row = byte.checked_sub(self.rows_at)? / 32;
        (row < self.digests.len()).then_some(row)
    }

    fn judge(&self, file: &[u8], bits: &[usize]) {
        let Ok(list) = IndexedList::open(file) else {
            return assert!(!bits.is_empty());
        };
        let asked = self.questions(file, bits);
        let judge = |digest: &ImageDigest, found: Result<Option<Entry<'_>>, _>| match found {
            Ok(found) => assert_eq!(found, self.right(digest), "{digest}"),
            Err(_) => assert!(!bits.is_empty()),
        };
        list.find_many(&asked, judge);
        asked
            .iter()
            .for_each(|digest| judge(digest, list.find(digest)));
        assert_eq!(list.header(), &self.header);
    }

    fn right(&self, digest: &ImageDigest) -> Option<Entry<'static>> {
        let place = self.digests.binary_search(digest).ok()?;
        Some(self.entries[place % 2])
    }

    /// The rows around what was flipped, and what the flipped rows now say.
    fn questions(&self, file: &[u8], bits: &[usize]) -> Vec<ImageDigest> {
        let mut asked = vec![self.digests[0], self.digests[COUNT - 1]];
        for byte in bits.iter().map(|bit| bit / 8) {
            let row = match self.row(byte) {
                Some(row) => row,
                // A word of the index: the buckets have two rows each, but for chance.
                None if byte < self.rows_at => {
                    byte.saturating_sub(4096) / 4 % (COUNT * 20 / 41) * 41 / 20
                }
                None => byte % COUNT,
            };
            let around = row.saturating_sub(300)..(row + 300).min(COUNT);
            asked.extend(self.digests.get(around).into_iter().flatten());
            if self.row(byte).is_some() {
                let at = self.rows_at + row * 32;
                let mut now = *self.digests[row].as_bytes();
                now[2..].copy_from_slice(&file[at + 2..at + 32]);
                asked.push(ImageDigest::from_bytes(now));
            }
        }
        asked
    }
}

/// A little more than the smallest list of sealed rows.
const COUNT: usize = 134_400;
