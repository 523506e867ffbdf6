//! Lists on disk: hand edits, several processes, faults of the disk.
#![cfg(all(feature = "allowlist", unix))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use gangplank_client::allowlist::indexed::Layout;
use gangplank_client::allowlist::{
    Change, Entry, ImageDigest, IndexedFile, ListError, ListFile, Listing as _, TextFile,
    import_text, text::LineFault,
};
use gangplank_testkit::temp_dir;

fn digest(number: u8) -> ImageDigest {
    let mut bytes = [0; 32];
    bytes[0] = number.wrapping_mul(37);
    bytes[31] = number;
    ImageDigest::from_bytes(bytes)
}

fn hex(number: u8) -> String {
    String::from_utf8(digest(number).to_hex().to_vec()).unwrap()
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
    (0..=255)
        .filter(|number| list.find(&digest(*number)).unwrap().is_some())
        .collect()
}

fn indexed(path: &Path, listed: &[u8], log_slots: u32) -> ListFile {
    let mut digests: Vec<_> = listed.iter().map(|number| digest(*number)).collect();
    let layout = Layout {
        serial: 9,
        log_slots,
    };
    IndexedFile::create(path, &mut digests, &layout).unwrap();
    ListFile::open(path).unwrap()
}

#[test]
fn a_hand_edited_file_keeps_its_good_lines_and_tells_of_the_others() {
    let folder = temp_dir();
    let path = folder.path().join("list.txt");
    let text = format!(
        "# ours\n{}\r\nsha256:{}\n\n{}",
        hex(1),
        hex(2),
        hex(3).to_uppercase()
    );
    fs::write(&path, text).unwrap();
    let file = TextFile::new(&path);
    let read = file.current().unwrap();
    assert_eq!(read.digests(), [digest(1), digest(3)]);
    assert_eq!(
        read.faults()
            .iter()
            .map(|(line, _)| *line)
            .collect::<Vec<_>>(),
        [3]
    );
    file.change(&[add(4), remove(1)]).unwrap();
    let expected = format!("# ours\nsha256:{}\n\n{}\n{}\n", hex(2), hex(3), hex(4));
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    assert_eq!(file.current().unwrap().digests(), [digest(3), digest(4)]);
}

#[test]
fn every_edit_is_seen_at_once_even_of_the_same_size_in_the_same_moment() {
    let folder = temp_dir();
    let path = folder.path().join("list.txt");
    let list = ListFile::open(&path).unwrap();
    assert!(
        list.current().is_err(),
        "nothing is there, nothing is permitted"
    );
    for round in 0..200 {
        fs::write(&path, format!("{}\n", hex(round))).unwrap();
        assert_eq!(numbers(&list), [round]);
    }
    fs::remove_file(&path).unwrap();
    assert!(list.current().is_err());
}

#[test]
fn files_are_for_owner_and_group_and_leave_nothing_behind() {
    let folder = temp_dir();
    let text = ListFile::open(folder.path().join("list.txt")).unwrap();
    text.change(&[add(1)]).unwrap();
    let indexed = indexed(&folder.path().join("list"), &[1, 2], 4);
    for _ in 0..3 {
        indexed.change(&[add(5), remove(5)]).unwrap();
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o137, 0);
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(names, ["list", "list.lock", "list.txt", "list.txt.lock"]);
}

#[test]
fn a_change_is_seen_by_others_at_once_in_place_and_by_replacement() {
    let folder = temp_dir();
    let path = folder.path().join("list");
    let list = indexed(&path, &[1, 2, 3], 4);
    let other = ListFile::open(&path).unwrap();
    let inode = || fs::metadata(&path).unwrap().ino();
    let first = inode();
    let before = other.current().unwrap();
    list.change(&[add(7), remove(2)]).unwrap();
    assert_eq!(inode(), first, "changed in place");
    assert_eq!(numbers(&other), [1, 3, 7]);
    assert!(
        before.find(&digest(2)).unwrap().is_some(),
        "a snapshot stays as it is"
    );
    other.change(&[add(2), add(9), remove(1)]).unwrap();
    assert_ne!(inode(), first, "the log was full");
    assert_eq!(numbers(&list), [2, 3, 7, 9]);
    let owned = Entry::default();
    list.change(&[Change {
        digest: digest(3),
        entry: Some(owned),
    }])
    .unwrap();
    list.clear().unwrap();
    assert_eq!(numbers(&other), [0u8; 0]);
    other.change(&[add(200)]).unwrap();
    assert_eq!(numbers(&list), [200]);
}

#[test]
fn threads_and_processes_lose_nothing() {
    let folder = temp_dir();
    for name in ["list", "list.txt"] {
        let path = folder.path().join(name);
        if name == "list" {
            indexed(&path, &[], 16);
        }
        std::thread::scope(|scope| {
            for worker in 0..4u8 {
                let path = &path;
                scope.spawn(move || {
                    // As another process would have it.
                    let list = ListFile::open(path).unwrap();
                    for number in worker * 32..worker * 32 + 16 {
                        list.change(&[add(number), add(number + 16)]).unwrap();
                        list.change(&[remove(number + 16)]).unwrap();
                    }
                });
            }
        });
        let list = ListFile::open(&path).unwrap();
        let expected: Vec<u8> = (0..128).filter(|number| number % 32 < 16).collect();
        assert_eq!(numbers(&list), expected, "{name}");
    }
}

#[test]
fn a_damaged_log_permits_nothing_and_an_unfinished_commit_does_not_count() {
    let folder = temp_dir();
    let path = folder.path().join("list");
    let list = indexed(&path, &[1, 2, 3], 8);
    list.change(&[remove(1)]).unwrap();
    let file = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(&path)
        .unwrap();
    let ListFile::Indexed(opened) = &list else {
        unreachable!()
    };
    let log = opened.current().unwrap().header().log_at();
    let mut slot = [0; 64];
    file.read_exact_at(&mut slot, log).unwrap();
    file.write_all_at(&[slot[20] ^ 1], log + 20).unwrap();
    assert!(ListFile::open(&path).is_err());
    file.write_all_at(&slot, log).unwrap();

    // What a loss of power leaves of a commit of two.
    let other = folder.path().join("other");
    fs::copy(&path, &other).unwrap();
    ListFile::open(&other)
        .unwrap()
        .change(&[add(8), remove(2)])
        .unwrap();
    let from = fs::File::open(&other).unwrap();
    from.read_exact_at(&mut slot, log + 128).unwrap();
    file.write_all_at(&slot, log + 128).unwrap();
    assert_eq!(numbers(&list), [2, 3]);
    list.change(&[add(4)]).unwrap();
    assert_eq!(numbers(&list), [2, 3, 4]);
}

#[test]
fn what_cannot_be_written_changes_nothing() {
    let folder = temp_dir();
    let path = folder.path().join("list.txt");
    let list = ListFile::open(&path).unwrap();
    list.change(&[add(1)]).unwrap();
    let entry = Change {
        digest: digest(2),
        entry: indexed_entry(),
    };
    assert!(matches!(
        list.change(&[add(3), entry]),
        Err(ListError::TextOnly(_))
    ));
    assert_eq!(numbers(&list), [1]);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(list.change(&[add(3)]).is_err());
    assert!(list.current().is_err());
}

/// A socket cannot be read, and could be replaced.
#[test]
fn what_cannot_be_read_is_not_written_over() {
    let folder = temp_dir();
    let path = folder.path().join("list.txt");
    let _socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let file = TextFile::new(&path);
    for refused in [file.change(&[add(1)]), file.clear()] {
        assert!(matches!(refused, Err(ListError::Io { .. })));
    }
    assert!(!fs::metadata(&path).unwrap().is_file());
}

/// Only what is not there is a list yet to come.
#[test]
fn what_cannot_be_opened_is_no_list() {
    let folder = temp_dir();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(ListFile::open(folder.path().join("missing")).is_ok());
    let below_a_file = ListFile::open(file.join("list"));
    assert!(matches!(below_a_file, Err(ListError::Io { .. })));
}

fn indexed_entry() -> Option<Entry<'static>> {
    let mut entry = Entry::default();
    entry.expires = Some(5);
    Some(entry)
}

#[test]
fn an_import_takes_all_or_names_every_fault_by_its_line() {
    let line = |number: u64| format!("{number:064x}\n");
    let mut text: String = (0..70_000).map(line).collect();
    let all = import_text(text.as_bytes()).unwrap();
    assert_eq!(all.len(), 70_000);
    assert!(all.is_sorted());
    assert_eq!(import_text(&b""[..]).unwrap(), []);
    text.insert_str(65 * 69_000, "\n# a comment\nx\n");
    text.insert_str(65 * 3, "oh\n");
    let Err(ListError::Lines { faults }) = import_text(text.as_bytes()) else {
        unreachable!();
    };
    let lines: Vec<usize> = faults.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [4, 69_004]);
}

/// What a reader says when all was read.
struct Ends(Option<io::Error>);

impl Read for Ends {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

#[test]
fn an_import_of_many_parts_keeps_the_order_of_lines_and_their_numbers() {
    // Some twenty megabytes, in pieces of odd lengths, with lines that nothing is aligned to.
    let line = |number: u64| match number % 1000 {
        999 => format!("# {number}\r\n"),
        _ => format!(" {number:064x}\n"),
    };
    let mut text: String = (0..300_000).map(line).collect();
    let all = import_text(text.as_bytes()).unwrap();
    assert_eq!(all.len(), 299_700);
    assert!(all.is_sorted());
    text.push_str("y\nlast");
    text.insert_str(0, "x\n");
    let pieces = text.as_bytes().chunks(777_777);
    let text = pieces.fold(
        Box::new(io::empty()) as Box<dyn Read + Send>,
        |read, piece| Box::new(read.chain(piece)),
    );
    let Err(ListError::Lines { faults }) = import_text(text) else {
        unreachable!();
    };
    let lines: Vec<usize> = faults.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [1, 300_002, 300_003]);
}

/// A text of two parts, the first of which has as many bytes as digests of its own would have.
#[test]
fn lines_that_say_nothing_are_counted_wherever_they_are() {
    let digest = format!("{}\n", "a".repeat(64));
    let comment = format!("{}\n", "#".repeat(63));
    let text = format!(
        "\n{}{comment}{}x\n",
        digest.repeat(64_526),
        digest.repeat(5)
    );
    let Err(ListError::Lines { faults }) = import_text(text.as_bytes()) else {
        unreachable!();
    };
    assert_eq!(faults, [(64_534, LineFault::Length(1))]);
}

/// As a terminal, which has more after its end.
#[test]
fn a_text_is_not_read_beyond_its_end() {
    let digest = format!("{}\n", "a".repeat(64));
    let text = Parts(vec![digest.as_bytes(), b"", b"x\n", b"", b"y\n"].into_iter());
    assert_eq!(import_text(text).unwrap().len(), 1);
}

struct Parts<'t>(std::vec::IntoIter<&'t [u8]>);

impl Read for Parts<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let next = self.0.next().unwrap_or_default();
        buffer[..next.len()].copy_from_slice(next);
        Ok(next.len())
    }
}

#[test]
fn an_import_takes_nothing_of_a_text_that_breaks_off_or_has_no_lines() {
    let error = io::Error::other("unplugged");
    let broken = (&[b'a'; 64][..]).chain(Ends(Some(error)));
    let told = import_text(broken).unwrap_err().to_string();
    assert_eq!(told, "the text cannot be read: unplugged");
    let endless = b"x\n".chain(io::repeat(b'a'));
    let Err(ListError::Lines { faults }) = import_text(endless) else {
        unreachable!();
    };
    assert!(matches!(
        faults[..],
        [
            (1, LineFault::Length(1)),
            (2, LineFault::Length(1_000_000..))
        ]
    ));
}

#[test]
fn a_large_list_has_each_digest_once_and_answers_like_a_set() {
    let digest = |number: u64| {
        let mut bytes = [0; 32];
        for (place, word) in bytes.as_chunks_mut().0.iter_mut().enumerate() {
            *word = (number + 1)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                .rotate_left(place as u32 * 16)
                .to_be_bytes();
        }
        ImageDigest::from_bytes(bytes)
    };
    let mut digests: Vec<_> = (0..300_000)
        .map(|number| digest(number % 200_000))
        .collect();
    let expected: BTreeSet<_> = digests.iter().copied().collect();
    assert_eq!(expected.len(), 200_000);
    let folder = temp_dir();
    let path = folder.path().join("list");
    let list = IndexedFile::create(&path, &mut digests, &Layout::default()).unwrap();
    let (add, remove) = (digest(200_000), digest(0));
    let changes = [
        Change {
            digest: add,
            entry: Some(Entry::default()),
        },
        Change {
            digest: remove,
            entry: None,
        },
    ];
    let ask = |list: &IndexedFile| {
        let list = list.current().unwrap();
        list.verify().unwrap();
        let found = |number: u64| list.find(&digest(number)).unwrap().is_some();
        (0..201_000)
            .filter(|number| found(*number))
            .collect::<Vec<_>>()
    };
    assert_eq!(ask(&list), (0..200_000).collect::<Vec<_>>());
    list.change(&changes).unwrap();
    assert_eq!(ask(&list), (1..=200_000).collect::<Vec<_>>());
    list.compact().unwrap();
    assert_eq!(ask(&list), (1..=200_000).collect::<Vec<_>>());
    let rows: Vec<_> = list
        .current()
        .unwrap()
        .rows()
        .map(|row| row.unwrap().0)
        .collect();
    let mut expected = expected;
    expected.remove(&remove);
    expected.insert(add);
    assert!(rows.iter().eq(&expected));
}
