use alloc::vec::Vec;

use super::oid::Oid;
use super::{Attribute, MAX_ATTRIBUTES, MAX_NAME_BYTES, MAX_RELATIVE_NAMES};
use crate::elements::{Header, OBJECT_IDENTIFIER, SEQUENCE, SET};

/// Why bytes are no [`DistinguishedName`](super::DistinguishedName).
///
/// Every `at` is an offset into the bytes that were given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// More than [`MAX_NAME_BYTES`](super::MAX_NAME_BYTES).
    #[error("a name has at most {MAX_NAME_BYTES} bytes, this one has {length}")]
    TooLong {
        /// Bytes given.
        length: usize,
    },
    /// More than [`MAX_RELATIVE_NAMES`](super::MAX_RELATIVE_NAMES).
    #[error("a name has at most {MAX_RELATIVE_NAMES} relative names, this one has more")]
    TooManyRelativeNames,
    /// More than [`MAX_ATTRIBUTES`](super::MAX_ATTRIBUTES).
    #[error("a name has at most {MAX_ATTRIBUTES} attributes, this one has more")]
    TooManyAttributes,
    /// Not the DER of a Name (RFC 5280 §4.1.2.4).
    #[error("byte {at} of the name is not as DER has it")]
    Malformed {
        /// Where the element begins that is wrong.
        at: usize,
    },
    /// A relative name without attributes (X.501 §9.3).
    #[error("the relative name at byte {at} is empty")]
    EmptyRelativeName {
        /// Where it begins.
        at: usize,
    },
    /// An attribute type that is no object identifier of at most 64 bytes with arcs of 128 bits.
    #[error("the attribute type at byte {at} is no object identifier")]
    AttributeType {
        /// Where it begins.
        at: usize,
    },
}

pub(super) fn read_name(der: &[u8]) -> Result<Vec<Vec<Attribute>>, NameError> {
    if der.len() > MAX_NAME_BYTES {
        return Err(NameError::TooLong { length: der.len() });
    }
    let mut outer = Reader { rest: der, at: 0 };
    let mut sets = outer.expect(SEQUENCE)?;
    outer.finish()?;
    let mut relative_names = Vec::new();
    let mut attributes = 0;
    while !sets.rest.is_empty() {
        if relative_names.len() == MAX_RELATIVE_NAMES {
            return Err(NameError::TooManyRelativeNames);
        }
        let relative_name = read_relative_name(&mut sets, MAX_ATTRIBUTES - attributes)?;
        attributes += relative_name.len();
        relative_names.push(relative_name);
    }
    Ok(relative_names)
}

/// Whether these bytes are one DER element; gives its identifier octet and content.
pub(super) fn single_element(der: &[u8]) -> Option<(u8, &[u8])> {
    let mut reader = Reader { rest: der, at: 0 };
    let element = reader.next().ok()?;
    reader.finish().ok()?;
    Some((element.tag, element.content))
}

fn read_relative_name(sets: &mut Reader<'_>, allowed: usize) -> Result<Vec<Attribute>, NameError> {
    let at = sets.at;
    let mut set = sets.expect(SET)?;
    if set.rest.is_empty() {
        return Err(NameError::EmptyRelativeName { at });
    }
    let mut attributes = Vec::with_capacity(1);
    while !set.rest.is_empty() {
        if attributes.len() == allowed {
            return Err(NameError::TooManyAttributes);
        }
        attributes.push(read_attribute(&mut set)?);
    }
    Ok(attributes)
}

fn read_attribute(set: &mut Reader<'_>) -> Result<Attribute, NameError> {
    let mut pair = set.expect(SEQUENCE)?;
    let at = pair.at;
    let content = pair.expect(OBJECT_IDENTIFIER)?.rest;
    let oid = Oid::from_content(content).ok_or(NameError::AttributeType { at })?;
    let value = pair.next()?;
    pair.finish()?;
    Ok(Attribute {
        oid,
        tag: value.tag,
        content: value.content.to_vec(),
    })
}

struct Reader<'d> {
    rest: &'d [u8],
    /// Where `rest` begins in the whole.
    at: usize,
}

struct Element<'d> {
    tag: u8,
    content: &'d [u8],
    /// Where the content begins in the whole.
    at: usize,
}

impl<'d> Reader<'d> {
    fn next(&mut self) -> Result<Element<'d>, NameError> {
        let malformed = NameError::Malformed { at: self.at };
        let header = Header::read(self.rest).ok_or(malformed.clone())?;
        let after = self.rest.get(header.size..).ok_or(malformed.clone())?;
        let (content, rest) = after.split_at_checked(header.length).ok_or(malformed)?;
        let tag = header.tag;
        let at = self.at + header.size;
        self.at = at + header.length;
        self.rest = rest;
        Ok(Element { tag, content, at })
    }

    fn expect(&mut self, tag: u8) -> Result<Self, NameError> {
        let at = self.at;
        let element = self.next()?;
        if element.tag != tag {
            return Err(NameError::Malformed { at });
        }
        Ok(Self {
            rest: element.content,
            at: element.at,
        })
    }

    fn finish(&self) -> Result<(), NameError> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(NameError::Malformed { at: self.at })
    }
}
