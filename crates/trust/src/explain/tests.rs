use std::sync::LazyLock;

use gangplank_testkit::{Leaf, NOW, TestCa, VALID_FROM, VALID_UNTIL};
use proptest::prelude::*;

use super::*;
use crate::{
    AnchorPolicy, Approval, AutoProvisioning, Bound, DenyList, IdentityBinding, KeyKind, LeafRules,
    Standing, StoredAuthId, Template, TenantId,
};

fn tenant(anchors: Vec<Anchor>) -> Tenant {
    let mut tenant = Tenant::new(TenantId::parse("t").unwrap());
    tenant.anchors = anchors;
    tenant
}

fn anchor(id: &str, ca: &TestCa, policy: AnchorPolicy) -> Anchor {
    let anchor = Anchor::from_certificate(id, ca.certificate.clone()).unwrap();
    anchor.with_policy(policy)
}

fn open() -> AnchorPolicy {
    AnchorPolicy {
        auto_provisioning: AutoProvisioning::Enabled,
        ..AnchorPolicy::default()
    }
}

fn device(auth_id: &str) -> KnownDevice {
    KnownDevice {
        tenant: TenantId::parse("t").unwrap(),
        device_id: "d1".to_string(),
        certificate_id: None,
        auth_id: Some(StoredAuthId::new(auth_id)),
        bound: Bound::default(),
        joined_as: ProvisionAs::Device,
        standing: Standing::Admitted,
    }
}

fn judge(leaf: &CertificateDer<'_>, tenant: &Tenant, known: Option<&KnownDevice>) -> Explanation {
    let find = |_: &VerifiedChain, auth_id: Option<&AuthId>| {
        let named = |device: &&KnownDevice| {
            let stored = device.auth_id.as_ref();
            auth_id
                .zip(stored)
                .is_some_and(|(id, stored)| id.names(stored))
        };
        Known {
            device: known.filter(named),
            holder_of_device_id: known,
            ..Known::default()
        }
    };
    let arrival = Arrival {
        certificates: core::slice::from_ref(leaf),
        revocation: Revocation::NotChecked,
        source: Source::Unknown,
        now: NOW,
    };
    explain(&arrival, tenant, find, Backend::AWS_LC_RS)
}

/// The outcome, or the code of the refusal.
fn word(found: &Explanation) -> &'static str {
    match &found.decision().outcome {
        Outcome::Known(_) => "known",
        Outcome::Provision(_) => "provision",
        Outcome::Pending => "pending",
        Outcome::Refuse(reason) => reason.code(),
    }
}

#[test]
fn the_anchor_that_verified_is_the_one_whose_policy_counts() {
    let (old, new) = (TestCa::new("Root"), TestCa::new("Root"));
    let tenant = tenant(vec![
        anchor("new", &new, AnchorPolicy::default()),
        anchor("old", &old, open()),
    ]);
    let of_old = old.issue(&Leaf::new("pump")).certificate;
    let of_new = new.issue(&Leaf::new("pump")).certificate;
    let found = judge(&of_old, &tenant, None);
    assert_eq!((word(&found), found.anchor()), ("provision", Some("old")));
    assert_eq!(
        word(&judge(&of_new, &tenant, None)),
        "provisioning-disabled"
    );
}

#[test]
fn an_expired_or_disabled_anchor_shuts_out_known_devices_too() {
    let now = NOW.as_secs();
    let device = device("CN=pump");
    for ((from, until), code) in [
        ((VALID_FROM, now - 1), "anchor-expired"),
        ((now + 1, VALID_UNTIL), "anchor-not-yet-valid"),
    ] {
        let ca = TestCa::root(&Leaf::new("Root").valid(from, until));
        let leaf = ca.issue(&Leaf::new("pump")).certificate;
        let tenant = tenant(vec![anchor("a", &ca, open())]);
        assert_eq!(word(&judge(&leaf, &tenant, Some(&device))), code);
    }
    let ca = TestCa::new("Root");
    let leaf = ca.issue(&Leaf::new("pump")).certificate;
    let off = AnchorPolicy {
        standing: AnchorStanding::Disabled,
        ..open()
    };
    let tenant = tenant(vec![anchor("a", &ca, off)]);
    let found = judge(&leaf, &tenant, Some(&device));
    assert_eq!(word(&found), "no-usable-anchor");
    let saw = &found.decision().trace[1];
    assert_eq!(
        (saw.rule, saw.passed, &*saw.saw),
        (Rule::Anchor, false, "a is disabled")
    );
}

#[test]
fn hostile_subjects_are_literal_text_or_refused() {
    let ca = TestCa::new("Root");
    let template = |text| {
        let policy = AnchorPolicy {
            auth_id_template: Some(Template::parse(text).unwrap()),
            ..open()
        };
        tenant(vec![anchor("a", &ca, policy)])
    };
    let auth_id = |name: &str, tenant: &Tenant| {
        let leaf = ca.issue(&Leaf::new(name).organization("evil")).certificate;
        match judge(&leaf, tenant, None).decision().outcome.clone() {
            Outcome::Provision(plan) => plan.auth_id().as_str().to_string(),
            Outcome::Refuse(reason) => reason.code().to_string(),
            other => panic!("{other:?}"),
        }
    };
    let by_name = template("{{subject-cn}}-{{subject-o}}");
    for name in ["$1", "a\\b", "{{subject-o}}", "${subject-o}"] {
        assert_eq!(auth_id(name, &by_name), format!("{name}-evil"));
    }
    let whole = tenant(vec![anchor("a", &ca, open())]);
    assert_eq!(auth_id("a\\b", &whole), "CN=a\\\\b,O=evil");
    for name in ["a\nb", "a\u{1b}[2J", "a\0b", "a\u{85}b"] {
        assert_eq!(auth_id(name, &whole), "subject-unusable");
        assert_eq!(auth_id(name, &by_name), "subject-unusable");
    }
    assert_eq!(auth_id(&"x".repeat(65_536), &whole), "path-invalid");
}

#[test]
fn spellings_of_one_name_are_one_device() {
    let ca = TestCa::new("Root");
    let tenant = tenant(vec![anchor("a", &ca, open())]);
    let device = device("CN=Pumpe Öl,O=ACME");
    for name in ["Pumpe Öl", "PUMPE  ÖL", "  pumpe o\u{308}l "] {
        let leaf = ca.issue(&Leaf::new(name).organization("acme")).certificate;
        assert_eq!(
            word(&judge(&leaf, &tenant, Some(&device))),
            "known",
            "{name}"
        );
    }
    let leaf = ca
        .issue(&Leaf::new("Pumpe Ol").organization("acme"))
        .certificate;
    assert_eq!(word(&judge(&leaf, &tenant, Some(&device))), "provision");
}

#[test]
fn a_device_is_held_to_what_its_anchor_binds() {
    let ca = TestCa::new("Root");
    let leaf = ca.issue(&Leaf::new("pump")).certificate;
    let (key, certificate) = ([1; 32], [2; 32]);
    let bound = |binding, bound| {
        let policy = AnchorPolicy {
            identity_binding: binding,
            ..AnchorPolicy::default()
        };
        let device = KnownDevice {
            bound,
            ..device("CN=pump")
        };
        let found = judge(
            &leaf,
            &tenant(vec![anchor("a", &ca, policy)]),
            Some(&device),
        );
        match &found.decision().outcome {
            Outcome::Known(recognition) => format!("{:?}", recognition.changes),
            Outcome::Refuse(reason) => reason.code().to_string(),
            other => panic!("{other:?}"),
        }
    };
    let other = || Bound {
        issuers: vec![
            crate::DistinguishedName::parse("CN=Other")
                .unwrap()
                .prepared(),
        ],
        spki_sha256: vec![key],
        certificate_sha256: vec![certificate],
    };
    use IdentityBinding::*;
    let changes = "[Certificate, Key, Issuer]";
    for (mode, outcome) in [
        (Subject, changes),
        (SubjectAndIssuer, "binding-mismatch"),
        (PublicKey, "binding-mismatch"),
        (Certificate, "binding-mismatch"),
    ] {
        assert_eq!(bound(mode, other()), outcome, "{mode:?}");
        // Nothing is recorded yet: the first certificate decides.
        assert_eq!(bound(mode, Bound::default()), "[]", "{mode:?}");
    }
    let without_key = Bound {
        spki_sha256: Vec::new(),
        ..other()
    };
    assert_eq!(bound(PublicKey, without_key), "[Certificate, Issuer]");
}

#[test]
fn leaf_rules_and_the_deny_list_hold_for_known_devices() {
    let ca = TestCa::new("Root");
    let leaf = ca
        .issue(&Leaf::new("pump").dns_name("pump.example.com"))
        .certificate;
    let hash = Backend::AWS_LC_RS.sha256(&[&leaf]);
    let outcome = |rules: LeafRules, deny: DenyList| {
        let policy = AnchorPolicy {
            leaf: rules,
            deny,
            ..AnchorPolicy::default()
        };
        let tenant = tenant(vec![anchor("a", &ca, policy)]);
        word(&judge(&leaf, &tenant, Some(&device("CN=pump"))))
    };
    assert_eq!(outcome(LeafRules::default(), DenyList::default()), "known");
    let denied = DenyList {
        certificates: vec![hash],
        keys: Vec::new(),
    };
    assert_eq!(outcome(LeafRules::default(), denied), "denied");
    let kinds = |kinds: &[KeyKind]| LeafRules {
        key_kinds: Some(kinds.to_vec()),
        ..LeafRules::default()
    };
    assert_eq!(
        outcome(kinds(&[KeyKind::P256]), DenyList::default()),
        "known"
    );
    let others = kinds(&[KeyKind::P384, KeyKind::Rsa]);
    assert_eq!(outcome(others, DenyList::default()), "key-not-allowed");
    let client = der::asn1::ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2");
    let purposes = LeafRules {
        purposes: vec![client],
        ..LeafRules::default()
    };
    assert_eq!(
        outcome(purposes, DenyList::default()),
        "purpose-not-allowed"
    );
}

#[test]
fn strangers_wait_where_the_anchor_lets_them() {
    let ca = TestCa::new("Root");
    let leaf = ca.issue(&Leaf::new("pump")).certificate;
    let queue = |auto_provisioning| AnchorPolicy {
        approval: Approval::Queue,
        auto_provisioning,
        ..AnchorPolicy::default()
    };
    let outcome = |policy| word(&judge(&leaf, &tenant(vec![anchor("a", &ca, policy)]), None));
    assert_eq!(outcome(queue(AutoProvisioning::Disabled)), "pending");
    assert_eq!(outcome(queue(AutoProvisioning::Enabled)), "provision");
}

/// Authorities and a leaf of the first: keys cost time to make.
struct Pool {
    ca: TestCa,
    leaf: CertificateDer<'static>,
    certificates: Vec<CertificateDer<'static>>,
}

impl Pool {
    fn anchor(&self, which: usize, id: &str, policy: AnchorPolicy) -> Anchor {
        let certificate = self.certificates[which].clone();
        let anchor = Anchor::from_certificate(id, certificate).unwrap();
        anchor.with_policy(policy)
    }
}

static POOL: LazyLock<Pool> = LazyLock::new(|| {
    let ca = TestCa::new("Root");
    let leaf = ca.issue(&Leaf::new("pump")).certificate;
    let old = TestCa::root(&Leaf::new("Root").valid(VALID_FROM, VALID_FROM + 1));
    let authorities = [&ca, &TestCa::new("Root"), &TestCa::new("Other"), &old];
    let mut certificates = Vec::from(authorities.map(|ca| ca.certificate.clone()));
    certificates.push(leaf.clone());
    Pool {
        ca,
        leaf,
        certificates,
    }
});

proptest! {
    #[test]
    fn another_anchor_never_shuts_out_a_known_device(
        others in prop::collection::vec((0..5usize, any::<bool>(), any::<bool>()), 0..5),
    ) {
        let mut anchors = vec![anchor("first", &POOL.ca, AnchorPolicy::default())];
        for (at, (which, provisions, disabled)) in others.into_iter().enumerate() {
            let policy = AnchorPolicy {
                auto_provisioning: match provisions {
                    true => AutoProvisioning::Enabled,
                    false => AutoProvisioning::Disabled,
                },
                standing: match disabled {
                    true => AnchorStanding::Disabled,
                    false => AnchorStanding::Enabled,
                },
                ..AnchorPolicy::default()
            };
            anchors.push(POOL.anchor(which, &at.to_string(), policy));
        }
        let found = judge(&POOL.leaf, &tenant(anchors), Some(&device("CN=pump")));
        prop_assert_eq!(word(&found), "known");
    }

    #[test]
    fn the_same_question_has_the_same_answer(provisions: bool, is_known: bool) {
        let policy = if provisions { open() } else { AnchorPolicy::default() };
        let tenant = tenant(vec![anchor("a", &POOL.ca, policy)]);
        let known = device("CN=pump");
        let known = is_known.then_some(&known);
        let found = judge(&POOL.leaf, &tenant, known);
        prop_assert_eq!(&found, &judge(&POOL.leaf, &tenant, known));
        let expected = match (is_known, provisions) {
            (true, _) => "known",
            (false, true) => "provision",
            (false, false) => "provisioning-disabled",
        };
        prop_assert_eq!(word(&found), expected);
        prop_assert!(serde_json::to_string(&found).is_ok());
    }
}
