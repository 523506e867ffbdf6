use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use gangplank_allowlist::indexed::{
    Header, IndexError, Layout, Log, SLOT, Tail, commit, sort, write,
};
use gangplank_allowlist::{Change, Damaged, Entry, ImageDigest, IndexedList, Listing};

use super::ListError;
use super::map::Map;
use super::merged::Merged;
use super::replace::{lock, lock_out_writers, replace};

/// A list of any size in an indexed file: opened in less than a millisecond, and changed by writing some
/// hundred bytes.
///
/// Before each decision it is seen whether the file was replaced, and whether its log became longer.
#[derive(Debug)]
pub struct IndexedFile {
    path: PathBuf,
    opened: Mutex<Arc<IndexedSnapshot>>,
    writing: Mutex<()>,
}

/// What an indexed file said at one moment.
#[derive(Clone, Debug)]
pub struct IndexedSnapshot {
    base: Arc<Base>,
    /// How many slots of the log were read, and what they say, by digest.
    used: usize,
    changes: Vec<Change<'static>>,
}

/// What never changes as long as the file is not replaced.
#[derive(Debug)]
struct Base {
    file: File,
    /// Device and inode: while the file is open, no other one has them.
    identity: (u64, u64),
    header: Header,
    map: Map,
}

impl IndexedFile {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// [`ListError`]: it is not there, or no indexed list, or damaged.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, ListError> {
        let path = path.into();
        let opened = Mutex::new(Arc::new(IndexedSnapshot::open(&path)?));
        let writing = Mutex::new(());
        Ok(Self {
            path,
            opened,
            writing,
        })
    }

    /// Writes a list of digests, in any order, in the place of whatever is at `path`, and opens it.
    /// `digests` is sorted, each once, afterwards.
    ///
    /// # Errors
    /// [`ListError`]; what was at `path` is there still.
    pub fn create(
        path: impl Into<PathBuf>,
        digests: &mut Vec<ImageDigest>,
        layout: &Layout,
    ) -> Result<Self, ListError> {
        let path = path.into();
        sort(digests);
        let entries = || digests.iter().map(|digest| Ok((*digest, Entry::default())));
        let _process = lock(&path).map_err(ListError::io(&path))?;
        write_file(&path, layout, entries)?;
        Self::open(path)
    }

    /// What the file says now.
    ///
    /// # Errors
    /// [`ListError`]: it cannot be read; nothing is permitted then.
    pub fn current(&self) -> Result<Arc<IndexedSnapshot>, ListError> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let found = fs::metadata(&self.path).map_err(ListError::io(&self.path))?;
        if (found.dev(), found.ino()) != opened.base.identity {
            *opened = Arc::new(IndexedSnapshot::open(&self.path)?);
        } else if opened.log_goes_on().map_err(ListError::io(&self.path))? {
            let base = Arc::clone(&opened.base);
            *opened = Arc::new(IndexedSnapshot::of(base, &self.path)?);
        }
        Ok(Arc::clone(&opened))
    }

    /// Makes all changes, in their order, or none. They are on disk, and seen by everybody, when this
    /// returns: one write and one sync, unless the log is full or an entry has texts; then the file is
    /// written anew.
    ///
    /// # Errors
    /// [`ListError`]; the list is as it was.
    pub fn change(&self, changes: &[Change<'_>]) -> Result<(), ListError> {
        let _thread = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let _process = lock(&self.path).map_err(ListError::io(&self.path))?;
        let (snapshot, tail) = IndexedSnapshot::open_locked(&self.path)?;
        match commit(&snapshot.base.header, snapshot.used, changes) {
            _ if changes.is_empty() => Ok(()),
            Some(slots) if tail == Tail::Empty => {
                let slots: Vec<u8> = slots.flatten().collect();
                let appended = snapshot.append(&self.path, &slots);
                appended.map_err(ListError::io(&self.path))
            }
            _ => self.merge(&snapshot, changes),
        }
    }

    /// Writes the file anew with an empty log.
    ///
    /// # Errors
    /// [`ListError`]; the list is as it was.
    pub fn compact(&self) -> Result<(), ListError> {
        let _thread = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let _process = lock(&self.path).map_err(ListError::io(&self.path))?;
        self.merge(&IndexedSnapshot::open_locked(&self.path)?.0, &[])
    }

    /// Takes everything off the list.
    ///
    /// # Errors
    /// [`ListError`]; the list is as it was.
    pub fn clear(&self) -> Result<(), ListError> {
        let _thread = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let _process = lock(&self.path).map_err(ListError::io(&self.path))?;
        let layout = self
            .current()
            .map_or_else(|_| Layout::default(), |list| list.layout());
        write_file(&self.path, &layout, core::iter::empty)
    }

    fn merge(&self, snapshot: &IndexedSnapshot, more: &[Change<'_>]) -> Result<(), ListError> {
        let mut changes: BTreeMap<ImageDigest, Option<Entry<'_>>> = BTreeMap::new();
        changes.extend(
            snapshot
                .changes
                .iter()
                .map(|change| (change.digest, change.entry)),
        );
        changes.extend(more.iter().map(|change| (change.digest, change.entry)));
        let list = snapshot.base.list();
        let merged = || {
            let changes = changes.iter().map(|(digest, entry)| Change {
                digest: *digest,
                entry: *entry,
            });
            Merged::new(list.rows(), changes)
        };
        write_file(&self.path, &snapshot.layout(), merged)
    }
}

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

    fn layout(&self) -> Layout {
        let header = self.header();
        Layout {
            serial: header.serial(),
            log_slots: header.log_slots(),
        }
    }

    fn change_of(&self, digest: &ImageDigest) -> Option<&Change<'static>> {
        let at = self
            .changes
            .binary_search_by_key(digest, |change| change.digest);
        self.changes.get(at.ok()?)
    }

    fn open(path: &Path) -> Result<Self, ListError> {
        Self::of(Arc::new(Base::open(path)?), path)
    }

    /// While nobody else writes.
    fn open_locked(path: &Path) -> Result<(Self, Tail), ListError> {
        Self::of_quiet(Arc::new(Base::open(path)?), path)
    }

    /// The file with its log as it is now.
    fn of(base: Arc<Base>, path: &Path) -> Result<Self, ListError> {
        match Self::of_quiet(Arc::clone(&base), path) {
            // A slot is damaged, or being written at this moment.
            Err(ListError::Index { .. }) => {
                let _quiet = lock_out_writers(path).map_err(ListError::io(path))?;
                Ok(Self::of_quiet(base, path)?.0)
            }
            read => Ok(read?.0),
        }
    }

    fn of_quiet(base: Arc<Base>, path: &Path) -> Result<(Self, Tail), ListError> {
        let mut log = vec![0; base.header.log_slots() as usize * SLOT];
        let read = base.file.read_exact_at(&mut log, base.header.log_at());
        read.map_err(ListError::io(path))?;
        let damaged = |damaged| ListError::index(path)(IndexError::Damaged(damaged));
        let log = Log::read(&log, &base.header).map_err(damaged)?;
        // Of several changes of a digest, the last one counts.
        let changes: BTreeMap<_, _> = log
            .changes()
            .map(|change| (change.digest, change))
            .collect();
        let (used, tail) = (log.used(), log.tail());
        let changes = changes.into_values().collect();
        Ok((
            Self {
                base,
                used,
                changes,
            },
            tail,
        ))
    }

    /// Whether there is more in the log than was read.
    fn log_goes_on(&self) -> io::Result<bool> {
        if self.used == self.header().log_slots() as usize {
            return Ok(false);
        }
        let mut slot = [0; SLOT];
        self.base.file.read_exact_at(&mut slot, self.end_of_log())?;
        Ok(slot != [0; SLOT])
    }

    fn end_of_log(&self) -> u64 {
        self.header().log_at() + (self.used * SLOT) as u64
    }

    /// Writes slots behind those that count, and waits until they are on disk.
    fn append(&self, path: &Path, slots: &[u8]) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(path)?;
        let written = file
            .write_all_at(slots, self.end_of_log())
            .and_then(|()| file.sync_data());
        if written.is_err() {
            // Nothing of it shall count. If this fails too, the disk is beyond help.
            let empty = vec![0; slots.len()];
            drop(file.write_all_at(&empty, self.end_of_log()));
        }
        written
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
    fn open(path: &Path) -> Result<Self, ListError> {
        let (io, index) = (ListError::io(path), ListError::index(path));
        let file = File::open(path).map_err(&io)?;
        let found = file.metadata().map_err(&io)?;
        let mut first = vec![0; Header::LENGTH.min(found.len() as usize)];
        file.read_exact_at(&mut first, 0).map_err(&io)?;
        let header = Header::read(&first).map_err(&index)?;
        let (expected, length) = (header.file_length(), found.len());
        if expected != length {
            let found = length;
            return Err(index(IndexError::Length { expected, found }));
        }
        let length = usize::try_from(header.log_at()).map_err(|_| index(IndexError::Size))?;
        let map = Map::of(&file, length).map_err(&io)?;
        Ok(Self {
            identity: (found.dev(), found.ino()),
            file,
            header,
            map,
        })
    }

    /// What the file had when it was written.
    fn list(&self) -> IndexedList<'_> {
        IndexedList::of_base(&self.header, &self.map)
    }
}

/// Writes an indexed file in the place of whatever is at `path`.
fn write_file<'e, I>(path: &Path, layout: &Layout, entries: impl Fn() -> I) -> Result<(), ListError>
where
    I: Iterator<Item = Result<(ImageDigest, Entry<'e>), Damaged>>,
{
    replace(path, |file| {
        let written = write(entries, layout, |bytes| file.write_all(bytes));
        written
            .map(drop)
            .map_err(|error| ListError::write(path, error))
    })
}
