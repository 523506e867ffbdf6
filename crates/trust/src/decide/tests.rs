use std::sync::LazyLock;

use gangplank_key::Backend;
use gangplank_testkit::{Leaf, NOW, TestCa};
use proptest::prelude::*;

use super::*;
use crate::{
    AnchorPolicy, AutoProvisioning, Bound, ProvisionAs, Retry, Revocation, TenantId, verify,
};
use gangplank_key::CertificateId;

/// Keys cost time to make, and no test changes them.
static FIXTURE: LazyLock<(TestCa, VerifiedChain)> = LazyLock::new(|| {
    let ca = TestCa::new("Root");
    let leaf = ca.issue(&Leaf::new("pump")).certificate;
    let tenant = tenant_of(&ca, AutoProvisioning::Disabled);
    let chain = verify(
        &[leaf],
        &tenant,
        Revocation::NotChecked,
        Backend::AWS_LC_RS,
        NOW,
    )
    .unwrap();
    (ca, chain)
});

fn tenant_of(ca: &TestCa, auto_provisioning: AutoProvisioning) -> Tenant {
    let mut tenant = Tenant::new(TenantId::parse("t").unwrap());
    tenant.policy_revision = 7;
    tenant.anchors = vec![anchor(ca, auto_provisioning)];
    tenant
}

fn anchor(ca: &TestCa, auto_provisioning: AutoProvisioning) -> Anchor {
    let anchor = Anchor::from_certificate("root", ca.certificate.clone()).unwrap();
    anchor.with_policy(AnchorPolicy {
        auto_provisioning,
        ..AnchorPolicy::default()
    })
}

fn tenant(auto_provisioning: AutoProvisioning) -> Tenant {
    tenant_of(&FIXTURE.0, auto_provisioning)
}

fn chain() -> &'static VerifiedChain {
    &FIXTURE.1
}

fn known(standing: Standing) -> KnownDevice {
    KnownDevice {
        tenant: TenantId::parse("t").unwrap(),
        device_id: "d1".to_string(),
        certificate_id: chain().certificate_id().ok().cloned(),
        auth_id: None,
        bound: Bound {
            spki_sha256: vec![chain().key().spki_sha256()],
            ..Bound::default()
        },
        joined_as: ProvisionAs::Device,
        standing,
    }
}

/// The known device, with nothing new about it.
fn aboard() -> Outcome {
    Outcome::Known(Recognition {
        device_id: "d1".to_string(),
        changes: Vec::new(),
    })
}

fn outcome(proof: &Proof<'_>, tenant: &Tenant, known: Option<&KnownDevice>) -> Outcome {
    let decision = decide(proof, tenant, known.into(), Source::Unknown, NOW);
    let last = decision.trace.last().unwrap();
    assert_eq!(
        last.passed,
        !matches!(decision.outcome, Outcome::Refuse(_)),
        "{decision:?}"
    );
    decision.outcome
}

fn refused(proof: &Proof<'_>, tenant: &Tenant, known: Option<&KnownDevice>) -> &'static str {
    match outcome(proof, tenant, known) {
        Outcome::Refuse(reason) => {
            assert!(!reason.to_string().is_empty());
            reason.code()
        }
        other => panic!("{other:?}"),
    }
}

use AutoProvisioning::{Disabled, Enabled};

#[test]
fn stranger_under_an_enabled_anchor_is_provisioned() {
    let tenant = tenant(Enabled);
    let Outcome::Provision(plan) = outcome(&Proof::Chain(chain()), &tenant, None) else {
        panic!("not provisioned");
    };
    assert_eq!(plan.certificate_id().unwrap().as_str(), "pump");
    assert_eq!(
        (plan.tenant(), plan.anchor_id(), plan.policy_revision()),
        (&tenant.id, "root", 7)
    );
}

#[test]
fn stranger_under_a_disabled_anchor_is_refused_even_with_a_queue() {
    let mut tenant = tenant(Disabled);
    tenant.unknown = UnknownDevices::Queue;
    assert_eq!(
        refused(&Proof::Chain(chain()), &tenant, None),
        "provisioning-disabled"
    );
}

#[test]
fn known_devices_come_aboard() {
    let device = known(Standing::Admitted);
    let tenant = tenant(Disabled);
    assert_eq!(
        outcome(&Proof::Registered, &tenant, Some(&device)),
        aboard()
    );
    assert_eq!(
        outcome(&Proof::Chain(chain()), &tenant, Some(&device)),
        aboard()
    );
}

#[test]
fn unwelcome_devices_stay_out_whatever_they_prove() {
    for (standing, code) in [
        (Standing::Disabled, "device-disabled"),
        (Standing::Rejected, "device-rejected"),
        (Standing::Removed, "tombstoned"),
    ] {
        let device = known(standing);
        for proof in [Proof::Registered, Proof::Chain(chain()), Proof::Possession] {
            assert_eq!(refused(&proof, &tenant(Enabled), Some(&device)), code);
        }
    }
}

#[test]
fn disabled_tenant_admits_nobody() {
    let mut tenant = tenant(Enabled);
    tenant.enabled = false;
    tenant.unknown = UnknownDevices::Queue;
    let device = known(Standing::Admitted);
    for proof in [Proof::Registered, Proof::Chain(chain()), Proof::Possession] {
        for known in [None, Some(&device)] {
            assert_eq!(refused(&proof, &tenant, known), "tenant-disabled");
        }
    }
    assert_eq!(Reason::TenantDisabled.retry(), Retry::Later);
}

#[test]
fn empty_tenant_refuses_strangers() {
    let tenant = Tenant::new(TenantId::parse("t").unwrap());
    assert_eq!(refused(&Proof::Registered, &tenant, None), "device-unknown");
    assert_eq!(refused(&Proof::Possession, &tenant, None), "device-unknown");
    assert_eq!(
        refused(&Proof::Chain(chain()), &tenant, None),
        "anchor-withdrawn"
    );
}

#[test]
fn strangers_wait_only_where_there_is_a_queue() {
    let mut tenant = tenant(Enabled);
    assert_eq!(refused(&Proof::Possession, &tenant, None), "device-unknown");
    tenant.unknown = UnknownDevices::Queue;
    assert_eq!(outcome(&Proof::Possession, &tenant, None), Outcome::Pending);
}

#[test]
fn waiting_strangers_go_on_waiting_until_an_anchor_allows_them() {
    let device = known(Standing::Pending);
    for proof in [Proof::Registered, Proof::Possession, Proof::Chain(chain())] {
        assert_eq!(
            outcome(&proof, &tenant(Disabled), Some(&device)),
            Outcome::Pending
        );
    }
    let allowed = outcome(&Proof::Chain(chain()), &tenant(Enabled), Some(&device));
    assert!(matches!(allowed, Outcome::Provision(_)));
}

#[test]
fn possession_of_a_registered_key_is_not_enough() {
    let device = known(Standing::Admitted);
    assert_eq!(
        refused(&Proof::Possession, &tenant(Enabled), Some(&device)),
        "device-unknown"
    );
}

#[test]
fn another_devices_id_or_key_is_a_conflict() {
    let proof = Proof::Chain(chain());
    let mut device = known(Standing::Admitted);
    device.bound.spki_sha256 = vec![[0; 32]];
    assert_eq!(
        refused(&proof, &tenant(Enabled), Some(&device)),
        "identity-conflict"
    );
    let mut device = known(Standing::Admitted);
    device.certificate_id = Some(CertificateId::parse("other").unwrap());
    assert_eq!(
        refused(&proof, &tenant(Enabled), Some(&device)),
        "identity-conflict"
    );
}

/// The fixture's tenant under this policy; its anchor lets devices join.
fn tenant_with(policy: AnchorPolicy) -> Tenant {
    let mut tenant = tenant(Enabled);
    let anchor = tenant.anchors.remove(0);
    tenant.anchors.push(anchor.with_policy(AnchorPolicy {
        auto_provisioning: Enabled,
        ..policy
    }));
    tenant
}

/// The known device with the authentication id of the fixture's certificate.
fn recognised(standing: Standing) -> KnownDevice {
    KnownDevice {
        auth_id: Some(chain().auth_id().unwrap().into()),
        ..known(standing)
    }
}

#[test]
fn a_device_keeps_its_certificate_id() {
    let proof = Proof::Chain(chain());
    let mut device = recognised(Standing::Admitted);
    assert_eq!(outcome(&proof, &tenant(Enabled), Some(&device)), aboard());
    device.certificate_id = None;
    assert_eq!(outcome(&proof, &tenant(Enabled), Some(&device)), aboard());
    device.certificate_id = Some(CertificateId::parse("PUMP").unwrap());
    let reason = refused(&proof, &tenant(Enabled), Some(&device));
    assert_eq!(reason, "certificate-id-mismatch");
}

#[test]
fn a_template_makes_a_device_id_that_is_nobody_elses() {
    let proof = Proof::Chain(chain());
    let tenant = tenant_with(AnchorPolicy {
        device_id_template: Some(crate::Template::parse("{{subject-cn}}").unwrap()),
        ..AnchorPolicy::default()
    });
    let holder = |id: &str| KnownDevice {
        device_id: id.to_string(),
        ..known(Standing::Admitted)
    };
    let asked = |device: Option<&KnownDevice>, holder: &KnownDevice| {
        let known = Known {
            device,
            holder_of_device_id: Some(holder),
            ..Known::default()
        };
        decide(&proof, &tenant, known, Source::Unknown, NOW).outcome
    };
    let made = chain().subject().to_string();
    assert_eq!(made, "CN=pump");
    let conflict = Outcome::Refuse(Reason::IdentityConflict {
        known: "pump".to_string(),
    });
    assert_eq!(asked(None, &holder("pump")), conflict);
    assert!(matches!(
        asked(None, &holder("valve")),
        Outcome::Provision(_)
    ));
    // The one that waits has it itself; another one that waits does not.
    let mut waiting = holder("pump");
    waiting.standing = Standing::Pending;
    let found = asked(Some(&waiting), &waiting);
    assert!(matches!(found, Outcome::Provision(_)), "{found:?}");
    waiting.device_id = "valve".to_string();
    assert_eq!(asked(Some(&waiting), &holder("pump")), conflict);
}

#[test]
fn the_anchor_that_verified_has_to_be_there_still() {
    let proof = Proof::Chain(chain());
    let device = recognised(Standing::Admitted);
    let ca = &FIXTURE.0;
    let other = TestCa::new("Root");
    let anchor = |id: &str, ca: &TestCa, standing: AnchorStanding| {
        let anchor = Anchor::from_certificate(id, ca.certificate.clone()).unwrap();
        anchor.with_policy(AnchorPolicy {
            standing,
            ..AnchorPolicy::default()
        })
    };
    use AnchorStanding::{Disabled, Enabled};
    for (id, ca, standing, there) in [
        ("root", ca, Enabled, true),
        ("root", &other, Enabled, false),
        ("other", ca, Enabled, false),
        ("root", ca, Disabled, false),
    ] {
        let mut tenant = tenant(AutoProvisioning::Disabled);
        tenant.anchors = vec![anchor(id, ca, standing)];
        let found = outcome(&proof, &tenant, Some(&device));
        match there {
            true => assert_eq!(found, aboard()),
            false => {
                let anchor = "root".to_string();
                assert_eq!(found, Outcome::Refuse(Reason::AnchorWithdrawn { anchor }));
            }
        }
    }
}

#[test]
fn a_source_is_named() {
    assert_eq!(Source::Unknown.to_string(), "an unknown address");
    let mapped: IpAddr = "::ffff:192.0.2.1".parse().unwrap();
    assert_eq!(Source::from(mapped).to_string(), "192.0.2.1");
}

#[test]
fn quotas_are_reached_and_not_passed() {
    let proof = Proof::Chain(chain());
    let mut tenant = tenant_with(AnchorPolicy {
        max_devices: Some(2),
        ..AnchorPolicy::default()
    });
    tenant.max_devices = Some(5);
    for (of_anchor, of_tenant, reason) in [
        (0, 0, None),
        (1, 4, None),
        (2, 4, Some("quota-anchor")),
        (3, 4, Some("quota-anchor")),
        (1, 5, Some("quota-tenant")),
        (1, 6, Some("quota-tenant")),
    ] {
        let known = Known {
            provisioned_by_anchor: of_anchor,
            devices_in_tenant: of_tenant,
            ..Known::default()
        };
        let found = decide(&proof, &tenant, known, Source::Unknown, NOW).outcome;
        let code = match &found {
            Outcome::Refuse(reason) => Some(reason.code()),
            _ => None,
        };
        assert_eq!(code, reason, "{of_anchor} and {of_tenant}");
    }
}

#[test]
fn a_tombstone_is_an_identitys_and_a_keys_where_that_is_bound() {
    let proof = Proof::Chain(chain());
    let removed = |auth_id: Option<&str>, has_key: bool| {
        let mut device = known(Standing::Removed);
        device.auth_id = auth_id.map(crate::StoredAuthId::new);
        if !has_key {
            device.bound.spki_sha256.clear();
        }
        device
    };
    use crate::IdentityBinding::{PublicKey, Subject};
    for (binding, auth_id, has_key, stays_out) in [
        (Subject, Some("CN=pump"), false, true),
        (Subject, None, false, true),
        (Subject, Some("CN=valve"), true, false),
        (PublicKey, Some("CN=valve"), true, true),
        (PublicKey, Some("CN=valve"), false, false),
        (PublicKey, Some("CN=pump"), false, true),
    ] {
        let tenant = tenant_with(AnchorPolicy {
            identity_binding: binding,
            ..AnchorPolicy::default()
        });
        let device = removed(auth_id, has_key);
        let found = outcome(&proof, &tenant, Some(&device));
        let tombstoned = found == Outcome::Refuse(Reason::Tombstoned);
        assert_eq!(tombstoned, stays_out, "{binding:?} {auth_id:?} {has_key}");
    }
}

#[test]
fn the_trace_says_what_a_device_is_bound_to() {
    use crate::IdentityBinding::{Certificate, PublicKey, Subject, SubjectAndIssuer};
    for (binding, text) in [
        (Subject, "subject, changed: []"),
        (SubjectAndIssuer, "subject+issuer, changed: []"),
        (PublicKey, "public-key, changed: []"),
        (Certificate, "certificate, changed: []"),
    ] {
        let tenant = tenant_with(AnchorPolicy {
            identity_binding: binding,
            ..AnchorPolicy::default()
        });
        let device = recognised(Standing::Admitted);
        let known = Some(&device).into();
        let decision = decide(&Proof::Chain(chain()), &tenant, known, Source::Unknown, NOW);
        let entry = decision.trace.iter().find(|one| one.rule == Rule::Binding);
        assert_eq!(entry.unwrap().saw, text);
    }
}

#[test]
fn other_tenants_have_no_say() {
    let mut device = known(Standing::Admitted);
    device.tenant = TenantId::parse("other").unwrap();
    assert_eq!(
        refused(&Proof::Registered, &tenant(Enabled), Some(&device)),
        "other-tenant"
    );
    let mut other = tenant(Enabled);
    other.id = TenantId::parse("other").unwrap();
    assert_eq!(
        refused(&Proof::Chain(chain()), &other, None),
        "other-tenant"
    );
}

#[test]
fn kept_chains_expire() {
    let later = UnixTime::since_unix_epoch(core::time::Duration::from_secs(4_000_000_000));
    let decision = decide(
        &Proof::Chain(chain()),
        &tenant(Enabled),
        Known::default(),
        Source::Unknown,
        later,
    );
    assert!(matches!(decision.outcome, Outcome::Refuse(reason) if reason.code() == "leaf-expired"));
}

#[test]
fn trace_names_every_rule_and_what_it_saw() {
    let now = NOW.as_secs().to_string();
    let source = Source::from("::ffff:192.0.2.1".parse::<IpAddr>().unwrap());
    let decision = decide(
        &Proof::Chain(chain()),
        &tenant(Enabled),
        Known::default(),
        source,
        NOW,
    );
    let trace: Vec<_> = decision
        .trace
        .iter()
        .map(|entry| (entry.rule.name(), &*entry.saw, entry.passed))
        .collect();
    let expected = [
        ("tenant-enabled", "t", true),
        ("chain-of-tenant", "t", true),
        ("anchor-present", "root", true),
        ("validity", &now, true),
        ("not-denied", "not listed", true),
        ("leaf-rules", "met", true),
        ("auth-id", "CN=pump", true),
        ("device-known", "no device", false),
        ("auto-provisioning", "enabled", true),
        ("window", "no limit", true),
        ("source", "192.0.2.1", true),
        ("subject", "usable", true),
        ("device-id", "a random one", true),
        ("anchor-quota", "no limit", true),
        ("tenant-quota", "no limit", true),
    ];
    assert_eq!(trace, expected);
}

fn standings() -> impl Strategy<Value = Standing> {
    prop::sample::select(vec![
        Standing::Admitted,
        Standing::Pending,
        Standing::Disabled,
        Standing::Rejected,
        Standing::Removed,
    ])
}

proptest! {
    #[test]
    fn nothing_is_provisioned_unless_every_switch_is_on(
        proof in 0..3u8,
        enabled: bool,
        auto: bool,
        queue: bool,
        standing in prop::option::of(standings()),
        same_key: bool,
        same_tenant: bool,
        seconds: u64,
    ) {
        let mut tenant = tenant(if auto { Enabled } else { Disabled });
        tenant.enabled = enabled;
        tenant.unknown = if queue { UnknownDevices::Queue } else { UnknownDevices::Refuse };
        let device = standing.map(|standing| {
            let mut device = known(standing);
            if !same_key { device.bound.spki_sha256.clear(); }
            if !same_tenant { device.tenant = TenantId::parse("other").unwrap(); }
            device
        });
        let proof = match proof {
            0 => Proof::Registered,
            1 => Proof::Chain(chain()),
            _ => Proof::Possession,
        };
        let now = UnixTime::since_unix_epoch(core::time::Duration::from_secs(seconds));
        for now in [now, NOW] {
            let decision = decide(&proof, &tenant, device.as_ref().into(), Source::Unknown, now);
            if let Outcome::Provision(_) = decision.outcome {
                prop_assert!(enabled && auto && matches!(proof, Proof::Chain(_)));
                prop_assert!(standing.is_none_or(|s| s == Standing::Pending && same_key && same_tenant));
            }
            if let Outcome::Known(_) = decision.outcome {
                prop_assert!(enabled && same_tenant && standing == Some(Standing::Admitted));
            }
        }
    }
}
