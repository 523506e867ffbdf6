use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gangplank_testkit::{KeyKind, Leaf, NOW, TestCa, VALID_UNTIL, self_signed};
use rustls_pki_types::CertificateDer;
use serde_json::{Value, json};

use super::*;

/// Codes and pointers of the lints of a tenant `t`, among those that are stored.
fn lints(stored: &[(&str, Value)], tenant: Value) -> Vec<(String, String)> {
    let found = found(stored, tenant).into_iter();
    found
        .map(|lint| (lint.code.name().to_string(), lint.pointer))
        .collect()
}

fn found(stored: &[(&str, Value)], tenant: Value) -> Vec<Lint> {
    found_at(stored, tenant, NOW)
}

fn found_at(stored: &[(&str, Value)], tenant: Value, now: UnixTime) -> Vec<Lint> {
    let id = |id| TenantId::parse(id).unwrap();
    let mut index = TenantIndex::default();
    for (name, stored) in stored {
        index.insert(document(stored).tenant(id(name), 0));
    }
    lint(&id("t"), &document(&tenant), &index, now)
}

fn document(tenant: &Value) -> TenantDocument {
    let mut made = 0;
    let mut new_id = || {
        made += 1;
        format!("made-{made}")
    };
    TenantDocument::decode(tenant.to_string().as_bytes(), &mut new_id).unwrap()
}

fn of(certificate: &CertificateDer<'_>) -> Value {
    json!({"cert": STANDARD.encode(certificate)})
}

fn limited(name: &str) -> TestCa {
    TestCa::root(&Leaf::new(name).path_length(0))
}

fn codes(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let each = expected.iter();
    each.map(|(code, pointer)| (code.to_string(), pointer.to_string()))
        .collect()
}

#[test]
fn anchors_are_looked_over() {
    let good = limited("Root").certificate;
    assert_eq!(lints(&[], json!({"trusted-ca": [of(&good)]})), []);
    let pump = self_signed(&Leaf::new("pump")).certificate;
    let open = TestCa::new("Open").certificate;
    let old = TestCa::root(&Leaf::new("Old").path_length(1).valid(1, 2)).certificate;
    assert_eq!(
        lints(
            &[],
            json!({"trusted-ca": [of(&good), of(&pump), of(&open), of(&old)]})
        ),
        codes(&[
            ("anchor-not-authority", "/trusted-ca/1"),
            ("anchor-unlimited", "/trusted-ca/2"),
            ("anchor-expired", "/trusted-ca/3"),
        ])
    );
}

#[test]
fn an_anchor_counts_in_its_last_second() {
    let tenant = json!({"trusted-ca": [of(&limited("Root").certificate)]});
    let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    assert_eq!(found_at(&[], tenant.clone(), at(VALID_UNTIL)), []);
    let found = found_at(&[], tenant, at(VALID_UNTIL + 1));
    assert_eq!(
        found[0].to_string(),
        format!("warning anchor-expired /trusted-ca/0: made-1 ended at {VALID_UNTIL} (Unix time)")
    );
}

#[test]
fn name_constraints_limit_an_authority() {
    // permittedSubtrees: dNSName acme.example
    let name = b"acme.example";
    let length = u8::try_from(name.len()).unwrap();
    let mut value = vec![
        0x30,
        length + 6,
        0xa0,
        length + 4,
        0x30,
        length + 2,
        0x82,
        length,
    ];
    value.extend(name);
    let ca = TestCa::root(&Leaf::new("Root").extension(&[2, 5, 29, 30], true, value));
    assert_eq!(lints(&[], json!({"trusted-ca": [of(&ca.certificate)]})), []);
}

#[test]
fn a_bare_anchor_has_no_limits_and_a_key_may_be_of_no_use() {
    // The P-521 key of the documents' tests is read as EC.
    let rsa = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCl21nocHjMmuOTBSLfbfM4mEMHIpSzbMHhcutEbYPVj5Bp\
               bzt+DK6HF8oD+/HGB9JQbOCDobOMFbgGb8yZL0nbztwNiryISu20Ede6aB0aOpgE/qqzcKs1UcR7+P6rHhbM\
               hoQPlO8lF09zSZ1ZXAO5fk0wy+zdEZPQ1AxpVL2v6wIDAQAB";
    let anchor = json!({
        "subject-dn": "CN=Small",
        "public-key": rsa,
        "not-before": "2020-01-01T00:00:00Z",
        "not-after": "2040-01-01T00:00:00Z",
    });
    let found = found(&[], json!({"trusted-ca": [anchor]}));
    assert_eq!(found[0].code, LintCode::AnchorKeyUnsupported);
    assert!(found[0].message.contains("1024"), "{}", found[0]);
    assert_eq!(found[1].code, LintCode::AnchorUnlimited);
    assert_eq!(found.len(), 2);
    let good = TestCa::root(&Leaf::new("Root").path_length(0).key(KeyKind::Rsa2048)).certificate;
    assert_eq!(lints(&[], json!({"trusted-ca": [of(&good)]})), []);
}

#[test]
fn templates_are_looked_over_where_they_stand() {
    let mut anchor = of(&limited("Root").certificate);
    anchor["auth-id-template"] = json!("{{subject-ou}}");
    anchor["auto-provisioning-device-id-template"] = json!("a/{{subject-cn}}-{{subject-dn}}");
    let (auth_id, device_id) = (
        "/trusted-ca/0/auth-id-template",
        "/trusted-ca/0/auto-provisioning-device-id-template",
    );
    assert_eq!(
        lints(&[], json!({"trusted-ca": [anchor]})),
        codes(&[
            ("not-unique", auth_id),
            ("collision", device_id),
            ("device-id-dn", device_id),
            ("device-id-literal", device_id),
        ])
    );
}

#[test]
fn an_anchor_that_is_there_twice_is_told() {
    let (old, new) = (limited("Root").certificate, limited("root").certificate);
    let tenant = json!({"trusted-ca": [of(&old), of(&new), of(&old)]});
    assert_eq!(
        lints(&[], tenant),
        codes(&[("anchor-repeated", "/trusted-ca/2")])
    );
}

#[test]
fn anchors_of_other_tenants_are_told() {
    let ca = limited("Root");
    let with = |group: &str, certificate| json!({"trust-anchor-group": group, "trusted-ca": [of(certificate)]});
    let stored = [
        ("a", with("g", &ca.certificate)),
        ("b", with("g", &ca.certificate)),
    ];
    let found_here = found(&stored, with("g", &ca.certificate));
    let messages: Vec<String> = found_here.iter().map(ToString::to_string).collect();
    assert_eq!(
        messages,
        [
            "warning anchor-name-shared /trusted-ca/0: made-1 has the name of an anchor of tenant a and 1 more",
            "warning anchor-key-shared /trusted-ca/0: made-1 has the key of an anchor of tenant a and 1 more",
        ]
    );
    // Its own former state is no other tenant.
    let own = [("t", with("g", &ca.certificate))];
    assert_eq!(lints(&own, with("g", &ca.certificate)), []);
    let found_here = found(&stored, with("h", &limited("ROOT").certificate));
    let found_here: Value = serde_json::to_value(&found_here).unwrap();
    assert_eq!(
        found_here[0],
        json!({
            "code": "issuer-taken",
            "severity": "error",
            "pointer": "/trusted-ca/0",
            "message": "the name CN=ROOT is that of an anchor of tenant a, which is in another group or in none",
        })
    );
    assert_eq!(found_here[1]["code"], "anchor-name-shared");
    let taken = lints(&[("a", json!({"alias": "x"}))], json!({"alias": "x"}));
    assert_eq!(taken, codes(&[("alias-taken", "/alias")]));
}

#[test]
fn an_authority_that_no_path_leads_to_is_told() {
    // A name constraint on something that is no name.
    let value = vec![0x30, 4, 0xa0, 2, 0x30, 0];
    let ca = TestCa::root(&Leaf::new("Root").extension(&[2, 5, 29, 30], true, value));
    let found = lints(&[], json!({"trusted-ca": [of(&ca.certificate)]}));
    assert_eq!(found, codes(&[("anchor-unusable", "/trusted-ca/0")]));
}
