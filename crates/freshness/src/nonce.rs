use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand_core::CryptoRng;

/// A nonce: 16 to 64 bytes, written as base64url without padding (member `nonce`, and the value of
/// the header `Replay-Nonce`, RFC 8555 §6.5.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Nonce {
    text: String,
    bytes: Vec<u8>,
}

impl Nonce {
    /// Reads a nonce in its one canonical spelling.
    ///
    /// # Errors
    /// [`NonceError`] when it is not base64url, or has another length.
    pub fn parse(text: &str) -> Result<Self, NonceError> {
        if text.len() > MAX_TEXT {
            return Err(NonceError::Length);
        }
        let bytes = URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| NonceError::Base64)?;
        Self::from_bytes(&bytes)
    }

    /// A nonce of these bytes.
    ///
    /// # Errors
    /// [`NonceError::Length`] when there are fewer than 16 or more than 64.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NonceError> {
        if !(MIN_BYTES..=MAX_BYTES).contains(&bytes.len()) {
            return Err(NonceError::Length);
        }
        Ok(Self {
            text: URL_SAFE_NO_PAD.encode(bytes),
            bytes: bytes.to_vec(),
        })
    }

    /// A nonce of 16 random bytes, for an answer to echo.
    pub fn random(rng: &mut dyn CryptoRng) -> Self {
        let mut bytes = [0; MIN_BYTES];
        rng.fill_bytes(&mut bytes);
        Self {
            text: URL_SAFE_NO_PAD.encode(bytes),
            bytes: bytes.to_vec(),
        }
    }

    /// The nonce as it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The nonce's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Why a text is no [`Nonce`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NonceError {
    /// Not base64url without padding, or not in the canonical spelling.
    #[error("a nonce is canonical base64url without padding")]
    Base64,
    /// Fewer than 16 or more than 64 bytes.
    #[error("a nonce has 16 to 64 bytes")]
    Length,
}

const MIN_BYTES: usize = 16;
const MAX_BYTES: usize = 64;
const MAX_TEXT: usize = 86;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_only() {
        // python3 -c "import base64;print(base64.urlsafe_b64encode(bytes(range(16))))"
        let nonce = Nonce::parse("AAECAwQFBgcICQoLDA0ODw").unwrap();
        assert_eq!(nonce.as_bytes(), (0..16).collect::<Vec<u8>>());
        for (text, error) in [
            ("AAECAwQFBgcICQoLDA0ODw==", NonceError::Base64),
            ("AAECAwQFBgcICQoLDA0ODx", NonceError::Base64), // trailing bits
            ("AAECAwQFBgcICQoLDA0O/w", NonceError::Base64),
            ("AAECAwQFBgcICQoLDA0O", NonceError::Length),
            ("", NonceError::Length),
        ] {
            assert_eq!(Nonce::parse(text), Err(error), "{text}");
        }
        assert!(Nonce::from_bytes(&[0; 64]).is_ok());
        assert_eq!(Nonce::from_bytes(&[0; 65]), Err(NonceError::Length));
        assert_eq!(Nonce::parse(&"A".repeat(87)), Err(NonceError::Length));
        // What is too long is not even read.
        assert_eq!(Nonce::parse(&"=".repeat(87)), Err(NonceError::Length));
        assert_eq!(Nonce::parse(&"=".repeat(88)), Err(NonceError::Length));
        assert_eq!(Nonce::parse(&"=".repeat(86)), Err(NonceError::Base64));
    }

    #[test]
    fn the_longest_is_read_and_written() {
        // python3 -c "import base64;print(base64.urlsafe_b64encode(bytes(range(64))))"
        let text = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0-Pw";
        let nonce = Nonce::parse(text).unwrap();
        assert_eq!(nonce.as_bytes(), (0..64).collect::<Vec<u8>>());
        assert_eq!((nonce.as_str(), nonce.to_string().as_str()), (text, text));
    }
}
