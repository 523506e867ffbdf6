use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gangplank_testkit::{Leaf, NOW, TestCa, self_signed};
use rustls_pki_types::CertificateDer;
use serde_json::{Value, json};

use super::*;
use crate::{
    AnchorPolicy, AnchorStanding, Approval, AutoProvisioning, DistinguishedName, IdentityBinding,
    KeyKind, OcspChecking, OcspNonce, PathProfile, ProvisionAs, Purpose, Template, Validity,
    verify_path,
};

mod adapter;
mod closed;
mod hostile;
mod properties;
mod registry;
mod times;

/// Reads a document whose anchors get the ids `made-1`, `made-2`, ….
fn decode(tenant: &Value) -> Result<TenantDocument, DocumentError> {
    let mut made = 0;
    let mut new_id = || {
        made += 1;
        format!("made-{made}")
    };
    TenantDocument::decode(tenant.to_string().as_bytes(), &mut new_id)
}

fn written(document: &TenantDocument) -> Value {
    serde_json::from_str(&document.encode()).unwrap()
}

fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// A bare anchor that is valid, with `more` members; a null one is taken out.
fn bare(more: Value) -> Value {
    let mut anchor = json!({
        "id": "a",
        "subject-dn": "CN=Root,O=ACME",
        "public-key": PUBLIC_KEY,
        "algorithm": "EC",
        "not-before": "2020-01-01T00:00:00Z",
        "not-after": "2040-01-01T00:00:00Z",
    });
    for (name, value) in more.as_object().unwrap() {
        match value {
            Value::Null => drop(anchor.as_object_mut().unwrap().remove(name)),
            value => anchor[name] = value.clone(),
        }
    }
    anchor
}

/// Of the suite `hono`: P-256.
const PUBLIC_KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEmnTAQMVoxl3/Ad8Sgh/zYouzXGIT7td1\
                          ueCkfitMUmJX/WPf3E8V8S24tIA7NDdbj8fjw6XOfSDKhpjliT7CiQ==";

fn tenant(anchors: &[Value]) -> Value {
    json!({ "trusted-ca": anchors })
}

#[test]
fn a_certificate_speaks_for_its_anchor() {
    let ca = TestCa::new("Root").certificate;
    let nonsense = json!({
        "cert": base64(&ca),
        "subject-dn": 7,
        "subject-dn-bytes": "?",
        "public-key": "?",
        "algorithm": "DSA",
        "not-before": "soon",
        "not-after": null,
    });
    let document = decode(&tenant(&[nonsense])).unwrap();
    let alone = decode(&tenant(&[json!({"cert": base64(&ca)})])).unwrap();
    assert_eq!(document.to_stored(), alone.to_stored());
    let anchor = &written(&document)["trusted-ca"][0];
    assert_eq!(anchor["id"], "made-1");
    assert_eq!(anchor["subject-dn"], "CN=Root");
    assert_eq!(anchor["algorithm"], "EC");
    assert!(!document.encode().contains(&base64(&ca)));
    assert_eq!(document.anchors().next().unwrap().certificate(), Some(&ca));
}

#[test]
fn a_pin_stays_a_pin_in_the_database_and_through_an_update() {
    let pump = self_signed(&Leaf::new("pump")).certificate;
    let document = decode(&tenant(&[json!({"cert": base64(&pump), "id": "pump"})])).unwrap();
    let is_authority =
        |document: &TenantDocument| document.anchors().next().unwrap().is_authority();
    let stored = TenantDocument::from_stored(document.to_stored().as_bytes()).unwrap();
    assert!(!is_authority(&stored));
    assert_eq!(stored.to_stored(), document.to_stored());

    let mut shown = written(&document);
    shown["trusted-ca"][0]["auto-provisioning-enabled"] = json!(true);
    let given_back = decode(&shown).unwrap();
    assert!(is_authority(&given_back), "a bare anchor is an authority");
    let kept = given_back.with_certificates_of(&stored);
    assert!(!is_authority(&kept));
    let anchor = kept.anchors().next().unwrap();
    assert_eq!(anchor.certificate(), Some(&pump));
    assert!(anchor.policy().provisions());
}

#[test]
fn an_update_keeps_no_certificate_of_another_anchor() {
    let ca = TestCa::new("Root").certificate;
    let stored = decode(&tenant(&[json!({"cert": base64(&ca), "id": "a"})])).unwrap();
    let shown = written(&stored)["trusted-ca"][0].clone();
    let other = bare(json!({"subject-dn": "CN=Root", "algorithm": "EC"}));
    for (member, value) in [
        ("id", json!("b")),
        ("public-key", other["public-key"].clone()),
        ("not-after", json!("2050-01-01T00:00:00Z")),
    ] {
        let mut changed = shown.clone();
        changed[member] = value;
        let update = decode(&tenant(&[changed])).unwrap();
        let update = update.with_certificates_of(&stored);
        assert_eq!(
            update.anchors().next().unwrap().certificate(),
            None,
            "{member}"
        );
    }
}

#[test]
fn two_anchors_of_one_name_have_policies_of_their_own() {
    let (old, new) = (TestCa::new("Root"), TestCa::new("Root"));
    let document = decode(&tenant(&[
        json!({"cert": base64(&old.certificate)}),
        json!({"cert": base64(&new.certificate), "auto-provisioning-enabled": true}),
    ]));
    let tenant = document.unwrap().tenant(TenantId::parse("t").unwrap(), 1);
    let found = |ca: &TestCa| {
        let leaf = ca.issue(&Leaf::new("pump")).certificate;
        let profile = PathProfile::new(Purpose::Client);
        let backend = gangplank_key::Backend::PURE_RUST;
        let (anchors, revocation) = (&tenant.anchors, crate::Revocation::NotChecked);
        let path = verify_path(&leaf, &[], anchors, profile, revocation, backend, NOW).unwrap();
        let anchor = path.anchor();
        (anchor.id().to_string(), anchor.policy().provisions())
    };
    assert_eq!(found(&old), ("made-1".to_string(), false));
    assert_eq!(found(&new), ("made-2".to_string(), true));
}

#[test]
fn a_tenant_gets_what_its_document_says() {
    // A text, since the order of a `json!` depends on who else is in the build.
    let text = r#"{
        "enabled": false,
        "alias": "plant-7",
        "trust-anchor-group": "g",
        "adapters": [{"type": "hono-mqtt", "enabled": true, "max-inflight": 3}, {"type": "hono-http"}],
        "registration-limits": {"max-devices": 5},
        "minimum-message-size": 4096,
        "ext": {"b": [1.5, null, {"z": 1, "a": 18446744073709551615}], "a": "ä"},
        "defaults": {"ttl": -1},
        "resource-limits": {},
        "tracing": {"sampling-mode": "all"}
    }"#;
    let document = TenantDocument::decode(text.as_bytes(), &mut String::new);
    let document = document.unwrap();
    assert_eq!(
        document.encode(),
        concat!(
            r#"{"enabled":false,"alias":"plant-7","#,
            r#""ext":{"b":[1.5,null,{"z":1,"a":18446744073709551615}],"a":"ä"},"defaults":{"ttl":-1},"#,
            r#""adapters":[{"type":"hono-mqtt","enabled":true,"device-authentication-required":true,"#,
            r#""max-inflight":3},{"type":"hono-http","enabled":false,"device-authentication-required":true}],"#,
            r#""minimum-message-size":4096,"resource-limits":{},"#,
            r#""registration-limits":{"max-devices":5,"max-credentials-per-device":-1},"#,
            r#""tracing":{"sampling-mode":"all"},"trust-anchor-group":"g"}"#
        )
    );
    let tenant = document.tenant(TenantId::parse("t").unwrap(), 9);
    assert!(!tenant.enabled);
    assert_eq!((tenant.policy_revision, tenant.max_devices), (9, Some(5)));
    assert_eq!(tenant.alias.as_ref().unwrap().as_str(), "plant-7");
    assert_eq!(tenant.trust_anchor_group.as_deref(), Some("g"));
    let allows = |kind| tenant.adapters.allows(kind);
    assert_eq!(
        [allows("hono-mqtt"), allows("hono-http"), allows("x")],
        [true, false, false]
    );
    assert!(Adapters::All.allows("x"));
}

#[test]
fn what_gangplank_adds_is_read_and_written() {
    let hash = "00ff".repeat(16);
    let policy = json!({
        "enabled": false,
        "approval": "queue",
        "identity-binding": "subject+issuer",
        "max-devices": 3,
        "window": {"not-before": "2026-01-01T00:00:00Z", "not-after": "2026-11-01T00:00:00Z"},
        "source-cidrs": ["192.0.2.0/24", "2001:db8::/32", "::ffff:198.51.100.0/120"],
        "leaf": {
            "extended-key-usage": ["clientAuth", "1.2.3.4", "1.3.6.1.5.5.7.3.1"],
            "key-types": ["P-256", "Ed25519"],
            "san-pattern": "*.acme.example",
        },
        "deny": {"certificates": [hash], "keys": [hash.to_uppercase()]},
    });
    let document = decode(&tenant(&[bare(json!({"provisioning-policy": policy}))])).unwrap();
    let read = document.anchors().next().unwrap().policy();
    assert_eq!(read.standing, AnchorStanding::Disabled);
    assert_eq!(read.approval, Approval::Queue);
    assert_eq!(read.identity_binding, IdentityBinding::SubjectAndIssuer);
    assert_eq!(read.max_devices, Some(3));
    assert_eq!(
        read.leaf.key_kinds,
        Some(vec![KeyKind::P256, KeyKind::Ed25519])
    );
    assert_eq!(read.deny.keys[0][..2], [0, 0xff]);
    let mut expected = policy.clone();
    expected["source-cidrs"][2] = json!("198.51.100.0/24");
    expected["leaf"]["extended-key-usage"][2] = json!("serverAuth");
    expected["deny"]["keys"] = json!([hash]);
    assert_eq!(
        written(&document)["trusted-ca"][0]["provisioning-policy"],
        expected
    );
}

#[test]
fn an_anchor_without_additions_is_eclipse_honos() {
    let defaults = json!({
        "enabled": true, "approval": "refuse", "identity-binding": "subject",
        "leaf": {"extended-key-usage": []}, "deny": {"keys": []},
    });
    let document = decode(&tenant(&[bare(json!({"provisioning-policy": defaults}))])).unwrap();
    assert_eq!(
        written(&document)["trusted-ca"][0],
        bare(json!({"auto-provisioning-enabled": false, "auto-provision-as-gateway": false}))
    );
    // Nothing allowed is something else than nothing said.
    let none = json!({"source-cidrs": [], "leaf": {"key-types": []}});
    let document = decode(&tenant(&[bare(json!({"provisioning-policy": none}))])).unwrap();
    assert_eq!(
        written(&document)["trusted-ca"][0]["provisioning-policy"],
        none
    );
}

#[test]
fn ocsp_asks_the_anchor_unless_another_is_named() {
    let ca = base64(&TestCa::new("Root").certificate);
    let on = json!({"cert": ca, "ocsp-revocation-enabled": true, "ocsp-nonce-enabled": true});
    let document = decode(&tenant(&[on])).unwrap();
    let ocsp = &document.anchors().next().unwrap().policy().ocsp;
    assert_eq!(
        (ocsp.checking, ocsp.nonce),
        (OcspChecking::Enabled, OcspNonce::Sent)
    );
    assert_eq!(ocsp.responder_certificate, None);
    assert_eq!(
        written(&document)["trusted-ca"][0]["ocsp-responder-cert"],
        json!(ca)
    );
    // What is shown is good to be given back, without the certificate.
    assert!(decode(&written(&document)).is_ok());
    let off = decode(&tenant(&[json!({"cert": ca})])).unwrap();
    assert!(!off.encode().contains("ocsp"));
    let error = decode(&tenant(&[bare(json!({"ocsp-revocation-enabled": true}))]));
    let pointer = "/trusted-ca/0/ocsp-responder-cert".to_string();
    assert_eq!(error.unwrap_err(), DocumentError::Missing { pointer });
}

#[test]
fn anchors_are_set_and_removed_one_by_one() {
    let mut document = TenantDocument::default();
    let anchor = |id: &str| Anchor::from_certificate(id, TestCa::new("Root").certificate).unwrap();
    document.set_anchor(anchor("a")).unwrap();
    document.set_anchor(anchor("b")).unwrap();
    let policy = AnchorPolicy {
        auto_provisioning: AutoProvisioning::Enabled,
        provision_as: ProvisionAs::Gateway,
        ..AnchorPolicy::default()
    };
    document
        .set_anchor(anchor("a").with_policy(policy))
        .unwrap();
    let shown: Vec<(&str, bool)> = document
        .anchors()
        .map(|found| (found.id(), found.policy().provisions()))
        .collect();
    assert_eq!(shown, [("a", true), ("b", false)]);
    assert_eq!(document.remove_anchor("a").unwrap().id(), "a");
    assert!(document.remove_anchor("a").is_none());
    let error = document.set_anchor(anchor("")).unwrap_err();
    assert_eq!(error.pointer(), "/trusted-ca/1/id");
    for at in 1..MAX_ANCHORS {
        document.set_anchor(anchor(&format!("more-{at}"))).unwrap();
    }
    let error = document.set_anchor(anchor("one-more")).unwrap_err();
    assert!(matches!(
        error,
        DocumentError::TooMany {
            limit: MAX_ANCHORS,
            ..
        }
    ));
}

#[test]
fn a_stored_document_has_nothing_too_much() {
    let ca = TestCa::new("Root").certificate;
    let document = decode(&tenant(&[json!({"cert": base64(&ca), "id": "a"})])).unwrap();
    let stored: Value = serde_json::from_str(&document.to_stored()).unwrap();
    let refused = |change: &dyn Fn(&mut Value)| {
        let mut stored = stored.clone();
        change(&mut stored);
        let error = TenantDocument::from_stored(stored.to_string().as_bytes()).unwrap_err();
        error.pointer().to_string()
    };
    assert_eq!(
        refused(&|stored| stored["certificates"]["b"] = json!("")),
        "/certificates/b"
    );
    assert_eq!(refused(&|stored| stored["more"] = json!(1)), "/more");
    assert_eq!(
        refused(&|stored| stored["certificates"] = Value::Null),
        "/certificates"
    );
    let no_id = |stored: &mut Value| {
        drop(
            stored["tenant"]["trusted-ca"][0]
                .as_object_mut()
                .unwrap()
                .remove("id"),
        );
    };
    assert_eq!(refused(&no_id), "/tenant/trusted-ca/0/id");
}
