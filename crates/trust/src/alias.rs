use alloc::string::String;
use core::fmt;

/// Another name of a tenant: the first label of the host name that its devices connect to.
///
/// 1 to 63 of `a–z 0–9 -`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Alias(String);

impl Alias {
    /// Reads an alias.
    ///
    /// # Errors
    /// [`AliasError`]: what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, AliasError> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if text.is_empty() {
            return Err(AliasError::Empty);
        }
        if let Some((at, character)) = text.char_indices().find(|(_, c)| !allowed(*c)) {
            return Err(AliasError::Character { character, at });
        }
        match text.len() {
            length if length > MAX_LENGTH => Err(AliasError::TooLong { length }),
            _ => Ok(Self(String::from(text))),
        }
    }

    /// The alias as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no [`Alias`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AliasError {
    /// There is no text.
    #[error("an alias has at least one character")]
    Empty,
    /// A character that no alias has.
    #[error("an alias has only a-z, 0-9 and -, but has {character:?} at byte {at}")]
    Character {
        /// The character.
        character: char,
        /// Its byte offset.
        at: usize,
    },
    /// More than 63 characters.
    #[error("an alias has at most {MAX_LENGTH} characters, this one has {length}")]
    TooLong {
        /// Characters in the text.
        length: usize,
    },
}

/// A label of a host name has no more (RFC 1035 §2.3.4).
const MAX_LENGTH: usize = 63;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_aliases() {
        for text in ["plant-7", "-", "0", &"a".repeat(63)] {
            assert_eq!(Alias::parse(text).unwrap().as_str(), text);
        }
        assert_eq!(Alias::parse(""), Err(AliasError::Empty));
        let error = Alias::parse(&"a".repeat(64)).unwrap_err();
        assert_eq!(error, AliasError::TooLong { length: 64 });
        for (text, character, at) in [("aB", 'B', 1), ("a.b", '.', 1), ("ä", 'ä', 0)] {
            let error = Alias::parse(text).unwrap_err();
            assert_eq!(error, AliasError::Character { character, at });
        }
    }
}
