use gangplank_testkit::{Leaf, TestCa};

use super::*;
use crate::certificate::Certificate;

fn any(_: KeyUsage) -> bool {
    true
}

fn leaf_fault(leaf: &Leaf) -> Option<Fault> {
    let issued = TestCa::new("Root").issue(leaf).certificate;
    check_leaf(&Certificate::read(&issued).unwrap(), any).err()
}

fn authority_fault(leaf: &Leaf) -> Option<Fault> {
    let issued = TestCa::new("Root").impostor(leaf).certificate;
    check_intermediate(&Certificate::read(&issued).unwrap()).err()
}

fn pump() -> Leaf {
    Leaf::new("pump")
}

const BASIC_CONSTRAINTS: [u64; 4] = [2, 5, 29, 19];
const ALTERNATIVE_NAME: [u64; 4] = [2, 5, 29, 17];
const NAME_CONSTRAINTS: [u64; 4] = [2, 5, 29, 30];
const KEY_USAGE: [u64; 4] = [2, 5, 29, 15];
/// `cA` set.
const AUTHORITY: [u8; 5] = [0x30, 3, 1, 1, 0xff];
/// One dNSName, `a.b`.
const A_DOT_B: [u8; 7] = [0x30, 5, 0x82, 3, b'a', b'.', b'b'];

#[test]
fn plain_certificates_conform() {
    assert_eq!(leaf_fault(&pump()), None);
    assert_eq!(leaf_fault(&pump().dns_name("a.example")), None);
    assert_eq!(authority_fault(&pump().certificate_authority()), None);
}

#[test]
fn a_leaf_has_a_name() {
    let by = |critical| Leaf::nameless().extension(&ALTERNATIVE_NAME, critical, A_DOT_B.to_vec());
    assert_eq!(leaf_fault(&by(true)), None);
    assert_eq!(leaf_fault(&by(false)), Some(Fault::Nameless));
    assert_eq!(leaf_fault(&Leaf::nameless()), Some(Fault::Nameless));
}

#[test]
fn an_authority_has_a_name_of_its_own() {
    let nameless = Leaf::nameless().certificate_authority();
    assert_eq!(authority_fault(&nameless), Some(Fault::SubjectEmpty));
    let root = TestCa::root(&Leaf::nameless()).certificate;
    let root = Certificate::read(&root).unwrap();
    assert_eq!(check_anchor(&root).err(), Some(Fault::SubjectEmpty));
    let below = TestCa::root(&Leaf::nameless()).issue(&pump()).certificate;
    let below = Certificate::read(&below).unwrap();
    assert_eq!(check_leaf(&below, any), Err(Fault::IssuerEmpty));
}

#[test]
fn basic_constraints_of_an_anchor_are_critical() {
    for (critical, fault) in [
        (true, None),
        (false, Some(Fault::BasicConstraintsNotCritical)),
    ] {
        let leaf = pump().extension(&BASIC_CONSTRAINTS, critical, AUTHORITY.to_vec());
        assert_eq!(authority_fault(&leaf), None);
        let anchor = TestCa::new("Root").impostor(&leaf).certificate;
        let anchor = Certificate::read(&anchor).unwrap();
        assert_eq!(check_anchor(&anchor).err(), fault);
    }
}

#[test]
fn no_extension_comes_twice() {
    let twice = [1, 2, 3, 4];
    let leaf = pump().extension(&twice, false, vec![5, 0]);
    assert_eq!(leaf_fault(&leaf), None);
    let leaf = leaf.extension(&twice, false, vec![5, 0]);
    assert_eq!(leaf_fault(&leaf), Some(Fault::ExtensionRepeated));
}

#[test]
fn key_usage_is_heeded() {
    for (bits, fault) in [
        // digitalSignature; keyCertSign; no bit; no BIT STRING.
        (vec![3, 2, 7, 0x80], None),
        (vec![3, 2, 2, 0x04], Some(Fault::SignsWithoutAuthority)),
        (vec![3, 1, 0], Some(Fault::KeyUsageMalformed)),
        (vec![5, 0], Some(Fault::KeyUsageMalformed)),
    ] {
        let leaf = pump().extension(&KEY_USAGE, true, bits.clone());
        assert_eq!(leaf_fault(&leaf), fault, "{bits:?}");
    }
}

#[test]
fn key_usage_has_to_allow_the_purpose() {
    // keyEncipherment alone.
    let leaf = pump().extension(&KEY_USAGE, true, vec![3, 2, 5, 0x20]);
    let issued = TestCa::new("Root").issue(&leaf).certificate;
    let leaf = Certificate::read(&issued).unwrap();
    let signs = |usage: KeyUsage| usage.digital_signature();
    assert_eq!(check_leaf(&leaf, signs), Err(Fault::KeyUsageNotAllowed));
    assert_eq!(check_leaf(&leaf, |usage| usage.key_encipherment()), Ok(()));
}

#[test]
fn alternative_names_are_well_formed() {
    for value in [
        // None; a dNSName with an underscore; an iPAddress of three bytes; no SEQUENCE.
        vec![0x30, 0],
        vec![0x30, 5, 0x82, 3, b'a', b'_', b'b'],
        vec![0x30, 5, 0x87, 3, 1, 2, 3],
        vec![5, 0],
    ] {
        let leaf = pump().extension(&ALTERNATIVE_NAME, false, value.clone());
        let fault = Some(Fault::AlternativeNameMalformed);
        assert_eq!(leaf_fault(&leaf), fault, "{value:?}");
        assert_eq!(authority_fault(&leaf), fault, "{value:?}");
    }
}

#[test]
fn only_an_authority_constrains_names() {
    let constraints = b"\x30\x11\xa0\x0f\x30\x0d\x82\x0bexample.com";
    for critical in [true, false] {
        let leaf = pump().extension(&NAME_CONSTRAINTS, critical, constraints.to_vec());
        let fault = Some(Fault::ConstraintsWithoutAuthority);
        assert_eq!(leaf_fault(&leaf), fault);
        assert_eq!(authority_fault(&leaf.certificate_authority()), None);
    }
}
