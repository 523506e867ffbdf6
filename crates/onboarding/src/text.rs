use alloc::{borrow::ToOwned as _, string::String};
use core::fmt;

use serde::{Serialize, Serializer};

/// A bounded text that describes something to people; it is never compared to decide anything.
///
/// At most `LIMIT` bytes of UTF-8, perhaps none, without control characters; with `LINES`, tabs
/// and line ends are allowed. So it cannot smuggle terminal escapes or false lines into a log.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<const LIMIT: usize, const LINES: bool>(String);

/// One line of at most 256 bytes: a vendor, a model, a serial number, a component's name.
pub type ShortText = Text<256, false>;

/// Lines of at most 4096 bytes: an error message.
pub type LongText = Text<4096, true>;

impl<const LIMIT: usize, const LINES: bool> Text<LIMIT, LINES> {
    /// Checks a text.
    ///
    /// # Errors
    /// [`TextError`]: too long, or a control character.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        if text.len() > LIMIT {
            return Err(TextError::TooLong { limit: LIMIT });
        }
        let allowed = |c: char| !c.is_control() || (LINES && matches!(c, '\t' | '\r' | '\n'));
        match text.chars().find(|c| !allowed(*c)) {
            Some(found) => Err(TextError::Control(found)),
            None => Ok(Self(text.to_owned())),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const LIMIT: usize, const LINES: bool> fmt::Display for Text<LIMIT, LINES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const LIMIT: usize, const LINES: bool> fmt::Debug for Text<LIMIT, LINES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl<const LIMIT: usize, const LINES: bool> Serialize for Text<LIMIT, LINES> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// Why a text is refused; always the fault of whoever wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// More bytes than allowed.
    #[error("the text is longer than {limit} bytes")]
    TooLong {
        /// How many bytes are allowed.
        limit: usize,
    },
    /// A control character.
    #[error("the text contains the control character {0:?}")]
    Control(char),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_and_control_characters_are_checked() {
        assert_eq!(ShortText::parse("Größe 7").unwrap().as_str(), "Größe 7");
        assert!(ShortText::parse("").is_ok());
        assert!(ShortText::parse(&"a".repeat(256)).is_ok());
        let long = ShortText::parse(&"a".repeat(257));
        assert_eq!(long, Err(TextError::TooLong { limit: 256 }));
        assert_eq!(ShortText::parse("a\nb"), Err(TextError::Control('\n')));
        assert!(LongText::parse("a\n\tb").is_ok());
        let escape = LongText::parse("\u{1b}[2J");
        assert_eq!(escape, Err(TextError::Control('\u{1b}')));
    }
}
