//! What all lists on disk share: one writer at a time, and files that are whole or not there.

use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::ListError;

/// Locks a list against other writers, until the file is dropped. The lock is a file of its own, since
/// the list's is replaced.
pub(super) fn lock(list: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true).mode(MODE);
    let file = options.open(lock_file(list))?;
    file.lock()?;
    Ok(file)
}

/// Waits until nobody writes, and keeps writers away until the file is dropped.
pub(super) fn lock_out_writers(list: &Path) -> io::Result<File> {
    let file = File::open(lock_file(list))?;
    file.lock_shared()?;
    Ok(file)
}

/// Puts what `write` writes in the place of `list`. Success means that it is there after a loss of power;
/// after an error of `write` the old file is there.
pub(super) fn replace(
    list: &Path,
    write: impl FnOnce(&mut File) -> Result<(), ListError>,
) -> Result<(), ListError> {
    let failed = ListError::io(list);
    let folder = folder(list);
    let mut made = tempfile::Builder::new()
        .prefix(".list-")
        .permissions(Permissions::from_mode(MODE))
        .tempfile_in(folder)
        .map_err(&failed)?;
    write(made.as_file_mut())?;
    made.as_file().sync_all().map_err(&failed)?;
    made.persist(list).map_err(|error| failed(error.error))?;
    let folder = File::open(folder).and_then(|folder| folder.sync_all());
    folder.map_err(failed)
}

fn lock_file(list: &Path) -> PathBuf {
    let mut name = list.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

fn folder(list: &Path) -> &Path {
    match list.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// Of lists and their locks: their group may read them, nobody else.
const MODE: u32 = 0o640;
