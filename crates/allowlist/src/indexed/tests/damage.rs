use std::collections::BTreeSet;

use super::*;

/// What may be asked of a file: what it has, had and never had, and whatever its bytes now say.
fn questions(
    header: &Header,
    right: &[ImageDigest],
    file: &[u8],
    damaged: &[u8],
) -> Vec<ImageDigest> {
    let (rows, end) = (header.rows_at() as usize, header.numbers_at() as usize);
    let all = |bytes: &[u8]| -> Vec<[u8; 32]> {
        let rows = bytes[rows..end].as_chunks().0.iter();
        let rows = rows.map(|row| match header.seals() {
            true => unsealed(right, row),
            false => *row,
        });
        let slots = bytes[header.log_at() as usize..].as_chunks::<64>().0.iter();
        rows.chain(slots.map(|slot| slot[8..40].try_into().unwrap()))
            .collect()
    };
    let changed = all(damaged).into_iter().zip(all(file));
    let read = changed
        .filter(|(is, was)| is != was)
        .map(|(is, _)| ImageDigest::from_bytes(is));
    read.chain((0..45).map(digest)).collect()
}

/// What a sealed row would stand for if its seal were right, in the bucket of the digest it is nearest to.
fn unsealed(right: &[ImageDigest], row: &[u8; 32]) -> [u8; 32] {
    let distance = |digest: &&ImageDigest| {
        let pairs = digest.as_bytes()[2..].iter().zip(&row[2..]);
        pairs
            .map(|(one, other)| (one ^ other).count_ones())
            .sum::<u32>()
    };
    let nearest = right.iter().min_by_key(distance).unwrap();
    let mut digest = *row;
    digest[..2].copy_from_slice(&nearest.as_bytes()[..2]);
    digest
}

/// What the damaged file says is right, or that it is damaged. Whether not even `verify` notices.
fn judge(
    file: &[u8],
    entries: &BTreeMap<ImageDigest, Entry<'_>>,
    damaged: &[u8],
    what: &dyn Fn() -> String,
) -> bool {
    let noticed = judge_answers(file, entries, damaged, what);
    let verified = IndexedList::open(damaged).is_ok_and(|list| list.verify().is_ok());
    assert!(!(noticed && verified), "{}", what());
    verified
}

/// What the damaged file says is right, or that it is damaged. Whether an answer says so.
fn judge_answers(
    file: &[u8],
    entries: &BTreeMap<ImageDigest, Entry<'_>>,
    damaged: &[u8],
    what: &dyn Fn() -> String,
) -> bool {
    let Ok(list) = IndexedList::open(damaged) else {
        return true;
    };
    let right: Vec<_> = entries.keys().copied().collect();
    let questions = questions(list.header(), &right, file, damaged);
    let mut noticed = false;
    for digest in &questions {
        let right = entries.get(digest).copied();
        match list.find(digest) {
            Ok(found) => assert_eq!(found, right, "{} {digest}", what()),
            Err(_) => noticed = true,
        }
    }
    noticed
}

/// As `judge`, by the other ways of asking.
fn judge_other_ways(
    file: &[u8],
    entries: &BTreeMap<ImageDigest, Entry<'_>>,
    damaged: &[u8],
    what: &dyn Fn() -> String,
) {
    let Ok(list) = IndexedList::open(damaged) else {
        return;
    };
    let right: Vec<_> = entries.keys().copied().collect();
    let questions = questions(list.header(), &right, file, damaged);
    list.find_many(&questions, |digest, found| {
        if let Ok(found) = found {
            assert_eq!(found, entries.get(digest).copied(), "{} {digest}", what());
        }
    });
    for (digest, entry) in list.rows().flatten() {
        assert_eq!(Some(&entry), entries.get(&digest), "{} {digest}", what());
    }
}

#[test]
fn every_flipped_bit_is_refused_or_changes_no_answer() {
    for (file, entries) in [small_file(), plain_file()] {
        let mut harmless = Vec::new();
        let mut damaged = file.clone();
        for bit in 0..file.len() * 8 {
            damaged[bit / 8] ^= 1 << (bit % 8);
            if judge(&file, &entries, &damaged, &|| format!("bit {bit}")) {
                harmless.push(bit / 8);
            }
            damaged[bit / 8] ^= 1 << (bit % 8);
        }
        harmless.dedup();
        let list = IndexedList::open(&file).unwrap();
        let header = list.header();
        // What nobody reads: the padding between the parts.
        let last = 4096 + header.buckets as usize * 8 + 4;
        let parts = [
            (4096..last),
            (header.rows_at() as usize..header.entries_at() as usize),
            (header.log_at() as usize..file.len()),
        ];
        for at in harmless {
            assert!(!parts[0].contains(&at), "byte {at} of the index");
            let padding = header.numbers_at() as usize + list.base.numbers().len() * 4;
            assert!(
                !parts[1].contains(&at) || at >= padding,
                "byte {at} of the rows"
            );
            assert!(!parts[2].contains(&at), "byte {at} of the log");
            assert!(at >= 4096, "byte {at} of the header");
        }
    }
}

#[test]
fn every_flipped_bit_of_sealed_rows_and_their_index_is_noticed_or_changes_no_answer() {
    for (file, entries) in sealed_files() {
        let list = IndexedList::open(&file).unwrap();
        let header = *list.header();
        let rows = header.rows_at() as usize..header.numbers_at() as usize;
        let numbers = list.base.numbers().len() * 4;
        let first = rows.start;
        let words: BTreeSet<usize> = entries
            .keys()
            .map(|digest| header.bucket_of(digest.as_bytes()) as usize * 4)
            .flat_map(|at| {
                let checksum = header.checksums_at() as usize + at;
                (4096 + at..4096 + at + 8).chain(checksum..checksum + 4)
            })
            .collect();
        let mut damaged = file.clone();
        for at in (rows.start..rows.end + numbers).chain(words) {
            for bit in 0..8 {
                let what = || format!("bit {bit} of byte {at}");
                damaged[at] ^= 1 << bit;
                assert!(
                    judge_answers(&file, &entries, &damaged, &what),
                    "{}",
                    what()
                );
                // It reads 70,000 buckets.
                if (first..first + 32).contains(&at) {
                    assert!(!judge(&file, &entries, &damaged, &what), "{}", what());
                }
                damaged[at] ^= 1 << bit;
            }
        }
    }
}

#[test]
fn damaged_bytes_are_refused_or_change_no_answer() {
    let (file, entries) = small_file();
    for at in 0..file.len() {
        for value in [!file[at], file[at].wrapping_add(1)] {
            let mut damaged = file.clone();
            damaged[at] = value;
            let what = || format!("byte {at} {value:#x}");
            judge(&file, &entries, &damaged, &what);
            judge_other_ways(&file, &entries, &damaged, &what);
        }
    }
}

#[test]
fn rows_and_slots_that_change_places_are_refused_or_change_no_answer() {
    let (file, entries) = small_file();
    let list = IndexedList::open(&file).unwrap();
    let (rows, log) = (
        list.header().rows_at() as usize,
        list.header().log_at() as usize,
    );
    for (from, size, count) in [(4096, 4, 21), (rows, 32, 20), (log, 64, 8)] {
        for (one, other) in (0..count).flat_map(|one| (0..one).map(move |other| (one, other))) {
            let mut damaged = file.clone();
            for at in 0..size {
                damaged.swap(from + one * size + at, from + other * size + at);
            }
            let what = || format!("{size}: {one} and {other}");
            judge(&file, &entries, &damaged, &what);
            judge_other_ways(&file, &entries, &damaged, &what);
        }
    }
}

#[test]
fn no_other_length_is_opened() {
    for (file, _) in [small_file(), plain_file()] {
        for length in 0..file.len() {
            assert!(IndexedList::open(&file[..length]).is_err(), "{length}");
        }
        for more in [1, 8, 63, 64, 4096, file.len()] {
            for filler in [0, 0xff] {
                let mut longer = file.clone();
                longer.resize(file.len() + more, filler);
                assert!(IndexedList::open(&longer).is_err(), "{more}");
            }
        }
    }
}

#[test]
fn a_header_with_a_right_checksum_may_say_what_it_likes() {
    let (file, _) = small_file();
    let header = *IndexedList::open(&file).unwrap().header();
    for count in [0, 1, 19, 21, u32::MAX] {
        for buckets in [1, 2, 8, 10, u32::MAX] {
            for log_slots in [0, 1, 7, 9, u32::MAX] {
                let other = Header {
                    count,
                    buckets,
                    log_slots,
                    ..header
                };
                let mut damaged = file.clone();
                damaged[..4096].copy_from_slice(&other.to_bytes());
                if let Ok(list) = IndexedList::open(&damaged) {
                    let answers = (0..45).map(|number| list.find(&digest(number)));
                    assert_eq!(answers.count(), 45);
                    assert!(list.verify().is_err());
                }
            }
        }
    }
}

/// A disk may lose a write and show what an earlier file had there.
#[test]
fn rows_of_an_earlier_list_are_not_believed() {
    for (buckets, sealed) in [(9, false), (70_000, true)] {
        let layout = Layout {
            serial: 1,
            log_slots: 0,
        };
        let mut entries: BTreeMap<_, _> = (0..40)
            .map(|number| (digest(number), Entry::default()))
            .collect();
        let earlier = written_into(|_| buckets, &entries, &layout);
        for number in 0..40 {
            let removed = digest(number);
            entries.remove(&removed);
            // As many digests as before.
            entries.insert(digest(40 + number), Entry::default());
            let now = written_into(|_| buckets, &entries, &layout);
            entries.remove(&digest(40 + number));
            entries.insert(removed, Entry::default());
            let list = IndexedList::open(&now).unwrap();
            assert_eq!(list.header().seals(), sealed);
            let rows = list.header().rows_at() as usize..list.header().numbers_at() as usize;
            let index = 4096..rows.start;
            for stale in [rows.clone(), index.clone(), index.start..rows.end] {
                let mut damaged = now.clone();
                damaged[stale.clone()].copy_from_slice(&earlier[stale]);
                let found = IndexedList::open(&damaged).unwrap().find(&removed);
                assert!(!matches!(found, Ok(Some(_))), "{number}");
            }
        }
    }
}

#[test]
fn lists_that_say_different_things_have_different_checksums() {
    let entry = |tenant| Entry {
        tenant: Some(tenant),
        ..Entry::default()
    };
    let nothing = Entry::default();
    let said = |entries: [Entry<'static>; 3]| {
        let entries = entries.into_iter().zip(1..);
        let entries = entries.map(|(entry, number)| (digest(number), entry));
        let file = written(&entries.collect(), &Layout::default());
        IndexedList::open(&file).unwrap().header().content
    };
    let all = [
        said([entry("a"), entry("b"), entry("a")]),
        said([entry("a"), entry("a"), entry("b")]),
        said([entry("b"), entry("a"), entry("b")]),
        said([entry("a"), entry("b"), entry("b")]),
        said([entry("a"), entry("b"), nothing]),
        said([entry("b"), entry("a"), nothing]),
        said([entry("a"), entry("c"), nothing]),
        said([entry("a"), nothing, nothing]),
        said([nothing, entry("a"), nothing]),
        said([nothing, nothing, nothing]),
    ];
    assert_eq!(BTreeSet::from(all).len(), all.len());
}
