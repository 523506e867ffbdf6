use gangplank_testkit::temp_dir;

use super::*;

#[test]
fn what_took_the_files_place_is_not_written_to_and_the_change_not_acknowledged() {
    let folder = temp_dir();
    let path = folder.path().join("list");
    let list = |listed: u8| {
        let mut digests = vec![ImageDigest::from_bytes([listed; 32])];
        IndexedFile::create(&path, &mut digests, &Layout::default()).unwrap();
    };
    list(1);
    let file = OpenOptions::new().read(true).write(true).open(&path);
    let file = file.unwrap();
    let base = Base::of(file.try_clone().unwrap(), &path).unwrap();
    let (snapshot, _) = IndexedSnapshot::read(Arc::new(base), &path).unwrap();
    list(2);
    let before = fs::read(&path).unwrap();
    let appended = snapshot.append(&file, &path, &[7; 64]);
    assert!(matches!(appended, Err(ListError::Replaced(_))));
    assert_eq!(fs::read(&path).unwrap(), before);
}
