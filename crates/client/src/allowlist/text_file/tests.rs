use std::time::Duration;

use gangplank_testkit::temp_dir;

use super::*;

/// As if the file had been left alone for longer than clocks take for a step.
fn settle(file: &TextFile) {
    file.read.lock().unwrap().as_mut().unwrap().settled = true;
}

#[test]
fn a_list_is_read_again_when_its_file_is_another_one_and_only_then() {
    let folder = temp_dir();
    let path = folder.path().join("list");
    let (one, two) = (format!("{:064x}\n", 1), format!("{:064x}\n", 2));
    fs::write(&path, &one).unwrap();
    let file = TextFile::new(&path);
    let first = file.current().unwrap();
    assert!(!Arc::ptr_eq(&first, &file.current().unwrap()), "too young");
    let read = file.current().unwrap();
    settle(&file);
    assert!(Arc::ptr_eq(&read, &file.current().unwrap()));
    fs::write(&path, [one, two].concat()).unwrap();
    assert_eq!(file.current().unwrap().digests().len(), 2);
    settle(&file);
    fs::remove_file(&path).unwrap();
    assert!(file.current().is_err());
}

#[test]
fn a_file_is_settled_when_a_later_change_must_have_another_time() {
    let folder = temp_dir();
    let path = folder.path().join("list");
    fs::write(&path, "").unwrap();
    let found = Stamp::of(&fs::metadata(&path).unwrap());
    let stamp = |modified, changed| Stamp {
        modified: (modified, 0),
        changed: (changed, 999_999_999),
        ..found
    };
    for (modified, changed, begun, settled) in [
        (1000, 1000, 1003, true),
        (1000, 1000, 1002, false),
        (1000, 1000, 1001, false),
        (1000, 1000, 900, false),
        (500, 1000, 1002, false),
        // Who sets times may set one to come.
        (1500, 1000, 1003, false),
        (0, 0, 5_000_000_000, true),
    ] {
        let begun_at = UNIX_EPOCH + Duration::from_secs(begun);
        let found = stamp(modified, changed).is_settled(begun_at);
        assert_eq!(found, settled, "{modified} {changed} {begun}");
    }
}

/// The kernel says of such a file that it is empty.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_is_longer_than_it_says_is_not_whole() {
    let path = Path::new("/proc/version");
    assert!(!fs::read(path).unwrap().is_empty());
    assert!(read_whole(path).is_err());
}
