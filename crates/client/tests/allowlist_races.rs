//! Lists on disk that become others under the hands of who has them open.
#![cfg(all(feature = "allowlist", unix))]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::{FileExt as _, symlink};
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use gangplank_client::allowlist::indexed::Layout;
use gangplank_client::allowlist::{
    Change, Entry, ImageDigest, IndexedFile, ListError, ListFile, Listing as _, TextFile,
};
use gangplank_testkit::temp_dir;

fn digest(number: u8) -> ImageDigest {
    ImageDigest::from_bytes([number; 32])
}

fn add(number: u8) -> Change<'static> {
    Change {
        digest: digest(number),
        entry: Some(Entry::default()),
    }
}

fn remove(number: u8) -> Change<'static> {
    Change {
        digest: digest(number),
        entry: None,
    }
}

fn numbers(list: &ListFile) -> Vec<u8> {
    let list = list.current().unwrap();
    let has = |number: &u8| list.find(&digest(*number)).unwrap().is_some();
    (0..=255).filter(has).collect()
}

fn numbers_at(path: &Path) -> Vec<u8> {
    numbers(&ListFile::open(path).unwrap())
}

fn indexed(path: &Path, listed: &[u8]) -> IndexedFile {
    let mut digests: Vec<_> = listed.iter().map(|number| digest(*number)).collect();
    IndexedFile::create(path, &mut digests, &Layout::default()).unwrap()
}

fn text(path: &Path, listed: &[u8]) {
    let lines = listed.iter().map(|number| format!("{}\n", hex(*number)));
    fs::write(path, lines.collect::<String>()).unwrap();
}

fn hex(number: u8) -> String {
    format!("{number:02x}").repeat(32)
}

/// The holder of the lock makes it indexed, between the opening of the list and its change.
#[test]
fn a_text_that_became_an_indexed_list_is_changed_as_one() {
    let folder = temp_dir();
    let path = folder.path().join("list");
    let list = ListFile::open(&path).unwrap();
    let reader = ListFile::open(&path).unwrap();
    indexed(&path, &[1, 2, 3]);
    list.change(&[add(4), remove(2)]).unwrap();
    assert_eq!(numbers_at(&path), [1, 3, 4]);
    assert_eq!(numbers(&reader), [1, 3, 4]);
    let mut until = add(5);
    until.entry.as_mut().unwrap().expires = Some(5);
    list.change(&[until]).unwrap();
    list.clear().unwrap();
    list.change(&[add(6)]).unwrap();
    assert_eq!(numbers(&reader), [6]);
    IndexedFile::open(&path).unwrap();
}

#[test]
fn an_indexed_list_that_became_a_text_is_changed_as_one() {
    let folder = temp_dir();
    let path = folder.path().join("list");
    indexed(&path, &[1, 2]);
    let list = ListFile::open(&path).unwrap();
    fs::remove_file(&path).unwrap();
    text(&path, &[7]);
    assert_eq!(numbers(&list), [7]);
    list.change(&[add(8)]).unwrap();
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        format!("{}\n{}\n", hex(7), hex(8))
    );
    list.clear().unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"");
}

#[test]
fn a_file_of_the_other_kind_is_refused_and_kept() {
    let folder = temp_dir();
    let path = folder.path().join("list");
    indexed(&path, &[1]);
    let before = fs::read(&path).unwrap();
    let file = TextFile::new(&path);
    for refused in [
        file.change(&[add(2)]),
        file.clear(),
        file.current().map(drop),
    ] {
        assert!(matches!(refused, Err(ListError::OtherKind(_))));
    }
    assert_eq!(fs::read(&path).unwrap(), before);
    let file = IndexedFile::open(&path).unwrap();
    fs::remove_file(&path).unwrap();
    text(&path, &[1]);
    for refused in [
        file.change(&[add(2)]),
        file.compact(),
        file.clear(),
        file.current().map(drop),
    ] {
        assert!(matches!(refused, Err(ListError::OtherKind(_))));
    }
    assert_eq!(numbers_at(&path), [1]);
}

#[test]
fn a_new_list_is_never_made_in_the_place_of_another() {
    let folder = temp_dir();
    let path = folder.path().join("list");
    let create = |path: &Path| {
        let mut digests = vec![digest(9)];
        IndexedFile::create_new(path, &mut digests, &Layout::default())
    };
    create(&path).unwrap();
    assert_eq!(numbers_at(&path), [9]);
    text(&path, &[1]);
    assert!(matches!(create(&path), Err(ListError::Exists(_))));
    let link = folder.path().join("link");
    symlink("list", &link).unwrap();
    assert!(matches!(create(&link), Err(ListError::Exists(_))));
    assert_eq!(numbers_at(&path), [1]);
}

#[test]
fn a_link_stays_a_link_and_what_it_leads_to_is_changed() {
    let folder = temp_dir();
    fs::create_dir(folder.path().join("real")).unwrap();
    let (real, link) = (folder.path().join("real/list"), folder.path().join("link"));
    let chain = folder.path().join("chain");
    symlink("real/list", &link).unwrap();
    symlink("link", &chain).unwrap();
    let by_link = ListFile::open(&chain).unwrap();
    by_link.change(&[add(1), add(2)]).unwrap();
    assert_eq!(numbers_at(&real), [1, 2], "where there was no file yet");
    by_link.change(&[remove(1)]).unwrap();
    assert_eq!(numbers_at(&real), [2]);
    indexed(&chain, &[3, 4]);
    by_link.change(&[remove(3)]).unwrap();
    IndexedFile::open(&link).unwrap().compact().unwrap();
    assert_eq!(numbers_at(&real), [4]);
    for link in [&link, &chain] {
        assert!(fs::symlink_metadata(link).unwrap().is_symlink());
    }
    let names = fs::read_dir(folder.path()).unwrap();
    assert_eq!(names.count(), 3, "one lock, beside the file itself");
    assert!(folder.path().join("real/list.lock").is_file());
}

#[test]
fn a_file_with_two_names_is_read_and_not_changed() {
    let folder = temp_dir();
    for kind in ["text", "indexed"] {
        let path = folder.path().join(kind);
        match kind {
            "text" => text(&path, &[1]),
            _ => drop(indexed(&path, &[1])),
        }
        let other = folder.path().join(format!("{kind}-other"));
        fs::hard_link(&path, &other).unwrap();
        let list = ListFile::open(&path).unwrap();
        for refused in [list.change(&[remove(1)]), list.clear()] {
            assert!(matches!(refused, Err(ListError::Links { names: 2, .. })));
        }
        assert_eq!((numbers_at(&path), numbers_at(&other)), (vec![1], vec![1]));
        fs::remove_file(&other).unwrap();
        list.change(&[remove(1)]).unwrap();
        assert_eq!(numbers(&list), [0u8; 0]);
    }
}

/// What a disk does that fails to sync a commit: it is there for a moment, and taken back.
#[test]
fn a_commit_that_was_taken_back_is_not_mistaken_for_the_next_one() {
    let folder = temp_dir();
    let path = folder.path().join("list");
    let list = indexed(&path, &[]);
    list.change(&[add(1)]).unwrap();
    let log = list.current().unwrap().header().log_at();
    // Two changes each time, and the last slot is the same.
    let other = folder.path().join("other");
    fs::copy(&path, &other).unwrap();
    let copy = IndexedFile::open(&other).unwrap();
    copy.change(&[add(2), add(4)]).unwrap();
    let mut slots = [0; 128];
    let copy = fs::File::open(&other).unwrap();
    copy.read_exact_at(&mut slots, log + 64).unwrap();

    let reader = ListFile::open(&path).unwrap();
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all_at(&slots, log + 64).unwrap();
    assert_eq!(numbers(&reader), [1, 2, 4]);
    file.write_all_at(&[0; 128], log + 64).unwrap();
    list.change(&[add(3), add(4)]).unwrap();
    assert_eq!(numbers(&reader), [1, 3, 4]);
}

/// Who holds the lock must not wait for it.
#[test]
fn a_list_with_a_damaged_log_can_be_cleared() {
    let folder = temp_dir();
    let path = folder.path().join("list");
    let list = indexed(&path, &[1]);
    damage(&list, &path);
    let (done, wait) = mpsc::channel();
    std::thread::spawn(move || {
        let cleared = list.clear();
        let listed = list.current().map(|list| list.rows().count());
        done.send((cleared.is_ok(), listed.ok())).unwrap();
    });
    // A limit for the failing case only: nobody else holds the lock.
    let done = wait.recv_timeout(Duration::from_secs(20));
    assert_eq!(done, Ok((true, Some(0))));
}

/// The reader waits until nobody writes, and the writer must not wait for it.
#[test]
fn a_damaged_log_is_told_to_readers_and_writers_of_one_process() {
    let folder = temp_dir();
    let path = folder.path().join("list");
    let list = Arc::new(indexed(&path, &[1]));
    damage(&list, &path);
    let (done, wait) = mpsc::channel();
    for thread in 0..4 {
        let (list, done) = (Arc::clone(&list), done.clone());
        std::thread::spawn(move || {
            let refused = (0..200).all(|_| match thread % 2 {
                0 => list.current().is_err(),
                _ => list.change(&[add(2)]).is_err(),
            });
            done.send(refused).unwrap();
        });
    }
    for _ in 0..4 {
        // A limit for the failing case only.
        let refused = wait.recv_timeout(Duration::from_secs(20));
        assert_eq!(refused, Ok(true));
    }
}

#[test]
fn a_list_that_cannot_be_opened_can_be_cleared_if_it_is_one() {
    let folder = temp_dir();
    let path = folder.path().join("list");
    let layout = Layout {
        serial: 7,
        log_slots: 3,
    };
    let list = IndexedFile::create(&path, &mut vec![digest(1)], &layout).unwrap();
    damage(&list, &path);
    IndexedFile::clear_at(&path).unwrap();
    let cleared = IndexedFile::open(&path).unwrap().current().unwrap();
    let header = cleared.header();
    assert_eq!(
        (header.count(), header.serial(), header.log_slots()),
        (0, 7, 3)
    );
    fs::write(&path, [&b"gangplank list\n\x1a"[..], &[0; 5000]].concat()).unwrap();
    IndexedFile::clear_at(&path).unwrap();
    assert_eq!(numbers_at(&path), [0u8; 0]);
    text(&path, &[1]);
    let refused = IndexedFile::clear_at(&path);
    assert!(matches!(refused, Err(ListError::OtherKind(_))));
    assert_eq!(numbers_at(&path), [1]);
}

#[test]
fn a_damaged_log_is_told_where_there_is_no_lock() {
    let folder = temp_dir();
    let path = folder.path().join("list");
    let list = indexed(&path, &[1]);
    damage(&list, &path);
    fs::remove_file(folder.path().join("list.lock")).unwrap();
    for refused in [list.current().map(drop), ListFile::open(&path).map(drop)] {
        assert!(matches!(refused, Err(ListError::Index { .. })));
    }
}

fn damage(list: &IndexedFile, path: &Path) {
    let log = list.current().unwrap().header().log_at();
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(&[1; 64], log).unwrap();
}
