//! What all lists on disk share: one writer at a time, and files that are whole or not there.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::ListError;

/// A list, or a file that goes with one, that no other writer has until this is dropped.
///
/// All writers of lists wait for it. Its lock is a file of its own beside the list, since the list's is
/// replaced: `NAME.lock`, which stays.
///
/// ```
/// use gangplank_client::allowlist::{ListError, Locked};
/// use std::io::Write as _;
///
/// # let folder = gangplank_testkit::temp_dir();
/// # let path = folder.path().join("containerwhitelist.txt");
/// let list = Locked::wait(&path)?;
/// list.replace(|file| {
///     writeln!(file, "{}", "a".repeat(64)).map_err(|error| ListError::Io { path: path.clone(), error })
/// })?;
/// assert_eq!(std::fs::read(list.path())?.len(), 65);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Locked {
    /// The file itself: symbolic links are followed, so that they have one lock and stay what they are.
    path: PathBuf,
    _lock: File,
}

impl Locked {
    /// Waits until nobody else writes the list, which need not be there; its folder has to be.
    ///
    /// # Errors
    /// [`ListError::Links`]: a change could not reach all names of the file; [`ListError::Io`].
    pub fn wait(list: &Path) -> Result<Self, ListError> {
        let failed = ListError::io(list);
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true).mode(MODE);
        loop {
            let path = resolve(list).map_err(&failed)?;
            let lock = options.open(lock_file(&path)).map_err(&failed)?;
            lock.lock().map_err(&failed)?;
            // While this waited, a link may have been led elsewhere.
            if resolve(list).map_err(&failed)? == path {
                only_name(&path)?;
                return Ok(Self { path, _lock: lock });
            }
        }
    }

    /// The file that would be locked, which need not be there; its folder has to be. Who locks two files
    /// compares them before: a second lock of one file never comes.
    ///
    /// # Errors
    /// [`ListError::Io`].
    pub fn resolve(list: &Path) -> Result<PathBuf, ListError> {
        resolve(list).map_err(ListError::io(list))
    }

    /// The file itself, behind all symbolic links.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts what `write` writes in the place of the list, readable by its owner's group. Success means that
    /// it is there after a loss of power.
    ///
    /// # Errors
    /// That of `write`, or a [`ListError`]; after any but [`ListError::InDoubt`] the old file is there.
    pub fn replace<E: From<ListError>>(
        &self,
        write: impl FnOnce(&mut File) -> Result<(), E>,
    ) -> Result<(), E> {
        replace_file(&self.path, MODE, write)
    }

    /// As [`replace`](Self::replace), but only where no list is.
    ///
    /// # Errors
    /// [`ListError::Exists`] too.
    pub(super) fn create(&self, write: impl FnOnce(&mut File) -> Written) -> Written {
        let exists = || ListError::Exists(self.path.clone());
        if fs::symlink_metadata(&self.path).is_ok() {
            return Err(exists());
        }
        // Who does not know of the lock may be faster still.
        let persisted = write_beside(&self.path, MODE, write)?.persist_noclobber(&self.path);
        persisted.map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => exists(),
            _ => ListError::io(&self.path)(error.error),
        })?;
        self.sync_name().map_err(ListError::in_doubt(&self.path))
    }

    /// Waits until the disk has the list that is there, whoever wrote it: who did may have been interrupted
    /// before that.
    ///
    /// # Errors
    /// Those of the file system, as when there is no list.
    pub fn settle(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()?;
        self.sync_name()
    }

    /// Waits until the disk has the name of the list that is there, whoever gave it.
    pub(super) fn sync_name(&self) -> io::Result<()> {
        sync_names(&self.path)
    }
}

/// Puts what `write` writes in the place of a file that goes with lists, such as what is remembered of a
/// signed one. It gets the permissions `mode`. Success means that it is there after a loss of power.
///
/// A symbolic link at `path` is replaced, and not the file that it leads to; no lock is waited for. For the
/// lists themselves there is [`Locked::replace`].
///
/// # Errors
/// That of `write`, or a [`ListError`]; after any but [`ListError::InDoubt`] the old file is there.
pub fn replace_file<E: From<ListError>>(
    path: &Path,
    mode: u32,
    write: impl FnOnce(&mut File) -> Result<(), E>,
) -> Result<(), E> {
    let persisted = write_beside(path, mode, write)?.persist(path);
    persisted.map_err(|error| ListError::io(path)(error.error))?;
    Ok(sync_names(path).map_err(ListError::in_doubt(path))?)
}

/// Waits until nobody writes, and keeps writers away until the file is dropped.
pub(super) fn lock_out_writers(list: &Path) -> io::Result<File> {
    let file = File::open(lock_file(&resolve(list)?))?;
    file.lock_shared()?;
    Ok(file)
}

type Written = Result<(), ListError>;

/// A file in the same folder, on the disk with all that `write` writes; gone when it is dropped.
fn write_beside<E: From<ListError>>(
    path: &Path,
    mode: u32,
    write: impl FnOnce(&mut File) -> Result<(), E>,
) -> Result<NamedTempFile, E> {
    let mut made = tempfile::Builder::new()
        .prefix(".list-")
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(folder(path))
        .map_err(ListError::io(path))?;
    write(made.as_file_mut())?;
    made.as_file().sync_all().map_err(ListError::io(path))?;
    Ok(made)
}

/// A rename is on the disk when its folder is.
fn sync_names(path: &Path) -> io::Result<()> {
    File::open(folder(path))?.sync_all()
}

/// The file that a name leads to, which need not be there.
fn resolve(list: &Path) -> io::Result<PathBuf> {
    match (list.canonicalize(), list.file_name()) {
        (Err(error), Some(name)) if error.kind() == io::ErrorKind::NotFound => {
            let folder = folder(list).canonicalize()?;
            match fs::read_link(list) {
                Ok(target) => resolve(&folder.join(target)),
                Err(_) => Ok(folder.join(name)),
            }
        }
        (resolved, _) => resolved,
    }
}

/// A file with two names has two locks, and one that is replaced stays what it was by its other name.
fn only_name(path: &Path) -> Result<(), ListError> {
    match fs::metadata(path) {
        Ok(found) if found.is_file() && found.nlink() > 1 => Err(ListError::Links {
            path: path.to_owned(),
            names: found.nlink(),
        }),
        _ => Ok(()),
    }
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

#[cfg(test)]
mod tests;
