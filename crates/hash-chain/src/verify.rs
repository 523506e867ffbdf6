use crate::{Head, NoRecord, Record};

/// Follows a log from line to line.
#[derive(Clone, Debug)]
pub struct Verifier {
    begun: Head,
    head: Head,
    expected: Option<Head>,
    line: u64,
    time: Option<u64>,
    set_back: Option<u64>,
}

impl Verifier {
    /// From the first line of all.
    pub const fn new() -> Self {
        Self::after(Head::START)
    }

    /// From the line after `head`, as where earlier lines are kept elsewhere.
    pub const fn after(head: Head) -> Self {
        Self {
            begun: head,
            head,
            expected: None,
            line: 0,
            time: None,
            set_back: None,
        }
    }

    /// The log has to have the line that `head` says, as the last one or above it. Without this nothing
    /// shows that lines were cut off, or the last one changed.
    #[must_use]
    pub const fn expecting(self, head: Head) -> Self {
        Self {
            expected: Some(head),
            ..self
        }
    }

    /// Reads the next line, without its LF. After an error nothing is known of what follows.
    ///
    /// # Errors
    /// [`Broken`]: what is wrong with it.
    pub fn follow<'l>(&mut self, line: &'l [u8]) -> Result<Record<'l>, Broken> {
        self.line += 1;
        let broken = |fault| Broken {
            line: self.line,
            fault,
        };
        let record = Record::parse(line).map_err(|source| broken(Fault::Record(source)))?;
        let expected = self.head.sequence().saturating_add(1);
        if record.sequence() != expected {
            let found = record.sequence();
            return Err(broken(Fault::Sequence { expected, found }));
        }
        if record.previous() != self.head.hash() {
            return Err(broken(Fault::Hash));
        }
        let head = record.head();
        if let Some(kept) = self.expected
            && kept.sequence() == head.sequence()
            && kept != head
        {
            return Err(broken(Fault::Head));
        }
        if self.time.is_some_and(|before| record.time() < before) {
            self.set_back.get_or_insert(self.line);
        }
        self.time = Some(record.time());
        self.head = head;
        Ok(record)
    }

    /// Says how the log is, when all of its lines were followed; `unfinished` bytes follow the last LF.
    ///
    /// # Errors
    /// [`Broken`]: a line is missing that was expected.
    pub fn finish(self, unfinished: usize) -> Result<Summary, Broken> {
        let broken = |fault| Broken {
            line: self.line.saturating_add(1),
            fault,
        };
        match self.expected {
            Some(Head::START) => (),
            // Its line is not among those that were followed.
            Some(kept) if kept.sequence() <= self.begun.sequence() && kept != self.begun => {
                return Err(broken(Fault::Head));
            }
            Some(kept) if kept.sequence() > self.head.sequence() => {
                let (expected, found) = (kept.sequence(), self.head.sequence());
                return Err(broken(Fault::Shorter { expected, found }));
            }
            _ => (),
        }
        Ok(Summary {
            head: self.head,
            lines: self.line,
            set_back: self.set_back,
            unfinished,
        })
    }

    /// Follows a whole log.
    ///
    /// # Errors
    /// [`Broken`]: the first line that is wrong.
    pub fn verify(mut self, log: &[u8]) -> Result<Summary, Broken> {
        let mut rest = log;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, after) = rest.split_at(end);
            self.follow(line)?;
            rest = after.get(1..).unwrap_or_default();
        }
        self.finish(rest.len())
    }
}

impl Default for Verifier {
    fn default() -> Self {
        Self::new()
    }
}

/// How a log is that holds together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// Where it ends: what to keep elsewhere.
    pub head: Head,
    /// How many lines were followed.
    pub lines: u64,
    /// The first line, from 1, whose time is before that of the line above it.
    pub set_back: Option<u64>,
    /// How many bytes follow the last LF: a line that was begun, and that nobody was told of.
    pub unfinished: usize,
}

/// A log does not hold together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} {fault}")]
pub struct Broken {
    /// The first line, from 1, where it shows.
    pub line: u64,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// It is no record.
    #[error("is no record: byte {} cannot be read", .0.at)]
    Record(NoRecord),
    /// It has not the next number: lines are missing, came twice or in another order.
    #[error("has the number {found}, where {expected} follows")]
    Sequence {
        /// The number that follows.
        expected: u64,
        /// The number that it has.
        found: u64,
    },
    /// The hash that it has is not that of the line before: one of the two was changed.
    #[error("does not have the hash of the line before")]
    Hash,
    /// It is not the line that the expected head says, or that line is not in the part that was followed.
    #[error("is another one than the head says")]
    Head,
    /// It is missing: the expected head says that there are more.
    #[error("is missing: the head says {expected} lines, and the last is {found}")]
    Shorter {
        /// The number of the head's line.
        expected: u64,
        /// The number of the last line.
        found: u64,
    },
}

impl Fault {
    /// A word for programs, which stays as it is: `record`, `sequence`, `hash`, `head` or `shorter`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Record(_) => "record",
            Self::Sequence { .. } => "sequence",
            Self::Hash => "hash",
            Self::Head => "head",
            Self::Shorter { .. } => "shorter",
        }
    }
}
