//! A list in a file: the Secure Manager's text, or an indexed one, told apart by content.

use std::fs;
use std::path::Path;

use gangplank_client::allowlist::{Damaged, Entry, ImageDigest, IndexedList, Listing, text};

use crate::{Exit, Failure, output};

/// A list that was read.
pub(crate) enum LocalList {
    Text(Vec<ImageDigest>),
    Indexed(Vec<u8>),
}

impl LocalList {
    /// Reads the list at `path`. Lines that are none are told on standard error and allow nothing.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let at = |failure: Failure| failure.while_doing(path.display());
        let bytes = fs::read(path).map_err(|error| at(Failure::of(Exit::CannotTell, &error)))?;
        if bytes.starts_with(MAGIC) {
            return match IndexedList::open(&bytes) {
                Ok(_) => Ok(Self::Indexed(bytes)),
                Err(error) => Err(at(Failure::of(Exit::No, &error))),
            };
        }
        let mut digests = Vec::new();
        for (number, line) in text::lines(&bytes) {
            match line {
                Ok(digest) => digests.push(digest),
                Err(fault) => {
                    let path = path.display();
                    output::progress(format_args!("{path}: line {number}: {fault}"));
                }
            }
        }
        digests.sort_unstable();
        digests.dedup();
        Ok(Self::Text(digests))
    }

    /// Where digests are found.
    pub(crate) fn listing(&self) -> Result<Box<dyn Listing + '_>, Failure> {
        match self {
            Self::Text(digests) => Ok(Box::new(Sorted(digests))),
            Self::Indexed(bytes) => match IndexedList::open(bytes) {
                Ok(list) => Ok(Box::new(list)),
                Err(error) => Err(Failure::of(Exit::No, &error)),
            },
        }
    }

    /// The number of this state of the list, where it has one.
    pub(crate) fn serial(&self) -> Option<u64> {
        match self {
            Self::Text(_) => None,
            Self::Indexed(bytes) => Some(IndexedList::open(bytes).ok()?.header().serial()),
        }
    }
}

impl std::fmt::Debug for LocalList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("LocalList").finish_non_exhaustive()
    }
}

/// Digests in ascending order.
struct Sorted<'d>(&'d [ImageDigest]);

impl Listing for Sorted<'_> {
    fn find(&self, digest: &ImageDigest) -> Result<Option<Entry<'_>>, Damaged> {
        self.0.find(digest)
    }
}

const MAGIC: &[u8; 16] = b"gangplank list\n\x1a";
