use gangplank_testkit::{Leaf, TestCa, openssl};
use rustls_pki_types::CertificateDer;

use super::*;
use crate::certificate::Certificate;

fn authority(value: &[u8]) -> TestCa {
    TestCa::root(&Leaf::new("Root").extension(&[2, 5, 29, 30], true, value.to_vec()))
}

fn read(value: &[u8]) -> Result<Constraints, Fault> {
    Constraints::of(&Certificate::read(&authority(value).certificate).unwrap())
}

fn issued(leaf: &Leaf) -> CertificateDer<'static> {
    TestCa::new("Root").issue(leaf).certificate
}

/// permittedSubtrees: rfc822Name example.com.
const EMAIL: &[u8] = b"\x30\x11\xa0\x0f\x30\x0d\x81\x0bexample.com";
/// permittedSubtrees: dNSName a.b.
const DNS: &[u8] = b"\x30\x09\xa0\x07\x30\x05\x82\x03a.b";
/// excludedSubtrees: registeredID 1.2.3.
const ID: &[u8] = b"\x30\x08\xa1\x06\x30\x04\x88\x02\x2a\x03";
const ALTERNATIVE_NAME: [u64; 4] = [2, 5, 29, 17];

fn check(constraints: &[u8], path: &[CertificateDer<'_>]) -> Result<(), ChainError> {
    check_within(&mut Budget::default(), constraints, path)
}

fn check_within(
    budget: &mut Budget,
    constraints: &[u8],
    path: &[CertificateDer<'_>],
) -> Result<(), ChainError> {
    let elements: Vec<Element<'_>> = path
        .iter()
        .map(|certificate| {
            Element::read(0, certificate, &mut crate::certificate::Names::default()).unwrap()
        })
        .collect();
    let below: Vec<&Element<'_>> = elements.iter().collect();
    read(constraints).unwrap().check(&below, budget)
}

#[test]
fn malformed_constraints_are_faults() {
    for value in [
        // No subtrees; none permitted; a leading period in a dNSName; minimum 1; an address without
        // mask; no SEQUENCE.
        &b"\x30\x00"[..],
        b"\x30\x02\xa0\x00",
        b"\x30\x08\xa0\x06\x30\x04\x82\x02.b",
        b"\x30\x0a\xa0\x08\x30\x06\x82\x01b\x80\x01\x01",
        b"\x30\x0a\xa0\x08\x30\x06\x87\x04\x0a\x00\x00\x00",
        b"\x05\x00",
    ] {
        assert_eq!(
            read(value).err(),
            Some(Fault::ConstraintsMalformed),
            "{value:x?}"
        );
    }
    assert!(read(DNS).is_ok());
}

#[test]
fn names_of_another_kind_are_free() {
    assert_eq!(
        check(EMAIL, &[issued(&Leaf::new("x").dns_name("c.d"))]),
        Ok(())
    );
    assert_eq!(
        check(ID, &[issued(&Leaf::new("x").dns_name("c.d"))]),
        Ok(())
    );
}

#[test]
fn a_kind_that_cannot_be_judged_is_refused() {
    let id = b"\x30\x04\x88\x02\x2a\x04".to_vec();
    let leaf = issued(&Leaf::new("x").extension(&ALTERNATIVE_NAME, false, id));
    assert_eq!(check(ID, &[leaf]), Err(ChainError::NameNotAllowed));
}

#[test]
fn self_issued_intermediates_are_free_and_leaves_are_not() {
    let again = issued(&Leaf::new("Root").dns_name("c.d"));
    let leaf = issued(&Leaf::new("pump").dns_name("a.b"));
    assert_eq!(check(DNS, &[leaf.clone(), again.clone()]), Ok(()));
    assert_eq!(check(DNS, &[again]), Err(ChainError::NameNotAllowed));
    let other = issued(&Leaf::new("Middle").dns_name("c.d"));
    assert_eq!(check(DNS, &[leaf, other]), Err(ChainError::NameNotAllowed));
}

#[test]
fn an_address_in_the_subject_counts_without_alternative_names() {
    let made = |subject: &str, more: &[&str]| {
        let request = ["req", "-x509", "-newkey", "ec", "-pkeyopt"];
        let rest = ["ec_paramgen_curve:P-256", "-nodes", "-keyout", "/dev/null"];
        let out = ["-outform", "DER", "-subj", subject];
        let der = openssl(&[&request[..], &rest, &out, more].concat(), b"")?;
        Some(CertificateDer::from(der))
    };
    let other = "/CN=pump/emailAddress=a@example.org";
    let named = ["-addext", "subjectAltName=DNS:a.b"];
    for (subject, more, outcome) in [
        ("/CN=pump/emailAddress=a@example.com", &[][..], Ok(())),
        (other, &[], Err(ChainError::NameNotAllowed)),
        (other, &named, Ok(())),
    ] {
        let Some(leaf) = made(subject, more) else {
            return;
        };
        assert_eq!(check(EMAIL, &[leaf]), outcome, "{subject} {more:?}");
    }
}

#[test]
fn comparisons_are_counted() {
    let leaf = issued(&Leaf::new("pump").dns_name("a.b").dns_name("x.a.b"));
    let within = |comparisons| {
        let mut budget = Budget::of_comparisons(comparisons);
        check_within(&mut budget, DNS, std::slice::from_ref(&leaf))
    };
    assert_eq!(within(2), Ok(()));
    assert_eq!(within(1), Err(ChainError::TooComplex));
}
