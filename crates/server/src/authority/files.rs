//! The data directory: every file is whole or absent, and secrets are readable by their owner only.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::AuthorityError;

/// The directory that holds the orchestrator's keys.
#[derive(Debug)]
pub(super) struct DataDirectory(PathBuf);

impl DataDirectory {
    /// Opens `path`, making it with mode 0700 if it is absent. An empty directory is taken over and
    /// tightened, as `initdb` does; one with content must already be closed to others.
    pub(super) fn open(path: &Path) -> Result<Self, AuthorityError> {
        match make_private(path) {
            Ok(()) => sync_parent(path)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed("create", path)(error)),
        }
        let directory = Self(path.to_owned());
        directory.check_mode()?;
        Ok(directory)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The text of a file that others must not be able to open; `None` if there is no such file.
    pub(super) fn read_secret(
        &self,
        name: &str,
    ) -> Result<Option<Zeroizing<String>>, AuthorityError> {
        let path = self.path(name);
        let Some(mut file) = open_existing(&path)? else {
            return Ok(None);
        };
        // The open file is examined, not its name, so that it cannot be swapped in between.
        refuse_others(
            &path,
            &file.metadata().map_err(failed("examine", &path))?,
            FILE_MODE,
        )?;
        read_text(&mut file, &path).map(Some)
    }

    /// The text of a file that anyone may know; `None` if there is no such file.
    pub(super) fn read_public(&self, name: &str) -> Result<Option<String>, AuthorityError> {
        let path = self.path(name);
        let Some(mut file) = open_existing(&path)? else {
            return Ok(None);
        };
        read_text(&mut file, &path).map(|text| Some(text.as_str().to_owned()))
    }

    /// Writes a new file and never overwrites one: `false` if `name` exists, untouched.
    pub(super) fn create(&self, name: &str, text: &str) -> Result<bool, AuthorityError> {
        let path = self.path(name);
        match self.write_aside(text)?.persist_noclobber(&path) {
            Ok(_) => self.sync().map(|()| true),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(failed("create", &path)(error.error)),
        }
    }

    /// Writes a file in place of the one that may be there. For certificates only: a key is never
    /// replaced.
    pub(super) fn replace(&self, name: &str, text: &str) -> Result<(), AuthorityError> {
        let path = self.path(name);
        let aside = self.write_aside(text)?;
        aside
            .persist(&path)
            .map_err(|error| failed("replace", &path)(error.error))?;
        self.sync()
    }

    /// A finished file under a temporary name (`O_EXCL`, mode 0600, on the disk), so that being
    /// killed at any moment leaves the real name absent or whole.
    fn write_aside(&self, text: &str) -> Result<tempfile::NamedTempFile, AuthorityError> {
        let mut file = tempfile::Builder::new()
            .prefix(".unfinished-")
            .tempfile_in(&self.0)
            .map_err(failed("create a file in", &self.0))?;
        file.write_all(text.as_bytes())
            .and_then(|()| file.as_file().sync_all())
            .map_err(failed("write", file.path()))?;
        Ok(file)
    }

    /// Makes the names in the directory durable.
    fn sync(&self) -> Result<(), AuthorityError> {
        sync_directory(&self.0)
    }

    fn check_mode(&self) -> Result<(), AuthorityError> {
        let metadata = fs::metadata(&self.0).map_err(failed("examine", &self.0))?;
        let Err(refused) = refuse_others(&self.0, &metadata, DIRECTORY_MODE) else {
            return Ok(());
        };
        let mut entries = fs::read_dir(&self.0).map_err(failed("list", &self.0))?;
        if entries.next().is_some() {
            return Err(refused);
        }
        tighten(&self.0).map_err(failed("change the permissions of", &self.0))
    }
}

fn open_existing(path: &Path) -> Result<Option<File>, AuthorityError> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path)(error)),
    }
}

fn read_text(file: &mut File, path: &Path) -> Result<Zeroizing<String>, AuthorityError> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(FILE_LIMIT));
    file.take(FILE_LIMIT as u64)
        .read_to_end(&mut bytes)
        .map_err(failed("read", path))?;
    match core::str::from_utf8(&bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(AuthorityError::Unusable {
            path: path.to_owned(),
            problem: "is not text",
            remedy: "restore it from a backup",
        }),
    }
}

fn sync_parent(path: &Path) -> Result<(), AuthorityError> {
    match path.parent() {
        Some(parent) if parent != Path::new("") => sync_directory(parent),
        _ => sync_directory(Path::new(".")),
    }
}

fn sync_directory(path: &Path) -> Result<(), AuthorityError> {
    File::open(path)
        .and_then(|directory| directory.sync_all())
        .map_err(failed("flush", path))
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> AuthorityError {
    let path = path.to_owned();
    move |source| AuthorityError::Io {
        action,
        path,
        source,
    }
}

#[cfg(unix)]
fn make_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::DirBuilder::new().mode(DIRECTORY_MODE).create(path)
}

#[cfg(unix)]
fn tighten(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(DIRECTORY_MODE))
}

#[cfg(unix)]
fn refuse_others(path: &Path, metadata: &fs::Metadata, wanted: u32) -> Result<(), AuthorityError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(AuthorityError::OpenToOthers {
        path: path.to_owned(),
        mode,
        wanted,
    })
}

const DIRECTORY_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
/// No file here comes near this size; more is not read.
const FILE_LIMIT: usize = 64 * 1024;
