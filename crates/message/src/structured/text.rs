use alloc::borrow::Cow;
use core::cmp::Ordering;

use crate::work;

/// A key of a dictionary or parameter: begins with a small letter or `*`, goes on with small
/// letters, digits, `_`, `-`, `.` and `*` (RFC 9651 §3.1.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key<'a>(pub(crate) Cow<'a, str>);

impl<'a> Key<'a> {
    /// Takes a key.
    ///
    /// # Errors
    /// [`TextError`] where a character does not belong.
    pub fn new(text: impl Into<Cow<'a, str>>) -> Result<Self, TextError> {
        let text = text.into();
        check(text.as_bytes(), starts_key, in_key)?;
        Ok(Self(text))
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A key that is written in this crate's source.
    pub(crate) const fn known(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl PartialOrd for Key<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        work::done(1);
        self.0.cmp(&other.0)
    }
}

/// The value of a String: printable ASCII and blanks (RFC 9651 §3.3.3).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<'a>(pub(crate) Cow<'a, str>);

impl<'a> Text<'a> {
    /// Takes a text, without quotation marks around it.
    ///
    /// # Errors
    /// [`TextError`] where a character does not belong.
    pub fn new(text: impl Into<Cow<'a, str>>) -> Result<Self, TextError> {
        let text = text.into();
        match text.bytes().position(|byte| !in_string(byte)) {
            Some(at) => Err(TextError { at }),
            None => Ok(Self(text)),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A token: begins with a letter or `*` (RFC 9651 §3.3.4).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token<'a>(pub(crate) Cow<'a, str>);

impl<'a> Token<'a> {
    /// Takes a token.
    ///
    /// # Errors
    /// [`TextError`] where a character does not belong.
    pub fn new(text: impl Into<Cow<'a, str>>) -> Result<Self, TextError> {
        let text = text.into();
        check(text.as_bytes(), starts_token, in_token)?;
        Ok(Self(text))
    }

    /// The token.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A character does not belong into a key, string or token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the character at byte {at} does not belong there")]
pub struct TextError {
    /// Its byte offset; the text's length when it ends too early.
    pub at: usize,
}

fn check(text: &[u8], first: fn(u8) -> bool, next: fn(u8) -> bool) -> Result<(), TextError> {
    let mut bytes = text.iter();
    if !bytes.next().is_some_and(|byte| first(*byte)) {
        return Err(TextError { at: 0 });
    }
    match bytes.position(|byte| !next(*byte)) {
        Some(at) => Err(TextError { at: at + 1 }),
        None => Ok(()),
    }
}

pub(crate) fn starts_key(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte == b'*'
}

pub(crate) fn in_key(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-.*".contains(&byte)
}

pub(crate) fn in_string(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}

pub(crate) fn starts_token(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'*'
}

pub(crate) fn in_token(byte: u8) -> bool {
    is_token_character(byte) || byte == b':' || byte == b'/'
}

/// `tchar` of RFC 9110 §5.6.2, of which field names and methods are made.
pub(crate) fn is_token_character(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
