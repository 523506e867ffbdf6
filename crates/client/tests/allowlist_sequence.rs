//! The suite `secure-manager`, group `sequence`: commands on a list's file, and others who edit it.
//! Each case is looked at in the running process and after a restart; those without edits by others
//! also with an indexed file.
#![cfg(all(feature = "allowlist", unix))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use gangplank_client::allowlist::indexed::Layout;
use gangplank_client::allowlist::{
    Allowlist, Change, Entry, HexError, ImageDigest, IndexedFile, ListFile, PinnedImage,
    import_text, text,
};
use gangplank_testkit::{deny_unknown_keys, temp_dir};
use serde_json::Value;

#[path = "../../allowlist/tests/suite/mod.rs"]
mod suite;

use suite::{Outcome, same, text_of};

#[test]
fn all_cases() {
    suite::run_groups(
        "secure-manager",
        "crates/client/tests/allowlist_sequence.rs",
        include_str!("../../allowlist/tests/suite/secure-manager-groups.json"),
        include_str!("allowlist-sequence-exceptions.json"),
        &[("sequence", sequence)],
    );
}

fn sequence(case: &Value) -> Outcome {
    deny_unknown_keys("sequence", &case["input"], &["file", "steps"]);
    by_text_file(case)?;
    let steps = case["input"]["steps"].as_array().unwrap();
    if steps
        .iter()
        .any(|step| text_of(step, "op").starts_with("external"))
    {
        return Ok(());
    }
    by_indexed_file(case).map_err(|what| format!("indexed: {what}"))
}

fn by_text_file(case: &Value) -> Outcome {
    let folder = temp_dir();
    let folder = folder.path().join("cwl");
    fs::create_dir(&folder).unwrap();
    let path = folder.join("containerwhitelist.txt");
    fs::write(&path, text_of(&case["input"], "file")).unwrap();
    let list = ListFile::open(&path).unwrap();
    assert!(matches!(list, ListFile::Text(_)));
    follow(case, &path, list)?;
    let text = fs::read(&path).unwrap_or_default();
    let lines = text::lines(&text).map(|(_, line)| line.unwrap());
    let entries = lines.map(|digest| hex(&digest)).collect();
    listed(case, entries)
}

fn by_indexed_file(case: &Value) -> Outcome {
    let folder = temp_dir();
    let path = folder.path().join("list");
    let mut digests = import_text(text_of(&case["input"], "file").as_bytes()).unwrap();
    IndexedFile::create(&path, &mut digests, &Layout::default()).unwrap();
    let list = ListFile::open(&path).unwrap();
    assert!(matches!(list, ListFile::Indexed(_)));
    follow(case, &path, list)?;
    let rows = IndexedFile::open(&path).unwrap().current().unwrap();
    let entries = rows.rows().map(|row| hex(&row.unwrap().0)).collect();
    listed(case, entries)
}

fn follow(case: &Value, path: &Path, list: ListFile) -> Outcome {
    // Somebody looks before each step, so that nothing may be remembered.
    let mut results = Vec::new();
    for step in case["input"]["steps"].as_array().unwrap() {
        drop(list.current());
        results.extend(take(step, path, &list));
    }
    let expected = strings(&case["expect"]["results"]);
    same(
        results.iter().map(|result| (*result).to_owned()).collect(),
        expected,
    )?;
    look(case, &list).map_err(|what| format!("running: {what}"))?;
    drop(list);
    look(case, &ListFile::open(path).unwrap()).map_err(|what| format!("restarted: {what}"))
}

/// `None` for what others do.
fn take(step: &Value, path: &Path, list: &ListFile) -> Option<&'static str> {
    deny_unknown_keys("step", step, &["op", "hashes", "text"]);
    let changes = |entry: Option<Entry<'static>>| -> Result<Vec<Change<'static>>, HexError> {
        let hashes = strings(&step["hashes"]);
        let digests = hashes
            .iter()
            .map(|hash| ImageDigest::from_hex(hash.to_lowercase().as_bytes()));
        digests
            .map(|digest| {
                Ok(Change {
                    digest: digest?,
                    entry,
                })
            })
            .collect()
    };
    let changed = match text_of(step, "op") {
        "add" => changes(Some(Entry::default())).map(|changes| list.change(&changes)),
        "delete" => changes(None).map(|changes| list.change(&changes)),
        "clear" => Ok(list.clear()),
        "external-write" => {
            fs::write(path, text_of(step, "text")).unwrap();
            return None;
        }
        "external-remove-file" => {
            fs::remove_file(path).unwrap();
            return None;
        }
        "external-remove-directory" => {
            fs::remove_dir_all(path.parent().unwrap()).unwrap();
            return None;
        }
        other => panic!("no such step: {other}"),
    };
    Some(if matches!(changed, Ok(Ok(()))) {
        "ok"
    } else {
        "error"
    })
}

fn look(case: &Value, list: &ListFile) -> Outcome {
    let current = list.current();
    let permits = |hash: &String| {
        let image = format!("x@sha256:{hash}");
        let image = PinnedImage::parse(&image).unwrap();
        let list = current
            .as_ref()
            .map_or(Allowlist::EMPTY, |list| Allowlist::new(list));
        list.permit(image).is_ok()
    };
    let split = |expected: &str| strings(&case["expect"][expected]);
    let (allowed, denied) = (split("allow"), split("deny"));
    same(
        allowed
            .iter()
            .filter(|hash| permits(hash))
            .collect::<Vec<_>>(),
        allowed.iter().collect(),
    )?;
    same(denied.iter().find(|hash| permits(hash)), None)
}

fn listed(case: &Value, entries: BTreeSet<String>) -> Outcome {
    match &case["expect"]["entries"] {
        Value::Null => Ok(()),
        expected => same(entries, strings(expected).into_iter().collect()),
    }
}

fn strings(value: &Value) -> Vec<String> {
    let array = value.as_array().unwrap().iter();
    array
        .map(|text| text.as_str().unwrap().to_owned())
        .collect()
}

fn hex(digest: &ImageDigest) -> String {
    String::from_utf8(digest.to_hex().to_vec()).unwrap()
}
