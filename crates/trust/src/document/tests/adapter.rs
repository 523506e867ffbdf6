use super::*;

fn view(tenant: &Value) -> Value {
    let id = TenantId::parse("t").unwrap();
    let view = decode(tenant).unwrap().adapter_view(id, NOW);
    serde_json::from_str(&view.encode()).unwrap()
}

#[test]
fn adapters_see_what_is_theirs() {
    let ca = base64(&TestCa::new("Root").certificate);
    let shown = view(&json!({
        "enabled": false,
        "alias": "a",
        "ext": {"a": 1},
        "defaults": {"ttl": 5},
        "adapters": [{"type": "hono-mqtt"}],
        "minimum-message-size": 7,
        "resource-limits": {"max-connections": 1},
        "registration-limits": {"max-devices": 1},
        "tracing": {"sampling-mode": "all"},
        "trust-anchor-group": "g",
        "trusted-ca": [{
            "id": "x",
            "cert": ca,
            "auth-id-template": "{{subject-cn}}",
            "auto-provisioning-enabled": true,
            "auto-provision-as-gateway": true,
            "auto-provisioning-device-id-template": "{{subject-cn}}",
            "ocsp-revocation-enabled": true,
            "provisioning-policy": {"max-devices": 1},
        }],
    }));
    let members = |value: &Value| -> Vec<String> {
        let mut names: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
        names.sort_unstable();
        names
    };
    assert_eq!(
        members(&shown),
        [
            "adapters",
            "defaults",
            "enabled",
            "ext",
            "minimum-message-size",
            "resource-limits",
            "tenant-id",
            "tracing",
            "trusted-ca",
        ]
    );
    assert_eq!(
        members(&shown["trusted-ca"][0]),
        [
            "algorithm",
            "auth-id-template",
            "auto-provisioning-enabled",
            "id",
            "ocsp-responder-cert",
            "ocsp-revocation-enabled",
            "public-key",
            "subject-dn",
            "subject-dn-bytes",
        ]
    );
    assert_eq!(shown["trusted-ca"][0]["ocsp-responder-cert"], json!(ca));
    // What was written is read as the same.
    let read = AdapterView::decode(shown.to_string().as_bytes()).unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(&read.encode()).unwrap(),
        shown
    );
    assert_eq!(read.anchors[0].auto_provisioning, AutoProvisioning::Enabled);
    assert_eq!(read.anchors[0].spki().unwrap().len(), 91);
    assert!(!read.adapters.allows("hono-mqtt"));
}

#[test]
fn adapters_see_the_anchors_that_count() {
    let shown = view(&tenant(&[
        bare(json!({"id": "counts"})),
        bare(json!({"id": "over", "not-after": "2020-01-02T00:00:00Z"})),
        bare(json!({"id": "to come", "not-before": "2039-01-01T00:00:00Z"})),
        bare(json!({"id": "off", "provisioning-policy": {"enabled": false}})),
    ]));
    let anchors = shown["trusted-ca"].as_array().unwrap();
    assert_eq!(anchors.len(), 1);
    assert_eq!(anchors[0]["id"], "counts");
    assert!(anchors[0].get("subject-dn-bytes").is_none());
    assert_eq!(view(&json!({})), json!({"tenant-id": "t", "enabled": true}));
}

#[test]
fn a_key_is_read_when_it_is_used() {
    let read = |key: &str, algorithm: &str| {
        let view = json!({"tenant-id": "t", "enabled": true, "trusted-ca": [
            {"subject-dn": "CN=a", "public-key": key, "algorithm": algorithm},
        ]});
        AdapterView::decode(view.to_string().as_bytes())
            .unwrap()
            .anchors[0]
            .spki()
    };
    assert!(read(PUBLIC_KEY, "EC").is_ok());
    for (key, algorithm, pointer) in [
        (PUBLIC_KEY, "RSA", "/algorithm"),
        (PUBLIC_KEY, "ECDSA", "/algorithm"),
        ("PublicKey==", "RSA", "/public-key"),
    ] {
        assert_eq!(read(key, algorithm).unwrap_err().pointer(), pointer);
    }
}

#[test]
fn an_adapter_view_says_whose_it_is_and_whether_it_counts() {
    for (view, pointer) in [
        (json!({"tenant-id": "", "enabled": true}), "/tenant-id"),
        (json!({"tenant-id": null, "enabled": true}), "/tenant-id"),
        (json!({"tenant-id": "t", "enabled": "yes"}), "/enabled"),
        (
            json!({"tenant-id": "t", "enabled": true, "trusted-ca": [{"public-key": ""}]}),
            "/trusted-ca/0/subject-dn",
        ),
        (
            json!({"tenant-id": "t", "enabled": true, "trusted-ca": [{"subject-dn": "CN=a"}]}),
            "/trusted-ca/0/public-key",
        ),
    ] {
        let error = AdapterView::decode(view.to_string().as_bytes()).unwrap_err();
        assert_eq!(error.pointer(), pointer);
    }
}
