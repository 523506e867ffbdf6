use core::fmt;

/// The SHA-256 of an image's manifest: what a list of this crate has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageDigest([u8; 32]);

impl ImageDigest {
    /// Of the hash itself.
    pub const fn from_bytes(sha256: [u8; 32]) -> Self {
        Self(sha256)
    }

    /// Reads 64 lower-case hex digits, as a list's text file has them.
    ///
    /// # Errors
    /// [`HexError`]: where the text is something else.
    pub fn from_hex(text: &[u8]) -> Result<Self, HexError> {
        let Ok(digits) = <&[u8; 64]>::try_from(text) else {
            return Err(HexError::Length(text.len()));
        };
        Self::from_digits(digits).ok_or_else(|| HexError::Digit(first_other(digits)))
    }

    /// Reads `sha256:` and 64 lower-case hex digits, or the 64 digits alone.
    ///
    /// # Errors
    /// [`HexError`]: of the digits, without what stands before them.
    pub fn parse(text: &str) -> Result<Self, HexError> {
        let digits = text.strip_prefix("sha256:").unwrap_or(text);
        Self::from_hex(digits.as_bytes())
    }

    /// As [`from_hex`](Self::from_hex), where nobody asks which byte is wrong.
    pub(crate) fn from_digits(digits: &[u8; 64]) -> Option<Self> {
        let mut values = [0; 64];
        let mut other = false;
        // Without a branch, so that many digits are read at once.
        for (value, digit) in values.iter_mut().zip(digits) {
            let (digit, letter) = (digit.wrapping_sub(b'0'), digit.wrapping_sub(b'a'));
            *value = if digit < 10 {
                digit
            } else {
                letter.wrapping_add(10)
            };
            other |= digit >= 10 && letter >= 6;
        }
        let mut bytes = [0; 32];
        for (byte, [high, low]) in bytes.iter_mut().zip(values.as_chunks::<2>().0) {
            *byte = high << 4 | low;
        }
        (!other).then_some(Self(bytes))
    }

    /// The hash itself.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The hash as 64 lower-case hex digits.
    pub fn to_hex(&self) -> [u8; 64] {
        let mut digits = [0; 64];
        for ([high, low], byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(self.0) {
            (*high, *low) = (hex_digit(byte >> 4), hex_digit(byte & 15));
        }
        digits
    }
}

/// As OCI writes it: `sha256:` and 64 lower-case hex digits.
impl fmt::Display for ImageDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        // Hex digits are always text.
        f.write_str(core::str::from_utf8(&self.to_hex()).unwrap_or_default())
    }
}

impl fmt::Debug for ImageDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why bytes are not the hex digits of an [`ImageDigest`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HexError {
    /// As many bytes, where there have to be 64.
    #[error("a SHA-256 has 64 hex digits, not {0}")]
    Length(usize),
    /// The byte at this place is none of `0-9a-f`.
    #[error("byte {0} is no lower-case hex digit")]
    Digit(usize),
}

fn hex_digit(value: u8) -> u8 {
    value + if value < 10 { b'0' } else { b'a' - 10 }
}

#[cold]
fn first_other(digits: &[u8; 64]) -> usize {
    let is_digit = |digit: &u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    digits.iter().take_while(|digit| is_digit(digit)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_a_digit_or_named() {
        for at in 0..64 {
            for byte in 0..=255 {
                let mut text = [b'0'; 64];
                text[at] = byte;
                let expected = match byte {
                    b'0'..=b'9' => Ok(byte - b'0'),
                    b'a'..=b'f' => Ok(byte - b'a' + 10),
                    _ => Err(HexError::Digit(at)),
                };
                let found = ImageDigest::from_hex(&text);
                let shift = if at % 2 == 0 { 4 } else { 0 };
                assert_eq!(found.map(|digest| digest.0[at / 2] >> shift), expected);
                if let Ok(digest) = found {
                    assert_eq!(digest.to_hex(), text);
                }
            }
        }
    }

    #[test]
    fn lengths_beside_64_are_named() {
        for length in [0, 1, 32, 63, 65, 128] {
            let found = ImageDigest::from_hex(&vec![b'a'; length]);
            assert_eq!(found, Err(HexError::Length(length)));
        }
    }

    #[test]
    fn display_is_as_oci_writes_it() {
        let bytes = core::array::from_fn(|at| u8::try_from(at * 8).unwrap());
        assert_eq!(
            ImageDigest::from_bytes(bytes).to_string(),
            "sha256:0008101820283038404850586068707880889098a0a8b0b8c0c8d0d8e0e8f0f8"
        );
    }
}
