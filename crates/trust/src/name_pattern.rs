use alloc::string::String;
use core::fmt;

/// A pattern of subject alternative names: `*` stands for any run of characters, also an empty one
/// and one with dots; every other character stands for itself, in either case of ASCII letters.
///
/// ```
/// use gangplank_trust::NamePattern;
///
/// let pattern = NamePattern::parse("*.line-2.acme.example").unwrap();
/// assert!(pattern.matches("Pump-7.line-2.acme.example"));
/// assert!(!pattern.matches("pump-7.line-2.acme.example.org"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePattern(String);

impl NamePattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`NamePatternError`]: it is empty or too long.
    pub fn parse(text: &str) -> Result<Self, NamePatternError> {
        match text.len() {
            0 => Err(NamePatternError::Empty),
            length if length > MAX_PATTERN_BYTES => Err(NamePatternError::TooLong { length }),
            _ => Ok(Self(String::from(text))),
        }
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the whole of `name` is as the pattern says. It takes at most as many steps as the
    /// lengths of both multiplied.
    pub fn matches(&self, name: &str) -> bool {
        let mut pattern = self.0.as_bytes();
        let mut name = name.as_bytes();
        // After the last star: what follows it, and what of the name it does not cover yet.
        let mut retry: Option<(&[u8], &[u8])> = None;
        loop {
            let same = match (pattern.split_first(), name.split_first()) {
                (Some((b'*', after)), _) => {
                    retry = Some((after, name));
                    pattern = after;
                    continue;
                }
                (Some((one, after)), Some((other, rest))) if one.eq_ignore_ascii_case(other) => {
                    (pattern, name) = (after, rest);
                    continue;
                }
                (None, None) => true,
                _ => false,
            };
            // The last star covers one more; an earlier one never needs to.
            match retry.and_then(|(after, rest)| Some((after, rest.split_first()?.1))) {
                Some((after, rest)) if !same => {
                    retry = Some((after, rest));
                    (pattern, name) = (after, rest);
                }
                _ => return same,
            }
        }
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no [`NamePattern`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NamePatternError {
    /// There is no text.
    #[error("a pattern has at least one character")]
    Empty,
    /// More than 256 bytes.
    #[error("a pattern has at most {MAX_PATTERN_BYTES} bytes, this one has {length}")]
    TooLong {
        /// Bytes in the text.
        length: usize,
    },
}

/// A DNS name has at most 253 characters (RFC 1035 §3.1).
const MAX_PATTERN_BYTES: usize = 256;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn stars_cover_runs() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("a", "", false),
            ("a", "A", true),
            ("a*", "a", true),
            ("*a", "ba", true),
            ("*a", "ab", false),
            ("*ab", "aab", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b", false),
            ("**.x", "y.x", true),
            ("urn:dev:*", "urn:dev:1:2", true),
            ("*.a", ".a.b", false),
        ] {
            let pattern = NamePattern::parse(pattern).unwrap();
            assert_eq!(pattern.matches(name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn lengths_are_bounded() {
        assert_eq!(NamePattern::parse(""), Err(NamePatternError::Empty));
        let long = "*".repeat(257);
        let error = NamePattern::parse(&long).unwrap_err();
        assert_eq!(error, NamePatternError::TooLong { length: 257 });
        let slow = NamePattern::parse(&"*a".repeat(128)).unwrap();
        assert!(!slow.matches(&"a".repeat(16 * 1024).replacen('a', "b", 16_300)));
    }

    /// The definition, as slow as it is plain.
    fn slowly(pattern: &[u8], name: &[u8]) -> bool {
        match (pattern.split_first(), name.split_first()) {
            (None, None) => true,
            (Some((b'*', after)), _) => (0..=name.len()).any(|at| slowly(after, &name[at..])),
            (Some((one, after)), Some((other, rest))) => {
                one.eq_ignore_ascii_case(other) && slowly(after, rest)
            }
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn it_says_what_the_definition_says(pattern in "[ab*]{1,6}", name in "[abA]{0,8}") {
            let expected = slowly(pattern.as_bytes(), name.as_bytes());
            prop_assert_eq!(NamePattern::parse(&pattern).unwrap().matches(&name), expected);
        }
    }
}
