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
        let length = HexError::Length(text.len());
        let (pairs, []) = text.as_chunks::<2>() else {
            return Err(length);
        };
        let pairs: &[[u8; 2]; 32] = pairs.try_into().map_err(|_| length)?;
        let mut bytes = [0; 32];
        for (at, (byte, [high, low])) in bytes.iter_mut().zip(pairs).enumerate() {
            let digit = |digit: &u8, at| nibble(*digit).ok_or(HexError::Digit(at));
            *byte = digit(high, 2 * at)? << 4 | digit(low, 2 * at + 1)?;
        }
        Ok(Self(bytes))
    }

    /// The hash itself.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// As OCI writes it: `sha256:` and 64 lower-case hex digits.
impl fmt::Display for ImageDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
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

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}
