use alloc::vec::Vec;

use super::Attribute;

/// The DER of a Name (RFC 5280 §4.1.2.4).
pub(super) fn name(relative_names: &[Vec<Attribute>]) -> Vec<u8> {
    let mut sets = Vec::new();
    for relative_name in relative_names {
        let mut attributes: Vec<Vec<u8>> = relative_name.iter().map(attribute).collect();
        // X.690 §11.6: a SET OF is sorted by the encodings.
        attributes.sort_unstable();
        push_element(&mut sets, 0x31, &attributes.concat());
    }
    let mut der = Vec::with_capacity(sets.len() + 4);
    push_element(&mut der, 0x30, &sets);
    der
}

/// The DER of an attribute's value.
pub(super) fn value(attribute: &Attribute) -> Vec<u8> {
    let mut der = Vec::with_capacity(attribute.content.len() + 4);
    push_element(&mut der, attribute.tag, &attribute.content);
    der
}

fn attribute(attribute: &Attribute) -> Vec<u8> {
    let mut pair = Vec::new();
    push_element(&mut pair, 0x06, attribute.oid.as_bytes());
    push_element(&mut pair, attribute.tag, &attribute.content);
    let mut der = Vec::with_capacity(pair.len() + 4);
    push_element(&mut der, 0x30, &pair);
    der
}

fn push_element(out: &mut Vec<u8>, tag: u8, content: &[u8]) {
    out.push(tag);
    let length = content.len().to_be_bytes();
    let zeros = length.iter().take_while(|octet| **octet == 0).count();
    let octets = length.get(zeros..).unwrap_or_default();
    match octets {
        [] => out.push(0),
        [short] if *short < 0x80 => out.push(*short),
        long => {
            // At most eight octets: the length of an usize.
            out.push(0x80 | long.len() as u8);
            out.extend(long);
        }
    }
    out.extend(content);
}
