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
/// [`ListError::Lines`]: every line that is no digest; an import takes a text as a whole or not at all.
/// [`ListError::Text`]; [`ListError::TooMuch`]: a line of a mebibyte.
pub fn import_text(text: impl Read + Send) -> Result<Vec<ImageDigest>, ListError> {
    let source = Mutex::new(Source {
        text,
        rest: Vec::new(),
        parts: 0,
    });
    let mut parts = thread::scope(|scope| {
        let others: Vec<_> = (1..processors())
            .map(|_| scope.spawn(|| read_parts(&source)))
            .collect();
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
    thread::scope(|scope| {
        scope.spawn(|| sort_on(processors / 2, low));
        sort_on(processors - processors / 2, high);
    });
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
}

impl<R: Read> Source<R> {
    /// Puts the next whole lines into `buffer`, and says which part of the text they are.
    fn next(&mut self, buffer: &mut Vec<u8>) -> Result<Option<usize>, ListError> {
        buffer.clear();
        buffer.append(&mut self.rest);
        loop {
            buffer.reserve(PART);
            let more = self.text.by_ref().take(PART as u64).read_to_end(buffer);
            let has_ended = more.map_err(ListError::Text)? == 0;
            let feed = buffer.iter().rposition(|byte| *byte == b'\n');
            match feed {
                Some(feed) => self.rest = buffer.split_off(feed + 1),
                None if has_ended => {}
                None if buffer.len() < LONGEST => continue,
                None => return Err(ListError::TooMuch("the text has a line of a mebibyte")),
            }
            self.parts += 1;
            return Ok((!buffer.is_empty()).then_some(self.parts));
        }
    }
}

fn read_parts(source: &Mutex<Source<impl Read>>) -> Result<Vec<Part>, ListError> {
    let (mut buffer, mut parts) = (Vec::new(), Vec::new());
    loop {
        let mut locked = source.lock().unwrap_or_else(PoisonError::into_inner);
        let next = locked.next(&mut buffer);
        drop(locked);
        match next? {
            Some(number) => parts.push(Part::read(number, &buffer)),
            None => return Ok(parts),
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
            part.lines = number;
            match line {
                Ok(digest) => part.digests.push(digest),
                Err(fault) => part.faults.push((number, fault)),
            }
        }
        // Lines that say nothing have numbers, too.
        if part.lines * LINE != text.len() {
            part.lines = text.iter().filter(|byte| **byte == b'\n').count();
        }
        part
    }
}

/// Bytes of a line.
const LINE: usize = 65;
/// Bytes that are read at once.
const PART: usize = 1 << 22;
/// Bytes of a line that is too long for anything.
const LONGEST: usize = 1 << 20;
/// Digests that one processor sorts sooner than it is told to.
const SMALL: usize = 1 << 16;
