use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::sync::Arc;

use gangplank_allowlist::{Change, Damaged, Entry, ImageDigest, Listing, indexed};

use super::{IndexedFile, IndexedSnapshot, ListError, TextFile, TextList};

/// A list on disk, of either kind.
#[derive(Debug)]
#[non_exhaustive]
pub enum ListFile {
    /// A line for each digest.
    Text(TextFile),
    /// Of any size.
    Indexed(IndexedFile),
}

/// What a list on disk said at one moment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Snapshot {
    /// Of a text file.
    Text(Arc<TextList>),
    /// Of an indexed file.
    Indexed(Arc<IndexedSnapshot>),
}

impl ListFile {
    /// Opens the list at `path`. A file that is not there is a text file that is not there yet, and
    /// permits nothing.
    ///
    /// # Errors
    /// [`ListError`]: it cannot be read, or is a damaged indexed list.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, ListError> {
        let path = path.into();
        let mut first = Vec::new();
        let read = File::open(&path).and_then(|file| file.take(16).read_to_end(&mut first));
        match read {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(ListError::io(&path)(error))
            }
            Ok(_) if indexed::is_indexed(&first) => Ok(Self::Indexed(IndexedFile::open(path)?)),
            _ => Ok(Self::Text(TextFile::new(path))),
        }
    }

    /// What the list says now.
    ///
    /// # Errors
    /// [`ListError`]: it cannot be read; nothing is permitted then.
    pub fn current(&self) -> Result<Snapshot, ListError> {
        Ok(match self {
            Self::Text(file) => Snapshot::Text(file.current()?),
            Self::Indexed(file) => Snapshot::Indexed(file.current()?),
        })
    }

    /// Makes all changes, in their order, or none. They are on disk, and seen by everybody, when this
    /// returns.
    ///
    /// # Errors
    /// [`ListError`]; the list is as it was.
    pub fn change(&self, changes: &[Change<'_>]) -> Result<(), ListError> {
        match self {
            Self::Text(file) => file.change(changes),
            Self::Indexed(file) => file.change(changes),
        }
    }

    /// Takes everything off the list.
    ///
    /// # Errors
    /// [`ListError`]; the list is as it was.
    pub fn clear(&self) -> Result<(), ListError> {
        match self {
            Self::Text(file) => file.clear(),
            Self::Indexed(file) => file.clear(),
        }
    }
}

impl Listing for Snapshot {
    fn find(&self, digest: &ImageDigest) -> Result<Option<Entry<'_>>, Damaged> {
        match self {
            Self::Text(list) => list.find(digest),
            Self::Indexed(list) => list.find(digest),
        }
    }
}
