//! Devices, credentials, what adapters ask for, and imports.

use super::*;
use crate::{Source, StoredAuthId};

fn device(value: &Value) -> Result<DeviceDocument, DocumentError> {
    DeviceDocument::decode(value.to_string().as_bytes())
}

fn credential(value: &Value) -> Result<CredentialDocument, DocumentError> {
    CredentialDocument::decode(value.to_string().as_bytes())
}

fn import(value: &Value) -> Result<ImportDocument, DocumentError> {
    ImportDocument::decode(value.to_string().as_bytes())
}

fn pointer<T: core::fmt::Debug>(read: Result<T, DocumentError>) -> String {
    read.unwrap_err().pointer().to_string()
}

fn at(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

/// 2026-11-21T00:00:00Z, which is when the suite's cases happen.
const WHEN: u64 = 1_795_219_200;

const UNTOUCHED: DeviceStatus = DeviceStatus {
    created: UnixTime::since_unix_epoch(Duration::from_secs(WHEN)),
    updated: None,
    last_user: None,
    notification_sent: false,
};

/// leaf.pem of the suite: CN=dev1,OU=IoT,O=ACME, 2020 to 2040.
const LEAF: &str = "MIIBgjCCASigAwIBAgIUFiELEWUlITdtiPz0BSmb27q4VNEwCgYIKoZIzj0EAwIwLzENMAsGA1UECgwEQUNNRTEMMAoGA1UECwwDSW9UMRAwDgYDVQQDDAdSb290IENBMB4XDTIwMDEwMTAwMDAwMFoXDTQwMDEwMTAwMDAwMFowLDENMAsGA1UECgwEQUNNRTEMMAoGA1UECwwDSW9UMQ0wCwYDVQQDDARkZXYxMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEnH5/H4DVb6ncM+OBfejWDDhgexAUcNNr1YIcU3qdgixjDH7591tcGJ77D/5P7D+teiUJSFU6gpJXPy0R8ZJe46MlMCMwDAYDVR0TAQH/BAIwADATBgNVHSUEDDAKBggrBgEFBQcDAjAKBggqhkjOPQQDAgNIADBFAiBqUFwY5Pqp3BJ7k9eHEmLH5/DUaWauoIjDxLdou3x3pAIhAKb3iNiafCm26HUTeNmeqJregl9cPXnG3ZaujYUkIvMu";

#[test]
fn a_device_is_written_as_it_was_read() {
    let text = r#"{
        "status": {"auto-provisioned": true, "creationTime": "…"},
        "authorities": ["auto-provisioning-enabled", "auto-provisioning-enabled"],
        "memberOf": ["group-1", "group 2"], "via": [], "viaGroups": null,
        "defaults": {"ttl": 5}, "ext": {"z": 1, "a": [null]}, "enabled": false
    }"#;
    let read = DeviceDocument::decode(text.as_bytes()).unwrap();
    let stored = concat!(
        r#"{"enabled":false,"ext":{"z":1,"a":[null]},"defaults":{"ttl":5},"#,
        r#""memberOf":["group-1","group 2"],"authorities":["auto-provisioning-enabled"]}"#
    );
    assert_eq!(read.to_stored(), stored);
    assert_eq!(DeviceDocument::from_stored(stored.as_bytes()), Ok(read));
    assert_eq!(device(&json!({})).unwrap().to_stored(), "{}");
    let single = device(&json!({"via": "gw1", "viaGroups": "g"})).unwrap();
    assert_eq!(single.to_stored(), r#"{"via":["gw1"],"viaGroups":["g"]}"#);
}

#[test]
fn a_device_is_shown_with_its_status() {
    let read = device(&json!({"enabled": true})).unwrap();
    assert_eq!(
        read.encode(&UNTOUCHED),
        r#"{"enabled":true,"status":{"created":"2026-11-21T00:00:00Z"}}"#
    );
    let status = DeviceStatus {
        updated: Some(at(WHEN + 61)),
        last_user: Some("admin".into()),
        notification_sent: true,
        ..UNTOUCHED
    };
    let came = DeviceDocument::provisioned(ProvisionAs::Device, at(WHEN));
    let shown = read.clone().with_origin_of(&came).encode(&status);
    assert_eq!(
        shown,
        concat!(
            r#"{"enabled":true,"status":{"created":"2026-11-21T00:00:00Z","#,
            r#""updated":"2026-11-21T00:01:01Z","last-user":"admin","#,
            r#""auto-provisioned":true,"auto-provisioning-notification-sent":true}}"#
        )
    );
    // Who changes a device gives it back as it was shown.
    assert_eq!(DeviceDocument::decode(shown.as_bytes()), Ok(read));
}

#[test]
fn a_stored_device_says_whether_anybody_registered_it() {
    let came = DeviceDocument::provisioned(ProvisionAs::Gateway, at(WHEN));
    let stored = concat!(
        r#"{"enabled":true,"ext":{"comment":"Auto-provisioned at 2026-11-21T00:00:00Z"},"#,
        r#""authorities":["auto-provisioning-enabled"],"status":{"auto-provisioned":true}}"#
    );
    assert_eq!(came.to_stored(), stored);
    let read = DeviceDocument::from_stored(stored.as_bytes()).unwrap();
    assert!(read.is_auto_provisioned());
    assert_eq!(read, came);
    // No operator can say so.
    assert!(
        !DeviceDocument::decode(stored.as_bytes())
            .unwrap()
            .is_auto_provisioned()
    );
    for (wrong, expected) in [
        (r#"{"status":{}}"#, "/status/auto-provisioned"),
        (r#"{"status":{"auto-provisioned":true,"x":1}}"#, "/status/x"),
        (r#"{"colour":1}"#, "/colour"),
    ] {
        assert_eq!(
            pointer(DeviceDocument::from_stored(wrong.as_bytes())),
            expected,
            "{wrong}"
        );
    }
}

#[test]
fn each_fault_of_a_device_is_pointed_at() {
    for (value, expected) in [
        (json!([]), ""),
        (json!({"colour": 1}), "/colour"),
        (json!({"enabled": "yes"}), "/enabled"),
        (json!({"ext": []}), "/ext"),
        (json!({"defaults": 1}), "/defaults"),
        (json!({"via": [""]}), "/via/0"),
        (json!({"via": ["gw1", 7]}), "/via/1"),
        (json!({"via": {}}), "/via"),
        (json!({"viaGroups": "a\nb"}), "/viaGroups"),
        (json!({"memberOf": ["g"], "via": ["gw1"]}), "/memberOf"),
        (json!({"memberOf": ["g"], "viaGroups": ["g"]}), "/memberOf"),
        (
            json!({"memberOf": vec!["g"; MAX_GATEWAYS + 1]}),
            "/memberOf",
        ),
        (
            json!({"authorities": "auto-provisioning-enabled"}),
            "/authorities",
        ),
        (
            json!({"authorities": ["auto-provisioning-enabled", "all"]}),
            "/authorities/1",
        ),
    ] {
        assert_eq!(pointer(device(&value)), expected, "{value}");
    }
}

#[test]
fn a_device_is_an_edge_device_or_a_gateway() {
    let edge = device(&json!({"via": ["gw1"], "viaGroups": ["g"]})).unwrap();
    let brought = DeviceDocument::brought(Vec::new(), Vec::new());
    assert!(!edge.edge_device().auto_provisioned);
    let edge = edge.with_origin_of(&brought);
    let found = edge.edge_device();
    assert_eq!(
        (found.via, found.via_groups),
        (vec!["gw1".into()], vec!["g".into()])
    );
    assert!(found.enabled && found.auto_provisioned);
    let found = edge.gateway("gw9");
    assert!(found.enabled && !found.may_provision && found.member_of.is_empty());

    let gateway = json!({
        "enabled": false, "memberOf": ["g"], "authorities": ["auto-provisioning-enabled"]
    });
    let gateway = device(&gateway).unwrap();
    let found = gateway.gateway("gw1");
    assert_eq!(
        (found.device_id.as_str(), &found.member_of[..]),
        ("gw1", &["g".into()][..])
    );
    assert!(!found.enabled && found.may_provision);
    let found = gateway.edge_device();
    assert!(found.via.is_empty() && found.via_groups.is_empty() && !found.auto_provisioned);
}

#[test]
fn a_credential_is_written_as_it_was_read() {
    let text = r#"{
        "type": "x509-cert", "auth-id": "CN=foo, O=bar", "comment": "spare", "ext": {"a": 1},
        "enabled": true, "secrets": [{
            "id": "s1", "comment": "b", "enabled": true,
            "not-after": "2027-01-01T00:00:00.9+01:00", "not-before": "2026-01-01T00:00:00.1Z"
        }]
    }"#;
    let read = CredentialDocument::decode(text.as_bytes()).unwrap();
    let shown = concat!(
        r#"{"type":"x509-cert","auth-id":"CN=foo,O=bar","enabled":true,"comment":"spare","#,
        r#""ext":{"a":1},"secrets":[{"id":"s1","enabled":true,"#,
        r#""not-before":"2026-01-01T00:00:01Z","not-after":"2026-12-31T23:00:00Z","comment":"b"}]}"#
    );
    assert_eq!(read.encode(), shown);
    assert_eq!(read.to_stored(), format!(r#"{{"credential":{shown}}}"#));
    let stored = CredentialDocument::from_stored(read.to_stored().as_bytes());
    assert_eq!(stored, Ok(read.clone()));
    assert_eq!(
        read.adapter_view("4711"),
        concat!(
            r#"{"device-id":"4711","type":"x509-cert","auth-id":"CN=foo,O=bar","enabled":true,"#,
            r#""ext":{"a":1},"secrets":[{"id":"s1","enabled":true,"#,
            r#""not-before":"2026-01-01T00:00:01Z","not-after":"2026-12-31T23:00:00Z"}]}"#
        )
    );
    let moment = json!({"type": "x509-cert", "auth-id": "sensor", "secrets": [{
        "not-before": "2026-01-01T00:00:00Z", "not-after": "2026-01-01T00:00:00Z"
    }]});
    assert!(credential(&moment).is_ok(), "one second is a window");
    let window = [read.secret().not_before(), read.secret().not_after()];
    let window = window.map(|time| time.map(|time| time.as_secs()));
    assert_eq!(window, [Some(1_767_225_601), Some(1_798_758_000)]);
    let least = json!({"type": "x509-cert", "auth-id": "sensor", "secrets": [{}]});
    let least = credential(&least).unwrap();
    assert_eq!(
        least.adapter_view("d"),
        r#"{"device-id":"d","type":"x509-cert","auth-id":"sensor","enabled":true,"secrets":[{}]}"#
    );
}

#[test]
fn a_certificate_speaks_for_its_credential() {
    let expected = concat!(
        r#"{"type":"x509-cert","auth-id":"CN=dev1,OU=IoT,O=ACME","secrets":[{"#,
        r#""not-before":"2020-01-01T00:00:00Z","not-after":"2040-01-01T00:00:00Z"}]}"#
    );
    for more in [
        json!({}),
        json!({"secrets": []}),
        json!({"secrets": [{"not-before": "2021-01-01T00:00:00Z"}]}),
        json!({"auth-id": "cn=DEV1, ou=iot, o=acme"}),
    ] {
        let mut value = json!({"type": "x509-cert", "cert": LEAF});
        value
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        assert_eq!(credential(&value).unwrap().encode(), expected, "{value}");
    }
    let other = json!({"type": "x509-cert", "cert": LEAF, "auth-id": "CN=dev2,OU=IoT,O=ACME"});
    assert_eq!(pointer(credential(&other)), "/auth-id");
    let nameless = TestCa::new("Root").issue(&Leaf::nameless()).certificate;
    let nameless = json!({"type": "x509-cert", "cert": base64(&nameless)});
    assert_eq!(pointer(credential(&nameless)), "/cert");
}

#[test]
fn each_fault_of_a_credential_is_pointed_at() {
    for (more, expected) in [
        (json!({"colour": 1}), "/colour"),
        (json!({"type": null}), "/type"),
        (json!({"type": "hashed-password"}), "/type"),
        (json!({"auth-id": null}), "/auth-id"),
        (json!({"auth-id": ""}), "/auth-id"),
        (json!({"auth-id": "a".repeat(64 * 1024 + 1)}), "/auth-id"),
        (json!({"enabled": 1}), "/enabled"),
        (json!({"comment": {}}), "/comment"),
        (json!({"ext": 1}), "/ext"),
        (json!({"cert": "MAA="}), "/cert"),
        (json!({"cert": "?"}), "/cert"),
        (json!({"secrets": null}), "/secrets"),
        (json!({"secrets": []}), "/secrets"),
        (json!({"secrets": [{}, {}]}), "/secrets"),
        (json!({"secrets": [1]}), "/secrets/0"),
        (
            json!({"secrets": [{"pwd-hash": ""}]}),
            "/secrets/0/pwd-hash",
        ),
        (json!({"secrets": [{"id": ""}]}), "/secrets/0/id"),
        (
            json!({"secrets": [{"not-before": "now"}]}),
            "/secrets/0/not-before",
        ),
        (
            json!({"secrets": [{
                "not-before": "2026-01-01T00:00:00Z", "not-after": "2025-01-01T00:00:00Z"
            }]}),
            "/secrets/0/not-after",
        ),
    ] {
        let mut value = json!({"type": "x509-cert", "auth-id": "CN=foo", "secrets": [{}]});
        value
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        assert_eq!(pointer(credential(&value)), expected, "{more}");
    }
    let missing = json!({"type": "x509-cert", "secrets": [{}]});
    assert_eq!(pointer(credential(&missing)), "/auth-id");
    let psk = json!({"type": "psk", "auth-id": "a", "secrets": [{"key": "AA=="}]});
    assert_eq!(
        credential(&psk).unwrap_err().to_string(),
        "/type is \"psk\" and should be x509-cert, the only type that is served"
    );
}

#[test]
fn a_list_has_each_authentication_id_once() {
    let one = |auth_id: &str| json!({"type": "x509-cert", "auth-id": auth_id, "secrets": [{}]});
    let decode = |list: Value| CredentialDocument::decode_list(list.to_string().as_bytes());
    let list = decode(json!([one("CN=a,O=b"), one("a")])).unwrap();
    assert_eq!(
        CredentialDocument::encode_list(&list),
        concat!(
            r#"[{"type":"x509-cert","auth-id":"CN=a,O=b","secrets":[{}]},"#,
            r#"{"type":"x509-cert","auth-id":"a","secrets":[{}]}]"#
        )
    );
    assert!(decode(json!([])).unwrap().is_empty());
    for again in ["CN=a,O=b", "cn=A, o=B"] {
        let list = json!([one("CN=a,O=b"), one(again)]);
        assert_eq!(pointer(decode(list)), "/1/auth-id", "{again}");
    }
    assert_eq!(pointer(decode(json!([one("a"), {}]))), "/1/type");
    let many: Vec<Value> = (0..=MAX_CREDENTIALS)
        .map(|at| one(&format!("a{at}")))
        .collect();
    assert_eq!(pointer(decode(json!(many))), "");
}

#[test]
fn a_credential_counts_in_its_window_and_while_it_is_enabled() {
    let usable = |more: Value, secret: Value, seconds| {
        let mut value = json!({"type": "x509-cert", "auth-id": "a", "secrets": [secret]});
        value
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        credential(&value).unwrap().is_usable(at(seconds))
    };
    assert!(usable(json!({}), json!({}), WHEN));
    assert!(!usable(json!({"enabled": false}), json!({}), WHEN));
    assert!(!usable(json!({}), json!({"enabled": false}), WHEN));
    let window = json!({
        "not-before": "2026-11-21T00:00:00Z", "not-after": "2026-11-21T00:00:05Z"
    });
    for (seconds, expected) in [
        (WHEN - 1, false),
        (WHEN, true),
        (WHEN + 5, true),
        (WHEN + 6, false),
    ] {
        assert_eq!(
            usable(json!({}), window.clone(), seconds),
            expected,
            "{seconds}"
        );
    }
}

#[test]
fn what_a_template_made_is_stored_with_its_values() {
    let subject = DistinguishedName::parse("CN=a,OU=b:c").unwrap();
    let template = Template::parse("{{subject-cn}}:{{subject-ou}}").unwrap();
    let auth_id = crate::AuthId::of(&subject, Some(&template)).unwrap();
    let made = CredentialDocument::provisioned(&auth_id, at(WHEN));
    let stored = made.to_stored();
    assert_eq!(
        stored,
        concat!(
            r#"{"credential":{"type":"x509-cert","auth-id":"a:b:c","enabled":true,"#,
            r#""comment":"Auto-provisioned at 2026-11-21T00:00:00Z","secrets":[{}]},"#,
            r#""template-values":["a","b:c"]}"#
        )
    );
    let read = CredentialDocument::from_stored(stored.as_bytes()).unwrap();
    assert_eq!(read, made);
    let values = vec!["a".to_string(), "b:c".to_string()];
    assert_eq!(read.auth_id(), &StoredAuthId::of_template("a:b:c", values));

    // Who changes a credential gives it back as it was shown, without the values.
    let given = CredentialDocument::decode(made.encode().as_bytes()).unwrap();
    assert_ne!(given, made);
    assert_eq!(given.clone().with_auth_id_of(made.auth_id()), made);
    let other = StoredAuthId::of_template("a:b", vec!["a".to_string(), "b".to_string()]);
    assert_eq!(given.clone().with_auth_id_of(&other), given);

    // The print of a subject is not normalised a second time.
    let auth_id = crate::AuthId::of(&subject, None).unwrap();
    let made = CredentialDocument::provisioned(&auth_id, at(WHEN));
    let read = CredentialDocument::from_stored(made.to_stored().as_bytes()).unwrap();
    assert_eq!(read.auth_id().prepared_name(), Some(&subject.prepared()));
    let wrong = stored.replace("values\":[", "values\":[1,");
    assert_eq!(
        pointer(CredentialDocument::from_stored(wrong.as_bytes())),
        "/template-values/0"
    );
    let wrong = stored.replace("x509-cert", "psk");
    assert_eq!(
        pointer(CredentialDocument::from_stored(wrong.as_bytes())),
        "/credential/type"
    );
}

#[test]
fn what_an_adapter_asks_for_is_read() {
    let decode = |value: &Value| CredentialsLookup::decode(value.to_string().as_bytes());
    let ca = TestCa::new("Root").certificate;
    let asked = json!({
        "type": "x509-cert", "auth-id": "CN=dev1, OU=IoT, O=ACME",
        "client-certificate": LEAF, "intermediates": [base64(&ca)], "client-id": "mqtt-7",
        "source": "::ffff:192.0.2.7", "adapter-type": "hono-mqtt",
    });
    let read = decode(&asked).unwrap();
    assert_eq!(read.adapter_type.as_deref(), Some("hono-mqtt"));
    assert_eq!(
        read.source,
        Source::from("192.0.2.7".parse::<core::net::IpAddr>().unwrap())
    );
    assert_eq!(read.auth_id.as_str(), "CN=dev1,OU=IoT,O=ACME");
    let certificates: Vec<String> = read.certificates.iter().map(|der| base64(der)).collect();
    assert_eq!(certificates, [LEAF.to_string(), base64(&ca)]);
    for (member, value, expected) in [
        ("type", json!("psk"), "/type"),
        ("type", Value::Null, "/type"),
        ("auth-id", json!(""), "/auth-id"),
        ("auth-id", Value::Null, "/auth-id"),
        ("client-certificate", json!("?"), "/client-certificate"),
        ("client-certificate", Value::Null, "/client-certificate"),
        ("source", json!("a host"), "/source"),
        ("adapter-type", json!(7), "/adapter-type"),
        ("intermediates", json!("?"), "/intermediates"),
        ("intermediates", json!([LEAF, 1]), "/intermediates/1"),
        (
            "intermediates",
            json!(vec![LEAF; crate::MAX_INTERMEDIATES + 1]),
            "/intermediates",
        ),
    ] {
        let mut asked = asked.clone();
        asked[member] = value;
        assert_eq!(pointer(decode(&asked)), expected, "{asked}");
    }
    for missing in ["type", "auth-id"] {
        let mut asked = asked.clone();
        asked.as_object_mut().unwrap().remove(missing);
        assert_eq!(pointer(decode(&asked)), format!("/{missing}"));
    }
}

#[test]
fn an_import_is_pointed_into() {
    let credential =
        |auth_id: &str| json!({"type": "x509-cert", "auth-id": auth_id, "secrets": [{}]});
    let good = json!([
        {"device-id": "a", "device": {"via": ["g"]}, "credentials": [credential("CN=a"), credential("b")]},
        {},
        {"device-id": "c", "device": null, "credentials": []},
    ]);
    let read = import(&good).unwrap();
    let ids: Vec<_> = read
        .devices
        .iter()
        .map(|one| one.device_id.as_deref())
        .collect();
    assert_eq!(ids, [Some("a"), None, Some("c")]);
    assert_eq!(read.devices[0].credentials.len(), 2);
    assert_eq!(read.devices[1], ImportedDevice::default());
    for (one, expected) in [
        (json!(1), "/3"),
        (json!({"id": "x"}), "/3/id"),
        (json!({"device-id": "a"}), "/3/device-id"),
        (json!({"device-id": "a b"}), "/3/device-id"),
        (json!({"device": {"via": [1]}}), "/3/device/via/0"),
        (json!({"credentials": {}}), "/3/credentials"),
        (
            json!({"credentials": [{"type": "x509-cert", "auth-id": ""}]}),
            "/3/credentials/0/auth-id",
        ),
        (
            json!({"credentials": [credential("cn=A")]}),
            "/3/credentials/0/auth-id",
        ),
        (
            json!({"credentials": [credential("x"), credential("b")]}),
            "/3/credentials/1/auth-id",
        ),
    ] {
        let mut list = good.clone();
        list.as_array_mut().unwrap().push(one);
        assert_eq!(pointer(import(&list)), expected, "{list}");
    }
    let many = json!(vec![json!({}); MAX_IMPORTED + 1]);
    assert!(matches!(
        import(&many),
        Err(DocumentError::TooMany { found: 1001, .. })
    ));
    assert!(import(&json!(vec![json!({}); MAX_IMPORTED])).is_ok());
}
