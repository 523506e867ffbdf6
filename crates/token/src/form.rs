//! `application/x-www-form-urlencoded` as RFC 6749 Appendix B uses it.

use alloc::{string::String, vec::Vec};

use zeroize::{Zeroize as _, Zeroizing};

/// Appends `text` to `out`. Letters, digits and `- . _` stay; everything else is escaped, which
/// every decoder reads the same (they differ about `~` and `*` only when writing).
pub(crate) fn encode_into(text: &str, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            b'-' | b'.' | b'_' => out.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            _ => {
                out.push('%');
                for nibble in [byte >> 4, byte & 0x0f] {
                    let digit = char::from_digit(u32::from(nibble), 16).unwrap_or('0');
                    out.push(digit.to_ascii_uppercase());
                }
            }
        }
    }
}

/// Undoes the encoding of one name or value; `None` for a broken escape or what is not UTF-8.
pub(crate) fn decode(text: &[u8]) -> Option<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => hex_digit(*rest.next()?)? << 4 | hex_digit(*rest.next()?)?,
            plain => *plain,
        });
    }
    match String::from_utf8(core::mem::take(&mut *bytes)) {
        Ok(text) => Some(Zeroizing::new(text)),
        Err(refused) => {
            refused.into_bytes().zeroize();
            None
        }
    }
}

/// The name and value of each parameter, still encoded. A parameter without `=` has an empty
/// value, and empty sequences between two `&` are none (both as HTML forms are read).
pub(crate) fn pairs(body: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    body.split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| split_once(pair, b'=').unwrap_or((pair, &[])))
}

/// The bytes before and after the first `separator`.
pub(crate) fn split_once(text: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|byte| *byte == separator)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encode(text: &str) -> String {
        let mut out = String::new();
        encode_into(text, &mut out);
        out
    }

    #[test]
    fn the_example_of_rfc_6749_appendix_b() {
        // "the string consisting of the six Unicode code points (1) U+0020 (SPACE), (2) U+0025
        // (PERCENT SIGN), (3) U+0026 (AMPERSAND), (4) U+002B (PLUS SIGN), (5) U+00A3 (POUND SIGN),
        // and (6) U+20AC (EURO SIGN)" becomes:
        let text = " %&+\u{a3}\u{20ac}";
        let wire = "+%25%26%2B%C2%A3%E2%82%AC";
        assert_eq!(encode(text), wire);
        assert_eq!(decode(wire.as_bytes()).unwrap().as_str(), text);
    }

    #[test]
    fn broken_escapes_are_refused() {
        for wire in ["%", "%4", "%4g", "%-1", "%+1", "%ff"] {
            assert!(decode(wire.as_bytes()).is_none(), "{wire}");
        }
    }

    proptest! {
        #[test]
        fn decoding_undoes_encoding(text in ".{0,64}") {
            let decoded = decode(encode(&text).as_bytes()).unwrap();
            prop_assert_eq!(decoded.as_str(), text);
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = decode(&bytes);
            let _ = pairs(&bytes).count();
        }
    }
}
