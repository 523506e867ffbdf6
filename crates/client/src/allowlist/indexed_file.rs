use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use gangplank_allowlist::indexed::{IndexError, Layout, Tail, commit, write};
use gangplank_allowlist::{Change, Damaged, Entry, ImageDigest};

use super::ListError;
use super::import::sort_on_all;
use super::merged::Merged;
use super::replace::Locked;

mod snapshot;

pub use snapshot::IndexedSnapshot;
use snapshot::{Base, Identity};

/// A list of any size in an indexed file: opened in less than a millisecond, and changed by writing some
/// hundred bytes.
///
/// Before each decision it is seen whether the file was replaced, and whether its log became longer.
#[derive(Debug)]
pub struct IndexedFile {
    path: PathBuf,
    opened: Mutex<Arc<IndexedSnapshot>>,
    /// Threads of this process wait for each other here.
    writing: Mutex<()>,
}

impl IndexedFile {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// [`ListError`]: it is not there, or no indexed list ([`ListError::OtherKind`]), or damaged.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, ListError> {
        let path = path.into();
        let opened = Mutex::new(Arc::new(IndexedSnapshot::open(&path)?));
        Ok(Self {
            path,
            opened,
            writing: Mutex::new(()),
        })
    }

    /// Writes a list of digests, in any order, in the place of whatever is at `path`, and opens it.
    /// `digests` is sorted, each once, afterwards.
    ///
    /// # Errors
    /// [`ListError`]; what was at `path` is there still, except after [`ListError::InDoubt`].
    pub fn create(
        path: impl Into<PathBuf>,
        digests: &mut Vec<ImageDigest>,
        layout: &Layout,
    ) -> Result<Self, ListError> {
        let path = path.into();
        let locked = Locked::wait(&path)?;
        locked.replace(|file| write_digests(file, digests, layout, &path))?;
        // Who reads a damaged log waits for writers, and so for this one.
        drop(locked);
        Self::open(path)
    }

    /// As [`create`](Self::create), but only where no file is, of whatever kind.
    ///
    /// # Errors
    /// [`ListError::Exists`] too.
    pub fn create_new(
        path: impl Into<PathBuf>,
        digests: &mut Vec<ImageDigest>,
        layout: &Layout,
    ) -> Result<Self, ListError> {
        let path = path.into();
        let locked = Locked::wait(&path)?;
        locked.create(|file| write_digests(file, digests, layout, &path))?;
        drop(locked);
        Self::open(path)
    }

    /// What the file says now.
    ///
    /// # Errors
    /// [`ListError`]: it cannot be read; nothing is permitted then.
    pub fn current(&self) -> Result<Arc<IndexedSnapshot>, ListError> {
        let opened = self.opened();
        let found = fs::metadata(&self.path).map_err(ListError::io(&self.path))?;
        let now = if Identity::of(&found) != opened.base().identity() {
            IndexedSnapshot::open(&self.path)?
        } else if opened.log_differs().map_err(ListError::io(&self.path))? {
            opened.read_again(&self.path)?
        } else {
            return Ok(opened);
        };
        Ok(self.keep(now))
    }

    /// Makes all changes, in their order, or none. They are on disk, and seen by everybody, when this
    /// returns: one write and one sync, unless the log is full or an entry has texts; then the file is
    /// written anew.
    ///
    /// # Errors
    /// [`ListError`]; the list is as it was, except after [`ListError::InDoubt`].
    pub fn change(&self, changes: &[Change<'_>]) -> Result<(), ListError> {
        let _thread = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let locked = Locked::wait(&self.path)?;
        let failed = ListError::io(locked.path());
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).open(locked.path());
        let file = file.map_err(&failed)?;
        let base = self.base_of(&file, locked.path())?;
        let (snapshot, tail) = IndexedSnapshot::read(base, locked.path())?;
        match commit(snapshot.header(), snapshot.changes(), changes) {
            _ if changes.is_empty() => locked.settle().map_err(failed),
            Some(slots) if tail == Tail::Empty => {
                // Who replaced the file may have been interrupted before its name was on the disk.
                snapshot.base().sync_name_once(&locked).map_err(failed)?;
                let slots: Vec<u8> = slots.flatten().collect();
                snapshot.append(&file, locked.path(), &slots)
            }
            _ => self.merge(&locked, &snapshot, changes),
        }
    }

    /// What was read of the file that was just opened at `path`, or is read now.
    fn base_of(&self, file: &File, path: &Path) -> Result<Arc<Base>, ListError> {
        let failed = ListError::io(path);
        let found = Identity::of(&file.metadata().map_err(&failed)?);
        let mut opened = self.opened();
        if opened.base().identity() != found {
            let base = Base::of(file.try_clone().map_err(&failed)?, path)?;
            let (snapshot, _) = IndexedSnapshot::read(Arc::new(base), path)?;
            opened = self.keep(snapshot);
        }
        Ok(Arc::clone(opened.base()))
    }

    /// What was read last. Nobody holds it while he reads: who waits for a writer would keep him waiting.
    fn opened(&self) -> Arc<IndexedSnapshot> {
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&opened)
    }

    fn keep(&self, snapshot: IndexedSnapshot) -> Arc<IndexedSnapshot> {
        let snapshot = Arc::new(snapshot);
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        *opened = Arc::clone(&snapshot);
        snapshot
    }

    /// Writes the file anew with an empty log.
    ///
    /// # Errors
    /// [`ListError`]; the list is as it was, except after [`ListError::InDoubt`].
    pub fn compact(&self) -> Result<(), ListError> {
        let _thread = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let locked = Locked::wait(&self.path)?;
        let base = Arc::new(Base::open(locked.path())?);
        let (snapshot, _) = IndexedSnapshot::read(base, locked.path())?;
        self.merge(&locked, &snapshot, &[])
    }

    /// Takes everything off the list, even if it is damaged.
    ///
    /// # Errors
    /// [`ListError`]; the list is as it was, except after [`ListError::InDoubt`].
    pub fn clear(&self) -> Result<(), ListError> {
        let _thread = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        Self::clear_at(&self.path)
    }

    /// Takes everything off the list at `path`, even if it is too damaged to be opened. Where its header
    /// can be read, serial number and room for changes stay.
    ///
    /// # Errors
    /// [`ListError`], as when there is no list, or one of a later format; it is as it was, except after
    /// [`ListError::InDoubt`].
    pub fn clear_at(path: &Path) -> Result<(), ListError> {
        let locked = Locked::wait(path)?;
        // The log is not read: if it is damaged, its reader waits for writers, and so for this one.
        let layout = match Base::open(locked.path()) {
            Ok(base) => base.layout(),
            Err(ListError::Index { error, .. }) if !matches!(error, IndexError::Kind { .. }) => {
                Layout::default()
            }
            Err(error) => return Err(error),
        };
        write_anew(&locked, &layout, core::iter::empty)
    }

    fn merge(
        &self,
        locked: &Locked,
        snapshot: &IndexedSnapshot,
        more: &[Change<'_>],
    ) -> Result<(), ListError> {
        let mut changes: BTreeMap<ImageDigest, Option<Entry<'_>>> = BTreeMap::new();
        let logged = snapshot.logged().iter();
        changes.extend(logged.map(|change| (change.digest, change.entry)));
        changes.extend(more.iter().map(|change| (change.digest, change.entry)));
        let list = snapshot.base().list();
        let merged = || {
            let changes = changes.iter().map(|(digest, entry)| Change {
                digest: *digest,
                entry: *entry,
            });
            Merged::new(list.rows(), changes)
        };
        write_anew(locked, &snapshot.base().layout(), merged)
    }
}

fn write_anew<'e, I>(
    locked: &Locked,
    layout: &Layout,
    entries: impl Fn() -> I,
) -> Result<(), ListError>
where
    I: Iterator<Item = Result<(ImageDigest, Entry<'e>), Damaged>>,
{
    locked.replace(|file| write_file(file, locked.path(), layout, entries))
}

fn write_digests(
    file: &mut File,
    digests: &mut Vec<ImageDigest>,
    layout: &Layout,
    path: &Path,
) -> Result<(), ListError> {
    sort_on_all(digests);
    let entries = || digests.iter().map(|digest| Ok((*digest, Entry::default())));
    write_file(file, path, layout, entries)
}

/// `path` is what an error tells.
fn write_file<'e, I>(
    file: &mut File,
    path: &Path,
    layout: &Layout,
    entries: impl Fn() -> I,
) -> Result<(), ListError>
where
    I: Iterator<Item = Result<(ImageDigest, Entry<'e>), Damaged>>,
{
    // One processor makes the pieces of the file, another one hands them to the system.
    let (pieces, made) = mpsc::sync_channel::<Vec<u8>>(PIECES);
    let by_two = thread::scope(|scope| {
        let hand_on = || {
            made.into_iter()
                .try_for_each(|piece| file.write_all(&piece))
        };
        let writer = thread::Builder::new().spawn_scoped(scope, hand_on).ok()?;
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        let written = write(&entries, layout, |piece| {
            pieces.send(piece.to_vec()).map_err(gone)
        });
        drop(pieces);
        // A panic of the writer is one of ours.
        let handed = writer.join();
        Some((written, handed.unwrap_or_else(|panic| resume_unwind(panic))))
    });
    let written = match by_two {
        Some((written, handed)) => {
            // Whoever makes pieces is told only that the writer is gone, not why.
            handed.map_err(ListError::io(path))?;
            written
        }
        // No thread can be started.
        None => write(&entries, layout, |piece| file.write_all(piece)),
    };
    written
        .map(drop)
        .map_err(|error| ListError::write(path, error))
}

/// Pieces that wait for the system at most.
const PIECES: usize = 4;

#[cfg(test)]
mod tests;
