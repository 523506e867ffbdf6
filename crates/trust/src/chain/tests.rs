use std::fs;
use std::path::Path;

use gangplank_key::CertificateIdError;
use gangplank_testkit::{
    Issued, KeyKind, Leaf, NOW, Purpose, TestCa, VALID_FROM, VALID_UNTIL, openssl, self_signed,
    temp_dir,
};
use proptest::prelude::*;

use super::*;
use crate::{MAX_CERTIFICATE_BYTES, Retry, SubjectError};

fn anchor(id: &str, certificate: &CertificateDer<'static>) -> Anchor {
    Anchor::from_certificate(id, certificate.clone()).unwrap()
}

fn tenant(anchors: Vec<Anchor>) -> Tenant {
    let mut tenant = Tenant::new(TenantId::parse("t").unwrap());
    tenant.anchors = anchors;
    tenant
}

/// Both backends have to agree on every test.
fn check(chain: &[CertificateDer<'_>], tenant: &Tenant) -> Result<VerifiedChain, ChainError> {
    let verified = |backend| verify(chain, tenant, Revocation::NotChecked, backend, NOW);
    let (pure, aws) = (verified(Backend::PURE_RUST), verified(Backend::AWS_LC_RS));
    match (&pure, &aws) {
        (Ok(one), Ok(other)) => assert_eq!(one.leaf(), other.leaf()),
        (Err(one), Err(other)) => assert_eq!(one, other),
        _ => panic!("backends differ: {pure:?} {aws:?}"),
    }
    pure
}

fn issued(leaf: &Leaf) -> (Issued, Tenant) {
    let ca = TestCa::new("Root");
    (
        ca.issue(leaf),
        tenant(vec![anchor("root", &ca.certificate)]),
    )
}

fn refusal(leaf: &Leaf) -> ChainError {
    let (device, tenant) = issued(leaf);
    check(&[device.certificate], &tenant).unwrap_err()
}

#[test]
fn a_leaf_of_each_kind_under_its_anchor_is_believed() {
    for leaf in [
        Leaf::new("pump"),
        Leaf::new("pump").key(KeyKind::Ed25519),
        Leaf::new("pump").purpose(Purpose::Client),
        Leaf::new("pump")
            .purpose(Purpose::Server)
            .purpose(Purpose::Any),
        Leaf::new("x y").serial_number("pump"),
    ] {
        let (device, tenant) = issued(&leaf);
        let chain = check(std::slice::from_ref(&device.certificate), &tenant).unwrap();
        assert_eq!(chain.certificate_id().unwrap().as_str(), "pump");
        assert_eq!(chain.anchor().id(), "root");
        let key = PublicKey::from_certificate(&device.certificate, Backend::PURE_RUST).unwrap();
        assert_eq!(*chain.trusted_key().unwrap().key(), key);
    }
}

#[test]
fn intermediates_come_in_any_order() {
    let root = TestCa::new("Root");
    let upper = root.intermediate(&Leaf::new("Upper"));
    let lower = upper.intermediate(&Leaf::new("Lower").path_length(0));
    let leaf = lower.issue(&Leaf::new("pump")).certificate;
    let tenant = tenant(vec![anchor("root", &root.certificate)]);
    let chain = [
        leaf.clone(),
        upper.certificate.clone(),
        lower.certificate.clone(),
    ];
    assert!(check(&chain, &tenant).is_ok());
    assert_eq!(
        check(&[leaf], &tenant).unwrap_err(),
        ChainError::NoAnchorForIssuer
    );
}

#[test]
fn policy_is_that_of_the_anchor_that_verified() {
    let (old, new) = (TestCa::new("Root"), TestCa::new("Root"));
    let leaf = new.issue(&Leaf::new("pump")).certificate;
    let tenant = tenant(vec![
        anchor("old", &old.certificate),
        anchor("new", &new.certificate),
    ]);
    assert_eq!(check(&[leaf], &tenant).unwrap().anchor().id(), "new");
}

#[test]
fn pinned_certificates_need_no_path() {
    // `openssl req -x509` flags a device's self-signed certificate as an authority.
    for leaf in [Leaf::new("pump"), Leaf::new("pump").certificate_authority()] {
        let device = self_signed(&leaf).certificate;
        let tenant = tenant(vec![anchor("pin", &device)]);
        assert_eq!(check(&[device], &tenant).unwrap().anchor().id(), "pin");
    }
}

#[test]
fn the_window_of_a_pinned_certificate_is_checked() {
    let device = self_signed(&Leaf::new("pump").valid(0, 1)).certificate;
    let tenant = tenant(vec![anchor("pin", &device)]);
    let error = check(&[device], &tenant).unwrap_err();
    assert_eq!(error.code(), "leaf-expired");
}

#[test]
fn a_pinned_certificate_vouches_for_nothing_else() {
    let ca = TestCa::new("pump");
    let plain = self_signed(&Leaf::new("pump")).certificate;
    let tenant = tenant(vec![anchor("pin", &plain)]);
    let error = check(&[ca.issue(&Leaf::new("x")).certificate], &tenant).unwrap_err();
    assert_eq!(error, ChainError::NoUsableAnchor);
}

#[test]
fn nobody_is_believed_without_anchors() {
    let (device, _) = issued(&Leaf::new("pump"));
    let error = check(&[device.certificate], &tenant(vec![])).unwrap_err();
    assert_eq!(
        (error.code(), error.retry()),
        ("no-usable-anchor", Retry::Never)
    );
}

#[test]
fn self_signed_strangers_have_no_anchor() {
    let (_, tenant) = issued(&Leaf::new("pump"));
    let stranger = self_signed(&Leaf::new("pump")).certificate;
    assert_eq!(
        check(&[stranger], &tenant).unwrap_err(),
        ChainError::NoAnchorForIssuer
    );
}

#[test]
fn same_name_with_another_key_is_a_bad_signature() {
    let (_, tenant) = issued(&Leaf::new("pump"));
    let other = TestCa::new("Root").issue(&Leaf::new("pump")).certificate;
    assert_eq!(
        check(&[other], &tenant).unwrap_err(),
        ChainError::BadSignature
    );
}

#[test]
fn size_is_bounded() {
    let (device, tenant) = issued(&Leaf::new("pump"));
    assert_eq!(check(&[], &tenant).unwrap_err(), ChainError::Empty);
    let nine = vec![device.certificate.clone(); 9];
    assert_eq!(
        check(&nine, &tenant).unwrap_err(),
        ChainError::TooMany { count: 9 }
    );
    assert!(check(&nine[..8], &tenant).is_ok());
    let length = MAX_CERTIFICATE_BYTES + 1;
    let error = check(&[device.certificate, vec![0; length].into()], &tenant).unwrap_err();
    assert_eq!(
        error,
        ChainError::TooLong {
            position: 1,
            length
        }
    );
}

#[test]
fn malformed_leaf_is_refused() {
    let (_, tenant) = issued(&Leaf::new("pump"));
    let error = check(&[vec![0x30, 0].into()], &tenant).unwrap_err();
    assert_eq!(error, ChainError::Malformed { position: 0 });
}

#[test]
fn windows_are_inclusive_and_name_the_leaf() {
    let now = NOW.as_secs();
    let (device, tenant) = issued(&Leaf::new("pump").valid(now, now));
    assert!(check(&[device.certificate], &tenant).is_ok());
    let expired = refusal(&Leaf::new("pump").valid(VALID_FROM, now - 1));
    assert!(
        matches!(expired, ChainError::LeafExpired { not_after } if not_after.as_secs() == now - 1)
    );
    let early = refusal(&Leaf::new("pump").valid(now + 1, VALID_UNTIL));
    assert_eq!(
        (early.code(), early.retry()),
        ("leaf-not-yet-valid", Retry::Later)
    );
}

#[test]
fn intermediate_windows_are_told_apart_from_the_leaf() {
    let now = NOW.as_secs();
    for (window, code) in [
        ((VALID_FROM, now - 1), "intermediate-expired"),
        ((now + 1, VALID_UNTIL), "intermediate-not-yet-valid"),
    ] {
        let root = TestCa::new("Root");
        let middle = root.intermediate(&Leaf::new("Middle").valid(window.0, window.1));
        let leaf = middle.issue(&Leaf::new("pump")).certificate;
        let tenant = tenant(vec![anchor("root", &root.certificate)]);
        assert_eq!(
            check(&[leaf, middle.certificate], &tenant)
                .unwrap_err()
                .code(),
            code
        );
    }
}

#[test]
fn the_anchors_own_window_is_checked() {
    let now = NOW.as_secs();
    for (window, code) in [
        ((0, now - 1), "anchor-expired"),
        ((now + 1, VALID_UNTIL), "anchor-not-yet-valid"),
    ] {
        let root = TestCa::root(&Leaf::new("Root").valid(window.0, window.1));
        let leaf = root.issue(&Leaf::new("pump")).certificate;
        let lone = tenant(vec![anchor("root", &root.certificate)]);
        assert_eq!(
            check(std::slice::from_ref(&leaf), &lone)
                .unwrap_err()
                .code(),
            code
        );
        // Beside an anchor of the same name that is valid and did not sign it, the reason stays.
        let other = anchor("other", &TestCa::new("Root").certificate);
        let two = tenant(vec![other, anchor("root", &root.certificate)]);
        assert_eq!(check(&[leaf], &two).unwrap_err().code(), code);
    }
}

#[test]
fn an_authority_is_no_device() {
    assert_eq!(
        refusal(&Leaf::new("pump").certificate_authority()),
        ChainError::LeafIsCa
    );
}

#[test]
fn other_purposes_are_refused() {
    let error = refusal(&Leaf::new("pump").purpose(Purpose::Server));
    assert_eq!(
        error,
        ChainError::PurposeNotAllowed {
            needed: "client authentication"
        }
    );
}

#[test]
fn unknown_critical_extension_is_refused() {
    let critical = refusal(&Leaf::new("pump").extension(&[1, 2, 3, 4], true, vec![5, 0]));
    assert_eq!(critical, ChainError::UnknownCriticalExtension);
    let (device, tenant) = issued(&Leaf::new("pump").extension(&[1, 2, 3, 4], false, vec![5, 0]));
    assert!(check(&[device.certificate], &tenant).is_ok());
}

#[test]
fn path_length_is_obeyed() {
    let root = TestCa::root(&Leaf::new("Root"));
    let upper = root.intermediate(&Leaf::new("Upper").path_length(0));
    let lower = upper.intermediate(&Leaf::new("Lower"));
    let leaf = lower.issue(&Leaf::new("pump")).certificate;
    let tenant = tenant(vec![anchor("root", &root.certificate)]);
    let chain = [leaf, lower.certificate, upper.certificate];
    assert_eq!(check(&chain, &tenant).unwrap_err(), ChainError::PathTooLong);
}

#[test]
fn seven_intermediates_are_too_many() {
    let root = TestCa::new("Root");
    let mut chain = Vec::new();
    let mut lowest = root.intermediate(&Leaf::new("0"));
    chain.push(lowest.certificate.clone());
    for name in 1..7 {
        lowest = lowest.intermediate(&Leaf::new(&name.to_string()));
        chain.insert(0, lowest.certificate.clone());
    }
    chain.insert(0, lowest.issue(&Leaf::new("pump")).certificate);
    let tenant = tenant(vec![anchor("root", &root.certificate)]);
    assert_eq!(check(&chain, &tenant).unwrap_err(), ChainError::PathTooLong);
}

#[test]
fn subjects_that_name_no_device_yield_no_certificate_id() {
    let reason = |leaf: &Leaf| {
        let (device, tenant) = issued(leaf);
        let chain = check(&[device.certificate], &tenant).unwrap();
        assert!(chain.trusted_key().is_err());
        chain.certificate_id().unwrap_err().clone()
    };
    assert!(matches!(
        reason(&Leaf::new("two words")),
        SubjectError::NotAnId {
            attribute: "CN",
            reason: CertificateIdError::Character { .. }
        }
    ));
    // The CN would do, but an unusable serialNumber is not passed over.
    let error = reason(&Leaf::new("pump").serial_number("a b"));
    assert!(matches!(
        error,
        SubjectError::NotAnId {
            attribute: "serialNumber",
            ..
        }
    ));
    let nameless = ChainError::SubjectUnusable(SubjectError::Missing);
    assert_eq!(refusal(&Leaf::nameless()), nameless);
}

#[test]
fn a_leaf_issues_no_certificates() {
    let root = TestCa::new("Root");
    let device = root.impostor(&Leaf::new("pump"));
    let chain = [
        device.issue(&Leaf::new("valve")).certificate,
        device.certificate,
    ];
    let tenant = tenant(vec![anchor("root", &root.certificate)]);
    assert_eq!(
        check(&chain, &tenant).unwrap_err(),
        ChainError::IssuerIsNoCa
    );
}

#[test]
fn name_constraints_are_obeyed() {
    // permittedSubtrees: dNSName example.com (RFC 5280 §4.2.1.10).
    let constraints = b"\x30\x11\xa0\x0f\x30\x0d\x82\x0bexample.com".to_vec();
    let root = TestCa::root(&Leaf::new("Root").extension(&[2, 5, 29, 30], true, constraints));
    let tenant = tenant(vec![anchor("root", &root.certificate)]);
    let issue = |name: &str| [root.issue(&Leaf::new("pump").dns_name(name)).certificate];
    assert!(check(&issue("a.example.com"), &tenant).is_ok());
    assert_eq!(
        check(&issue("example.org"), &tenant).unwrap_err(),
        ChainError::NameNotAllowed
    );
}

#[test]
fn work_is_bounded() {
    let anchors = (0..101).map(|n| anchor(&n.to_string(), &TestCa::new("Root").certificate));
    let leaf = TestCa::new("Root").issue(&Leaf::new("pump")).certificate;
    let error = check(&[leaf], &tenant(anchors.collect())).unwrap_err();
    assert_eq!(error, ChainError::TooComplex);
}

#[test]
fn inverted_window_is_an_invalid_path() {
    let error = refusal(&Leaf::new("pump").valid(VALID_UNTIL, VALID_FROM));
    assert_eq!(error, ChainError::PathInvalid("InvalidCertValidity".into()));
}

/// Runs `openssl req`/`x509` in a new folder and returns the DER of root and leaf, or `None`
/// without openssl.
fn by_openssl(
    subject: &str,
    extensions: &str,
    key: &[&str],
) -> Option<(CertificateDer<'static>, CertificateDer<'static>)> {
    let root_key = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
    by_openssl_under(&root_key, subject, extensions, key)
}

fn by_openssl_under(
    root_kind: &[&str],
    subject: &str,
    extensions: &str,
    key: &[&str],
) -> Option<(CertificateDer<'static>, CertificateDer<'static>)> {
    let folder = temp_dir();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let read = |path: &str| CertificateDer::from(fs::read(Path::new(path)).unwrap());
    fs::write(at("ext"), extensions).unwrap();
    let (root_key, root, leaf_key, csr, leaf) = (at("rk"), at("r"), at("lk"), at("csr"), at("l"));
    let subject_and_files = [
        "-nodes",
        "-keyout",
        &root_key,
        "-out",
        &root,
        "-subj",
        "/CN=OpenSSL Root",
    ];
    let root_request = [&["req", "-x509", "-newkey"], root_kind, &subject_and_files].concat();
    openssl(&root_request, b"")?;
    let genpkey = [&["genpkey", "-out", &leaf_key], key].concat();
    openssl(&genpkey, b"")?;
    openssl(
        &[
            "req", "-new", "-key", &leaf_key, "-out", &csr, "-subj", subject,
        ],
        b"",
    )?;
    openssl(
        &[
            "x509",
            "-req",
            "-in",
            &csr,
            "-CA",
            &root,
            "-CAkey",
            &root_key,
            "-CAcreateserial",
            "-days",
            "365",
            "-extfile",
            &at("ext"),
            "-outform",
            "DER",
            "-out",
            &leaf,
        ],
        b"",
    )?;
    openssl(
        &[
            "x509",
            "-in",
            &root,
            "-outform",
            "DER",
            "-out",
            &at("root.der"),
        ],
        b"",
    )?;
    Some((read(&at("root.der")), read(&leaf)))
}

#[test]
fn a_backend_that_lists_more_believes_no_more() {
    fn sha256(parts: &[&[u8]]) -> [u8; 32] {
        Backend::AWS_LC_RS.sha256(parts)
    }
    let everything = Backend::new("everything", sha256, webpki::ALL_VERIFICATION_ALGS);
    let made = by_openssl_under(
        &["ec", "-pkeyopt", "ec_paramgen_curve:P-521"],
        "/CN=pump",
        PLAIN,
        P256,
    );
    let Some((root, leaf)) = made else { return };
    let error = check_by(everything, leaf, &root).unwrap_err();
    assert_eq!(error, ChainError::UnsupportedSignature);
}

/// The certificates are made now, so they are judged now.
fn check_now(
    leaf: CertificateDer<'static>,
    root: &CertificateDer<'static>,
) -> Result<VerifiedChain, ChainError> {
    check_by(Backend::PURE_RUST, leaf, root)
}

fn check_by(
    backend: Backend,
    leaf: CertificateDer<'static>,
    root: &CertificateDer<'static>,
) -> Result<VerifiedChain, ChainError> {
    let tenant = tenant(vec![anchor("root", root)]);
    let (revocation, now) = (Revocation::NotChecked, UnixTime::now());
    verify(&[leaf], &tenant, revocation, backend, now)
}

const P256: &[&str] = &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
const ED25519: &[&str] = &["-algorithm", "ED25519"];
const PLAIN: &str = "basicConstraints=CA:FALSE\n";

#[test]
fn openssl_chain_with_serial_number_is_believed() {
    for key in [P256, ED25519] {
        let made = by_openssl("/O=Acme/CN=pump/serialNumber=SN-0042", PLAIN, key);
        let Some((root, leaf)) = made else { return };
        assert_eq!(
            check_now(leaf, &root)
                .unwrap()
                .certificate_id()
                .unwrap()
                .as_str(),
            "SN-0042"
        );
    }
}

#[test]
fn openssl_chain_with_common_name_is_believed() {
    let extensions = "extendedKeyUsage=clientAuth\nkeyUsage=critical,digitalSignature\n";
    let Some((root, leaf)) = by_openssl("/O=Acme/CN=pump-7", extensions, P256) else {
        return;
    };
    assert_eq!(
        check_now(leaf, &root)
            .unwrap()
            .certificate_id()
            .unwrap()
            .as_str(),
        "pump-7"
    );
}

#[test]
fn openssl_chains_are_refused_for_their_reason() {
    let cases: [(&str, &str, &str); 3] = [
        (
            "/CN=pump",
            "extendedKeyUsage=serverAuth\n",
            "purpose-not-allowed",
        ),
        (
            "/CN=pump",
            "basicConstraints=critical,CA:TRUE\n",
            "leaf-is-ca",
        ),
        (
            "/CN=pump",
            "1.2.3.4=critical,DER:0500\n",
            "unknown-critical-extension",
        ),
    ];
    for (subject, extensions, code) in cases {
        let Some((root, leaf)) = by_openssl(subject, extensions, P256) else {
            return;
        };
        assert_eq!(
            check_now(leaf, &root).unwrap_err().code(),
            code,
            "{subject} {extensions}"
        );
    }
}

#[test]
fn openssl_chains_may_name_no_device() {
    for (subject, printed) in [("/CN=a/CN=b", "CN=b,CN=a"), ("/O=Acme", "O=Acme")] {
        let Some((root, leaf)) = by_openssl(subject, PLAIN, P256) else {
            return;
        };
        let chain = check_now(leaf, &root).unwrap();
        assert!(chain.certificate_id().is_err(), "{subject}");
        assert_eq!(chain.subject().to_string(), printed);
    }
}

#[test]
fn openssl_leaf_with_another_kind_of_key_is_refused() {
    let p521 = &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"];
    let Some((root, leaf)) = by_openssl("/CN=pump", PLAIN, p521) else {
        return;
    };
    assert_eq!(
        check_now(leaf, &root).unwrap_err().code(),
        "key-not-supported"
    );
}

#[test]
fn openssl_root_whose_signatures_no_backend_verifies_is_told() {
    let p521 = ["ec", "-pkeyopt", "ec_paramgen_curve:P-521"];
    let made = by_openssl_under(&p521, "/CN=pump", PLAIN, P256);
    let Some((root, leaf)) = made else { return };
    assert_eq!(
        check_now(leaf, &root).unwrap_err().code(),
        "signature-not-supported"
    );
}

#[test]
fn openssl_chains_of_every_kind_of_key_are_believed() {
    const P384: &[&str] = &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"];
    const RSA: &[&str] = &["-algorithm", "RSA"];
    // openssl signs with SHA-256 unless told otherwise, with a root on P-384, too.
    let p384 = ["ec", "-pkeyopt", "ec_paramgen_curve:P-384"];
    for root_kind in [&["rsa:2048"][..], &["rsa:3072", "-sha512"], &p384] {
        for leaf_kind in [P256, P384, RSA] {
            let made = by_openssl_under(root_kind, "/CN=pump", PLAIN, leaf_kind);
            let Some((root, leaf)) = made else { return };
            let checked = check_now(leaf, &root);
            assert!(checked.is_ok(), "{root_kind:?} {leaf_kind:?}: {checked:?}");
        }
    }
}

#[test]
fn a_weak_key_of_an_authority_is_refused_by_every_backend() {
    let weak = ["rsa:2048", "-pkeyopt", "rsa_keygen_pubexp:3"];
    let made = by_openssl_under(&weak, "/CN=pump", PLAIN, P256);
    let Some((root, leaf)) = made else { return };
    for backend in [Backend::PURE_RUST, Backend::AWS_LC_RS] {
        let checked = check_by(backend, leaf.clone(), &root);
        assert_eq!(checked.unwrap_err().code(), "key-not-supported");
    }
}

proptest! {
    #[test]
    fn random_bytes_never_panic(
        chain in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..4)
    ) {
        let (_, tenant) = issued(&Leaf::new("pump"));
        let chain: Vec<CertificateDer<'_>> = chain.into_iter().map(CertificateDer::from).collect();
        prop_assert!(check(&chain, &tenant).is_err());
    }

    #[test]
    fn a_changed_byte_is_never_believed(at in any::<prop::sample::Index>(), flip in 1..=255u8) {
        let (device, tenant) = issued(&Leaf::new("pump"));
        let mut bytes = device.certificate.to_vec();
        *at.get_mut(&mut bytes) ^= flip;
        let (revocation, backend) = (Revocation::NotChecked, Backend::AWS_LC_RS);
        prop_assert!(verify(&[bytes.into()], &tenant, revocation, backend, NOW).is_err());
    }
}

#[test]
fn another_authentication_id_than_the_certificates_is_refused() {
    let leaf = Leaf::new("dev1").organization("ACME");
    let (device, tenant) = issued(&leaf);
    let chain = check(&[device.certificate], &tenant).unwrap();
    for given in ["CN=dev1,O=ACME", "cn=DEV1, o=acme"] {
        let id = chain.expect_auth_id(given).unwrap();
        assert_eq!(id.as_str(), "CN=dev1,O=ACME");
    }
    let reason = chain.expect_auth_id("CN=someone-else,O=ACME").unwrap_err();
    assert_eq!(
        (reason.code(), reason.http_status()),
        ("auth-id-mismatch", 400)
    );
}
