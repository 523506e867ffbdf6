use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use gangplank_allowlist::{Change, Damaged, Entry, ImageDigest, Listing};

use super::{IndexedFile, IndexedSnapshot, ListError, TextFile, TextList};

/// A list on disk, of either kind. Where somebody replaces it by one of the other kind, it is taken as
/// that one.
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
        match IndexedFile::open(&path) {
            Ok(file) => Ok(Self::Indexed(file)),
            Err(ListError::OtherKind(_)) => Ok(Self::Text(TextFile::new(path))),
            Err(ListError::Io { error, .. }) if error.kind() == io::ErrorKind::NotFound => {
                Ok(Self::Text(TextFile::new(path)))
            }
            Err(error) => Err(error),
        }
    }

    /// What the list says now.
    ///
    /// # Errors
    /// [`ListError`]: it cannot be read; nothing is permitted then.
    pub fn current(&self) -> Result<Snapshot, ListError> {
        self.as_it_is(|list| {
            Ok(match list {
                Self::Text(file) => Snapshot::Text(file.current()?),
                Self::Indexed(file) => Snapshot::Indexed(file.current()?),
            })
        })
    }

    /// Makes all changes, in their order, or none. They are on disk, and seen by everybody, when this
    /// returns.
    ///
    /// # Errors
    /// [`ListError`]; the list is as it was, except after [`ListError::InDoubt`].
    pub fn change(&self, changes: &[Change<'_>]) -> Result<(), ListError> {
        self.as_it_is(|list| match list {
            Self::Text(file) => file.change(changes),
            Self::Indexed(file) => file.change(changes),
        })
    }

    /// Takes everything off the list.
    ///
    /// # Errors
    /// [`ListError`]; the list is as it was, except after [`ListError::InDoubt`].
    pub fn clear(&self) -> Result<(), ListError> {
        self.as_it_is(|list| match list {
            Self::Text(file) => file.clear(),
            Self::Indexed(file) => file.clear(),
        })
    }

    /// Once more with the other kind, if the list became one.
    fn as_it_is<T>(
        &self,
        operation: impl Fn(&Self) -> Result<T, ListError>,
    ) -> Result<T, ListError> {
        match operation(self) {
            Err(ListError::OtherKind(path)) => operation(&Self::open(path)?),
            done => done,
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
