use gangplank_testkit::{
    Issued, KeyKind, Leaf, NOW, Purpose, TestCa, openssl, python, self_signed, temp_dir,
};

use super::*;

fn signing(leaf: Leaf) -> Leaf {
    leaf.extension(&[2, 5, 29, 37], false, SIGNING_EKU_EXTENSION.to_vec())
}

fn check(certificates: &[CertificateDer<'_>], root: &TestCa) -> Result<TrustedKey, ChainError> {
    verify_orchestrator(certificates, &root.certificate, Backend::PURE_RUST, NOW)
}

fn refusal(leaf: Issued, root: &TestCa) -> &'static str {
    check(&[leaf.certificate], root).unwrap_err().code()
}

#[test]
fn signing_leaf_is_believed_under_its_digest() {
    for kind in [KeyKind::P256, KeyKind::Ed25519] {
        let root = TestCa::new("Root");
        let leaf = root
            .issue(&signing(Leaf::new("orchestrator").key(kind)))
            .certificate;
        let trusted = check(std::slice::from_ref(&leaf), &root).unwrap();
        let Some(printed) = openssl(&["dgst", "-sha256", "-r"], &leaf) else {
            return;
        };
        let digest = String::from_utf8(printed).unwrap();
        assert_eq!(
            Some(trusted.id().as_str()),
            digest.split_whitespace().next()
        );
    }
}

#[test]
fn other_leaves_of_the_root_are_refused() {
    let root = TestCa::new("Root");
    for leaf in [
        Leaf::new("tls")
            .purpose(Purpose::Server)
            .dns_name("localhost"),
        Leaf::new("tls")
            .purpose(Purpose::Server)
            .purpose(Purpose::Client),
        Leaf::new("any").purpose(Purpose::Any),
        Leaf::new("device").purpose(Purpose::Client),
        Leaf::new("device"),
    ] {
        assert_eq!(refusal(root.issue(&leaf), &root), "purpose-not-allowed");
    }
}

#[test]
fn leaves_of_others_are_refused() {
    let (root, tenant) = (TestCa::new("Root"), TestCa::new("Device CA"));
    let posing = signing(Leaf::new("orchestrator"));
    assert_eq!(
        refusal(tenant.issue(&posing), &root),
        "no-anchor-for-issuer"
    );
    assert_eq!(
        refusal(TestCa::new("Root").issue(&posing), &root),
        "bad-signature"
    );
    assert_eq!(refusal(self_signed(&posing), &root), "no-anchor-for-issuer");
}

#[test]
fn a_device_authority_below_the_root_makes_no_orchestrators() {
    let root = TestCa::new("Root");
    let posing = signing(Leaf::new("orchestrator"));
    let devices = root.intermediate(&Leaf::new("Device CA"));
    let chain = [devices.issue(&posing).certificate, devices.certificate];
    assert_eq!(
        check(&chain, &root).unwrap_err().code(),
        "purpose-not-allowed"
    );
    let signers = root.intermediate(&signing(Leaf::new("Signers")));
    assert!(
        check(
            &[signers.issue(&posing).certificate, signers.certificate],
            &root
        )
        .is_ok()
    );
}

#[test]
fn windows_are_checked() {
    let now = NOW.as_secs();
    let root = TestCa::new("Root");
    let expired = signing(Leaf::new("o")).valid(0, now - 1);
    assert_eq!(refusal(root.issue(&expired), &root), "leaf-expired");
    let early = signing(Leaf::new("o")).valid(now + 1, now + 2);
    assert_eq!(refusal(root.issue(&early), &root), "leaf-not-yet-valid");
    let old = TestCa::root(&Leaf::new("Root").valid(0, now - 1));
    assert_eq!(
        refusal(old.issue(&signing(Leaf::new("o"))), &old),
        "anchor-expired"
    );
}

#[test]
fn the_root_is_no_leaf_and_a_leaf_is_no_root() {
    let root = TestCa::new("Root");
    assert_eq!(
        check(std::slice::from_ref(&root.certificate), &root)
            .unwrap_err()
            .code(),
        "leaf-is-ca"
    );
    let leaf = self_signed(&signing(Leaf::new("o"))).certificate;
    let result = verify_orchestrator(std::slice::from_ref(&leaf), &leaf, Backend::PURE_RUST, NOW);
    assert_eq!(result.unwrap_err(), ChainError::RootUnusable);
    assert_eq!(check(&[], &root).unwrap_err(), ChainError::Empty);
}

#[test]
fn extension_is_what_openssl_writes_for_the_purpose() {
    let folder = temp_dir();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (config, der) = (at("config"), at("der"));
    let text = format!("asn1=SEQUENCE:purposes\n[purposes]\none=OID:{SIGNING_PURPOSE}\n");
    std::fs::write(&config, text).unwrap();
    let arguments = ["asn1parse", "-genconf", &config, "-noout", "-out", &der];
    if openssl(&arguments, b"").is_some() {
        assert_eq!(std::fs::read(der).unwrap(), SIGNING_EKU_EXTENSION);
    }
    assert_eq!(SIGNING_EKU_EXTENSION[4..], *SIGNING_PURPOSE_DER);
}

#[test]
fn purpose_is_the_uuid_python_reads() {
    let script = "import uuid\n\
        print('2.25.%d' % uuid.UUID('a6dfa681-1533-4975-b807-d219f110a091').int, end='')";
    if let Some(printed) = python(script, b"") {
        assert_eq!(String::from_utf8(printed).unwrap(), SIGNING_PURPOSE);
    }
}
