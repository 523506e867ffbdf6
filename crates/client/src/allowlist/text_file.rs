use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, Metadata};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use gangplank_allowlist::text::{self, LineFault};
use gangplank_allowlist::{Change, Damaged, Entry, ImageDigest, Listing, indexed};

use super::ListError;
use super::replace::Locked;

/// The list of the LF Edge Secure Manager (`containerwhitelist.txt`): a line for each digest, which
/// people edit, too.
///
/// The file is the truth: before each decision it is seen whether it is another one. One that is not
/// there or cannot be read permits nothing.
#[derive(Debug)]
pub struct TextFile {
    path: PathBuf,
    read: Mutex<Option<Read>>,
    writing: Mutex<()>,
}

/// What was read, of which file, and whether that file can still be the same without being read again.
#[derive(Debug)]
struct Read {
    stamp: Stamp,
    settled: bool,
    list: Arc<TextList>,
}

/// What a text file said when it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextList {
    digests: Vec<ImageDigest>,
    faults: Vec<(usize, LineFault)>,
}

impl TextFile {
    /// The file at `path`, which need not be there yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            read: Mutex::new(None),
            writing: Mutex::new(()),
        }
    }

    /// What the file says now.
    ///
    /// # Errors
    /// [`ListError`]: it cannot be read; nothing is permitted then.
    pub fn current(&self) -> Result<Arc<TextList>, ListError> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let now = fs::metadata(&self.path).map(|found| Stamp::of(&found));
        if let (Some(read), Ok(now)) = (&*read, &now)
            && read.settled
            && read.stamp == *now
        {
            return Ok(Arc::clone(&read.list));
        }
        *read = None;
        let begun = SystemTime::now();
        let (stamp, text) = read_whole(&self.path).map_err(ListError::io(&self.path))?;
        self.must_be_text(&text)?;
        let list = Arc::new(TextList::parse(&text));
        *read = Some(Read {
            stamp,
            settled: stamp.is_settled(begun),
            list: Arc::clone(&list),
        });
        Ok(list)
    }

    /// Makes all changes, in their order, or none. They are on disk, and seen by everybody, when this
    /// returns. Comments and lines that cannot be read stay.
    ///
    /// # Errors
    /// [`ListError`]; the file is as it was, except after [`ListError::InDoubt`].
    pub fn change(&self, changes: &[Change<'_>]) -> Result<(), ListError> {
        self.rewrite(
            |text| match changes.iter().find(|change| says_more(change)) {
                Some(change) => Err(ListError::TextOnly(change.digest)),
                None => Ok(changed(text, changes)),
            },
        )
    }

    /// Takes everything off the list, and everything else out of the file.
    ///
    /// # Errors
    /// [`ListError`]; the file is as it was, except after [`ListError::InDoubt`].
    pub fn clear(&self) -> Result<(), ListError> {
        self.rewrite(|_| Ok(Some(Vec::new())))
    }

    /// Writes the text that `edit` makes; `None` is the same text.
    fn rewrite(
        &self,
        edit: impl FnOnce(&[u8]) -> Result<Option<Vec<u8>>, ListError>,
    ) -> Result<(), ListError> {
        let failed = ListError::io(&self.path);
        let _thread = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let locked = Locked::wait(&self.path)?;
        // By the name that is locked: a link may have been led elsewhere since.
        let text = match read_whole(locked.path()) {
            Ok((_, text)) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(error)),
        };
        self.must_be_text(text.as_deref().unwrap_or_default())?;
        let edited = edit(text.as_deref().unwrap_or_default())?;
        match (edited, text) {
            // Who wrote it may have been interrupted before it was on the disk.
            (None, Some(_)) => locked.settle().map_err(failed),
            (edited, _) => {
                let text = edited.unwrap_or_default();
                locked.replace(|file| file.write_all(&text).map_err(failed))
            }
        }
    }

    /// Lines that cannot be read stay: an indexed list would be taken for such lines.
    fn must_be_text(&self, text: &[u8]) -> Result<(), ListError> {
        match indexed::is_indexed(text) {
            true => Err(ListError::OtherKind(self.path.clone())),
            false => Ok(()),
        }
    }
}

impl TextList {
    /// Reads a file's text. Lines that are no digests permit nothing, and are kept for
    /// [`faults`](Self::faults).
    pub fn parse(text: &[u8]) -> Self {
        let mut list = Self::default();
        for (number, line) in text::lines(text) {
            match line {
                Ok(digest) => list.digests.push(digest),
                Err(fault) => list.faults.push((number, fault)),
            }
        }
        indexed::sort(&mut list.digests);
        list.digests.dedup();
        list
    }

    /// What is permitted, in ascending order.
    pub fn digests(&self) -> &[ImageDigest] {
        &self.digests
    }

    /// The lines that are no digests, by their numbers.
    pub fn faults(&self) -> &[(usize, LineFault)] {
        &self.faults
    }
}

impl Listing for TextList {
    fn find(&self, digest: &ImageDigest) -> Result<Option<Entry<'_>>, Damaged> {
        self.digests.find(digest)
    }
}

fn says_more(change: &Change<'_>) -> bool {
    change.entry.is_some_and(|entry| entry != Entry::default())
}

/// The text with the changes; `None` if that is no other one.
fn changed(text: &[u8], changes: &[Change<'_>]) -> Option<Vec<u8>> {
    // Of several changes of a digest, the last one remains.
    let last: BTreeMap<_, _> = changes
        .iter()
        .map(|change| (change.digest, change.entry.is_some()))
        .collect();
    let mut made = Vec::with_capacity(text.len() + changes.len() * 65 + 1);
    let mut there = BTreeSet::new();
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        match text::lines(line).next() {
            Some((_, Ok(digest))) if last.get(&digest) == Some(&false) => {}
            Some((_, Ok(digest))) => {
                if there.insert(digest) {
                    made.extend(text::line(&digest));
                }
            }
            _ => {
                made.extend_from_slice(line);
                if !line.ends_with(b"\n") {
                    made.push(b'\n');
                }
            }
        }
    }
    for (digest, listed) in last {
        if listed && there.insert(digest) {
            made.extend(text::line(&digest));
        }
    }
    (made != text).then_some(made)
}

/// The whole file, as it was at one moment. One that changes while it is read is read again.
fn read_whole(path: &Path) -> io::Result<(Stamp, Vec<u8>)> {
    for _ in 0..TRIES {
        let mut file = File::open(path)?;
        let before = Stamp::of(&file.metadata()?);
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        if Stamp::of(&file.metadata()?) == before && before.size == text.len() as u64 {
            return Ok((before, text));
        }
    }
    Err(io::Error::other("it changes while it is read"))
}

/// What tells one state of a file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(found: &Metadata) -> Self {
        Self {
            device: found.dev(),
            inode: found.ino(),
            size: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        }
    }

    /// Whether the file had not been changed for so long, when it began to be read, that a later change
    /// must have another time: clocks of file systems advance in steps.
    fn is_settled(&self, begun: SystemTime) -> bool {
        let begun = begun.duration_since(UNIX_EPOCH).unwrap_or_default();
        let begun = i64::try_from(begun.as_secs()).unwrap_or_default();
        self.changed.0.max(self.modified.0) < begun - LONGEST_STEP
    }
}

/// How often a file is read that changes meanwhile.
const TRIES: usize = 10;
/// Seconds; FAT has the longest steps.
const LONGEST_STEP: i64 = 2;

#[cfg(test)]
mod tests;
