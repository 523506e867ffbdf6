//! The contract of `gangplank trust`: what others check the trust crate with.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::Folder;
use gangplank_testkit::{Leaf, NOW, TestCa};
use serde_json::{Value, json};

/// A tenant whose one anchor is `ca`, a device under it, and the one of another authority.
struct Scene {
    folder: Folder,
    ca: TestCa,
}

impl Scene {
    fn new() -> Self {
        let scene = Self {
            folder: Folder::new(),
            ca: TestCa::new("Acme Device CA"),
        };
        let leaf = scene.ca.issue(&Leaf::new("pump-7").organization("ACME"));
        scene.folder.write("pump.der", &leaf.certificate);
        let stranger = TestCa::new("Other CA").issue(&Leaf::new("pump-8"));
        scene.folder.write("stranger.der", stranger.certificate);
        scene
    }

    fn tenant(&self, members: Value) {
        let mut anchor = json!({"id": "acme", "cert": STANDARD.encode(&self.ca.certificate)});
        let anchor_members = anchor.as_object_mut().unwrap();
        anchor_members.extend(members.as_object().unwrap().clone());
        let tenant = json!({"trusted-ca": [anchor]});
        self.folder.write("tenant.json", tenant.to_string());
    }

    /// What `explain` says, and how it exits.
    fn explain(&self, chain: &str, more: &[&str]) -> (i32, Value) {
        let at = NOW.as_secs().to_string();
        let arguments = [
            &[
                "trust",
                "explain",
                "--tenant",
                "tenant.json",
                "--chain",
                chain,
            ],
            &["--at", &at, "--json"][..],
            more,
        ]
        .concat();
        let ran = self.folder.run(&arguments, b"");
        let code = ran.1.status.code().unwrap();
        let said = serde_json::from_slice(&ran.1.stdout);
        (code, said.unwrap_or_else(|_| panic!("{}", ran.complaint())))
    }
}

#[test]
fn every_outcome_has_its_exit_code_and_its_object() {
    let scene = Scene::new();
    scene.tenant(json!({
        "auto-provisioning-enabled": true,
        "auto-provision-as-gateway": true,
        "auto-provisioning-device-id-template": "dev-{{subject-cn}}",
    }));
    let (code, said) = scene.explain("pump.der", &[]);
    assert_eq!(code, 0);
    let plan = json!({"device-id": "dev-pump-7", "auth-id": "CN=pump-7,O=ACME", "gateway": true});
    let members: Vec<&String> = said.as_object().unwrap().keys().collect();
    assert_eq!(
        members,
        ["outcome", "status", "reason", "anchor", "plan", "trace"]
    );
    assert_eq!(said["outcome"], "provision");
    assert_eq!(said["status"], 201);
    assert_eq!(said["reason"], Value::Null);
    assert_eq!(said["anchor"], "acme");
    assert_eq!(said["plan"], plan);
    assert_eq!(
        said["trace"][0],
        json!({"rule": "tenant-enabled", "passed": true, "saw": "tenant"})
    );

    let (code, said) = scene.explain("stranger.der", &[]);
    assert_eq!((code, &said["outcome"]), (1, &json!("refuse")));
    assert_eq!(said["reason"], "no-anchor-for-issuer");
    assert_eq!(
        (&said["status"], &said["plan"]),
        (&json!(401), &Value::Null)
    );

    scene.tenant(json!({}));
    let (code, said) = scene.explain("pump.der", &[]);
    assert_eq!(
        (code, &said["reason"]),
        (1, &json!("provisioning-disabled"))
    );
    assert_eq!(
        (&said["status"], &said["anchor"]),
        (&json!(404), &json!("acme"))
    );

    scene.tenant(json!({"provisioning-policy": {"approval": "queue"}}));
    let (code, said) = scene.explain("pump.der", &[]);
    assert_eq!(
        (code, &said["outcome"], &said["status"]),
        (5, &json!("pending"), &json!(202))
    );
}

#[test]
fn a_known_device_is_told_apart_from_another() {
    let scene = Scene::new();
    scene.tenant(json!({"provisioning-policy": {"identity-binding": "public-key"}}));
    let known = |device: Value| {
        scene.folder.write("device.json", device.to_string());
        scene.explain("pump.der", &["--known", "device.json"])
    };
    let (code, said) = known(json!({"device-id": "d1", "auth-id": "cn=PUMP-7, o=acme"}));
    assert_eq!((code, &said["outcome"]), (0, &json!("known")));
    assert_eq!(said["plan"]["device-id"], "d1");
    let other_key = "00".repeat(32);
    let device = json!({"device-id": "d1", "auth-id": "CN=pump-7,O=ACME", "bound-key": other_key});
    let (code, said) = known(device);
    assert_eq!((code, &said["reason"]), (1, &json!("binding-mismatch")));
    let (_, said) =
        known(json!({"device-id": "d1", "auth-id": "CN=pump-7,O=ACME", "enabled": false}));
    assert_eq!(said["reason"], "device-disabled");
    let (_, said) =
        known(json!({"device-id": "d1", "auth-id": "CN=pump-7,O=ACME", "removed": true}));
    assert_eq!(said["reason"], "tombstoned");
    let (_, said) = known(json!({"device-id": "d1", "auth-id": "CN=another"}));
    assert_eq!(said["reason"], "provisioning-disabled");
}

#[test]
fn the_source_and_the_time_count() {
    let scene = Scene::new();
    scene.tenant(json!({
        "auto-provisioning-enabled": true,
        "provisioning-policy": {
            "source-cidrs": ["192.0.2.0/24"],
            "window": {"not-before": "2020-01-01T00:00:00Z", "not-after": "2040-01-01T00:00:00Z"},
        },
    }));
    let reason = |more: &[&str]| scene.explain("pump.der", more).1["reason"].clone();
    assert_eq!(reason(&[]), "source-not-allowed");
    assert_eq!(reason(&["--from", "198.51.100.1"]), "source-not-allowed");
    assert_eq!(reason(&["--from", "192.0.2.7"]), Value::Null);
    assert_eq!(reason(&["--from", "::ffff:192.0.2.7"]), Value::Null);
}

#[test]
fn what_cannot_be_read_says_where() {
    let scene = Scene::new();
    scene.tenant(json!({"unexpected": 1}));
    let explain = [
        "trust",
        "explain",
        "--tenant",
        "tenant.json",
        "--chain",
        "pump.der",
    ];
    let refused = scene.folder.run(&explain, b"").exit(1).silent();
    assert!(
        refused.complaint().contains("/trusted-ca/0/unexpected"),
        "{}",
        refused.complaint()
    );
    let missing = [
        "trust",
        "explain",
        "--tenant",
        "absent.json",
        "--chain",
        "pump.der",
    ];
    scene.folder.run(&missing, b"").exit(2).silent();
    scene.tenant(json!({}));
    scene.folder.write("garbage.der", b"garbage");
    let (code, said) = scene.explain("garbage.der", &[]);
    assert_eq!(
        (code, &said["reason"]),
        (1, &json!("certificate-malformed"))
    );
    scene
        .folder
        .write("device.json", b"{\"device-id\": \"d\", \"auth_id\": \"x\"}");
    let known = [&explain[..], &["--known", "device.json"]].concat();
    let refused = scene.folder.run(&known, b"").exit(1).silent();
    assert!(
        refused.complaint().contains("auth_id"),
        "{}",
        refused.complaint()
    );
}
