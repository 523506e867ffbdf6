use std::thread;

use gangplank_allowlist::ImageDigest;
use gangplank_allowlist::text::{self, LineFault};

use super::ListError;

/// Reads all digests of a text file's bytes, in the order of its lines, on all processors.
///
/// # Errors
/// [`ListError::Lines`]: every line that is no digest; an import takes a file as a whole or not at all.
pub fn import_text(text: &[u8]) -> Result<Vec<ImageDigest>, ListError> {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let parts = parts(text, workers.min(text.len() / SMALL + 1));
    let read: Vec<Part> = thread::scope(|scope| {
        let mut parts = parts.into_iter();
        let own = parts.next();
        let others: Vec<_> = parts.map(|part| scope.spawn(|| Part::read(part))).collect();
        let own = own.map(Part::read);
        let others = others.into_iter().map(|other| {
            // A panic of a worker is one of ours.
            other
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        own.into_iter().chain(others).collect()
    });
    let mut before = 0;
    let mut all = Vec::with_capacity(read.iter().map(|part| part.digests.len()).sum());
    let mut faults = Vec::new();
    for part in read {
        all.extend_from_slice(&part.digests);
        faults.extend(
            part.faults
                .into_iter()
                .map(|(line, fault)| (before + line, fault)),
        );
        before += part.lines;
    }
    if faults.is_empty() {
        Ok(all)
    } else {
        Err(ListError::Lines { faults })
    }
}

#[derive(Default)]
struct Part {
    digests: Vec<ImageDigest>,
    faults: Vec<(usize, LineFault)>,
    lines: usize,
}

impl Part {
    fn read(text: &[u8]) -> Self {
        let mut part = Self {
            digests: Vec::with_capacity(text.len() / LINE + 1),
            ..Self::default()
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

/// Cuts a text behind line feeds into parts of about one size.
fn parts(mut text: &[u8], count: usize) -> Vec<&[u8]> {
    let size = text.len() / count;
    let mut parts = Vec::new();
    while parts.len() + 1 < count {
        let rest = text.get(size..).unwrap_or_default();
        let Some(feed) = rest.iter().position(|byte| *byte == b'\n') else {
            break;
        };
        let (part, rest) = text.split_at(size + feed + 1);
        parts.push(part);
        text = rest;
    }
    parts.push(text);
    parts
}

/// Bytes of a line.
const LINE: usize = 65;
/// Bytes that one processor reads sooner than it is told to.
const SMALL: usize = 1 << 20;
