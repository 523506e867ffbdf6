#![no_main]

use std::collections::BTreeMap;
use std::convert::Infallible;

use gangplank_allowlist::indexed::{Layout, commit, write};
use gangplank_allowlist::{Change, Entry, ImageDigest, IndexedList};
use libfuzzer_sys::fuzz_target;

// Any bytes as a file: what answers once answers the same in every way of asking. And a file made of
// them, of which two bits at most were flipped: refused, or right.
fuzz_target!(|data: &[u8]| {
    if let Ok(list) = IndexedList::open(data) {
        agrees_with_itself(&list);
    }
    if let Some((flips, steps)) = data.split_first_chunk::<6>() {
        flipped(flips, steps);
    }
});

fn agrees_with_itself(list: &IndexedList<'_>) {
    let rows: Result<Vec<_>, _> = list.rows().take(1 << 12).collect();
    let Ok(rows) = rows else {
        return assert!(list.verify().is_err());
    };
    let mut asked: Vec<ImageDigest> = rows.iter().map(|(digest, _)| *digest).collect();
    asked.extend((0..=255).map(digest));
    let verified = list.verify().is_ok();
    let mut at = 0;
    list.find_many(&asked, |digest, found| {
        assert_eq!(list.find(digest), found);
        if verified && rows.len() < 1 << 12 {
            let row = rows.iter().find(|(row, _)| row == digest);
            assert_eq!(found, Ok(row.map(|(_, entry)| *entry)));
        }
        at += 1;
    });
    assert_eq!(at, asked.len());
}

fn flipped(flips: &[u8; 6], steps: &[u8]) {
    let mut file = Vec::new();
    let mut listed = BTreeMap::new();
    let (entries, changes) = steps.split_at(steps.len().min(steps.len() / 2 + 8));
    for pair in entries.chunks(2) {
        listed.insert(
            digest(pair[0]),
            entry(pair.get(1).copied().unwrap_or_default(), true),
        );
    }
    let layout = Layout {
        serial: u64::from(flips[0]),
        log_slots: 16,
    };
    let source = || {
        listed
            .iter()
            .map(|(digest, entry)| Ok::<_, Infallible>((*digest, *entry)))
    };
    let header = write(source, &layout, |bytes| {
        file.extend_from_slice(bytes);
        Ok::<_, Infallible>(())
    });
    let header = header.expect("sorted entries with short texts");
    let mut used = 0;
    for changes in changes.chunks(6) {
        let changes: Vec<Change<'_>> = changes.chunks(2).map(change).collect();
        let Some(slots) = commit(&header, used, &changes) else {
            break;
        };
        let slots: Vec<u8> = slots.flatten().collect();
        let at = header.log_at() as usize + 64 * used;
        file[at..at + slots.len()].copy_from_slice(&slots);
        used += changes.len();
        for change in changes {
            match change.entry {
                Some(entry) => listed.insert(change.digest, entry),
                None => listed.remove(&change.digest),
            };
        }
    }
    let [a, b, c, d, e, f] = flips.map(usize::from);
    for bit in [a << 16 | b << 8 | c, d << 16 | e << 8 | f] {
        if bit > 0 {
            let bit = bit % (file.len() * 8);
            file[bit / 8] ^= 1 << (bit % 8);
        }
    }
    let damaged = [a, b, c, d, e, f] != [0; 6];
    let Ok(list) = IndexedList::open(&file) else {
        return assert!(damaged);
    };
    // What was flipped may be a row: then nobody listed what it now says.
    let rows = file[4096..]
        .windows(32)
        .step_by(32)
        .map(|row| ImageDigest::from_bytes(row.try_into().unwrap()));
    for digest in (0..=255).map(digest).chain(rows) {
        match list.find(&digest) {
            Ok(found) => assert_eq!(found, listed.get(&digest).copied()),
            Err(_) => assert!(damaged),
        }
    }
}

fn change<'c>(pair: &[u8]) -> Change<'c> {
    let said = pair.get(1).copied().unwrap_or_default();
    Change {
        digest: digest(pair[0]),
        entry: (said & 1 == 0).then(|| entry(said >> 1, false)),
    }
}

fn digest(number: u8) -> ImageDigest {
    let mut bytes = [0; 32];
    bytes[0] = number & 0xe7;
    bytes[20] = number & 0x18;
    ImageDigest::from_bytes(bytes)
}

fn entry<'e>(said: u8, texts: bool) -> Entry<'e> {
    let mut entry = Entry::default();
    entry.not_before = (said & 1 != 0).then_some(u64::from(said));
    entry.expires = (said & 2 != 0).then_some(u64::from(said) << 50);
    if texts {
        entry.tenant = (said & 4 != 0).then_some("tenant");
        entry.repository = (said & 8 != 0).then_some("docker.io/library/a");
        entry.owner = (said & 16 != 0).then_some("");
        entry.reason = (said & 32 != 0).then_some("ü");
    }
    entry
}
