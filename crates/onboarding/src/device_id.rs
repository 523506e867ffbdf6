use alloc::{borrow::Cow, borrow::ToOwned as _, string::String};
use core::fmt;

use gangplank_token::{IdentifierError, check_identifier};
use rand_core::CryptoRng;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// The server's name for a device.
///
/// 1–128 of `A–Z a–z 0–9 . _ ~ : = -`, the first a letter or digit: it fits one path segment
/// without escapes and is never `.` or `..`. Compared byte by byte. It is no secret and proves
/// nothing.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceId(String);

impl DeviceId {
    /// Reads an id; nothing is normalised.
    ///
    /// # Errors
    /// [`IdentifierError`] names the rule that `text` breaks.
    pub fn parse(text: &str) -> Result<Self, IdentifierError> {
        check_identifier(text)?;
        Ok(Self(text.to_owned()))
    }

    /// Makes a new id: `d-` and 128 random bits as 26 lower-case base32 characters (RFC 4648 §6).
    /// Random, so that an id tells nothing of the device and cannot be guessed from another.
    pub fn random(rng: &mut dyn CryptoRng) -> Self {
        let mut bytes = [0_u8; 16];
        rng.fill_bytes(&mut bytes);
        // 26 characters hold 130 bits; the two below the random ones are zero.
        let number = u128::from_be_bytes(bytes);
        let mut text = String::from("d-");
        text.extend((0..26_u32).map(|place| {
            let five = match 123_u32.checked_sub(5 * place) {
                Some(shift) => (number >> shift) & 31,
                None => (number << 2) & 31,
            };
            base32_digit(five)
        }));
        Self(text)
    }

    /// The id as it is written in paths and messages.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceId({})", self.0)
    }
}

impl Serialize for DeviceId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for DeviceId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&Cow::<'de, str>::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

fn base32_digit(five: u128) -> char {
    match u8::try_from(five) {
        Ok(low @ 0..=25) => char::from(b'a' + low),
        Ok(high @ 26..=31) => char::from(b'2' + (high - 26)),
        _ => 'a',
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::convert::Infallible;
    use proptest::prelude::*;
    use rand_core::{TryCryptoRng, TryRng};

    struct Counting(u8);

    impl TryRng for Counting {
        type Error = Infallible;
        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            unreachable!()
        }
        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            unreachable!()
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

    #[test]
    fn a_random_id_is_what_python_encodes() {
        // python3 -c 'import base64; print(base64.b32encode(bytes(range(N, N + 16))).decode())',
        // lower-case and without "=", for N = 0 and N = 240.
        let low = DeviceId::random(&mut Counting(0));
        assert_eq!(low.as_str(), "d-aaaqeayeaudaocajbifqydiob4");
        let high = DeviceId::random(&mut Counting(240));
        assert_eq!(high.as_str(), "d-6dy7f47u6x3pp6hz7l57z7p674");
    }

    #[test]
    fn serde_checks_the_rule() {
        let id: DeviceId = serde_json::from_str(r#""d-1""#).unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), r#""d-1""#);
        assert!(serde_json::from_str::<DeviceId>(r#""../x""#).is_err());
    }

    proptest! {
        #[test]
        fn what_parses_is_written_unchanged(text in "[A-Za-z0-9][A-Za-z0-9._~:=-]{0,127}") {
            prop_assert!(DeviceId::parse(&text).unwrap().as_str() == text);
        }

        #[test]
        fn no_text_panics(text in ".{0,200}") {
            let _ = DeviceId::parse(&text);
        }
    }
}
