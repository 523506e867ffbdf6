use alloc::vec::Vec;
use core::fmt;

use sha2::{Digest as _, Sha256};

use crate::Head;

/// A line to append, made by [`Head::append`].
#[derive(Clone, PartialEq, Eq)]
#[must_use = "a line is appended by whoever has the log"]
pub struct Line {
    text: Vec<u8>,
    head: Head,
}

impl Line {
    /// `text` ends with its LF.
    pub(crate) fn new(sequence: u64, text: Vec<u8>) -> Self {
        let hashed = text.strip_suffix(b"\n").unwrap_or(&text);
        let head = Head::new(sequence, sha256(hashed));
        Self { text, head }
    }

    /// The line, with its LF.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Where the log ends when this is appended.
    pub const fn head(&self) -> Head {
        self.head
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Line").field(&self.head).finish()
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
