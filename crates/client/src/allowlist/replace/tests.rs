use std::io::Write as _;

use gangplank_testkit::temp_dir;

use super::*;

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

fn failed() -> ListError {
    ListError::TooMuch("a fault")
}

#[test]
fn a_list_of_somebody_faster_stays() {
    let folder = temp_dir();
    let path = folder.path().join("list");
    let made = Locked::wait(&path).unwrap().create(|_| {
        // Without the lock.
        fs::write(&path, "theirs").unwrap();
        Ok(())
    });
    assert!(matches!(made, Err(ListError::Exists(_))), "{made:?}");
    assert_eq!(fs::read(&path).unwrap(), b"theirs");
    assert_eq!(names(folder.path()), ["list", "list.lock"]);
}

#[test]
fn what_cannot_be_written_leaves_the_old_file_and_nothing_else() {
    let folder = temp_dir();
    let path = folder.path().join("list");
    fs::write(&path, "old").unwrap();
    let locked = Locked::wait(&path).unwrap();
    let replaced = locked.replace(|file| {
        file.write_all(b"half").unwrap();
        Err(failed())
    });
    assert!(matches!(replaced, Err(ListError::TooMuch(_))));
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(names(folder.path()), ["list", "list.lock"]);
}

#[test]
fn a_file_that_goes_with_lists_has_its_own_mode_and_replaces_a_link() {
    let folder = temp_dir();
    let path = folder.path().join("state");
    std::os::unix::fs::symlink("other", &path).unwrap();
    fs::write(folder.path().join("other"), "other").unwrap();
    replace_file(&path, 0o600, |file| {
        file.write_all(b"new").map_err(ListError::io(&path))
    })
    .unwrap();
    let found = fs::symlink_metadata(&path).unwrap();
    assert!(found.is_file());
    assert_eq!(found.permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!(fs::read(folder.path().join("other")).unwrap(), b"other");
    assert_eq!(names(folder.path()), ["other", "state"]);
}

/// The path is that of the file itself, and its folder has to be there.
#[test]
fn a_list_is_locked_where_it_is() {
    let folder = temp_dir();
    let link = folder.path().join("link");
    fs::create_dir(folder.path().join("real")).unwrap();
    std::os::unix::fs::symlink("real/list", &link).unwrap();
    let locked = Locked::wait(&link).unwrap();
    let real = folder.path().canonicalize().unwrap().join("real/list");
    assert_eq!(locked.path(), real);
    assert!(locked.settle().is_err(), "there is no list");
    drop(locked);
    assert_eq!(names(&folder.path().join("real")), ["list.lock"]);
    let missing = Locked::wait(&folder.path().join("missing/list"));
    assert!(matches!(missing, Err(ListError::Io { .. })));
}

#[test]
fn links_that_lead_nowhere_are_an_error() {
    let folder = temp_dir();
    let link = folder.path().join("link");
    std::os::unix::fs::symlink("link", &link).unwrap();
    let locked = Locked::wait(&link);
    assert!(matches!(locked, Err(ListError::Io { .. })), "{locked:?}");
}

#[test]
fn a_bare_name_is_in_this_folder() {
    assert_eq!(folder(Path::new("list")), Path::new("."));
    assert_eq!(folder(Path::new("a/list")), Path::new("a"));
    assert_eq!(folder(Path::new("/list")), Path::new("/"));
}
