use gangplank_testkit::{Leaf, NOW, Purpose as Eku, TestCa};

use super::*;

fn anchor(ca: &TestCa) -> Anchor {
    Anchor::from_certificate("root", ca.certificate.clone()).unwrap()
}

fn check(chain: &[&CertificateDer<'_>], root: &TestCa, profile: PathProfile) -> &'static str {
    let (leaf, rest) = chain.split_first().unwrap();
    let rest: Vec<CertificateDer<'_>> = rest.iter().map(|other| (*other).clone()).collect();
    let anchors = [anchor(root)];
    let (revocation, backend) = (Revocation::NotChecked, Backend::AWS_LC_RS);
    match verify_path(leaf, &rest, &anchors, profile, revocation, backend, NOW) {
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

/// keyUsage with digitalSignature alone; basicConstraints with `cA` set.
const SIGNS: [u8; 4] = [3, 2, 7, 0x80];
const AUTHORITY: [u8; 5] = [0x30, 3, 1, 1, 0xff];

#[test]
fn every_certificate_of_the_path_has_to_conform() {
    let root = TestCa::new("Root");
    // A dNSName with an underscore.
    let middle = Leaf::new("Middle").certificate_authority();
    let middle = root.impostor(&middle.dns_name("a_b"));
    let lax = TestCa::root(&Leaf::new("Lax"));
    let device = PathProfile::new(Purpose::Client);
    let leaf = middle.issue(&Leaf::new("pump")).certificate;
    let code = "alternative-name-malformed";
    assert_eq!(check(&[&leaf, &middle.certificate], &root, device), code);
    let leaf = lax.issue(&Leaf::new("pump").dns_name("a_b")).certificate;
    assert_eq!(check(&[&leaf], &lax, device), "alternative-name-malformed");
}

#[test]
fn an_anchor_that_does_not_conform_verifies_nothing() {
    let lax = Leaf::new("Lax").extension(&[2, 5, 29, 19], false, AUTHORITY.to_vec());
    let root = TestCa::new("Root").impostor(&lax);
    let leaf = root.issue(&Leaf::new("pump")).certificate;
    let found = check(&[&leaf], &root, PathProfile::new(Purpose::Client));
    assert_eq!(found, "basic-constraints-not-critical");
}

#[test]
fn an_intermediate_needs_the_key_usage_for_certificates() {
    let root = TestCa::new("Root");
    let middle = Leaf::new("Middle").extension(&[2, 5, 29, 19], true, AUTHORITY.to_vec());
    let middle = root.impostor(&middle.extension(&[2, 5, 29, 15], true, SIGNS.to_vec()));
    let leaf = middle.issue(&Leaf::new("pump")).certificate;
    let device = PathProfile::new(Purpose::Client);
    let found = check(&[&leaf, &middle.certificate], &root, device);
    assert_eq!(found, "issuer-is-no-ca");
}

#[test]
fn the_leafs_key_usage_has_to_allow_the_purpose() {
    let root = TestCa::new("Root");
    // keyEncipherment alone.
    let leaf = Leaf::new("pump").extension(&[2, 5, 29, 15], true, vec![3, 2, 5, 0x20]);
    let leaf = root.issue(&leaf).certificate;
    for (purpose, outcome) in [
        (Purpose::Client, "key-usage-not-allowed"),
        (Purpose::Server, "verified"),
        (Purpose::Any, "verified"),
    ] {
        assert_eq!(check(&[&leaf], &root, PathProfile::new(purpose)), outcome);
    }
}

#[test]
fn an_authority_is_a_leaf_only_for_any_purpose() {
    let root = TestCa::new("Root");
    for (purpose, outcome) in [
        (Purpose::Client, "leaf-is-ca"),
        (Purpose::Server, "leaf-is-ca"),
        // To be an authority is what some certificates are for.
        (Purpose::Any, "verified"),
    ] {
        let profile = PathProfile::new(purpose);
        assert_eq!(check(&[&root.certificate], &root, profile), outcome);
    }
}
