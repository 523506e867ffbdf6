use gangplank_key::Backend;
use gangplank_testkit::{Leaf, NOW, TestCa, VALID_FROM, VALID_UNTIL, self_signed};

use super::*;
use crate::{PathProfile, Purpose, Revocation, verify_path};

fn anchor(certificate: CertificateDer<'static>) -> Result<Anchor, AnchorError> {
    Anchor::from_certificate("a", certificate)
}

#[test]
fn only_an_authority_vouches_for_others() {
    let is_authority = |certificate| anchor(certificate).unwrap().is_authority();
    assert!(is_authority(TestCa::new("Root").certificate));
    assert!(!is_authority(self_signed(&Leaf::new("pump")).certificate));
}

#[test]
fn extensions_that_deny_authority_are_heeded() {
    let basic_constraints =
        |value: &[u8]| Leaf::new("pump").extension(&[2, 5, 29, 19], true, value.to_vec());
    let leaf = basic_constraints(&[0x30, 0]);
    let digital_signature = vec![3, 2, 7, 0x80];
    let may_not_sign = basic_constraints(&[0x30, 3, 1, 1, 0xff]).extension(
        &[2, 5, 29, 15],
        true,
        digital_signature,
    );
    for options in [leaf, may_not_sign] {
        let certificate = self_signed(&options).certificate;
        assert!(!anchor(certificate).unwrap().is_authority());
    }
}

#[test]
fn bytes_that_are_no_certificate_are_refused() {
    let error = anchor(vec![0x30, 0].into()).unwrap_err();
    assert_eq!(error, AnchorError::Malformed);
}

#[test]
fn unknown_critical_extension_is_refused() {
    let ca = TestCa::root(&Leaf::new("Root").extension(&[1, 2, 3, 4], true, vec![5, 0]));
    let error = anchor(ca.certificate).unwrap_err();
    let oid = ObjectIdentifier::new_unwrap("1.2.3.4");
    assert_eq!(error, AnchorError::UnknownCriticalExtension(oid));
}

#[test]
fn a_bare_anchor_verifies_as_its_certificate_does() {
    let ca = TestCa::new("Root");
    let leaf = ca.issue(&Leaf::new("pump")).certificate;
    let whole = anchor(ca.certificate).unwrap();
    let at = |seconds| UnixTime::since_unix_epoch(core::time::Duration::from_secs(seconds));
    let validity = Validity::new(at(VALID_FROM), at(VALID_UNTIL)).unwrap();
    let bare = Anchor::bare("b", whole.name().clone(), whole.spki().to_vec(), validity).unwrap();
    let profile = PathProfile::new(Purpose::Client);
    let (revocation, backend) = (Revocation::NotChecked, Backend::AWS_LC_RS);
    let found = verify_path(&leaf, &[], [&bare], profile, revocation, backend, NOW).unwrap();
    assert_eq!(found.anchor().id(), "b");
    assert_eq!(found.anchor().certificate(), None);
}

#[test]
fn a_bare_anchor_needs_a_name_and_a_key() {
    let validity = Validity::new(NOW, NOW).unwrap();
    let name = |text| DistinguishedName::parse(text).unwrap();
    let bare = |name, spki: &[u8]| Anchor::bare("b", name, spki.to_vec(), validity).unwrap_err();
    assert_eq!(bare(name(""), &[0x30, 0]), AnchorError::NameEmpty);
    assert_eq!(bare(name("CN=a"), &[0x30, 0]), AnchorError::KeyMalformed);
}

#[test]
fn a_validity_includes_both_ends_and_ends_after_it_begins() {
    let at = |seconds| UnixTime::since_unix_epoch(core::time::Duration::from_secs(seconds));
    let validity = Validity::new(at(5), at(7)).unwrap();
    let contained: Vec<u64> = (4..9).filter(|time| validity.contains(at(*time))).collect();
    assert_eq!(contained, [5, 6, 7]);
    assert!(Validity::new(at(7), at(7)).is_ok());
    let error = Validity::new(at(7), at(6)).unwrap_err();
    assert_eq!(error.to_string(), "it ends at 6, before it begins at 7");
}
