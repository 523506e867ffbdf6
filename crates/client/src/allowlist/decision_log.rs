use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gangplank_hash_chain::{
    AppendError, Broken, Fault, Head, MAX_LINE, NoRecord, Record, Summary, Verifier,
};

mod decision;

pub use decision::{Decision, Verdict};

/// The file in which gates write down what they decided, a line each: `gangplank-hash-chain` defines it.
///
/// Any number of processes may append to it. A line is on the disk before [`append`](Self::append)
/// returns. The file is not rotated: who moves it away begins a new chain.
#[derive(Clone, Debug)]
pub struct DecisionLog {
    path: PathBuf,
    /// Whether the name of the file is known to be on the disk: who made it may have been interrupted
    /// before that.
    is_named: Arc<AtomicBool>,
}

impl DecisionLog {
    /// The log at `path`. A file is made when something is first written.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            is_named: Arc::default(),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a decision down, at `time` in Unix seconds, behind all that were written before. A last line
    /// without its line feed, which nobody was told of, is cut off; the new line says so.
    ///
    /// # Errors
    /// [`LogError`]: it is not written down.
    pub fn append(&self, time: u64, decision: Decision<'_>) -> Result<Head, LogError> {
        let mut file = self.open()?;
        // Until the file is closed.
        file.lock().map_err(LogError::Io)?;
        let end = End::find(&mut file)?;
        let line = end.head.append(time, &decision.after_cut(end.unfinished))?;
        file.set_len(end.at).map_err(LogError::Io)?;
        let mut written = write(&mut file, end.at, line.text());
        if written.is_ok() && (end.at == 0 || !self.is_named.load(Ordering::Relaxed)) {
            written = self.sync_folder();
            self.is_named.store(written.is_ok(), Ordering::Relaxed);
        }
        if let Err(error) = written {
            // Nobody is told of this line. Where this fails too, a whole line may stay that says more than
            // was done, never less.
            drop(file.set_len(end.at).and_then(|()| file.sync_data()));
            return Err(LogError::Io(error));
        }
        Ok(line.head())
    }

    /// Reads the whole log, and says whether it holds together and, where there is one, leads to the
    /// `kept` head.
    ///
    /// # Errors
    /// [`VerifyError`]: it cannot be read, or does not hold together.
    pub fn verify(&self, kept: Option<Head>) -> Result<Summary, VerifyError> {
        let mut verifier = Verifier::new();
        if let Some(kept) = kept {
            verifier = verifier.expecting(kept);
        }
        let file = File::open(&self.path).map_err(VerifyError::Io)?;
        // A line may be being appended: this waits for its end, and then lets gates write again. What there
        // is by now changes no more, but for an unfinished line, in whose place whole ones may come.
        file.lock_shared().map_err(VerifyError::Io)?;
        let length = file.metadata().map_err(VerifyError::Io)?.len();
        file.unlock().map_err(VerifyError::Io)?;
        let mut reader = BufReader::new(file.take(length));
        let mut line = Vec::new();
        loop {
            line.clear();
            let limit = MAX_LINE as u64 + 1;
            let read = reader.by_ref().take(limit).read_until(b'\n', &mut line);
            read.map_err(VerifyError::Io)?;
            match line.split_last() {
                Some((b'\n', line)) => drop(verifier.follow(line)?),
                // Too long for one, finished or not.
                Some(_) if line.len() > MAX_LINE => drop(verifier.follow(&line)?),
                _ => return Ok(verifier.finish(line.len())?),
            }
        }
    }

    fn open(&self) -> Result<File, LogError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o640);
        options.open(&self.path).map_err(LogError::Io)
    }

    /// So that the name of a new file is on the disk, too.
    fn sync_folder(&self) -> io::Result<()> {
        #[cfg(unix)]
        if let Some(folder) = self.path.canonicalize()?.parent() {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }
}

/// Where a log ends that may have lost its power.
struct End {
    head: Head,
    /// The byte after the last line.
    at: u64,
    /// How many bytes follow it.
    unfinished: u64,
}

impl End {
    /// Reads the last line only: what is above it is judged by who verifies the log.
    fn find(file: &mut File) -> Result<Self, LogError> {
        let length = file.seek(SeekFrom::End(0)).map_err(LogError::Io)?;
        // A whole line, the LF before it, and as much behind it as is no whole line.
        let begin = length.saturating_sub(2 * MAX_LINE as u64);
        file.seek(SeekFrom::Start(begin)).map_err(LogError::Io)?;
        let mut tail = Vec::new();
        let mut rest = file.take(2 * MAX_LINE as u64);
        rest.read_to_end(&mut tail).map_err(LogError::Io)?;
        let Some(end) = tail.iter().rposition(|byte| *byte == b'\n') else {
            return match begin == 0 && tail.len() < MAX_LINE {
                true => Ok(Self {
                    head: Head::START,
                    at: 0,
                    unfinished: length,
                }),
                false => Err(LogError::Damaged(NoRecord { at: MAX_LINE })),
            };
        };
        let (lines, after) = tail.split_at(end);
        let begins = lines.iter().rposition(|byte| *byte == b'\n');
        let last = match begins {
            Some(before) => lines.get(before + 1..).unwrap_or_default(),
            None => lines,
        };
        let record = Record::parse(last).map_err(LogError::Damaged)?;
        let unfinished = after.len().saturating_sub(1) as u64;
        Ok(Self {
            head: record.head(),
            at: length - unfinished,
            unfinished,
        })
    }
}

fn write(file: &mut File, at: u64, line: &[u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(at))?;
    file.write_all(line)?;
    file.sync_all()
}

/// A decision cannot be written down.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The file cannot be read or written.
    #[error("{0}")]
    Io(io::Error),
    /// The last line of the file is no record, so that nothing can follow it. It is left as it is.
    #[error("the last line of the log is damaged: {0}")]
    Damaged(NoRecord),
    /// There can be no such line.
    #[error(transparent)]
    Append(#[from] AppendError),
}

/// A log does not hold together, or nobody knows.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The file cannot be read.
    #[error("{0}")]
    Io(io::Error),
    /// It does not hold together.
    #[error(transparent)]
    Broken(#[from] Broken),
}

impl VerifyError {
    /// What is wrong with the log, where it could be read.
    pub const fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Io(_) => None,
            Self::Broken(broken) => Some(&broken.fault),
        }
    }
}

#[cfg(test)]
mod tests;
