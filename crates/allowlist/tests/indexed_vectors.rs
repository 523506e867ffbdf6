//! `vectors/indexed-list`: files that another writer made are read, and ours are the same bytes.
//!
//! They come from `vectors/generate_indexed_list.py`, which follows docs/allowlist.md. docs/vectors.md says
//! what the members mean.
#![cfg(feature = "alloc")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::convert::Infallible;

use gangplank_allowlist::indexed::{IndexError, IndexedList, Layout, commit, sort, write};
use gangplank_allowlist::{Change, Entry, ImageDigest};
use gangplank_key::Backend;
use gangplank_testkit::{Case, count_at_least, deny_unknown_keys};
use serde_json::Value;

#[test]
fn files_of_another_writer_are_read_and_ours_are_the_same() {
    let cases = count_at_least("indexed-list", COMMITTED);
    for case in &cases {
        case.deny_unknown_keys(&["comment", "spec", "expect", "inputs"]);
        let inputs = &case.value["inputs"];
        if inputs["images"].is_number() {
            judge_large(case);
            continue;
        }
        deny_unknown_keys(&case.name(), inputs, INPUTS);
        let file = file(inputs);
        let found = match outcome(&file) {
            Ok(list) => {
                judge(case, &list);
                assert!(ours(inputs) == file, "{}: other bytes", case.name());
                "accept".to_owned()
            }
            Err(code) => format!("refuse: {code}"),
        };
        assert_eq!(
            found,
            case.value["expect"].as_str().unwrap(),
            "{}",
            case.name()
        );
    }
    let run = cases.len();
    println!("vectors/indexed-list: {run} run, {run} passed, 0 excepted");
}

fn outcome(file: &[u8]) -> Result<IndexedList<'_>, &'static str> {
    let list = IndexedList::open(file).map_err(|error| match error {
        IndexError::Short(_) | IndexError::Length { .. } => "length",
        IndexError::NotAList => "magic",
        IndexError::Kind { .. } => "kind",
        IndexError::Damaged(damaged) if damaged.at == 0 => "header",
        IndexError::Damaged(_) => "log",
        other => panic!("{other}"),
    })?;
    // A bucket is named by its place in the index.
    let index_end = 4096 + 4 * ((u64::from(list.header().count()) * 20).div_ceil(41) + 1);
    list.verify().map_err(|damaged| {
        if damaged.at < index_end {
            "bucket"
        } else {
            "entry"
        }
    })?;
    Ok(list)
}

fn judge(case: &Case, list: &IndexedList<'_>) {
    let inputs = &case.value["inputs"];
    let listed = entries(&inputs["listed"]);
    let rows: Vec<_> = list.rows().map(Result::unwrap).collect();
    let expected: Vec<_> = listed
        .iter()
        .map(|(digest, entry)| (*digest, *entry))
        .collect();
    assert_eq!(rows, expected, "{}", case.name());
    for (digest, entry) in &listed {
        assert_eq!(list.find(digest), Ok(Some(*entry)), "{}", case.name());
    }
    for text in inputs["unlisted"].as_array().unwrap() {
        assert_eq!(
            list.find(&digest(text.as_str().unwrap())),
            Ok(None),
            "{}",
            case.name()
        );
    }
    assert_eq!(list.header().serial(), inputs["serial"].as_u64().unwrap());
}

/// Files so large that only their length and their hash are kept: ours are the same, and say what they
/// were made of.
fn judge_large(case: &Case) {
    let inputs = &case.value["inputs"];
    deny_unknown_keys(&case.name(), inputs, LARGE);
    let images = inputs["images"].as_u64().unwrap();
    let digest_of = |number: u64| {
        let image = format!("image {number}");
        ImageDigest::from_bytes(Backend::AWS_LC_RS.sha256(&[image.as_bytes()]))
    };
    let mut digests: Vec<ImageDigest> = (0..images).map(digest_of).collect();
    sort(&mut digests);
    let entries = digests.iter().map(|digest| (*digest, Entry::default()));
    let file = written(&entries.collect(), inputs);
    assert_eq!(file.len() as u64, inputs["length"].as_u64().unwrap());
    let hash = ImageDigest::from_bytes(Backend::AWS_LC_RS.sha256(&[&file]));
    assert_eq!(
        hash,
        digest(inputs["sha256"].as_str().unwrap()),
        "{}",
        case.name()
    );
    let list = IndexedList::open(&file).unwrap();
    assert_eq!(list.verify(), Ok(()));
    let rows = list.rows().map(|row| row.unwrap().0);
    assert!(rows.eq(digests.iter().copied()), "{}", case.name());
    for number in 0..images + 1000 {
        let found = list.find(&digest_of(number)).unwrap().is_some();
        assert_eq!(found, number < images, "{number}");
    }
}

/// The same list by the writer of this crate.
fn ours(inputs: &Value) -> Vec<u8> {
    let mut file = written(&entries(&inputs["entries"]), inputs);
    let header = *IndexedList::open(&file).unwrap().header();
    let mut used = 0;
    for changes in inputs["commits"].as_array().unwrap() {
        let changes: Vec<_> = changes.as_array().unwrap().iter().map(change).collect();
        let slots: Vec<u8> = commit(&header, used, &changes).unwrap().flatten().collect();
        let at = header.log_at() as usize + used * 64;
        file[at..at + slots.len()].copy_from_slice(&slots);
        used += changes.len();
    }
    file
}

/// What the writer of this crate makes before there are changes.
fn written(entries: &BTreeMap<ImageDigest, Entry<'_>>, inputs: &Value) -> Vec<u8> {
    let layout = Layout {
        serial: inputs["serial"].as_u64().unwrap(),
        log_slots: inputs["logSlots"].as_u64().unwrap() as u32,
    };
    let mut file = Vec::new();
    let source = || {
        entries
            .iter()
            .map(|(digest, entry)| Ok::<_, Infallible>((*digest, *entry)))
    };
    let sink = |bytes: &[u8]| {
        file.extend_from_slice(bytes);
        Ok::<_, Infallible>(())
    };
    write(source, &layout, sink).unwrap();
    file
}

fn file(inputs: &Value) -> Vec<u8> {
    let mut file = vec![0; inputs["length"].as_u64().unwrap() as usize];
    for part in inputs["parts"].as_array().unwrap() {
        let at = part["at"].as_u64().unwrap() as usize;
        let hex = part["hex"].as_str().unwrap();
        for (place, byte) in file[at..].iter_mut().zip(0..hex.len() / 2) {
            *place = u8::from_str_radix(&hex[byte * 2..byte * 2 + 2], 16).unwrap();
        }
    }
    file
}

fn entries(value: &Value) -> BTreeMap<ImageDigest, Entry<'_>> {
    let listed = value.as_object().unwrap().iter();
    listed
        .map(|(hex, said)| (digest(hex), entry(said)))
        .collect()
}

fn change(value: &Value) -> Change<'_> {
    Change {
        digest: digest(value["digest"].as_str().unwrap()),
        entry: (!value["entry"].is_null()).then(|| entry(&value["entry"])),
    }
}

fn entry(said: &Value) -> Entry<'_> {
    deny_unknown_keys("an entry", said, SAID);
    let mut entry = Entry::default();
    entry.not_before = said["notBefore"].as_u64();
    entry.expires = said["expires"].as_u64();
    entry.tenant = said["tenant"].as_str();
    entry.repository = said["repository"].as_str();
    entry.owner = said["owner"].as_str();
    entry.reason = said["reason"].as_str();
    entry
}

fn digest(hex: &str) -> ImageDigest {
    ImageDigest::from_hex(hex.as_bytes()).unwrap()
}

const INPUTS: &[&str] = &[
    "length", "parts", "serial", "logSlots", "entries", "commits", "listed", "unlisted",
];
const SAID: &[&str] = &[
    "notBefore",
    "expires",
    "tenant",
    "repository",
    "owner",
    "reason",
];
const LARGE: &[&str] = &["length", "sha256", "images", "serial", "logSlots"];
const COMMITTED: usize = 26;
