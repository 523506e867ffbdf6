//! Damage to every bit, and any changes beside a plain map.

mod damage;
mod model;

use std::collections::BTreeMap;
use std::convert::Infallible;

use super::write::{buckets, write_into};
use super::*;
use crate::Change;

/// A digest of few different ones, many of which share buckets and first words.
fn digest(number: u64) -> ImageDigest {
    let mut bytes = [0; 32];
    bytes[0] = (number % 5) as u8 * 50;
    bytes[1] = (number / 5 % 3) as u8;
    bytes[9] = (number / 15) as u8;
    ImageDigest::from_bytes(bytes)
}

fn times(not_before: Option<u64>, expires: Option<u64>) -> Entry<'static> {
    Entry {
        not_before,
        expires,
        ..Entry::default()
    }
}

fn written(entries: &BTreeMap<ImageDigest, Entry<'_>>, layout: &Layout) -> Vec<u8> {
    written_into(buckets, entries, layout)
}

fn written_into(
    buckets: impl Fn(u32) -> u32,
    entries: &BTreeMap<ImageDigest, Entry<'_>>,
    layout: &Layout,
) -> Vec<u8> {
    let mut file = Vec::new();
    let source = || {
        entries
            .iter()
            .map(|(digest, entry)| Ok::<_, Infallible>((*digest, *entry)))
    };
    let header = write_into(buckets, source, layout, |bytes| {
        file.extend_from_slice(bytes);
        Ok::<_, Infallible>(())
    });
    assert_eq!(header.unwrap().file_length(), file.len() as u64);
    file
}

/// Writes a commit into the log of a file. `false` if it has no room.
fn committed(file: &mut [u8], changes: &[Change<'_>]) -> bool {
    let list = IndexedList::open(file).unwrap();
    let (header, used) = (*list.header(), list.log().used());
    let Some(slots) = commit(&header, used, changes) else {
        return false;
    };
    let slots: Vec<u8> = slots.flatten().collect();
    let at = header.log_at() as usize + used * 64;
    file[at..at + slots.len()].copy_from_slice(&slots);
    true
}

fn small_file() -> (Vec<u8>, BTreeMap<ImageDigest, Entry<'static>>) {
    let mut entries: BTreeMap<_, _> = (0..20)
        .map(|number| (digest(number), Entry::default()))
        .collect();
    let about = Entry {
        tenant: Some("plant"),
        repository: Some("docker.io/library/pump"),
        owner: Some("õ"),
        reason: Some(""),
        ..times(Some(0), Some(u64::MAX))
    };
    entries.insert(digest(3), about);
    entries.insert(digest(17), about);
    entries.insert(digest(4), times(None, Some(1_800_000_000)));
    let layout = Layout {
        serial: 7,
        log_slots: 8,
    };
    let mut file = written(&entries, &layout);
    let added = times(Some(5), None);
    assert!(committed(
        &mut file,
        &[
            Change {
                digest: digest(3),
                entry: None
            },
            Change {
                digest: digest(40),
                entry: Some(added)
            },
        ]
    ));
    assert!(committed(
        &mut file,
        &[Change {
            digest: digest(5),
            entry: None
        }]
    ));
    entries.remove(&digest(3));
    entries.remove(&digest(5));
    entries.insert(digest(40), added);
    (file, entries)
}

fn plain_file() -> (Vec<u8>, BTreeMap<ImageDigest, Entry<'static>>) {
    let entries: BTreeMap<_, _> = (0..20)
        .map(|number| (digest(number), Entry::default()))
        .collect();
    let file = written(
        &entries,
        &Layout {
            serial: 1,
            log_slots: 0,
        },
    );
    (file, entries)
}

/// With as many buckets as a list of 134,347 digests or more has: each row has a seal.
fn sealed_files() -> [(Vec<u8>, BTreeMap<ImageDigest, Entry<'static>>); 2] {
    let layout = Layout {
        serial: 1,
        log_slots: 0,
    };
    let many = |_| 70_000;
    let mut entries: BTreeMap<_, _> = (0..20)
        .map(|number| (digest(number), Entry::default()))
        .collect();
    let plain = (written_into(many, &entries, &layout), entries.clone());
    entries.insert(digest(3), times(None, Some(1_800_000_000)));
    [plain, (written_into(many, &entries, &layout), entries)]
}

fn rows(list: &IndexedList<'_>) -> Result<Vec<(ImageDigest, Entry<'static>)>, Damaged> {
    list.rows()
        .map(|row| row.map(|(digest, entry)| (digest, forever(entry))))
        .collect()
}

/// For tests only: texts that live long enough to be compared.
fn forever(entry: Entry<'_>) -> Entry<'static> {
    let keep = |text: Option<&str>| text.map(|text| &*text.to_owned().leak());
    Entry {
        not_before: entry.not_before,
        expires: entry.expires,
        tenant: keep(entry.tenant),
        repository: keep(entry.repository),
        owner: keep(entry.owner),
        reason: keep(entry.reason),
    }
}

#[test]
fn a_file_says_what_was_written() {
    let [sealed, sealed_entries] = sealed_files();
    for (file, entries) in [small_file(), plain_file(), sealed, sealed_entries] {
        let list = IndexedList::open(&file).unwrap();
        assert_eq!(list.verify(), Ok(()));
        let expected: Vec<_> = entries
            .iter()
            .map(|(digest, entry)| (*digest, *entry))
            .collect();
        assert_eq!(rows(&list).unwrap(), expected);
        for number in 0..60 {
            let expected = entries.get(&digest(number)).copied();
            assert_eq!(list.find(&digest(number)), Ok(expected));
        }
        let all: Vec<_> = (0..60).map(digest).collect();
        let mut found = Vec::new();
        list.find_many(&all, |digest, entry| found.push((*digest, entry.unwrap())));
        let expected: Vec<_> = all
            .iter()
            .map(|digest| (*digest, entries.get(digest).copied()))
            .collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn digests_that_begin_alike_are_told_apart() {
    let alike = |last: u8| {
        let mut bytes = [9; 32];
        bytes[31] = last;
        ImageDigest::from_bytes(bytes)
    };
    let entries = [1, 3, 5].map(|last| (alike(last), Entry::default()));
    let file = written(&entries.into(), &Layout::default());
    let list = IndexedList::open(&file).unwrap();
    for last in 0..=6 {
        assert_eq!(
            list.find(&alike(last)).unwrap().is_some(),
            last % 2 == 1,
            "{last}"
        );
    }
}

#[test]
fn sorting_is_the_librarys() {
    for length in [0, 1, 2, 511, 512, 70_000] {
        let mut state = 7u64;
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) as u8
        };
        let spread = if length == 70_000 { 255 } else { 3 };
        let mut digests: Vec<ImageDigest> = (0..length)
            .map(|_| {
                ImageDigest::from_bytes(core::array::from_fn(|at| {
                    if at < 3 { next() & spread } else { 0 }
                }))
            })
            .collect();
        let mut expected = digests.clone();
        expected.sort_unstable();
        sort(&mut digests);
        assert_eq!(digests, expected);
    }
}

#[test]
fn a_writer_refuses_another_order_and_long_texts() {
    let entries = |entries: &'static [u64]| {
        move || {
            entries
                .iter()
                .map(|number| Ok::<_, Infallible>((digest(*number), Entry::default())))
        }
    };
    let sink = |_: &[u8]| Ok::<_, Infallible>(());
    for other in [&[1, 0][..], &[1, 1], &[0, 2, 1]] {
        let made = write(entries(other), &Layout::default(), sink);
        assert!(matches!(made, Err(WriteError::Order(_))), "{made:?}");
    }
    let long = "x".repeat(1 << 16);
    let entry = |reason| Entry {
        reason: Some(reason),
        ..Entry::default()
    };
    let source = |reason| move || core::iter::once(Ok::<_, Infallible>((digest(0), entry(reason))));
    let made = write(source(&long), &Layout::default(), sink);
    assert_eq!(made, Err(WriteError::TooLong));
    assert!(write(source(&long[1..]), &Layout::default(), sink).is_ok());
}

#[test]
fn an_unfinished_commit_does_not_count_and_a_gap_before_a_later_one_is_damage() {
    let (file, entries) = small_file();
    let expected: Vec<_> = entries.into_iter().collect();
    let list = IndexedList::open(&file).unwrap();
    assert_eq!((list.log().used(), list.log().tail()), (3, Tail::Empty));
    let changes = [7, 8, 9].map(|number| Change {
        digest: digest(number),
        entry: None,
    });
    let slots: Vec<_> = commit(list.header(), 3, &changes).unwrap().collect();
    let later: Vec<_> = commit(list.header(), 6, &changes[..1]).unwrap().collect();
    let at = list.header().log_at() as usize;
    let with = |places: &[(usize, &[u8; 64])]| {
        let mut file = file.clone();
        for (place, slot) in places {
            file[at + place * 64..][..64].copy_from_slice(*slot);
        }
        file
    };
    for cut in [&[3][..], &[3, 4], &[3, 5], &[4, 5], &[5]] {
        let places: Vec<_> = cut
            .iter()
            .map(|place| (*place, &slots[place - 3]))
            .collect();
        let file = with(&places);
        let list = IndexedList::open(&file).unwrap();
        assert_eq!(list.log().tail(), Tail::Unfinished);
        assert_eq!(rows(&list).unwrap(), expected, "{cut:?}");
    }
    let whole = with(&[
        (3, &slots[0]),
        (4, &slots[1]),
        (5, &slots[2]),
        (6, &later[0]),
    ]);
    assert_eq!(IndexedList::open(&whole).unwrap().log().used(), 7);
    for gap in 3..6 {
        let mut file = whole.clone();
        file[at + gap * 64..][..64].fill(0);
        assert!(IndexedList::open(&file).is_err(), "{gap}");
    }
}

#[test]
fn a_log_that_is_full_or_should_say_more_than_times_is_not_written() {
    let (mut file, _) = small_file();
    let list = IndexedList::open(&file).unwrap();
    let remove = |number| Change {
        digest: digest(number),
        entry: None,
    };
    let six: Vec<_> = (0..6).map(remove).collect();
    assert!(commit(list.header(), 3, &six).is_none());
    assert!(commit(list.header(), 9, &[]).is_none());
    let owned = Entry {
        owner: Some("me"),
        ..Entry::default()
    };
    let owned = Change {
        digest: digest(0),
        entry: Some(owned),
    };
    assert!(commit(list.header(), 3, &[owned]).is_none());
    assert!(committed(&mut file, &six[..5]));
    assert_eq!(IndexedList::open(&file).unwrap().log().used(), 8);
}
