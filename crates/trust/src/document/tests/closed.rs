//! What is refused, where it is pointed at, and what is said of it.

use super::*;

/// The JSON pointer to what is wrong with one anchor.
fn wrong(more: Value) -> String {
    let error = decode(&tenant(&[bare(more)])).unwrap_err();
    let pointer = error.pointer().strip_prefix("/trusted-ca/0").unwrap();
    pointer.to_string()
}

#[test]
fn each_fault_is_pointed_at() {
    for (member, value) in [
        ("unexpected", json!(1)),
        ("a/b~c", json!(1)),
        ("id", json!("")),
        ("id", json!("a\nb")),
        ("id", json!("a".repeat(129))),
        ("subject-dn", json!("")),
        ("subject-dn", json!("ACME")),
        ("subject-dn-bytes", json!("MAA=")),
        ("subject-dn-bytes", json!("MA")),
        ("public-key", json!("MAA=")),
        ("algorithm", json!("DSA")),
        ("algorithm", json!("ec")),
        ("not-before", json!("2020-01-01")),
        ("not-after", json!("2019-01-01T00:00:00Z")),
        ("cert", json!("MAA=")),
        ("auth-id-template", json!("device")),
        ("auto-provisioning-device-id-template", json!("{{subject}}")),
        ("auto-provisioning-enabled", json!("true")),
        ("auto-provision-as-gateway", json!(1)),
        ("ocsp-revocation-enabled", json!([])),
        ("ocsp-responder-uri", json!("ldap://x")),
        ("ocsp-responder-uri", json!("http://x y")),
        ("ocsp-responder-cert", json!("MAA=")),
        ("provisioning-policy", json!([])),
    ] {
        let found = wrong(json!({ member: value }));
        let name = member.replace('~', "~0").replace('/', "~1");
        assert_eq!(found, format!("/{name}"), "{value}");
    }
    for member in ["subject-dn", "public-key", "not-before", "not-after"] {
        assert_eq!(wrong(json!({ member: null })), format!("/{member}"));
    }
}

#[test]
fn each_fault_of_the_additions_is_pointed_at() {
    for (policy, pointer) in [
        (json!({"enabled": null}), "/enabled"),
        (json!({"approval": "ask"}), "/approval"),
        (json!({"identity-binding": "issuer"}), "/identity-binding"),
        (json!({"max-devices": -1}), "/max-devices"),
        (json!({"max-devices": 1.5}), "/max-devices"),
        (
            json!({"window": {"not-before": "2026-01-01T00:00:00Z"}}),
            "/window/not-after",
        ),
        (json!({"window": {"until": 1}}), "/window/until"),
        (json!({"source-cidrs": ["192.0.2.1"]}), "/source-cidrs/0"),
        (json!({"source-cidrs": "192.0.2.0/24"}), "/source-cidrs"),
        (
            json!({"leaf": {"extended-key-usage": ["clientAuth", "client"]}}),
            "/leaf/extended-key-usage/1",
        ),
        (
            json!({"leaf": {"key-types": ["P-521"]}}),
            "/leaf/key-types/0",
        ),
        (json!({"leaf": {"san-pattern": ""}}), "/leaf/san-pattern"),
        (json!({"deny": {"keys": ["00"]}}), "/deny/keys/0"),
        (json!({"deny": {"keys": ["g".repeat(64)]}}), "/deny/keys/0"),
        (json!({"deny": {"serials": []}}), "/deny/serials"),
        (json!({"quota": 1}), "/quota"),
    ] {
        let expected = format!("/provisioning-policy{pointer}");
        assert_eq!(wrong(json!({"provisioning-policy": policy})), expected);
    }
    let reverse =
        json!({"not-before": "2026-01-02T00:00:00Z", "not-after": "2026-01-01T00:00:00Z"});
    let found = wrong(json!({"provisioning-policy": {"window": reverse}}));
    assert_eq!(found, "/provisioning-policy/window");
}

#[test]
fn each_fault_of_a_tenant_is_pointed_at() {
    for (tenant, pointer) in [
        (json!({"unexpected": "property"}), "/unexpected"),
        (json!({"alias": null}), "/alias"),
        (json!({"alias": "A"}), "/alias"),
        (
            json!({"minimum-message-size": null}),
            "/minimum-message-size",
        ),
        (json!({"minimum-message-size": -1}), "/minimum-message-size"),
        (
            json!({"minimum-message-size": 2_147_483_648u32}),
            "/minimum-message-size",
        ),
        (
            json!({"registration-limits": {"max-devices": -2}}),
            "/registration-limits/max-devices",
        ),
        (
            json!({"registration-limits": {"max": 1}}),
            "/registration-limits/max",
        ),
        (json!({"adapters": []}), "/adapters"),
        (
            json!({"adapters": [{"type": "a"}, {"type": "a"}]}),
            "/adapters",
        ),
        (json!({"adapters": [{"enabled": true}]}), "/adapters/0/type"),
        (json!({"ext": []}), "/ext"),
        (json!({"trusted-ca": {}}), "/trusted-ca"),
        (json!({"trusted-ca": [null]}), "/trusted-ca/0"),
        (json!([]), ""),
        (Value::Null, ""),
    ] {
        assert_eq!(decode(&tenant).unwrap_err().pointer(), pointer, "{tenant}");
    }
    let twice = tenant(&[bare(json!({})), bare(json!({}))]);
    assert_eq!(decode(&twice).unwrap_err().pointer(), "/trusted-ca/1/id");
}

#[test]
fn null_is_as_good_as_nothing_where_eclipse_hono_reads_it_so() {
    let nothing = json!({
        "enabled": null, "ext": null, "defaults": null, "adapters": null, "resource-limits": null,
        "registration-limits": null, "tracing": null, "trust-anchor-group": null, "trusted-ca": null,
    });
    assert_eq!(decode(&nothing).unwrap().encode(), "{}");
    let plain = decode(&tenant(&[bare(json!({"id": null}))]))
        .unwrap()
        .encode();
    let mut anchor = bare(json!({}));
    for name in [
        "id",
        "subject-dn-bytes",
        "auto-provisioning-enabled",
        "auto-provision-as-gateway",
    ] {
        anchor[name] = Value::Null;
    }
    for name in [
        "revocation-enabled",
        "responder-uri",
        "responder-cert",
        "nonce-enabled",
    ] {
        anchor[format!("ocsp-{name}")] = Value::Null;
    }
    assert_eq!(decode(&tenant(&[anchor])).unwrap().encode(), plain);
    for name in [
        "subject-dn",
        "not-before",
        "not-after",
        "cert",
        "auth-id-template",
        "provisioning-policy",
    ] {
        let mut anchor = bare(json!({}));
        anchor[name] = Value::Null;
        let error = decode(&tenant(&[anchor])).unwrap_err();
        assert_eq!(error.pointer(), format!("/trusted-ca/0/{name}"));
    }
}

#[test]
fn errors_say_what_to_write() {
    let message = |anchor| decode(&tenant(&[anchor])).unwrap_err().to_string();
    assert_eq!(
        message(bare(json!({"allow-auto-provision": true}))),
        "/trusted-ca/0/allow-auto-provision is no member that is known; it is now called \
         auto-provisioning-enabled"
    );
    assert_eq!(
        message(bare(json!({"algorithm": null}))),
        "/trusted-ca/0/public-key is that of EC and should be the DER SubjectPublicKeyInfo of a key \
         of its algorithm, which is RSA unless said"
    );
    assert_eq!(
        message(bare(json!({"not-after": "x".repeat(70)}))),
        format!(
            "/trusted-ca/0/not-after is \"{}\"… and should be a time like 2026-01-31T12:00:00Z, \
             from 1970 to 9999",
            "x".repeat(64)
        )
    );
    assert_eq!(
        decode(&json!([])).unwrap_err().to_string(),
        "the document is a list and should be an object"
    );
}

#[test]
fn members_come_once_at_any_depth() {
    for (text, pointer) in [
        (r#"{"enabled":true,"enabled":true}"#, "/enabled"),
        (r#"{"ext":{"a":[{"b":1,"\u0062":1}]}}"#, "/ext/a/0/b"),
        (r#"{"ext":{"a/b":1,"a/b":1}}"#, "/ext/a~1b"),
    ] {
        let error = TenantDocument::decode(text.as_bytes(), &mut String::new).unwrap_err();
        let pointer = pointer.to_string();
        assert_eq!(error, DocumentError::Repeated { pointer });
    }
}

#[test]
fn what_is_too_much_is_refused() {
    let read = |text: &str| TenantDocument::decode(text.as_bytes(), &mut String::new);
    let long = format!("{{}}{}", " ".repeat(MAX_DOCUMENT_BYTES - 1));
    let length = MAX_DOCUMENT_BYTES + 1;
    assert_eq!(read(&long).unwrap_err(), DocumentError::TooLarge { length });
    assert!(read(&long[..MAX_DOCUMENT_BYTES]).is_ok());
    let deep = |levels: usize| {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        read(&format!(r#"{{"ext":{{"a":{open}{close}}}}}"#))
    };
    assert!(deep(MAX_NESTING - 2).is_ok());
    let error = deep(MAX_NESTING - 1).unwrap_err();
    assert_eq!(
        error.pointer(),
        format!("/ext/a{}", "/0".repeat(MAX_NESTING - 2))
    );
    assert!(read(&"[".repeat(1_000_000)).is_err());
    let many = vec![bare(json!({})); MAX_ANCHORS + 1];
    let error = decode(&tenant(&many)).unwrap_err();
    assert!(matches!(
        error,
        DocumentError::TooMany {
            limit: MAX_ANCHORS,
            ..
        }
    ));
    for text in [
        "",
        "{",
        "{} {}",
        "\u{feff}{}",
        r#"{"a":"\ud800"}"#,
        r#"{"ext":{"a":1e999}}"#,
    ] {
        assert!(
            matches!(read(text), Err(DocumentError::Unreadable { .. })),
            "{text}"
        );
    }
}

#[test]
fn keys_are_of_the_family_that_is_said() {
    // `openssl genpkey -algorithm … | openssl pkey -pubout -outform DER`
    for (name, spki) in [
        (
            "EdDSA",
            "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=",
        ),
        (
            "RSA",
            "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCl21nocHjMmuOTBSLfbfM4mEMHIpSzbMHhcutEbYPV\
             j5Bpbzt+DK6HF8oD+/HGB9JQbOCDobOMFbgGb8yZL0nbztwNiryISu20Ede6aB0aOpgE/qqzcKs1UcR7\
             +P6rHhbMhoQPlO8lF09zSZ1ZXAO5fk0wy+zdEZPQ1AxpVL2v6wIDAQAB",
        ),
        (
            "EC",
            "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQBpnJWqk3zXersFu137Xbn5Fy3vlUhX3xou9EelpUgy6fo\
             zItrkP2rQ/qMJ8AcFgtlD0+QQoi9GOxDyt0GJwfrMN4ASHfhffepusRv6pISGl4lCNye+p2EDo5eV9Mh\
             YaN9KOWNKyDBqcDKpT0fHNpvP3XBHSCRVH8WcVY7HdM7vjbr0zw=",
        ),
    ] {
        let anchor = bare(json!({"public-key": spki, "algorithm": name}));
        let document = decode(&tenant(&[anchor])).unwrap();
        assert_eq!(written(&document)["trusted-ca"][0]["algorithm"], name);
        let other = if name == "EC" { "EdDSA" } else { "EC" };
        assert_eq!(
            wrong(json!({"public-key": spki, "algorithm": other})),
            "/public-key"
        );
    }
    let good = STANDARD
        .decode(bare(json!({}))["public-key"].as_str().unwrap())
        .unwrap();
    let mut off_curve = good.clone();
    *off_curve.last_mut().unwrap() ^= 1;
    let mut no_point = good.clone();
    no_point[26] = 7;
    let cut = good[..good.len() - 1].to_vec();
    for key in [off_curve, no_point, cut] {
        assert_eq!(wrong(json!({"public-key": base64(&key)})), "/public-key");
    }
}
