use alloc::string::String;
use core::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rand_core::CryptoRng;
use zeroize::{Zeroize as _, Zeroizing};

/// A text that whoever knows may act as its owner.
///
/// Sealed: the secrets are [`ClientSecret`], [`AccessToken`] and [`GitToken`].
pub trait Secret: sealed::Sealed + Sized {
    /// Lets the secret leave its type. Never log, print or format what this returns.
    fn expose(&self) -> &str;

    /// Takes a secret that arrived on the wire or from a file.
    ///
    /// # Errors
    /// [`SecretError`]: empty, longer than [`MAX_SECRET`] bytes, or a character that this kind of
    /// secret cannot have. The refused text is wiped.
    fn from_wire(text: String) -> Result<Self, SecretError>;
}

secret! {
    /// The password of an OAuth2 client (RFC 6749 §2.3.1): visible ASCII. Ours begin with `gpcs_`,
    /// so that secret scanners find a leaked one.
    ClientSecret, "gpcs_", is_visible
}

secret! {
    /// A bearer token (RFC 6750 §2.1): the characters of `b64token`, since no other token could be
    /// presented in a header. Opaque to everybody but its issuer. Ours begin with `gpat_`.
    AccessToken, "gpat_", is_token68
}

secret! {
    /// The password with which a device fetches its one Git repository: visible ASCII. Ours begin
    /// with `gpgt_`.
    GitToken, "gpgt_", is_visible
}

/// Why a text is not taken as a secret. Nothing of the text is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// The text is empty.
    #[error("the secret is empty")]
    Empty,
    /// The text is longer than [`MAX_SECRET`].
    #[error("the secret is longer than {MAX_SECRET} bytes")]
    TooLong,
    /// The text has a character that this kind of secret cannot have.
    #[error("the secret has a character that is not allowed in it")]
    Character,
}

macro_rules! secret {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $allowed:path) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(Zeroizing<String>);

        impl $name {
            #[doc = concat!("Makes a new secret: `", $prefix, "` and 256 random bits as 43 base64url characters.")]
            pub fn generate(rng: &mut dyn CryptoRng) -> Self {
                Self(random_text($prefix, rng))
            }

            /// Takes a secret that arrived on the wire or from a file.
            ///
            /// # Errors
            /// [`SecretError`]: empty, longer than [`MAX_SECRET`] bytes, or a character that this
            /// kind of secret cannot have. The refused text is wiped.
            pub fn from_wire(text: String) -> Result<Self, SecretError> {
                check(text, $allowed).map(Self)
            }

            /// Lets the secret leave its type. Never log, print or format what this returns.
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        impl Secret for $name {
            fn expose(&self) -> &str {
                self.expose()
            }

            fn from_wire(text: String) -> Result<Self, SecretError> {
                Self::from_wire(text)
            }
        }

        impl sealed::Sealed for $name {}

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(redacted)"))
            }
        }
    };
}
use secret;

mod sealed {
    pub trait Sealed {}
}

fn check(mut text: String, allowed: fn(&[u8]) -> bool) -> Result<Zeroizing<String>, SecretError> {
    let fault = if text.is_empty() {
        SecretError::Empty
    } else if text.len() > MAX_SECRET {
        SecretError::TooLong
    } else if !allowed(text.as_bytes()) {
        SecretError::Character
    } else {
        return Ok(Zeroizing::new(text));
    };
    text.zeroize();
    Err(fault)
}

fn random_text(prefix: &str, rng: &mut dyn CryptoRng) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    rng.fill_bytes(bytes.as_mut_slice());
    // Room for everything at once: a string that grows leaves unwiped copies behind.
    let mut text = Zeroizing::new(String::with_capacity(prefix.len() + ENCODED_LENGTH));
    text.push_str(prefix);
    URL_SAFE_NO_PAD.encode_string(bytes.as_slice(), &mut text);
    text
}

/// `%x21-7E`. RFC 6749 Appendix A.2 also has the space, which no generated secret contains and
/// which does not survive configuration files.
fn is_visible(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_graphic)
}

/// `b64token` (RFC 6750 §2.1), which RFC 9110 §11.2 calls `token68`.
fn is_token68(text: &[u8]) -> bool {
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let (body, _) = text.split_at(text.len().saturating_sub(padding));
    !body.is_empty()
        && body.iter().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
        })
}

/// The longest secret that is read, in bytes. RFC 6749 sets no bound; a JWT access token with a
/// handful of claims stays below this, and it fits the 8 KiB that servers allow a header.
pub const MAX_SECRET: usize = 4096;

/// 32 bytes in base64 without padding.
const ENCODED_LENGTH: usize = 43;

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use core::convert::Infallible;
    use rand_core::{TryCryptoRng, TryRng};

    /// Yields 0, 1, 2, … so that expected values can be computed elsewhere.
    pub(crate) struct Counting(pub(crate) u8);

    impl TryRng for Counting {
        type Error = Infallible;
        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            let mut bytes = [0; 4];
            self.try_fill_bytes(&mut bytes)?;
            Ok(u32::from_le_bytes(bytes))
        }
        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            let mut bytes = [0; 8];
            self.try_fill_bytes(&mut bytes)?;
            Ok(u64::from_le_bytes(bytes))
        }
        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
            for byte in bytes {
                *byte = self.0;
                self.0 = self.0.wrapping_add(1);
            }
            Ok(())
        }
    }
    impl TryCryptoRng for Counting {}

    /// python3 -c 'import base64; print(base64.urlsafe_b64encode(bytes(range(32))).decode().rstrip("="))'
    const RANGE_32: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

    #[test]
    fn a_generated_secret_is_its_prefix_and_256_bits() {
        let secret = ClientSecret::generate(&mut Counting(0));
        assert_eq!(secret.expose(), std::format!("gpcs_{RANGE_32}"));
        let token = AccessToken::generate(&mut Counting(0));
        assert_eq!(token.expose(), std::format!("gpat_{RANGE_32}"));
        let token = GitToken::generate(&mut Counting(0));
        assert_eq!(token.expose(), std::format!("gpgt_{RANGE_32}"));
    }

    #[test]
    fn debug_shows_nothing() {
        let token = AccessToken::from_wire("mF_9.B5f-4.1JqM".into()).unwrap();
        assert_eq!(std::format!("{token:?}"), "AccessToken(redacted)");
    }

    #[test]
    fn the_bounds_and_characters_are_checked() {
        let read = |text: &str| ClientSecret::from_wire(text.into()).map(|_| ());
        assert_eq!(read(""), Err(SecretError::Empty));
        assert_eq!(read("a b"), Err(SecretError::Character));
        assert_eq!(read("a\n"), Err(SecretError::Character));
        assert_eq!(read("pässword"), Err(SecretError::Character));
        assert_eq!(read("!\"%~"), Ok(()));
        assert_eq!(read(&"a".repeat(4096)), Ok(()));
        assert_eq!(read(&"a".repeat(4097)), Err(SecretError::TooLong));
    }

    #[test]
    fn an_access_token_is_a_b64token() {
        let read = |text: &str| AccessToken::from_wire(text.into()).map(|_| ());
        assert_eq!(read("mF_9.B5f-4.1JqM"), Ok(()));
        assert_eq!(read("YQ=="), Ok(()));
        assert_eq!(read("a=b"), Err(SecretError::Character));
        assert_eq!(read("=="), Err(SecretError::Character));
        assert_eq!(read("a,b"), Err(SecretError::Character));
    }
}
