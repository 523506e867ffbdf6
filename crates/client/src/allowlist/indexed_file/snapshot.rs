use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gangplank_allowlist::indexed::{Header, IndexError, Layout, Log, SLOT, Tail, is_indexed};
use gangplank_allowlist::{Change, Damaged, Entry, ImageDigest, IndexedList, Listing};

use crate::allowlist::ListError;
use crate::allowlist::map::Map;
use crate::allowlist::merged::Merged;
use crate::allowlist::replace::{Locked, lock_out_writers};

/// What an indexed file said at one moment.
#[derive(Clone, Debug)]
pub struct IndexedSnapshot {
    base: Arc<Base>,
    /// How many slots of the log were read, and what they say, by digest.
    used: usize,
    changes: Vec<Change<'static>>,
    /// The slots of the last commit. It is the only one that may be taken back, if it cannot be synced.
    last_commit: Vec<u8>,
}

/// What never changes as long as the file is not replaced.
#[derive(Debug)]
pub(super) struct Base {
    file: File,
    identity: Identity,
    header: Header,
    map: Map,
    /// The name of the file is known to be on the disk.
    has_durable_name: AtomicBool,
}

/// Device and inode: while the file is open, no other one has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity(u64, u64);

impl IndexedSnapshot {
    /// All digests in ascending order, each with what is said of it.
    pub fn rows(&self) -> impl Iterator<Item = Result<(ImageDigest, Entry<'_>), Damaged>> {
        Merged::new(self.base.list().rows(), self.changes.iter().copied())
    }

    /// As [`Listing::find`] for many digests, in their order, in less time than one by one.
    pub fn find_many(
        &self,
        digests: &[ImageDigest],
        mut each: impl FnMut(&ImageDigest, Result<Option<Entry<'_>>, Damaged>),
    ) {
        self.base
            .list()
            .find_many(digests, |digest, found| match self.change_of(digest) {
                Some(change) => each(digest, Ok(change.entry)),
                None => each(digest, found),
            });
    }

    /// Reads everything that the file has, see [`IndexedList::verify`].
    ///
    /// # Errors
    /// [`Damaged`]: the first part that is.
    pub fn verify(&self) -> Result<(), Damaged> {
        self.base.list().verify()
    }

    /// What the file says of itself.
    pub fn header(&self) -> &Header {
        &self.base.header
    }

    /// How many changes are in the log.
    pub const fn changes(&self) -> usize {
        self.used
    }

    fn change_of(&self, digest: &ImageDigest) -> Option<&Change<'static>> {
        let at = self
            .changes
            .binary_search_by_key(digest, |change| change.digest);
        self.changes.get(at.ok()?)
    }

    pub(super) fn base(&self) -> &Arc<Base> {
        &self.base
    }

    /// What the log says, in ascending order of the digests.
    pub(super) fn logged(&self) -> &[Change<'static>] {
        &self.changes
    }

    pub(super) fn open(path: &Path) -> Result<Self, ListError> {
        Self::of(Arc::new(Base::open(path)?), path)
    }

    /// The same file with its log as it is now.
    pub(super) fn read_again(&self, path: &Path) -> Result<Self, ListError> {
        Self::of(Arc::clone(&self.base), path)
    }

    fn of(base: Arc<Base>, path: &Path) -> Result<Self, ListError> {
        match Self::read(Arc::clone(&base), path) {
            // A slot is damaged, or being written at this moment.
            Err(error @ ListError::Index { .. }) => match lock_out_writers(path) {
                Ok(_quiet) => Ok(Self::read(base, path)?.0),
                Err(_) => Err(error),
            },
            read => Ok(read?.0),
        }
    }

    /// While nobody else writes.
    pub(super) fn read(base: Arc<Base>, path: &Path) -> Result<(Self, Tail), ListError> {
        let length = usize::try_from(base.header.file_length() - base.header.log_at());
        let mut log = vec![0; length.map_err(|_| ListError::index(path)(IndexError::Size))?];
        let read = base.file.read_exact_at(&mut log, base.header.log_at());
        read.map_err(ListError::io(path))?;
        let damaged = |damaged| ListError::index(path)(IndexError::Damaged(damaged));
        let log = Log::read(&log, &base.header).map_err(damaged)?;
        // Of several changes of a digest, the last one counts.
        let changes: BTreeMap<_, _> = log
            .changes()
            .map(|change| (change.digest, change))
            .collect();
        let snapshot = Self {
            used: log.used(),
            changes: changes.into_values().collect(),
            last_commit: log.last_commit().as_flattened().to_vec(),
            base,
        };
        Ok((snapshot, log.tail()))
    }

    /// Whether the log is another one than was read: there is more in it, or its last commit was taken
    /// back.
    pub(super) fn log_differs(&self) -> io::Result<bool> {
        let is_full = self.used == self.header().log_slots() as usize;
        let mut expected = self.last_commit.clone();
        if !is_full {
            expected.extend([0; SLOT]);
        }
        let mut found = vec![0; expected.len()];
        let at = self.end_of_log() - self.last_commit.len() as u64;
        self.base.file.read_exact_at(&mut found, at)?;
        Ok(found != expected)
    }

    fn end_of_log(&self) -> u64 {
        self.header().log_at() + (self.used * SLOT) as u64
    }

    /// Writes slots behind those that count, into the very file that was read, opened for writing, and
    /// waits until they are on disk. `path` is where that file still has to be then.
    pub(super) fn append(&self, file: &File, path: &Path, slots: &[u8]) -> Result<(), ListError> {
        let at = self.end_of_log();
        let write = |bytes: &[u8]| {
            let written = file.write_all_at(bytes, at);
            written.and_then(|()| file.sync_data())
        };
        if let Err(error) = write(slots) {
            // Nothing of it shall count.
            return Err(match write(&vec![0; slots.len()]) {
                Ok(()) => ListError::io(path)(error),
                Err(_) => ListError::in_doubt(path)(error),
            });
        }
        let found = fs::metadata(path).map_err(ListError::io(path))?;
        match Identity::of(&found) == self.base.identity {
            true => Ok(()),
            false => Err(ListError::Replaced(path.to_owned())),
        }
    }
}

impl Listing for IndexedSnapshot {
    fn find(&self, digest: &ImageDigest) -> Result<Option<Entry<'_>>, Damaged> {
        match self.change_of(digest) {
            Some(change) => Ok(change.entry),
            None => self.base.list().find(digest),
        }
    }
}

impl Base {
    pub(super) fn open(path: &Path) -> Result<Self, ListError> {
        Self::of(File::open(path).map_err(ListError::io(path))?, path)
    }

    /// Of the file that was opened at `path`.
    pub(super) fn of(file: File, path: &Path) -> Result<Self, ListError> {
        let (io, index) = (ListError::io(path), ListError::index(path));
        let found = file.metadata().map_err(&io)?;
        let mut first = vec![0; found.len().min(Header::LENGTH as u64) as usize];
        file.read_exact_at(&mut first, 0).map_err(&io)?;
        if !is_indexed(&first) {
            return Err(ListError::OtherKind(path.to_owned()));
        }
        let header = Header::read(&first).map_err(&index)?;
        let (expected, length) = (header.file_length(), found.len());
        if expected != length {
            let found = length;
            return Err(index(IndexError::Length { expected, found }));
        }
        let length = usize::try_from(header.log_at()).map_err(|_| index(IndexError::Size))?;
        let map = Map::of(&file, length).map_err(&io)?;
        Ok(Self {
            identity: Identity::of(&found),
            file,
            header,
            map,
            has_durable_name: AtomicBool::new(false),
        })
    }

    /// Waits until the disk has the name of this file, which is locked.
    pub(super) fn sync_name_once(&self, locked: &Locked) -> io::Result<()> {
        if !self.has_durable_name.load(Ordering::Relaxed) {
            locked.sync_name()?;
            self.has_durable_name.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    pub(super) fn identity(&self) -> Identity {
        self.identity
    }

    pub(super) fn layout(&self) -> Layout {
        Layout {
            serial: self.header.serial(),
            log_slots: self.header.log_slots(),
        }
    }

    /// What the file had when it was written.
    pub(super) fn list(&self) -> IndexedList<'_> {
        IndexedList::of_base(&self.header, &self.map)
    }
}

impl Identity {
    pub(super) fn of(found: &Metadata) -> Self {
        Self(found.dev(), found.ino())
    }
}
