use proptest::prelude::*;

use super::attribute::{
    BMP_STRING, DOMAIN_COMPONENT, EMAIL_ADDRESS, IA5_STRING, PRINTABLE_STRING, TELETEX_STRING,
    UTF8_STRING,
};
use super::oid::Oid;
use super::prepare::prepare;
use super::*;

mod hostile;
mod text;
mod witness;

const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const ORGANIZATION: &[u8] = &[0x55, 4, 10];
const SERIAL_NUMBER: &[u8] = &[0x55, 4, 5];

pub(crate) fn attribute(oid: &[u8], tag: u8, content: impl AsRef<[u8]>) -> Attribute {
    Attribute {
        oid: Oid::from_content(oid).unwrap(),
        tag,
        content: content.as_ref().to_vec(),
    }
}

pub(crate) fn name(relative_names: &[&[Attribute]]) -> DistinguishedName {
    let relative_names = relative_names.iter().map(|set| set.to_vec()).collect();
    DistinguishedName { relative_names }
}

pub(crate) fn common_name(tag: u8, content: impl AsRef<[u8]>) -> DistinguishedName {
    name(&[&[attribute(COMMON_NAME, tag, content)]])
}

/// RFC 5280 §7.1 spelled out pair by pair, to hold the keys against.
fn same_name(a: &DistinguishedName, b: &DistinguishedName) -> bool {
    let pairs = a.relative_names.iter().zip(&b.relative_names);
    a.relative_names.len() == b.relative_names.len()
        && pairs.into_iter().all(|(a, b)| {
            let mut left: Vec<&Attribute> = b.iter().collect();
            let matched = a.iter().all(|wanted| {
                let found = left.iter().position(|other| same_attribute(wanted, other));
                found.map(|at| left.remove(at)).is_some()
            });
            matched && left.is_empty()
        })
}

fn same_attribute(a: &Attribute, b: &Attribute) -> bool {
    let bytes = a.tag == b.tag && a.content == b.content;
    let text = |found: &Attribute| {
        let text = String::from_utf8(found.content.clone()).ok()?;
        (found.tag == UTF8_STRING || found.tag == PRINTABLE_STRING && text.is_ascii())
            .then_some(text)
    };
    let is_ia5 = |found: &Attribute| found.tag == IA5_STRING && found.content.is_ascii();
    let ia5 = is_ia5(a) && is_ia5(b) && a.oid == b.oid;
    let same_value = match (text(a), text(b)) {
        (Some(a), Some(b)) => match (prepare(&a), prepare(&b)) {
            (Some(a), Some(b)) => a == b,
            _ => a == b,
        },
        _ if ia5 && a.oid.as_bytes() == DOMAIN_COMPONENT => {
            a.content.eq_ignore_ascii_case(&b.content)
        }
        _ if ia5 && a.oid.as_bytes() == EMAIL_ADDRESS => same_mailbox(&a.content, &b.content),
        _ => bytes,
    };
    a.oid == b.oid && same_value
}

fn same_mailbox(a: &[u8], b: &[u8]) -> bool {
    let split = |mailbox: &[u8]| {
        let text = String::from_utf8(mailbox.to_vec()).unwrap();
        let split = text.rsplit_once('@');
        split.map(|(local, host)| (local.to_string(), host.to_lowercase()))
    };
    match (split(a), split(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

fn types() -> impl Strategy<Value = &'static [u8]> {
    prop_oneof![
        3 => Just(COMMON_NAME),
        2 => Just(ORGANIZATION),
        2 => Just(DOMAIN_COMPONENT),
        2 => Just(EMAIL_ADDRESS),
        1 => Just(SERIAL_NUMBER),
        1 => Just(&[0x2a, 3][..]),
    ]
}

fn tags() -> impl Strategy<Value = u8> {
    prop_oneof![
        8 => prop::sample::select(&[UTF8_STRING, PRINTABLE_STRING, IA5_STRING][..]),
        1 => prop::sample::select(&[TELETEX_STRING, BMP_STRING, 0x12, 0x02, 0x30, 0xa0][..]),
    ]
}

/// Few characters, so that names are often equal; with those that print or compare in a special way.
fn contents() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => "[aA@ ]{0,3}".prop_map(String::into_bytes),
        3 => "[aA \\\\\"#,+=<>;\r\n\0\u{e4}\u{c4}\u{ad}\u{301}\u{a8}\u{1f600}]{0,4}"
            .prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..6),
    ]
}

fn names() -> impl Strategy<Value = DistinguishedName> {
    let attributes =
        (types(), tags(), contents()).prop_map(|(oid, tag, content)| attribute(oid, tag, content));
    let relative_names = prop::collection::vec(attributes, 1..4);
    prop::collection::vec(relative_names, 0..4)
        .prop_map(|relative_names| DistinguishedName { relative_names })
}

/// A name that may well be the same: in another letter case, order, composition or string type.
fn variants(name: &DistinguishedName, seed: u64) -> DistinguishedName {
    let mut other = name.clone();
    for relative_name in &mut other.relative_names {
        if seed & 1 == 1 {
            relative_name.reverse();
        }
        for attribute in relative_name {
            if seed & 2 == 2 {
                attribute.content.make_ascii_uppercase();
            }
            if seed & 4 == 4 && matches!(attribute.tag, UTF8_STRING | PRINTABLE_STRING) {
                attribute.tag ^= UTF8_STRING ^ PRINTABLE_STRING;
            }
            if seed & 8 == 8 {
                attribute.content.insert(0, b' ');
            }
        }
    }
    other
}

/// A name whose print says all that counts: what a text cannot say is made an INTEGER, which prints as
/// hexadecimal digits. Text makes a DC an IA5String.
fn printing_whole(mut name: DistinguishedName) -> DistinguishedName {
    for attribute in name.relative_names.iter_mut().flatten() {
        let is_domain = attribute.oid.as_bytes() == DOMAIN_COMPONENT;
        let fit = match attribute.tag {
            UTF8_STRING => !is_domain && std::str::from_utf8(&attribute.content).is_ok(),
            PRINTABLE_STRING => !is_domain && attribute.content.is_ascii(),
            IA5_STRING => is_domain && attribute.content.is_ascii(),
            _ => false,
        };
        if attribute.prints_text() && !fit {
            attribute.tag = 0x02;
        }
    }
    name
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn what_is_printed_is_read_again(name in names().prop_map(printing_whole)) {
        let printed = name.to_string();
        let read = DistinguishedName::parse(&printed).unwrap();
        prop_assert_eq!(read.to_string(), printed);
        prop_assert!(read.matches(&name));
    }

    #[test]
    fn der_is_read_again(name in names()) {
        let der = name.to_der();
        let read = DistinguishedName::from_der(&der).unwrap();
        prop_assert_eq!(read.to_der(), der);
        prop_assert!(read.matches(&name));
    }

    #[test]
    fn keys_are_equal_exactly_for_equal_names(a in names(), b in names(), seed in any::<u64>()) {
        let variant = variants(&a, seed);
        prop_assert_eq!(a.matches(&variant), same_name(&a, &variant));
        prop_assert_eq!(variant.matches(&a), same_name(&a, &variant));
        prop_assert_eq!(a.matches(&b), same_name(&a, &b));
        prop_assert!(same_name(&a, &a));
        prop_assert_eq!(a.prepared() == b.prepared(), a.matches(&b));
    }

    #[test]
    fn the_comparison_spelled_out_is_an_equivalence(a in names(), first in any::<u64>(), second in any::<u64>()) {
        let b = variants(&a, first);
        let c = variants(&b, second);
        prop_assert_eq!(same_name(&a, &b), same_name(&b, &a));
        if same_name(&a, &b) && same_name(&b, &c) {
            prop_assert!(same_name(&a, &c));
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        use_all(&bytes);
    }

    #[test]
    fn no_damage_makes_it_panic(name in names(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut der = name.to_der();
        let at = at.index(der.len());
        der[at] = byte;
        use_all(&der);
        der.truncate(at);
        use_all(&der);
    }

    #[test]
    fn no_text_makes_it_panic(text in "[CNO=,;+\"\\\\# a0-9.<\u{e4}]{0,40}") {
        if let Ok(name) = DistinguishedName::parse(&text) {
            let printed = name.to_string();
            prop_assert_eq!(DistinguishedName::parse(&printed).unwrap().to_string(), printed);
        }
    }
}

fn use_all(der: &[u8]) {
    if let Ok(name) = DistinguishedName::from_der(der) {
        let _ = (name.to_string(), name.check_usable());
        assert!(
            DistinguishedName::from_der(&name.to_der())
                .unwrap()
                .matches(&name)
        );
    }
}
