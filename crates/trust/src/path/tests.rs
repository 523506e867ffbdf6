use gangplank_testkit::{Leaf, NOW, Purpose as Eku, TestCa};

use super::*;
use crate::AutoProvisioning;

fn anchor(ca: &TestCa) -> Anchor {
    Anchor::new("root", ca.certificate.clone(), AutoProvisioning::Disabled).unwrap()
}

fn check(chain: &[&CertificateDer<'_>], root: &TestCa, profile: PathProfile) -> &'static str {
    let (leaf, rest) = chain.split_first().unwrap();
    let rest: Vec<CertificateDer<'_>> = rest.iter().map(|other| (*other).clone()).collect();
    let anchors = [anchor(root)];
    match verify_path(leaf, &rest, &anchors, profile, Backend::AWS_LC_RS, NOW) {
        Ok(_) => "verified",
        Err(error) => error.code(),
    }
}

#[test]
fn the_purpose_is_the_callers() {
    let root = TestCa::new("Root");
    for (eku, purpose, outcome) in [
        (Eku::Client, Purpose::Client, "verified"),
        (Eku::Client, Purpose::Server, "purpose-not-allowed"),
        (Eku::Client, Purpose::Any, "verified"),
        (Eku::Server, Purpose::Client, "purpose-not-allowed"),
        (Eku::Server, Purpose::Server, "verified"),
        (Eku::Any, Purpose::Server, "verified"),
    ] {
        let leaf = root.issue(&Leaf::new("pump").purpose(eku)).certificate;
        let found = check(&[&leaf], &root, PathProfile::new(purpose));
        assert_eq!(found, outcome, "{purpose:?}");
    }
}

#[test]
fn only_intermediates_issued_by_others_count() {
    let root = TestCa::new("Root");
    let again = root.intermediate(&Leaf::new("Root"));
    let middle = again.intermediate(&Leaf::new("Middle"));
    let leaf = middle.issue(&Leaf::new("pump")).certificate;
    let chain = [&leaf, &middle.certificate, &again.certificate];
    for (most, outcome) in [(0, "path-too-long"), (1, "verified"), (6, "verified")] {
        let profile = PathProfile {
            max_intermediates: most,
            ..PathProfile::new(Purpose::Client)
        };
        assert_eq!(check(&chain, &root, profile), outcome, "{most}");
    }
}

#[test]
fn a_pin_is_no_path() {
    let root = TestCa::new("Root");
    let profile = PathProfile::new(Purpose::Any);
    assert_eq!(check(&[&root.certificate], &root, profile), "leaf-is-ca");
}
