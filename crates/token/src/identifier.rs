use alloc::{borrow::ToOwned, string::String};
use core::fmt;

/// The name under which a client authenticates at the token endpoint (RFC 6749 §2.2).
///
/// 1–128 of `A–Z a–z 0–9 . _ ~ : = -`, the first a letter or digit: the rule of a device id, so
/// that an id is safe in a path, a log and a Basic header. It is no secret.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(String);

impl ClientId {
    /// Reads an id; nothing is normalised.
    ///
    /// # Errors
    /// [`IdentifierError`] names the rule that `text` breaks.
    pub fn parse(text: &str) -> Result<Self, IdentifierError> {
        check_identifier(text)?;
        Ok(Self(text.to_owned()))
    }

    /// The id as it is written on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientId({})", self.0)
    }
}

/// Checks the rule that client ids and device ids share: 1–128 of `A–Z a–z 0–9 . _ ~ : = -`, the
/// first a letter or digit.
///
/// # Errors
/// [`IdentifierError`] names the rule that `text` breaks.
pub fn check_identifier(text: &str) -> Result<(), IdentifierError> {
    let Some(first) = text.chars().next() else {
        return Err(IdentifierError::Empty);
    };
    if text.len() > MAX_IDENTIFIER {
        return Err(IdentifierError::TooLong(text.len()));
    }
    if let Some(found) = text.chars().find(|c| !is_identifier_char(*c)) {
        return Err(IdentifierError::Character(found));
    }
    if !first.is_ascii_alphanumeric() {
        return Err(IdentifierError::First(first));
    }
    Ok(())
}

/// Why a text is no client id or device id; always the fault of whoever wrote the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentifierError {
    /// The text is empty.
    #[error("the id is empty")]
    Empty,
    /// The text is longer than 128 bytes; its length in bytes.
    #[error("the id has {0} bytes where 128 are allowed")]
    TooLong(usize),
    /// The text begins with a character other than a letter or digit.
    #[error("the id begins with {0:?} instead of a letter or digit")]
    First(char),
    /// The text contains a character that no id has.
    #[error("the id contains {0:?}, which no id has")]
    Character(char),
}

fn is_identifier_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '~' | ':' | '=' | '-')
}

const MAX_IDENTIFIER: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_rule_has_its_error() {
        assert_eq!(ClientId::parse(""), Err(IdentifierError::Empty));
        assert_eq!(ClientId::parse("-a"), Err(IdentifierError::First('-')));
        assert_eq!(ClientId::parse("."), Err(IdentifierError::First('.')));
        assert_eq!(ClientId::parse("a/b"), Err(IdentifierError::Character('/')));
        assert_eq!(ClientId::parse("é"), Err(IdentifierError::Character('é')));
        assert!(ClientId::parse(&"a".repeat(128)).is_ok());
        assert_eq!(
            ClientId::parse(&"a".repeat(129)),
            Err(IdentifierError::TooLong(129))
        );
    }

    proptest! {
        #[test]
        fn what_parses_is_written_unchanged(text in "[A-Za-z0-9][A-Za-z0-9._~:=-]{0,127}") {
            prop_assert!(ClientId::parse(&text).unwrap().as_str() == text);
        }

        #[test]
        fn no_text_panics(text in ".{0,200}") {
            let _ = ClientId::parse(&text);
        }
    }
}
