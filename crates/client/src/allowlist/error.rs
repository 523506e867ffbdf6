use std::io;
use std::path::{Path, PathBuf};

use gangplank_allowlist::indexed::{IndexError, WriteError};
use gangplank_allowlist::text::LineFault;
use gangplank_allowlist::{Damaged, ImageDigest};

/// Why a list on disk cannot be read or changed. What cannot be read permits nothing; what could not be
/// changed is as it was, except after [`InDoubt`](Self::InDoubt).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// A file or folder cannot be read or written, or is not there.
    #[error("{}: {error}", path.display())]
    Io {
        /// The list.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It is no indexed list that could be read.
    #[error("{}: {error}", path.display())]
    Index {
        /// The list.
        path: PathBuf,
        /// What is wrong with it.
        error: IndexError,
    },
    /// It is a text where an indexed list was opened, or the other way round: somebody replaced it.
    #[error("{}: a list of another kind than the one that was opened", .0.display())]
    OtherKind(PathBuf),
    /// There is one already, where one was to be made.
    #[error("{}: there is a list already", .0.display())]
    Exists(PathBuf),
    /// The file has more than one name (hard links): it would be changed by one of them only.
    #[error("{}: the file has {names} names, and would be changed by one of them only", path.display())]
    Links {
        /// The list.
        path: PathBuf,
        /// How many names it has.
        names: u64,
    },
    /// Somebody who did not wait for the lock replaced the file while it was changed. The change is not
    /// in the new one.
    #[error("{}: the list was replaced while it was changed", .0.display())]
    Replaced(PathBuf),
    /// The change is written and not known to be on the disk: the list may be the old one or the new one,
    /// and after a loss of power another one than before.
    #[error("{}: the list may be the old one or the new one: {error}", path.display())]
    InDoubt {
        /// The list.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A text that was to be imported cannot be read to its end.
    #[error("the text cannot be read: {0}")]
    Text(io::Error),
    /// Lines that are no digests, where all have to be.
    #[error("{}", lines(faults))]
    Lines {
        /// Each with its number, from 1.
        faults: Vec<(usize, LineFault)>,
    },
    /// A text file has digests only; more cannot be said of them there.
    #[error("a list as text has no room for what is said of {0}")]
    TextOnly(ImageDigest),
    /// More than an indexed list can hold, or an import.
    #[error("{0}")]
    TooMuch(&'static str),
}

impl ListError {
    pub(super) fn io(path: &Path) -> impl Fn(io::Error) -> Self {
        move |error| Self::Io {
            path: path.to_owned(),
            error,
        }
    }

    pub(super) fn in_doubt(path: &Path) -> impl Fn(io::Error) -> Self {
        move |error| Self::InDoubt {
            path: path.to_owned(),
            error,
        }
    }

    pub(super) fn index(path: &Path) -> impl Fn(IndexError) -> Self {
        move |error| Self::Index {
            path: path.to_owned(),
            error,
        }
    }

    pub(super) fn write(path: &Path, error: WriteError<Damaged, io::Error>) -> Self {
        match error {
            WriteError::Source(damaged) => Self::index(path)(IndexError::Damaged(damaged)),
            WriteError::Sink(error) => Self::io(path)(error),
            WriteError::TooMany => Self::TooMuch("an indexed list has at most 4294967295 digests"),
            _ => Self::TooMuch("the texts of the entries are longer than a list can hold"),
        }
    }
}

fn lines(faults: &[(usize, LineFault)]) -> String {
    let lines = faults
        .iter()
        .map(|(number, fault)| format!("line {number}: {fault}"));
    lines.collect::<Vec<_>>().join("; ")
}
