use std::sync::LazyLock;

use gangplank_testkit::{Leaf, NOW, Purpose as Eku, TestCa};
use proptest::prelude::*;

use super::*;
use crate::DistinguishedName;
use crate::certificate::{NamedCertificate, Names};

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

/// As a tenant's document gives it: no byte of its name is the certificate's.
#[test]
fn names_are_compared_and_not_their_bytes() {
    let root = TestCa::new("Acme Root");
    let leaf = root.issue(&Leaf::new("pump")).certificate;
    let whole = anchor(&root);
    let bare = |name: &str| {
        let name = DistinguishedName::parse(name).unwrap();
        Anchor::bare("bare", name, whole.spki().to_vec(), whole.validity()).unwrap()
    };
    for (name, outcome) in [
        ("CN=Acme Root", Ok("bare")),
        ("cn=  ACME   rOOT ", Ok("bare")),
        ("CN=Acme Roof", Err("no-anchor-for-issuer")),
        ("CN=Acme Root,O=Acme", Err("no-anchor-for-issuer")),
    ] {
        let anchors = [bare(name)];
        let profile = PathProfile::new(Purpose::Client);
        let (revocation, backend) = (Revocation::NotChecked, Backend::AWS_LC_RS);
        let found = verify_path(&leaf, &[], &anchors, profile, revocation, backend, NOW);
        let found = found
            .map(|path| path.anchor().id())
            .map_err(|error| error.code());
        assert_eq!(found, outcome, "{name}");
    }
}

#[test]
fn an_intermediate_is_found_by_its_name_and_not_its_bytes() {
    let root = TestCa::new("Root");
    let key = root.intermediate(&Leaf::new("Middle"));
    let leaf = key.issue(&Leaf::new("pump")).certificate;
    let device = PathProfile::new(Purpose::Client);
    assert_eq!(check(&[&leaf, &key.certificate], &root, device), "verified");
    // Another key under another spelling of the name: found, and not the one that signed.
    let other = root.intermediate(&Leaf::new("MIDDLE "));
    let found = check(&[&leaf, &other.certificate], &root, device);
    assert_eq!(found, "bad-signature");
}

#[test]
fn the_path_says_which_certificates_it_has() {
    let root = TestCa::new("Root");
    let upper = root.intermediate(&Leaf::new("Upper"));
    let lower = upper.intermediate(&Leaf::new("Lower"));
    let stranger = root.intermediate(&Leaf::new("Stranger")).certificate;
    let leaf = lower.issue(&Leaf::new("pump")).certificate;
    let sent = [upper.certificate, stranger, lower.certificate];
    let anchors = [anchor(&root)];
    let profile = PathProfile::new(Purpose::Client);
    let (revocation, backend) = (Revocation::NotChecked, Backend::PURE_RUST);
    let path = verify_path(&leaf, &sent, &anchors, profile, revocation, backend, NOW).unwrap();
    assert_eq!(path.intermediates(), [2, 0]);
}

#[test]
fn an_anchors_own_path_length_counts() {
    let root = TestCa::root(&Leaf::new("Root").path_length(0));
    let middle = root.intermediate(&Leaf::new("Middle"));
    let leaf = middle.issue(&Leaf::new("pump")).certificate;
    let device = PathProfile::new(Purpose::Client);
    let found = check(&[&leaf, &middle.certificate], &root, device);
    assert_eq!(found, "path-too-long");
    let leaf = root.issue(&Leaf::new("pump")).certificate;
    assert_eq!(check(&[&leaf], &root, device), "verified");
}

/// The algorithm beside the signature is in no signed bytes, so it has to be the one inside.
#[test]
fn both_algorithm_identifiers_are_the_same() {
    let root = TestCa::new("Root");
    let leaf = root.issue(&Leaf::new("pump")).certificate;
    let device = PathProfile::new(Purpose::Client);
    // ecdsa-with-SHA256 becomes ecdsa-with-SHA384.
    let sha256 = [6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
    let at = leaf.windows(10).rposition(|run| run == sha256).unwrap();
    let mut outside = leaf.to_vec();
    outside[at + 9] = 3;
    assert_eq!(
        check(&[&outside.into()], &root, device),
        "certificate-malformed"
    );
    let at = leaf.windows(10).position(|run| run == sha256).unwrap();
    let mut inside = leaf.to_vec();
    inside[at + 9] = 3;
    assert_eq!(
        check(&[&inside.into()], &root, device),
        "certificate-malformed"
    );
}

#[test]
fn a_signature_is_not_believed_when_a_bit_of_it_is_another() {
    let root = TestCa::new("Root");
    let middle = root.intermediate(&Leaf::new("Middle"));
    let leaf = middle.issue(&Leaf::new("pump")).certificate;
    let device = PathProfile::new(Purpose::Client);
    let flipped = |certificate: &CertificateDer<'_>| {
        let mut bytes = certificate.to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        CertificateDer::from(bytes)
    };
    for (leaf, middle) in [
        (flipped(&leaf), middle.certificate.clone()),
        (leaf, flipped(&middle.certificate)),
    ] {
        assert_eq!(check(&[&leaf, &middle], &root, device), "bad-signature");
    }
}

/// Eight authorities of one name and different keys, each of which signed for none of the others: the
/// paths that the names allow are many, the signatures are not.
#[test]
fn no_signature_is_verified_twice() {
    let root = TestCa::new("Same");
    let same: Vec<TestCa> = (0..7)
        .map(|_| root.intermediate(&Leaf::new("Same")))
        .collect();
    let leaf = same[6].issue(&Leaf::new("pump")).certificate;
    let mut chain = vec![&leaf];
    chain.extend(same.iter().map(|ca| &ca.certificate));
    let device = PathProfile::new(Purpose::Client);
    assert_eq!(check(&chain, &root, device), "verified");
    // Eight certificates by eight keys: 64 at most, and the limit is 100.
    let stranger = TestCa::new("Same");
    assert_eq!(check(&chain, &stranger, device), "bad-signature");
}

/// Two authorities that certified one another, and nobody else did.
#[test]
fn a_circle_ends() {
    let root = TestCa::new("Root");
    let upper = root.intermediate(&Leaf::new("Upper"));
    let lower = upper.intermediate(&Leaf::new("Lower"));
    let back = lower.cross(&upper);
    let leaf = lower.issue(&Leaf::new("pump")).certificate;
    let device = PathProfile::new(Purpose::Client);
    let circle = [&leaf, &lower.certificate, &back];
    assert_eq!(check(&circle, &root, device), "no-anchor-for-issuer");
    let with_way_out = [&leaf, &lower.certificate, &back, &upper.certificate];
    assert_eq!(check(&with_way_out, &root, device), "verified");
}

#[test]
fn a_dead_end_is_left_for_another_path() {
    let root = TestCa::new("Root");
    let past = Leaf::new("Middle").valid(0, NOW.as_secs() - 1);
    let middle = root.intermediate(&Leaf::new("Middle"));
    let leaf = middle.issue(&Leaf::new("pump")).certificate;
    let expired = root.intermediate(&past).certificate;
    let device = PathProfile::new(Purpose::Client);
    for chain in [
        [&leaf, &expired, &middle.certificate],
        [&leaf, &middle.certificate, &expired],
    ] {
        assert_eq!(check(&chain, &root, device), "verified");
    }
    assert_eq!(
        check(&[&leaf, &expired], &root, device),
        "intermediate-expired"
    );
}

/// What is wrong with the leaf matters once a path leads to an anchor that counts.
#[test]
fn the_anchor_is_told_before_the_leaf() {
    let now = NOW.as_secs();
    let (root, stranger) = (TestCa::new("Root"), TestCa::new("Stranger"));
    let old = TestCa::root(&Leaf::new("Old").valid(0, now - 1));
    let expired = Leaf::new("pump").valid(0, now - 1);
    let device = PathProfile::new(Purpose::Client);
    for (ca, code) in [(&root, "leaf-expired"), (&stranger, "no-anchor-for-issuer")] {
        let leaf = ca.issue(&expired).certificate;
        assert_eq!(check(&[&leaf], &root, device), code);
    }
    let leaf = old.issue(&expired).certificate;
    assert_eq!(check(&[&leaf], &old, device), "anchor-expired");
}

#[test]
fn a_certificate_that_cannot_be_read_is_told_when_nothing_else_is() {
    let root = TestCa::new("Root");
    let middle = root.intermediate(&Leaf::new("Middle"));
    let leaf = middle.issue(&Leaf::new("pump")).certificate;
    let garbage = CertificateDer::from(vec![0x30, 0]);
    let device = PathProfile::new(Purpose::Client);
    assert_eq!(
        check(&[&leaf, &garbage], &root, device),
        "certificate-malformed"
    );
    let whole = [&leaf, &garbage, &middle.certificate];
    assert_eq!(check(&whole, &root, device), "verified");
}

#[test]
fn certificates_of_older_versions_are_none() {
    let root = TestCa::new("Root").certificate;
    let mut second = root.to_vec();
    let at = second
        .windows(5)
        .position(|run| run == [0xa0, 3, 2, 1, 2])
        .unwrap();
    second[at + 4] = 1;
    assert!(NamedCertificate::read(&root, &mut Names::default()).is_some());
    assert!(NamedCertificate::read(&second, &mut Names::default()).is_none());
}

/// A UTCTime of 1950 (RFC 5280 §4.1.2.5.1).
#[test]
fn a_certificate_may_have_begun_before_1970() {
    let root = TestCa::new("Root").certificate;
    let begin = root
        .windows(15)
        .position(|run| run.starts_with(&[0x17, 13]))
        .unwrap();
    let mut old = root.to_vec();
    old[begin + 2..begin + 4].copy_from_slice(b"50");
    // What a device is held to has to be read as the path was.
    let (issuer, root_issuer) = [&old, &root.to_vec()]
        .map(|der| crate::claimed_issuer(&der.as_slice().into()).unwrap())
        .into();
    assert!(issuer.matches(&root_issuer));
    let read = NamedCertificate::read(&old, &mut Names::default()).unwrap();
    assert_eq!(read.fields.validity.not_before().as_secs(), 0);
    assert_eq!(
        read.fields.spki,
        NamedCertificate::read(&root, &mut Names::default())
            .unwrap()
            .fields
            .spki
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// No damage makes it panic, and none makes it believe what it did not sign.
    #[test]
    fn damaged_certificates_are_never_believed(
        which in 0..2_usize,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let chain = &*CHAIN;
        let mut sent = [chain.leaf.to_vec(), chain.middle.certificate.to_vec()];
        for (at, byte) in damage {
            *at.get_mut(&mut sent[which]) = byte;
        }
        let whole = sent == [chain.leaf.to_vec(), chain.middle.certificate.to_vec()];
        let [leaf, middle] = sent.map(CertificateDer::from);
        let found = check(&[&leaf, &middle], &chain.root, PathProfile::new(Purpose::Client));
        prop_assert_eq!(found == "verified", whole);
    }

    /// Whatever else is sent or trusted, in whatever order, a path that was there is there.
    #[test]
    fn what_does_not_belong_changes_nothing(
        others in Just((0..6).collect::<Vec<usize>>()).prop_shuffle(),
        sent in 0..6_usize,
        before in 0..4_usize,
    ) {
        let chain = &*CHAIN;
        let mut rest: Vec<CertificateDer<'_>> = others
            .iter()
            .take(sent)
            .map(|other| chain.strangers[*other].certificate.clone())
            .collect();
        rest.insert(before.min(rest.len()), chain.middle.certificate.clone());
        let mut anchors: Vec<Anchor> = others.iter().skip(sent)
            .map(|other| anchor(&chain.strangers[*other]))
            .collect();
        anchors.insert(before.min(anchors.len()), anchor(&chain.root));
        let (profile, revocation) = (PathProfile::new(Purpose::Client), Revocation::NotChecked);
        let backend = Backend::AWS_LC_RS;
        let found = verify_path(&chain.leaf, &rest, &anchors, profile, revocation, backend, NOW);
        let root = anchor(&chain.root);
        prop_assert_eq!(found.unwrap().anchor().spki(), root.spki());
    }
}

/// Keys cost time to make.
static CHAIN: LazyLock<Chain> = LazyLock::new(|| {
    let root = TestCa::new("Root");
    let middle = root.intermediate(&Leaf::new("Middle"));
    let other = TestCa::new("Other");
    Chain {
        leaf: middle.issue(&Leaf::new("pump")).certificate,
        strangers: vec![
            TestCa::new("Root"),
            TestCa::new("Middle"),
            root.intermediate(&Leaf::new("Middle")),
            root.intermediate(&Leaf::new("Middle").valid(0, 1)),
            other.intermediate(&Leaf::new("Root")),
            other,
        ],
        root,
        middle,
    }
});

struct Chain {
    root: TestCa,
    middle: TestCa,
    leaf: CertificateDer<'static>,
    /// Authorities of the same names and others, none of which is needed.
    strangers: Vec<TestCa>,
}
