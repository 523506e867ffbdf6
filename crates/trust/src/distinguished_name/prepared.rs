use alloc::boxed::Box;
use alloc::vec::Vec;

use super::Attribute;
use super::attribute::{
    DOMAIN_COMPONENT, EMAIL_ADDRESS, IA5_STRING, PRINTABLE_STRING, UTF8_STRING,
};
use super::prepare::prepare;

/// A name as a key: equal for names that RFC 5280 §7.1 holds equal, and for no others.
///
/// Its bytes are gangplank's own and mean the same in every release that does not say otherwise in its
/// changelog, so they may be stored.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PreparedName(Box<[u8]>);

impl PreparedName {
    /// The key as bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn of(relative_names: &[Vec<Attribute>]) -> Self {
        let content = |attribute: &Attribute| attribute.content.len() + ROOM;
        let room = relative_names.iter().flatten().map(content).sum();
        let mut key = Vec::with_capacity(room);
        for relative_name in relative_names {
            push_number(&mut key, relative_name.len());
            if let [single] = relative_name.as_slice() {
                push_attribute(&mut key, single);
                continue;
            }
            // "Matched in any order": the sorted ones are the same.
            let mut attributes: Vec<Vec<u8>> = relative_name.iter().map(alone).collect();
            attributes.sort_unstable();
            key.extend(attributes.into_iter().flatten());
        }
        Self(key.into_boxed_slice())
    }
}

fn alone(attribute: &Attribute) -> Vec<u8> {
    let mut key = Vec::new();
    push_attribute(&mut key, attribute);
    key
}

/// Lengths stand before what they count, so that no two names run together to one key.
fn push_attribute(key: &mut Vec<u8>, attribute: &Attribute) {
    push_with_length(key, attribute.oid.as_bytes());
    let content = attribute.content.as_slice();
    match (attribute.tag, text(attribute)) {
        (PRINTABLE_STRING | UTF8_STRING, Some(text)) => match prepare(text) {
            Some(prepared) => push_value(key, PREPARED, prepared.as_bytes()),
            None => push_value(key, EXACT_TEXT, text.as_bytes()),
        },
        (IA5_STRING, Some(text)) if attribute.oid.as_bytes() == DOMAIN_COMPONENT => {
            push_value(key, DOMAIN, text.to_ascii_lowercase().as_bytes());
        }
        (IA5_STRING, Some(text)) if attribute.oid.as_bytes() == EMAIL_ADDRESS => {
            push_mailbox(key, text);
        }
        (tag, _) => {
            key.extend([EXACT_BYTES, tag]);
            push_with_length(key, content);
        }
    }
}

/// Only what is text of the type that the tag says has a reading to compare.
fn text(attribute: &Attribute) -> Option<&str> {
    let text = core::str::from_utf8(&attribute.content).ok()?;
    (attribute.tag == UTF8_STRING || text.is_ascii()).then_some(text)
}

/// RFC 5280 §7.5: the host part is compared without letter case, the local part exactly.
fn push_mailbox(key: &mut Vec<u8>, text: &str) {
    let host = text.rfind('@').unwrap_or(text.len());
    let mut mailbox = Vec::from(text);
    mailbox
        .iter_mut()
        .skip(host)
        .for_each(u8::make_ascii_lowercase);
    push_value(key, MAILBOX, &mailbox);
}

fn push_value(key: &mut Vec<u8>, kind: u8, value: &[u8]) {
    key.push(kind);
    push_with_length(key, value);
}

fn push_with_length(key: &mut Vec<u8>, bytes: &[u8]) {
    push_number(key, bytes.len());
    key.extend(bytes);
}

/// Seven bits to a byte, the last marked by a clear high bit.
fn push_number(key: &mut Vec<u8>, number: usize) {
    let mut rest = number;
    while rest >= 0x80 {
        key.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    key.push(rest as u8);
}

/// Of one attribute, for type, kind and lengths: ten bytes most often.
const ROOM: usize = 12;

const PREPARED: u8 = 0;
const EXACT_TEXT: u8 = 1;
const DOMAIN: u8 = 2;
const MAILBOX: u8 = 3;
const EXACT_BYTES: u8 = 4;
