use alloc::string::String;
use alloc::vec::Vec;

use super::Attribute;
use super::attribute::{
    BMP_STRING, DOMAIN_COMPONENT, GENERAL_STRING, IA5_STRING, NUMERIC_STRING, PRINTABLE_STRING,
    TELETEX_STRING, UNIVERSAL_STRING, UTF8_STRING, VISIBLE_STRING,
};

/// Why no new identity can be made from a subject: `subject-unusable`.
///
/// Every `position` counts relative names in the order of the DER, from 0: from the right end of the
/// printed name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnusableSubject {
    /// It names nobody.
    #[error("the subject is empty")]
    Empty,
    /// A value's bytes are no text of the type that its tag says.
    #[error("a value of relative name {position} cannot be decoded")]
    Undecodable {
        /// Which relative name.
        position: usize,
    },
    /// A value has one of U+0000 to U+001F or U+007F to U+009F.
    #[error("a value of relative name {position} has a control character")]
    ControlCharacter {
        /// Which relative name.
        position: usize,
    },
    /// A value that prints as text is of a string type other than PrintableString and UTF8String (or
    /// IA5String in DC), so that another name prints alike.
    #[error("a value of relative name {position} is of the string type {tag:#04x}")]
    StringType {
        /// Which relative name.
        position: usize,
        /// The identifier octet of the value.
        tag: u8,
    },
    /// A relative name has one attribute type twice (X.501 §9.3 forbids it).
    #[error("relative name {position} has an attribute type twice")]
    DoubledAttribute {
        /// Which relative name.
        position: usize,
    },
}

pub(super) fn check(relative_names: &[Vec<Attribute>]) -> Result<(), UnusableSubject> {
    if relative_names.is_empty() {
        return Err(UnusableSubject::Empty);
    }
    for (position, relative_name) in relative_names.iter().enumerate() {
        for attribute in relative_name {
            check_value(attribute, position)?;
        }
    }
    match doubled_attribute(relative_names) {
        Some(position) => Err(UnusableSubject::DoubledAttribute { position }),
        None => Ok(()),
    }
}

pub(super) fn doubled_attribute(relative_names: &[Vec<Attribute>]) -> Option<usize> {
    relative_names.iter().position(|relative_name| {
        let mut types: Vec<_> = relative_name.iter().map(|found| &found.oid).collect();
        types.sort_unstable();
        types.windows(2).any(|pair| pair.first() == pair.last())
    })
}

fn check_value(attribute: &Attribute, position: usize) -> Result<(), UnusableSubject> {
    let tag = attribute.tag;
    let is_domain = attribute.oid.as_bytes() == DOMAIN_COMPONENT;
    let unambiguous =
        matches!(tag, PRINTABLE_STRING | UTF8_STRING) || tag == IA5_STRING && is_domain;
    if attribute.prints_text() && !unambiguous {
        return Err(UnusableSubject::StringType { position, tag });
    }
    match decoded(tag, &attribute.content) {
        Decoded::NoString => Ok(()),
        Decoded::Broken => Err(UnusableSubject::Undecodable { position }),
        Decoded::Text(text) if text.chars().any(char::is_control) => {
            Err(UnusableSubject::ControlCharacter { position })
        }
        Decoded::Text(_) => Ok(()),
    }
}

enum Decoded {
    Text(String),
    Broken,
    NoString,
}

/// Reads content as the string type that it says it is (X.680 §41).
///
/// A PrintableString may have ASCII beyond its repertoire, such as `*` and `@`: those are about, and
/// mean what they look like.
fn decoded(tag: u8, content: &[u8]) -> Decoded {
    let text = match tag {
        UTF8_STRING => core::str::from_utf8(content).ok().map(String::from),
        PRINTABLE_STRING | IA5_STRING | NUMERIC_STRING | VISIBLE_STRING => {
            let ascii = content.is_ascii().then_some(content);
            ascii.map(|content| content.iter().copied().map(char::from).collect())
        }
        // Only where the control characters are matters here, and they are where Latin-1 has them.
        TELETEX_STRING | GENERAL_STRING => Some(content.iter().copied().map(char::from).collect()),
        BMP_STRING => units(content, |unit: [u8; 2]| u32::from(u16::from_be_bytes(unit))),
        UNIVERSAL_STRING => units(content, u32::from_be_bytes),
        _ => return Decoded::NoString,
    };
    text.map_or(Decoded::Broken, Decoded::Text)
}

fn units<const WIDTH: usize>(content: &[u8], code: fn([u8; WIDTH]) -> u32) -> Option<String> {
    let (units, []) = content.as_chunks::<WIDTH>() else {
        return None;
    };
    units
        .iter()
        .map(|unit| char::from_u32(code(*unit)))
        .collect()
}
