use alloc::string::String;
use core::fmt;

/// The GUID that the manufacturer gave a device, typically its serial number.
///
/// 1 to 128 of `A–Z a–z 0–9 . _ ~ : -`, the first a letter or digit; compared byte by byte
/// (envelope version 1, member `certificateId`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CertificateId(String);

impl CertificateId {
    /// Reads a certificate id.
    ///
    /// # Errors
    /// [`CertificateIdError`], which says where a GUID of another form has to be mapped.
    pub fn parse(text: &str) -> Result<Self, CertificateIdError> {
        let Some(first) = text.chars().next() else {
            return Err(CertificateIdError::Empty);
        };
        if text.len() > MAX_LENGTH {
            return Err(CertificateIdError::TooLong { length: text.len() });
        }
        if !first.is_ascii_alphanumeric() {
            return Err(CertificateIdError::First(first));
        }
        match text.char_indices().find(|(_, c)| !is_allowed(*c)) {
            Some((at, character)) => Err(CertificateIdError::Character { character, at }),
            None => Ok(Self(String::from(text))),
        }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CertificateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no [`CertificateId`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateIdError {
    /// There is no text.
    #[error("a certificate id has at least one character")]
    Empty,
    /// More than 128 bytes.
    #[error(
        "a certificate id has at most 128 characters, this one has {length}; register the device under a shorter GUID, for example a hash of it in hex"
    )]
    TooLong {
        /// Bytes in the text.
        length: usize,
    },
    /// The first character is no letter and no digit.
    #[error(
        "a certificate id begins with a letter or digit, not {0:?}; write a GUID in braces without them"
    )]
    First(char),
    /// A character that no certificate id has.
    #[error(
        "a certificate id has only letters, digits and . _ ~ : - but has {character:?} at byte {at}; replace others by `-`"
    )]
    Character {
        /// The character.
        character: char,
        /// Its byte offset.
        at: usize,
    },
}

fn is_allowed(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '~' | ':' | '-')
}

const MAX_LENGTH: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn guids_and_serial_numbers_are_ids() {
        for text in [
            "550e8400-e29b-41d4-a716-446655440000",
            "urn:dev:mac:0024befffe804ff1",
            "7",
        ] {
            assert_eq!(CertificateId::parse(text).unwrap().as_str(), text);
        }
        assert!(CertificateId::parse(&"a".repeat(128)).is_ok());
    }

    #[test]
    fn an_id_is_shown_as_it_is() {
        let id = CertificateId::parse("SN-1:a.b_c~d").unwrap();
        assert_eq!(id.to_string(), "SN-1:a.b_c~d");
    }

    #[test]
    fn other_forms_say_what_to_do() {
        use CertificateIdError as E;
        let error = |text: &str| CertificateId::parse(text).unwrap_err();
        assert_eq!(error(""), E::Empty);
        assert_eq!(error(&"a".repeat(129)), E::TooLong { length: 129 });
        assert_eq!(error("{550e8400}"), E::First('{'));
        assert_eq!(error("-a"), E::First('-'));
        assert_eq!(
            error("a b"),
            E::Character {
                character: ' ',
                at: 1
            }
        );
        assert_eq!(
            error("aé"),
            E::Character {
                character: 'é',
                at: 1
            }
        );
        assert_eq!(
            error("a\0"),
            E::Character {
                character: '\0',
                at: 1
            }
        );
    }

    #[test]
    fn hints_reach_who_needs_them() {
        let hint = |text: &str| CertificateId::parse(text).unwrap_err().to_string();
        assert_eq!(
            hint("{550e8400-e29b-41d4-a716-446655440000}"),
            "a certificate id begins with a letter or digit, not '{'; \
             write a GUID in braces without them"
        );
        assert_eq!(
            hint("ACME 7/1"),
            "a certificate id has only letters, digits and . _ ~ : - but has ' ' at byte 4; \
             replace others by `-`"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_kept_or_refused(text in ".{0,140}") {
            if let Ok(id) = CertificateId::parse(&text) {
                prop_assert_eq!(id.as_str(), text.as_str());
            }
        }
    }
}
