use alloc::string::String;
use core::fmt;

/// The name of a tenant.
///
/// 1 to 128 of `A–Z a–z 0–9 . _ ~ : = -`, the first a letter or digit: the rule of device ids.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(String);

impl TenantId {
    /// Reads a tenant id.
    ///
    /// # Errors
    /// [`TenantIdError`]: what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, TenantIdError> {
        let Some(first) = text.chars().next() else {
            return Err(TenantIdError::Empty);
        };
        if text.len() > MAX_LENGTH {
            return Err(TenantIdError::TooLong { length: text.len() });
        }
        if !first.is_ascii_alphanumeric() {
            return Err(TenantIdError::First(first));
        }
        match text.char_indices().find(|(_, c)| !is_allowed(*c)) {
            Some((at, character)) => Err(TenantIdError::Character { character, at }),
            None => Ok(Self(String::from(text))),
        }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no [`TenantId`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TenantIdError {
    /// There is no text.
    #[error("a tenant id has at least one character")]
    Empty,
    /// More than 128 bytes.
    #[error("a tenant id has at most 128 characters, this one has {length}")]
    TooLong {
        /// Bytes in the text.
        length: usize,
    },
    /// The first character is no letter and no digit.
    #[error("a tenant id begins with a letter or digit, not {0:?}")]
    First(char),
    /// A character that no tenant id has.
    #[error(
        "a tenant id has only letters, digits and . _ ~ : = - but has {character:?} at byte {at}"
    )]
    Character {
        /// The character.
        character: char,
        /// Its byte offset.
        at: usize,
    },
}

fn is_allowed(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '~' | ':' | '=' | '-')
}

const MAX_LENGTH: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_ids() {
        for text in ["default", "7", "plant-7.line:2=a_b~c"] {
            assert_eq!(TenantId::parse(text).unwrap().as_str(), text);
        }
        assert!(TenantId::parse(&"a".repeat(128)).is_ok());
    }

    #[test]
    fn each_fault_has_its_error() {
        assert_eq!(TenantId::parse(""), Err(TenantIdError::Empty));
        assert_eq!(TenantId::parse("-a"), Err(TenantIdError::First('-')));
        let long = "a".repeat(129);
        assert_eq!(
            TenantId::parse(&long),
            Err(TenantIdError::TooLong { length: 129 })
        );
        let slash = TenantIdError::Character {
            character: '/',
            at: 1,
        };
        assert_eq!(TenantId::parse("a/b"), Err(slash));
    }
}
