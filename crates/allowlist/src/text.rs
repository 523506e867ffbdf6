//! A list as text: the file of the LF Edge Secure Manager (`containerwhitelist.txt`).
//!
//! 64 lower-case hex digits and a line feed for each image, and nothing else. That is how a list is
//! written; people edit the file too, so more is read.

mod canonical;

pub use canonical::{CanonicalText, NotCanonical};

use crate::ImageDigest;

/// What the lines of a file say: each with its number, from 1, and the digest or what is wrong with it.
///
/// Lines end with LF, the last one perhaps with nothing. One CR at the end, then spaces and tabs at both
/// ends are left out; empty lines and those that begin with `#` are passed over. What remains has to be
/// 64 hex digits, and upper-case ones are taken for lower-case ones. A digest may come more than once.
pub const fn lines(text: &[u8]) -> Lines<'_> {
    Lines {
        rest: text,
        number: 0,
    }
}

/// How a digest is written: 64 lower-case hex digits and LF.
pub fn line(digest: &ImageDigest) -> [u8; LINE] {
    let mut line = [b'\n'; LINE];
    for (byte, digit) in line.iter_mut().zip(digest.to_hex()) {
        *byte = digit;
    }
    line
}

/// Made by [`lines`].
#[derive(Clone, Debug)]
pub struct Lines<'t> {
    rest: &'t [u8],
    number: usize,
}

impl Iterator for Lines<'_> {
    type Item = (usize, Result<ImageDigest, LineFault>);

    fn next(&mut self) -> Option<Self::Item> {
        // Nearly all lines of nearly all files.
        if let Some(([digits @ .., b'\n'], rest)) = self.rest.split_first_chunk::<LINE>()
            && let Some(digest) = ImageDigest::from_digits(digits)
        {
            self.rest = rest;
            self.number += 1;
            return Some((self.number, Ok(digest)));
        }
        self.next_by_hand()
    }
}

impl Lines<'_> {
    fn next_by_hand(&mut self) -> Option<(usize, Result<ImageDigest, LineFault>)> {
        while !self.rest.is_empty() {
            let end = self.rest.iter().position(|byte| *byte == b'\n');
            let (line, rest) = match end.and_then(|end| self.rest.split_at_checked(end)) {
                Some((line, [_, rest @ ..])) => (line, rest),
                _ => (self.rest, [].as_slice()),
            };
            self.rest = rest;
            self.number += 1;
            if let Some(read) = read_line(line) {
                return Some((self.number, read));
            }
        }
        None
    }
}

/// What is wrong with a line of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LineFault {
    /// An algorithm before the digits. The file knows SHA-256 only, and does not name it.
    #[error("sha256: before the digits, which stand alone in this file")]
    Prefix,
    /// As many bytes, blanks at the ends not counted, where there have to be 64.
    #[error("{0} bytes, where a SHA-256 has 64 hex digits")]
    Length(usize),
    /// The byte at this place of the line, from 0, is no hex digit.
    #[error("no hex digit at byte {0} of the line")]
    NotHex(usize),
}

impl LineFault {
    /// A word for programs, which stays as it is: `prefix`, `length` or `not-hex`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Prefix => "prefix",
            Self::Length(_) => "length",
            Self::NotHex(_) => "not-hex",
        }
    }
}

/// `None` for a line that says nothing.
fn read_line(line: &[u8]) -> Option<Result<ImageDigest, LineFault>> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let blanks = line.iter().take_while(|byte| is_blank(byte)).count();
    let mut content = line.get(blanks..).unwrap_or_default();
    while let [before @ .., b' ' | b'\t'] = content {
        content = before;
    }
    match content {
        [] | [b'#', ..] => None,
        _ => Some(read_digits(content).map_err(|fault| match fault {
            LineFault::NotHex(at) => LineFault::NotHex(blanks + at),
            other => other,
        })),
    }
}

fn read_digits(content: &[u8]) -> Result<ImageDigest, LineFault> {
    if content.starts_with(b"sha256:") {
        return Err(LineFault::Prefix);
    }
    let length = LineFault::Length(content.len());
    let mut digits: [u8; 64] = content.try_into().map_err(|_| length)?;
    digits.make_ascii_lowercase();
    let not_hex = |digit: &u8| !digit.is_ascii_hexdigit();
    ImageDigest::from_digits(&digits)
        .ok_or_else(|| LineFault::NotHex(digits.iter().position(not_hex).unwrap_or_default()))
}

const fn is_blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

const LINE: usize = 65;

#[cfg(test)]
mod tests;
