use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::Ocsp;

prop_compose! {
    fn policy()(
        flags in any::<[bool; 7]>(),
        binding in 0usize..4,
        max_devices in proptest::option::of(any::<u64>()),
        window in proptest::option::of((0u64..100_000, 0u64..100_000_000_000)),
        sources in proptest::option::of(vec((any::<[u8; 16]>(), 0u8..33), 0..3)),
        hashes in vec(any::<[u8; 32]>(), 0..3),
        pattern in proptest::option::of("[!-~]{1,9}"),
        texts in any::<[bool; 2]>(),
    ) -> AnchorPolicy {
        let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let range = |(address, length): ([u8; 16], u8)| match address {
            [a, b, c, d, 0..128, ..] => format!("{a}.{b}.{c}.{d}/{length}").parse().unwrap(),
            address => format!("{}/{length}", core::net::Ipv6Addr::from(address)).parse().unwrap(),
        };
        let template = |text: &str| Some(Template::parse(text).unwrap());
        let bindings = [
            IdentityBinding::Subject,
            IdentityBinding::SubjectAndIssuer,
            IdentityBinding::PublicKey,
            IdentityBinding::Certificate,
        ];
        let mut policy = AnchorPolicy {
            identity_binding: bindings[binding],
            max_devices,
            window: window.map(|(from, more)| Validity::new(at(from), at(from + more)).unwrap()),
            sources: sources.map(|sources| sources.into_iter().map(range).collect()),
            ..AnchorPolicy::default()
        };
        policy.deny.keys = hashes.clone();
        policy.deny.certificates = hashes;
        policy.leaf.alternative_name = pattern.map(|text| crate::NamePattern::parse(&text).unwrap());
        if texts[0] { policy.auth_id_template = template("{{subject-cn}}\"\u{1}") }
        if texts[1] { policy.device_id_template = template("d-{{subject-dn}}") }
        if flags[0] { policy.standing = AnchorStanding::Disabled }
        if flags[1] { policy.auto_provisioning = AutoProvisioning::Enabled }
        if flags[2] { policy.provision_as = ProvisionAs::Gateway }
        if flags[3] { policy.approval = Approval::Queue }
        if flags[4] { policy.leaf.key_kinds = Some(vec![KeyKind::Rsa, KeyKind::P384]) }
        if flags[5] { policy.leaf.purposes = vec!["1.3.6.1.5.5.7.3.2".parse().unwrap()] }
        if flags[6] {
            policy.ocsp = Ocsp {
                checking: OcspChecking::Enabled,
                responder_uri: Some("HTTP://x/%20".to_string()),
                responder_certificate: None,
                nonce: OcspNonce::Sent,
            };
        }
        policy
    }
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map(any::<String>(), inner, 0..4)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn a_policy_comes_back(policy in policy()) {
        let mut document = TenantDocument::default();
        let anchor = Anchor::from_certificate("a", TestCa::new("Root").certificate).unwrap();
        document.set_anchor(anchor.with_policy(policy.clone())).unwrap();
        let stored = document.to_stored();
        let again = TenantDocument::from_stored(stored.as_bytes()).unwrap();
        let mut expected = policy;
        if expected.ocsp.checking == OcspChecking::Enabled {
            let mut anchors = document.anchors();
            expected.ocsp.responder_certificate = anchors.next().unwrap().certificate().cloned();
        }
        prop_assert_eq!(again.anchors().next().unwrap().policy(), &expected);
        prop_assert_eq!(again.to_stored(), stored);
    }

    #[test]
    fn the_operators_own_data_comes_back(ext in json_value()) {
        let document = json!({"ext": {"a": ext}, "resource-limits": {"a": ext}});
        let read = decode(&document).unwrap();
        prop_assert_eq!(written(&read), document);
    }

    #[test]
    fn no_value_makes_it_panic(
        member in prop_oneof![Just("id"), Just("cert"), Just("subject-dn"), Just("public-key"),
            Just("not-before"), Just("algorithm"), Just("auth-id-template"),
            Just("subject-dn-bytes"), Just("provisioning-policy"), Just("ocsp-responder-uri")],
        value in json_value(),
    ) {
        if let Ok(document) = decode(&tenant(&[bare(json!({member: value}))])) {
            let again = decode(&written(&document)).unwrap();
            prop_assert_eq!(again.encode(), document.encode());
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "[{}\\[\\]\":,a0\\\\u-]{0,40}") {
        let _ = TenantDocument::decode(text.as_bytes(), &mut String::new);
        let _ = AdapterView::decode(text.as_bytes());
        let _ = CredentialsLookup::decode(text.as_bytes());
    }

    #[test]
    fn what_is_read_of_a_device_comes_back(
        member in prop_oneof![Just("via"), Just("viaGroups"), Just("memberOf"), Just("ext"),
            Just("defaults"), Just("authorities"), Just("enabled"), Just("status")],
        value in json_value(),
    ) {
        let device = json!({member: value});
        let list = json!([{"device": device.clone()}]);
        let imported = ImportDocument::decode(list.to_string().as_bytes());
        let read = DeviceDocument::decode(device.to_string().as_bytes());
        prop_assert_eq!(imported.is_ok(), read.is_ok());
        if let Ok(read) = read {
            let stored = read.to_stored();
            prop_assert_eq!(DeviceDocument::from_stored(stored.as_bytes()).unwrap(), read);
        }
    }

    #[test]
    fn what_is_read_of_a_credential_comes_back(
        member in prop_oneof![Just("auth-id"), Just("cert"), Just("comment"), Just("ext"),
            Just("secrets"), Just("enabled")],
        value in json_value(),
        auth_id in "([A-Z]{1,2}=)?[ -~]{1,9}(, ?O=[a-z]{1,3})?",
    ) {
        let mut credential = json!({"type": "x509-cert", "auth-id": auth_id, "secrets": [{}]});
        for value in [None, Some(value)] {
            if let Some(value) = value {
                credential[member] = value;
            }
            if let Ok(read) = CredentialDocument::decode(credential.to_string().as_bytes()) {
                let shown = CredentialDocument::decode(read.encode().as_bytes()).unwrap();
                prop_assert_eq!(&shown, &read);
                let stored = read.to_stored();
                prop_assert_eq!(CredentialDocument::from_stored(stored.as_bytes()).unwrap(), read);
            }
        }
    }
}
