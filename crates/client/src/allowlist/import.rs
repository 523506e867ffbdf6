use std::io::Read;
use std::sync::{Mutex, PoisonError};
use std::thread;

use gangplank_allowlist::ImageDigest;
use gangplank_allowlist::indexed::{order, sort};
use gangplank_allowlist::text::{self, LineFault};

use super::ListError;

/// Reads all digests of a text, in the order of its lines, on all processors.
///
/// # Errors
/// [`ListError::Lines`]: every line that is no digest; an import takes a text as a whole or not at all. A
/// line of more than a mebibyte, be it a comment, may be the last one that is told of.
/// [`ListError::Text`]: it cannot be read.
pub fn import_text(text: impl Read + Send) -> Result<Vec<ImageDigest>, ListError> {
    let source = Mutex::new(Source {
        text,
        rest: Vec::new(),
        parts: 0,
        ended: false,
    });
    let mut parts = thread::scope(|scope| {
        // Where no thread can be started, this one reads all.
        let started = (1..processors()).map_while(|_| {
            thread::Builder::new()
                .spawn_scoped(scope, || read_parts(&source))
                .ok()
        });
        let others: Vec<_> = started.collect();
        let mut all = read_parts(&source)?;
        for other in others {
            // A panic of a worker is one of ours.
            let other = other.join();
            all.extend(other.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        }
        Ok(all)
    })?;
    parts.sort_unstable_by_key(|part| part.number);
    let mut before = 0;
    let mut all = Vec::with_capacity(parts.iter().map(|part| part.digests.len()).sum());
    let mut faults = Vec::new();
    for part in parts {
        all.extend_from_slice(&part.digests);
        let found = part.faults.into_iter();
        faults.extend(found.map(|(line, fault)| (before + line, fault)));
        before += part.lines;
    }
    if faults.is_empty() {
        Ok(all)
    } else {
        Err(ListError::Lines { faults })
    }
}

/// Puts digests in ascending order, each once, on all processors.
pub(super) fn sort_on_all(digests: &mut Vec<ImageDigest>) {
    if !digests.is_sorted() {
        sort_on(processors(), digests);
    }
    digests.dedup();
}

fn sort_on(processors: usize, digests: &mut [ImageDigest]) {
    if processors < 2 || digests.len() < SMALL {
        return sort(digests);
    }
    let (low, _, high) = digests.select_nth_unstable_by_key(digests.len() / 2, order);
    let is_started = thread::scope(|scope| {
        let sort_low = || sort_on(processors / 2, &mut *low);
        let started = thread::Builder::new().spawn_scoped(scope, sort_low);
        sort_on(processors - processors / 2, high);
        started.is_ok()
    });
    if !is_started {
        sort(low);
    }
}

fn processors() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Where workers get what they read next.
struct Source<R> {
    text: R,
    /// What was read behind the last line feed.
    rest: Vec<u8>,
    /// How many parts were given out.
    parts: usize,
    /// Nothing more is read: the text ended, could not be read or has a line of endless length.
    ended: bool,
}

/// What a worker has in its buffer.
enum Next {
    /// Whole lines: this part of the text.
    Lines(usize),
    /// This part of the text, the beginning of a line that is too long for anything.
    TooLong(usize),
    Nothing,
}

impl<R: Read> Source<R> {
    /// Puts the next lines into `buffer`.
    fn next(&mut self, buffer: &mut Vec<u8>) -> Result<Next, ListError> {
        buffer.clear();
        buffer.append(&mut self.rest);
        while !self.ended {
            buffer.reserve(PART);
            let more = self.text.by_ref().take(PART as u64).read_to_end(buffer);
            // Less than was asked for is all that there is.
            self.ended = !matches!(more, Ok(PART));
            more.map_err(ListError::Text)?;
            let feed = buffer.iter().rposition(|byte| *byte == b'\n');
            if let Some(feed) = feed {
                self.rest = buffer.split_off(feed + 1);
            } else if buffer.len() > LONGEST && !self.ended {
                self.ended = true;
                self.parts += 1;
                return Ok(Next::TooLong(self.parts));
            } else if !self.ended {
                continue;
            }
            break;
        }
        if buffer.is_empty() {
            return Ok(Next::Nothing);
        }
        self.parts += 1;
        Ok(Next::Lines(self.parts))
    }
}

fn read_parts(source: &Mutex<Source<impl Read>>) -> Result<Vec<Part>, ListError> {
    let (mut buffer, mut parts) = (Vec::new(), Vec::new());
    loop {
        let mut locked = source.lock().unwrap_or_else(PoisonError::into_inner);
        let next = locked.next(&mut buffer);
        drop(locked);
        match next? {
            Next::Lines(number) => parts.push(Part::read(number, &buffer)),
            Next::TooLong(number) => parts.push(Part::too_long(number, buffer.len())),
            Next::Nothing => return Ok(parts),
        }
    }
}

/// What some lines say, in the order of the text.
struct Part {
    number: usize,
    digests: Vec<ImageDigest>,
    faults: Vec<(usize, LineFault)>,
    lines: usize,
}

impl Part {
    fn read(number: usize, text: &[u8]) -> Self {
        let mut part = Self {
            number,
            digests: Vec::with_capacity(text.len() / LINE + 1),
            faults: Vec::new(),
            lines: 0,
        };
        for (number, line) in text::lines(text) {
            match line {
                Ok(digest) => part.digests.push(digest),
                Err(fault) => part.faults.push((number, fault)),
            }
        }
        // Lines that say nothing have numbers, too. Where there is none, they need not be counted.
        part.lines = match part.digests.len() {
            lines if lines * LINE == text.len() => lines,
            _ => text.iter().filter(|byte| **byte == b'\n').count(),
        };
        part
    }

    fn too_long(number: usize, bytes: usize) -> Self {
        Self {
            number,
            digests: Vec::new(),
            faults: vec![(1, LineFault::Length(bytes))],
            lines: 1,
        }
    }
}

/// Bytes of a line.
const LINE: usize = 65;
/// Bytes that are read at once.
const PART: usize = 1 << 22;
/// Bytes of the longest line that is always read to its end.
const LONGEST: usize = 1 << 20;
/// Digests that one processor sorts sooner than it is told to.
const SMALL: usize = 1 << 16;
