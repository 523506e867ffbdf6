use core::time::Duration;
use std::ops::Range;

use gangplank_key::{Backend, SigningKey, SoftwareKey};
use gangplank_testkit::{Leaf, NOW, TestCa, openssl};
use rustls_pki_types::{CertificateDer, UnixTime};

use super::*;
use crate::certificate::{NamedCertificate, Names};
use crate::{
    Anchor, AnchorPolicy, ChainError, Ocsp, OcspChecking, PathProfile, Purpose, verify_path,
};

/// A revocation list to be: what it has is what RFC 5280 demands unless said otherwise.
#[derive(Clone)]
struct Draft {
    version: Option<u8>,
    updates: Range<u64>,
    next_update: bool,
    /// DER of `revokedCertificates`' entries.
    entries: Vec<u8>,
    /// DER of further extensions.
    extensions: Vec<u8>,
    number: Option<bool>,
}

impl Draft {
    fn new() -> Self {
        Self {
            version: Some(1),
            updates: NOW.as_secs() - 60..NOW.as_secs() + 60,
            next_update: true,
            entries: Vec::new(),
            extensions: Vec::new(),
            number: Some(false),
        }
    }

    fn revoke(mut self, certificate: &CertificateDer<'_>, extensions: &[u8]) -> Self {
        let serial = NamedCertificate::read(certificate, &mut Names::default())
            .unwrap()
            .fields
            .serial
            .to_vec();
        let extensions = match extensions {
            [] => Vec::new(),
            more => element(0x30, &[more]),
        };
        let entry = [
            &element(2, &[&serial])[..],
            &time(NOW.as_secs()),
            &extensions,
        ];
        self.entries.extend(element(0x30, &entry));
        self
    }

    fn extension(mut self, extension: Vec<u8>) -> Self {
        self.extensions.extend(extension);
        self
    }

    fn sign(&self, ca: &TestCa) -> Vec<u8> {
        let issuer = NamedCertificate::read(&ca.certificate, &mut Names::default()).unwrap();
        let issuer = issuer.fields.subject;
        let key = SoftwareKey::from_pkcs8_der(&ca.private_key()).unwrap();
        let algorithm = element(0x30, &[b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"]);
        let version = self.version.map(|version| element(2, &[&[version]]));
        let next_update = self.next_update.then(|| time(self.updates.end));
        let number = self
            .number
            .map(|critical| extension(20, critical, &[2, 1, 1]));
        let entries = match self.entries.as_slice() {
            [] => Vec::new(),
            entries => element(0x30, &[entries]),
        };
        let extensions = [&number.unwrap_or_default()[..], &self.extensions].concat();
        let extensions = match extensions.as_slice() {
            [] => Vec::new(),
            some => element(0xa0, &[&element(0x30, &[some])]),
        };
        let tbs = element(
            0x30,
            &[
                &version.unwrap_or_default(),
                &algorithm,
                issuer,
                &time(self.updates.start),
                &next_update.unwrap_or_default(),
                &entries,
                &extensions,
            ],
        );
        let signature = key.sign(&tbs).unwrap().to_wire().to_vec();
        let signature = element(3, &[&[0], &signature]);
        element(0x30, &[&tbs, &algorithm, &signature])
    }
}

/// 2.5.29.`arc`.
fn extension(arc: u8, critical: bool, value: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if critical { &[1, 1, 0xff] } else { &[] };
    let id = [6, 3, 0x55, 0x1d, arc];
    element(0x30, &[&id, critical, &element(4, &[value])])
}

fn time(seconds: u64) -> Vec<u8> {
    let time = jiff::Timestamp::from_second(seconds.try_into().unwrap()).unwrap();
    element(
        0x17,
        &[time.strftime("%y%m%d%H%M%SZ").to_string().as_bytes()],
    )
}

fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = match u8::try_from(content.len()) {
        Ok(short @ 0..0x80) => vec![short],
        Ok(byte) => vec![0x81, byte],
        Err(_) => [
            &[0x82][..],
            &u16::try_from(content.len()).unwrap().to_be_bytes(),
        ]
        .concat(),
    };
    [&[tag][..], &length, &content].concat()
}

fn check_at(
    now: UnixTime,
    chain: &[&CertificateDer<'_>],
    root: &TestCa,
    lists: &[Vec<u8>],
) -> Result<(), ChainError> {
    let lists = RevocationLists::read(lists.iter().map(Vec::as_slice)).unwrap();
    let anchor = Anchor::from_certificate("root", root.certificate.clone()).unwrap();
    let (leaf, rest) = chain.split_first().unwrap();
    let rest: Vec<CertificateDer<'_>> = rest.iter().map(|other| (*other).clone()).collect();
    let (profile, revocation) = (PathProfile::new(Purpose::Client), Revocation::Lists(&lists));
    let backend = Backend::AWS_LC_RS;
    verify_path(leaf, &rest, [&anchor], profile, revocation, backend, now).map(|_| ())
}

fn check(
    chain: &[&CertificateDer<'_>],
    root: &TestCa,
    lists: &[Vec<u8>],
) -> Result<(), ChainError> {
    check_at(NOW, chain, root, lists)
}

fn unknown(position: usize, why: NoStatus) -> Result<(), ChainError> {
    Err(ChainError::RevocationUnknown { position, why })
}

#[test]
fn a_leaf_is_good_unless_its_issuers_list_names_it() {
    let root = TestCa::new("Root");
    let (leaf, other) = (root.issue(&Leaf::new("a")), root.issue(&Leaf::new("b")));
    let (leaf, other) = (leaf.certificate, other.certificate);
    let lists = |draft: Draft| [draft.sign(&root)];
    assert_eq!(check(&[&leaf], &root, &lists(Draft::new())), Ok(()));
    let draft = Draft::new().revoke(&other, &[]);
    assert_eq!(check(&[&leaf], &root, &lists(draft.clone())), Ok(()));
    let revoked = Err(ChainError::Revoked { position: 0 });
    let draft = draft.revoke(&leaf, &[]);
    assert_eq!(check(&[&leaf], &root, &lists(draft)), revoked);
    // keyCompromise.
    let reason = extension(21, false, &[0x0a, 1, 1]);
    let draft = Draft::new().revoke(&leaf, &reason);
    assert_eq!(check(&[&leaf], &root, &lists(draft)), revoked);
}

#[test]
fn every_certificate_below_the_anchor_needs_a_list() {
    let root = TestCa::new("Root");
    let middle = root.intermediate(&Leaf::new("Middle"));
    let leaf = middle.issue(&Leaf::new("pump")).certificate;
    let chain = [&leaf, &middle.certificate];
    let (upper, lower) = (Draft::new().sign(&root), Draft::new().sign(&middle));
    assert_eq!(
        check(&chain, &root, &[upper.clone(), lower.clone()]),
        Ok(())
    );
    let missing = |at| unknown(at, NoStatus::NoList);
    assert_eq!(
        check(&chain, &root, std::slice::from_ref(&upper)),
        missing(0)
    );
    assert_eq!(
        check(&chain, &root, std::slice::from_ref(&lower)),
        missing(1)
    );
    assert_eq!(check(&chain, &root, &[]), missing(0));
    let upper = Draft::new().revoke(&middle.certificate, &[]).sign(&root);
    let revoked = Err(ChainError::Revoked { position: 1 });
    assert_eq!(check(&chain, &root, &[upper, lower]), revoked);
}

#[test]
fn a_list_counts_between_its_updates_and_not_without_the_next() {
    let root = TestCa::new("Root");
    let leaf = root.issue(&Leaf::new("pump")).certificate;
    let draft = Draft::new();
    for (seconds, outcome) in [
        (draft.updates.start - 1, unknown(0, NoStatus::NotYetValid)),
        (draft.updates.start, Ok(())),
        (draft.updates.end, Ok(())),
        (draft.updates.end + 1, unknown(0, NoStatus::OutOfDate)),
    ] {
        let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let found = check_at(now, &[&leaf], &root, &[draft.sign(&root)]);
        assert_eq!(found, outcome, "{seconds}");
    }
    let endless = Draft {
        next_update: false,
        ..draft
    };
    let found = check(&[&leaf], &root, &[endless.sign(&root)]);
    assert_eq!(found, unknown(0, NoStatus::NotConformant));
}

#[test]
fn lists_that_cannot_be_used_say_nothing() {
    let root = TestCa::new("Root");
    let leaf = root.issue(&Leaf::new("pump")).certificate;
    let other = root.issue(&Leaf::new("other")).certificate;
    let entry = |extension: Vec<u8>| Draft::new().revoke(&other, &extension);
    let number = |number| Draft {
        number,
        ..Draft::new()
    };
    let old = Draft {
        version: None,
        ..Draft::new()
    };
    for (draft, why) in [
        (old, NoStatus::NotConformant),
        (number(None), NoStatus::NotConformant),
        (number(Some(true)), NoStatus::NotConformant),
        (
            Draft::new().extension(extension(20, false, &[2, 1, 1])),
            NoStatus::NotConformant,
        ),
        // Unknown and critical, a list of changes, and one with a distribution point.
        (
            Draft::new().extension(extension(99, true, &[5, 0])),
            NoStatus::Unsupported,
        ),
        (
            Draft::new().extension(extension(27, true, &[2, 1, 1])),
            NoStatus::Unsupported,
        ),
        (
            Draft::new().extension(extension(28, true, &[0x30, 0])),
            NoStatus::Unsupported,
        ),
        (
            Draft::new().extension(extension(28, false, &[0x30, 0])),
            NoStatus::Unsupported,
        ),
        // Unknown and critical, of another issuer, and removeFromCRL.
        (entry(extension(99, true, &[5, 0])), NoStatus::Unsupported),
        (
            entry(extension(29, true, &[0x30, 0])),
            NoStatus::Unsupported,
        ),
        (
            entry(extension(21, false, &[0x0a, 1, 8])),
            NoStatus::Unsupported,
        ),
    ] {
        let found = check(&[&leaf], &root, &[draft.sign(&root)]);
        assert_eq!(found, unknown(0, why));
        // Nor does another list then, but where somebody else signed the one.
        let both = |signer| [draft.sign(signer), Draft::new().sign(&root)];
        assert_eq!(check(&[&leaf], &root, &both(&root)), unknown(0, why));
        let stranger = TestCa::new("Root");
        assert_eq!(check(&[&leaf], &root, &both(&stranger)), Ok(()));
    }
    let free = Draft::new().extension(extension(99, false, &[5, 0]));
    assert_eq!(check(&[&leaf], &root, &[free.sign(&root)]), Ok(()));
}

#[test]
fn a_list_is_signed_by_the_issuer_who_may_sign_lists() {
    let root = TestCa::new("Root");
    let leaf = root.issue(&Leaf::new("pump")).certificate;
    let forged = Draft::new().sign(&TestCa::new("Root"));
    let found = check(&[&leaf], &root, std::slice::from_ref(&forged));
    assert_eq!(found, unknown(0, NoStatus::BadSignature));
    let both = [forged, Draft::new().sign(&root)];
    assert_eq!(check(&[&leaf], &root, &both), Ok(()));
    // basicConstraints with cA, keyUsage with keyCertSign alone.
    let plain = Leaf::new("Middle")
        .extension(&[2, 5, 29, 19], true, vec![0x30, 3, 1, 1, 0xff])
        .extension(&[2, 5, 29, 15], true, vec![3, 2, 2, 4]);
    let middle = root.impostor(&plain);
    let leaf = middle.issue(&Leaf::new("pump")).certificate;
    let lists = [Draft::new().sign(&root), Draft::new().sign(&middle)];
    let found = check(&[&leaf, &middle.certificate], &root, &lists);
    assert_eq!(found, unknown(0, NoStatus::SignerNotAllowed));
}

/// keyUsage with cRLSign, or with digitalSignature, alone.
const SIGNS_LISTS: [u8; 4] = [3, 2, 1, 2];
const SIGNS: [u8; 4] = [3, 2, 7, 0x80];

#[test]
fn an_authority_may_have_another_key_for_its_lists() {
    let root = TestCa::new("Root");
    let ca = root.intermediate(&Leaf::new("CA"));
    let leaf = ca.issue(&Leaf::new("pump")).certificate;
    let signer = |by: &TestCa, usage: Option<&[u8]>| {
        let plain = Leaf::new("CA");
        by.impostor(&match usage {
            Some(usage) => plain.extension(&[2, 5, 29, 15], true, usage.to_vec()),
            None => plain,
        })
    };
    let found = |signer: &TestCa, upper: Draft, lower: Draft| {
        let lists = [upper.sign(&root), lower.sign(signer)];
        check(
            &[&leaf, &ca.certificate, &signer.certificate],
            &root,
            &lists,
        )
    };
    let own = signer(&root, Some(&SIGNS_LISTS));
    assert_eq!(found(&own, Draft::new(), Draft::new()), Ok(()));
    let revoking = Draft::new().revoke(&leaf, &[]);
    let revoked = Err(ChainError::Revoked { position: 0 });
    assert_eq!(found(&own, Draft::new(), revoking), revoked);
    // Not for lists, or it does not say so; by somebody else; revoked itself.
    let unknown = unknown(0, NoStatus::BadSignature);
    for other in [
        signer(&root, Some(&SIGNS)),
        signer(&root, None),
        signer(&TestCa::new("Root"), Some(&SIGNS_LISTS)),
        signer(&TestCa::new("Other"), Some(&SIGNS_LISTS)),
    ] {
        assert_eq!(found(&other, Draft::new(), Draft::new()), unknown);
    }
    let taken_back = Draft::new().revoke(&own.certificate, &[]);
    assert_eq!(found(&own, taken_back, Draft::new()), unknown);
}

/// The lists of an authority that changed its key are all signed with the new one.
#[test]
fn a_new_key_signs_for_what_the_old_one_issued() {
    let root = TestCa::new("Root");
    let (old, new) = (Leaf::new("CA"), Leaf::new("CA"));
    let (old, new) = (root.intermediate(&old), root.intermediate(&new));
    let leaf = old.issue(&Leaf::new("pump")).certificate;
    let lists = [Draft::new().sign(&root), Draft::new().sign(&new)];
    let chain = [&leaf, &old.certificate, &new.certificate];
    assert_eq!(check(&chain, &root, &lists), Ok(()));
    let found = check(&chain[..2], &root, &lists);
    assert_eq!(found, unknown(0, NoStatus::BadSignature));
}

#[test]
fn a_named_one_is_revoked_whatever_another_list_says() {
    let root = TestCa::new("Root");
    let leaf = root.issue(&Leaf::new("pump")).certificate;
    let revoking = Draft::new().revoke(&leaf, &[]).sign(&root);
    for lists in [
        [revoking.clone(), Draft::new().sign(&root)],
        [Draft::new().sign(&root), revoking],
    ] {
        let found = check(&[&leaf], &root, &lists);
        assert_eq!(found, Err(ChainError::Revoked { position: 0 }));
    }
}

#[test]
fn what_is_read_is_bounded_and_whole() {
    let root = TestCa::new("Root");
    let list = Draft::new().sign(&root);
    let many = |count| RevocationLists::read(std::iter::repeat_n(list.as_slice(), count));
    assert!(many(MAX_REVOCATION_LISTS).is_ok());
    let error = many(MAX_REVOCATION_LISTS + 1).unwrap_err();
    assert_eq!(error, RevocationListError::TooMany);
    let long = vec![0; MAX_REVOCATION_LIST_BYTES + 1];
    let error = RevocationLists::read([long.as_slice()]).unwrap_err();
    assert_eq!(error, RevocationListError::TooLong);
    for length in 0..list.len() {
        let error = RevocationLists::read([&list[..], &list[..length]]).unwrap_err();
        assert_eq!(error, RevocationListError::Malformed { position: 1 });
    }
}

/// Our drafts are what others call a revocation list.
#[test]
fn openssl_reads_the_drafts() {
    let root = TestCa::new("Root");
    let leaf = root.issue(&Leaf::new("pump")).certificate;
    let list = Draft::new().revoke(&leaf, &[]).sign(&root);
    let Some(text) = openssl(&["crl", "-inform", "DER", "-noout", "-text"], &list) else {
        return;
    };
    let text = String::from_utf8(text).unwrap();
    for expected in [
        "Version 2 (0x1)",
        "Issuer: CN = Root",
        "Next Update",
        "Serial Number:",
    ] {
        assert!(text.contains(expected), "{expected} not in {text}");
    }
}

#[test]
fn a_status_counts_where_the_anchor_asks_for_one() {
    let root = TestCa::new("Root");
    let leaf = root.issue(&Leaf::new("pump")).certificate;
    let anchor = |checking| {
        let ocsp = Ocsp {
            checking,
            ..Ocsp::default()
        };
        let policy = AnchorPolicy {
            ocsp,
            ..AnchorPolicy::default()
        };
        let anchor = Anchor::from_certificate("root", root.certificate.clone()).unwrap();
        anchor.with_policy(policy)
    };
    let found = |anchors: &[Anchor], revocation| {
        let profile = PathProfile::new(Purpose::Client);
        let backend = Backend::AWS_LC_RS;
        verify_path(&leaf, &[], anchors, profile, revocation, backend, NOW).map(|_| ())
    };
    let revoked = Err(ChainError::Revoked { position: 0 });
    let lists = RevocationLists::read([Draft::new().sign(&root).as_slice()]).unwrap();
    for (revocation, outcome) in [
        (Revocation::Leaf(LeafStatus::Good), Ok(())),
        (Revocation::Leaf(LeafStatus::Revoked), revoked),
        (
            Revocation::Leaf(LeafStatus::Unknown),
            unknown(0, NoStatus::NotGiven),
        ),
        (Revocation::NotChecked, unknown(0, NoStatus::NotGiven)),
        (Revocation::Lists(&lists), Ok(())),
    ] {
        let (on, off) = (
            anchor(OcspChecking::Enabled),
            anchor(OcspChecking::Disabled),
        );
        assert_eq!(found(std::slice::from_ref(&off), revocation), Ok(()));
        assert_eq!(found(std::slice::from_ref(&on), revocation), outcome);
        // No other anchor is tried.
        assert_eq!(found(&[on, off], revocation), outcome);
    }
}
