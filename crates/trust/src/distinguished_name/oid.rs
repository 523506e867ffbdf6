use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

/// An object identifier, as the content bytes of its DER.
///
/// `der::asn1::ObjectIdentifier` takes arcs of 32 bits only, and those made from a UUID
/// (X.667 §6.3) have 128.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Oid(Box<[u8]>);

impl Oid {
    /// Reads content bytes: shortest form, arcs of at most 128 bits.
    pub(super) fn from_content(content: &[u8]) -> Option<Self> {
        if content.is_empty() || content.len() > MAX_OID_BYTES {
            return None;
        }
        let mut rest = content;
        while !rest.is_empty() {
            (_, rest) = split_arc(rest)?;
        }
        Some(Self(content.into()))
    }

    /// Reads `2.5.4.3`: decimal, no leading zeros.
    pub(super) fn from_dotted(text: &str) -> Option<Self> {
        let mut arcs = text.split('.');
        let first = decimal(arcs.next()?)?;
        let second = decimal(arcs.next()?)?;
        if first > 2 || (first < 2 && second >= 40) {
            return None;
        }
        let mut content = Vec::new();
        push_arc(&mut content, (first * 40).checked_add(second)?);
        for arc in arcs {
            push_arc(&mut content, decimal(arc)?);
            if content.len() > MAX_OID_BYTES {
                return None;
            }
        }
        Some(Self(content.into_boxed_slice()))
    }

    pub(super) fn of_known(content: &'static [u8]) -> Self {
        Self(content.into())
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((joined, mut rest)) = split_arc(&self.0) else {
            return Ok(());
        };
        // X.690 §8.19.4: the first two arcs share a number.
        let first = (joined / 40).min(2);
        write!(f, "{first}.{}", joined - first * 40)?;
        while let Some((arc, more)) = split_arc(rest) {
            write!(f, ".{arc}")?;
            rest = more;
        }
        Ok(())
    }
}

fn split_arc(content: &[u8]) -> Option<(u128, &[u8])> {
    let (first, _) = content.split_first()?;
    if *first == 0x80 {
        return None;
    }
    let mut arc: u128 = 0;
    let mut rest = content;
    while let Some((byte, more)) = rest.split_first() {
        rest = more;
        arc = arc.checked_mul(128)? + u128::from(byte & 0x7f);
        if *byte < 0x80 {
            return Some((arc, rest));
        }
    }
    None
}

fn decimal(text: &str) -> Option<u128> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let zeros = text.len() > 1 && text.starts_with('0');
    if !digits || zeros {
        return None;
    }
    text.parse().ok()
}

fn push_arc(content: &mut Vec<u8>, arc: u128) {
    // 19 groups of seven bits hold 128.
    let groups = (1..19).rev().filter(|group| arc >> (group * 7) != 0);
    content.extend(groups.map(|group| (arc >> (group * 7)) as u8 | 0x80));
    content.push(arc as u8 & 0x7f);
}

// Longer ones than RFC 5280's are met only in attacks; two arcs from UUIDs fit.
const MAX_OID_BYTES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_written_as_openssl_encodes_them() {
        // `openssl asn1parse -genstr OID:…`
        for (text, content) in [
            ("0.0", "00"),
            ("1.39", "4f"),
            ("2.0", "50"),
            ("2.999.3", "883703"),
            ("1.2.840.113549.1.9.1", "2a864886f70d010901"),
            (
                "2.25.329800735698586629295641978511506172918",
                "6983f09da7ebcfdee0c7a1a7b2c0948cc8f9d776",
            ),
        ] {
            let oid = Oid::from_dotted(text).unwrap();
            let hex: String = oid.0.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hex, content);
            assert_eq!(Oid::from_content(&oid.0).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_identifier_is_refused() {
        let many = format!("1.2{}", ".1".repeat(64));
        let large = format!("2.{}", u128::MAX);
        let larger = format!("2.25.{}0", u128::MAX);
        for text in [
            "", "1", "1.", ".1", "1..2", "3.1", "0.40", "1.02", "1.+2", "1.a", &many, &large,
            &larger,
        ] {
            assert_eq!(Oid::from_dotted(text), None, "{text}");
        }
        let long = [1; 65];
        let wide = [0xff; 30];
        for content in [&[][..], &[0x80, 1], &[0x55, 0x80, 4], &[0x85], &long, &wide] {
            assert_eq!(Oid::from_content(content), None, "{content:?}");
        }
    }
}
