use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use super::{MAX_DOCUMENT_BYTES, MAX_NESTING};

/// Why a document is refused. Each `pointer` is a JSON pointer (RFC 6901) to what is wrong; the empty
/// one points at the whole document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// It has more than [`MAX_DOCUMENT_BYTES`].
    #[error("the document has {length} bytes and may have {MAX_DOCUMENT_BYTES}")]
    TooLarge {
        /// Bytes given.
        length: usize,
    },
    /// It is no JSON text (RFC 8259).
    #[error("the document is not JSON at line {line}, column {column}")]
    Unreadable {
        /// Line, from 1.
        line: usize,
        /// Byte in the line, from 1.
        column: usize,
    },
    /// Lists and objects are inside of each other more than [`MAX_NESTING`] deep.
    #[error("{} lies deeper than {MAX_NESTING} lists and objects", place(pointer))]
    TooDeep {
        /// The list or object that is too deep.
        pointer: String,
    },
    /// An object has a member twice, and nothing says which counts.
    #[error("{} is there twice", place(pointer))]
    Repeated {
        /// The member.
        pointer: String,
    },
    /// A closed object has a member that is none of its own.
    #[error("{} is no member that is known{}", place(pointer), hint.map(|hint| format!("; {hint}")).unwrap_or_default())]
    Unknown {
        /// The member.
        pointer: String,
        /// What to write instead, if that is known.
        hint: Option<&'static str>,
    },
    /// A mandatory member is missing.
    #[error("{} is missing", place(pointer))]
    Missing {
        /// The member.
        pointer: String,
    },
    /// A value is of another kind or form than it has to be.
    #[error("{} is {found} and should be {expected}", place(pointer))]
    Unexpected {
        /// The value.
        pointer: String,
        /// What it should be.
        expected: &'static str,
        /// What it is, at most about 100 characters.
        found: String,
    },
    /// A list is longer than it may be.
    #[error("{} has {found} elements and may have {limit}", place(pointer))]
    TooMany {
        /// The list.
        pointer: String,
        /// Elements it may have.
        limit: usize,
        /// Elements it has.
        found: usize,
    },
}

impl DocumentError {
    /// The JSON pointer to what is wrong; empty if that is the whole document.
    pub fn pointer(&self) -> &str {
        match self {
            Self::TooLarge { .. } | Self::Unreadable { .. } => "",
            Self::TooDeep { pointer }
            | Self::Repeated { pointer }
            | Self::Unknown { pointer, .. }
            | Self::Missing { pointer }
            | Self::Unexpected { pointer, .. }
            | Self::TooMany { pointer, .. } => pointer,
        }
    }
}

/// What is wrong with a value, for whoever knows where it stands.
pub(super) struct Fault {
    pub(super) expected: &'static str,
    pub(super) found: String,
}

impl Fault {
    pub(super) fn new(expected: &'static str, found: impl core::fmt::Display) -> Self {
        let found = format!("{found}");
        Self { expected, found }
    }

    /// The value itself is shown, or the beginning of it.
    pub(super) fn of_value(expected: &'static str, value: &str) -> Self {
        let begin: String = value.chars().take(SHOWN_CHARACTERS).collect();
        let more = if begin.len() < value.len() { "…" } else { "" };
        Self::new(expected, format_args!("{begin:?}{more}"))
    }

    pub(super) fn at(self, pointer: &str) -> DocumentError {
        DocumentError::Unexpected {
            pointer: pointer.to_owned(),
            expected: self.expected,
            found: self.found,
        }
    }
}

fn place(pointer: &str) -> &str {
    if pointer.is_empty() {
        "the document"
    } else {
        pointer
    }
}

const SHOWN_CHARACTERS: usize = 64;
