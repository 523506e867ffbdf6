//! Devices under trust anchors that come with another certificate, another key, or not at all.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod common;

use common::{Answer, TestDevice, World, base64, capabilities};
use gangplank_envelope::{Form, PayloadType};
use gangplank_onboarding::v2024::onboarding::OnboardingRequest;
use gangplank_server::key::Backend;
use gangplank_server::store::{
    Actor, Credential, DeviceSave, DeviceSaves, DeviceSavesOutcome, Expected, SavedBy,
};
use gangplank_server::trust::{CredentialDocument, DeviceDocument, TenantId};
use gangplank_testkit::Issued;
use http::{Method, StatusCode};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};

const ACME: &str = "/admin/tenants/acme";

/// An authority that issues certificates for a key that is given.
struct Authority {
    certificate: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.self_signed(&key).unwrap();
        Self {
            certificate: certificate.der().to_vec(),
            issuer: Issuer::new(parameters, key),
        }
    }

    fn issue(&self, subject: &[(DnType, &str)], key: &KeyPair) -> Issued {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        for (kind, value) in subject {
            parameters.distinguished_name.push(kind.clone(), *value);
        }
        let certificate = parameters.signed_by(key, &self.issuer).unwrap();
        Issued {
            certificate: certificate.der().clone(),
            private_key: key.serialize_der(),
        }
    }

    /// The device `SN-1` with a new certificate for this key.
    fn device(&self, key: &KeyPair, seed: u64) -> TestDevice {
        let issued = self.issue(&[(DnType::CommonName, "SN-1")], key);
        TestDevice::from("SN-1", issued, seed)
    }
}

fn anchor(id: &str, authority: &Authority, policy: &Value) -> Value {
    json!({
        "id": id,
        "cert": base64(&authority.certificate),
        "auto-provisioning-enabled": true,
        "provisioning-policy": policy,
    })
}

async fn trusting(world: &World, anchors: &[Value]) {
    let document = json!({ "trusted-ca": anchors }).to_string();
    let method = match world.operator(Method::GET, ACME, "").await.status {
        StatusCode::NOT_FOUND => Method::POST,
        _ => Method::PUT,
    };
    let answer = world.operator(method, ACME, &document).await;
    assert!(answer.status.is_success(), "{}", answer.text());
}

async fn only_device(world: &World) -> Value {
    let list = world
        .operator(Method::GET, "/admin/devices", "")
        .await
        .json();
    assert_eq!(list["devices"].as_array().unwrap().len(), 1, "{list}");
    list["devices"][0].clone()
}

async fn onboard(world: &World, device: &mut TestDevice) -> StatusCode {
    world.onboard(device).await.status
}

const CREATED: StatusCode = StatusCode::CREATED;
const KNOWN: StatusCode = StatusCode::OK;
const REFUSED: StatusCode = StatusCode::FORBIDDEN;

#[tokio::test]
async fn a_renewed_certificate_is_held_to_the_anchors_binding() {
    let (one, two) = (Authority::new("One"), Authority::new("Two"));
    for (binding, same_key, other_key, other_issuer) in [
        ("subject", KNOWN, KNOWN, KNOWN),
        ("subject+issuer", KNOWN, KNOWN, REFUSED),
        ("public-key", KNOWN, REFUSED, KNOWN),
        ("certificate", REFUSED, REFUSED, REFUSED),
    ] {
        for (case, expected) in [same_key, other_key, other_issuer].into_iter().enumerate() {
            let world = World::new().await;
            let policy = json!({ "identity-binding": binding });
            let anchors = [anchor("one", &one, &policy), anchor("two", &two, &policy)];
            trusting(&world, &anchors).await;
            let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
            let mut first = one.device(&key, 1);
            assert_eq!(onboard(&world, &mut first).await, CREATED);
            let mut renewed = match case {
                0 => one.device(&key, 2),
                1 => one.device(&other, 2),
                _ => two.device(&key, 2),
            };
            let found = onboard(&world, &mut renewed).await;
            assert_eq!(found, expected, "{binding}, case {case}");
            let device = only_device(&world).await;
            let count = device["certificates"].as_array().unwrap().len();
            assert_eq!(count, 1 + usize::from(expected == KNOWN), "{device}");
            // Whatever became of the other, it may come as it came before.
            assert_eq!(onboard(&world, &mut first).await, KNOWN, "{binding}");
        }
    }
}

#[tokio::test]
async fn both_keys_count_until_the_new_one_was_used() {
    let world = World::new().await;
    let authority = Authority::new("One");
    trusting(&world, &[anchor("one", &authority, &json!({}))]).await;
    let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut old = authority.device(&key, 1);
    let first = world.onboard(&mut old).await;
    let answer = world.response(&old, &first);
    let bearer = world.bearer(&answer).await;
    let mut new = authority.device(&other, 2);
    assert_eq!(onboard(&world, &mut new).await, KNOWN);

    let report = async |device: &mut TestDevice| -> Answer {
        let payload = capabilities(answer.device_id.as_str());
        let body = device.message(PayloadType::DEVICE_CAPABILITIES, &payload, world.now());
        let path = format!("/device/{}/capabilities", answer.device_id);
        let headers = [("authorization", bearer.as_str())];
        world.public(Method::PUT, &path, &headers, &body).await
    };
    assert_eq!(report(&mut old).await.status, CREATED);
    assert_eq!(report(&mut new).await.status, CREATED);
    assert_eq!(report(&mut old).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(report(&mut new).await.status, CREATED);
    let device = only_device(&world).await;
    assert_eq!(device["certificates"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_device_is_judged_by_the_certificate_of_the_key_that_it_signed_with() {
    let world = World::new().await;
    let authority = Authority::new("One");
    trusting(&world, &[anchor("one", &authority, &json!({}))]).await;
    let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut old = authority.device(&key, 1);
    assert_eq!(onboard(&world, &mut old).await, CREATED);
    let mut new = authority.device(&other, 2);
    assert_eq!(onboard(&world, &mut new).await, KNOWN);
    // It lost the answer, and comes without its certificate by the key that it had.
    let bare = |device: &mut TestDevice| {
        let binding = device.binding(PayloadType::ONBOARDING_REQUEST, world.now());
        let request = OnboardingRequest::default().encode();
        device.seal(&request, Form::Bound(binding.certificates(Vec::new())))
    };
    let post = async |envelope: Vec<u8>| {
        let answer = world.public(Method::POST, "/onboarding/", &[], &envelope);
        answer.await.status
    };
    assert_eq!(post(bare(&mut old)).await, KNOWN);
    let device = only_device(&world).await;
    assert_eq!(device["certificates"].as_array().unwrap().len(), 2);
    // What is denied is that certificate, and no newer one speaks for its key.
    let hash = Backend::PURE_RUST.sha256(&[&old.issued.certificate]);
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let policy = json!({ "deny": { "certificates": [hash] } });
    trusting(&world, &[anchor("one", &authority, &policy)]).await;
    assert_eq!(post(bare(&mut old)).await, REFUSED);
    assert_eq!(post(bare(&mut new)).await, KNOWN);
}

#[tokio::test]
async fn a_device_that_was_approved_under_an_anchor_needs_it_again() {
    let world = World::new().await;
    let authority = Authority::new("One");
    let mut waiting = anchor("one", &authority, &json!({ "approval": "queue" }));
    waiting["auto-provisioning-enabled"] = json!(false);
    trusting(&world, &[waiting.clone()]).await;
    let mut device = authority.device(&KeyPair::generate().unwrap(), 1);
    assert_eq!(onboard(&world, &mut device).await, StatusCode::ACCEPTED);
    let path = format!(
        "/admin/devices/{}/approve",
        only_device(&world).await["deviceId"].as_str().unwrap()
    );
    assert_eq!(world.operator(Method::POST, &path, "").await.status, KNOWN);
    assert_eq!(onboard(&world, &mut device).await, CREATED);
    // Renewed, it is the same device; without its anchor it stays out.
    let mut renewed = authority.device(&KeyPair::generate().unwrap(), 2);
    assert_eq!(onboard(&world, &mut renewed).await, KNOWN);
    waiting["provisioning-policy"]["enabled"] = json!(false);
    trusting(&world, &[waiting]).await;
    for device in [&mut device, &mut renewed] {
        assert_eq!(onboard(&world, device).await, REFUSED);
    }
}

#[tokio::test]
async fn a_subject_that_prints_otherwise_is_the_same_device() {
    let world = World::new().await;
    let authority = Authority::new("One");
    trusting(&world, &[anchor("one", &authority, &json!({}))]).await;
    let subject = |organisation: &'static str| {
        [
            (DnType::OrganizationName, organisation),
            (DnType::CommonName, "SN-1"),
        ]
    };
    let issue = |organisation, seed| {
        let key = KeyPair::generate().unwrap();
        TestDevice::from("SN-1", authority.issue(&subject(organisation), &key), seed)
    };
    assert_eq!(onboard(&world, &mut issue("Acme Ltd", 1)).await, CREATED);
    assert_eq!(onboard(&world, &mut issue("ACME  ltd", 2)).await, KNOWN);
    // A certificate id is a device's own, to the letter; so far as that it is no other device.
    let key = KeyPair::generate().unwrap();
    let lower = [
        (DnType::OrganizationName, "Acme Ltd"),
        (DnType::CommonName, "sn-1"),
    ];
    let mut lower = TestDevice::from("sn-1", authority.issue(&lower, &key), 4);
    assert_eq!(onboard(&world, &mut lower).await, REFUSED);
    // Another subject of the same certificate id is another device, and the id is taken.
    let other = onboard(&world, &mut issue("Emca Ltd", 3)).await;
    assert_eq!(other, StatusCode::CONFLICT);
    only_device(&world).await;
}

#[tokio::test]
async fn a_removed_device_stays_out_until_it_is_readmitted() {
    let world = World::new().await;
    let authority = Authority::new("One");
    trusting(&world, &[anchor("one", &authority, &json!({}))]).await;
    let key = KeyPair::generate().unwrap();
    let mut first = authority.device(&key, 1);
    let answer = world.onboard(&mut first).await;
    let answer = world.response(&first, &answer);
    let path = format!("/admin/devices/{}", answer.device_id);
    let removed = world.operator(Method::DELETE, &path, "").await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    // Neither as it was nor with another key.
    let other = KeyPair::generate().unwrap();
    for (key, seed) in [(&key, 2), (&other, 3)] {
        let mut device = authority.device(key, seed);
        assert_eq!(onboard(&world, &mut device).await, REFUSED);
    }
    let elsewhere = format!("/admin/tenants/default/removed/{}", answer.device_id);
    let here = format!("{ACME}/removed/{}", answer.device_id);
    for (path, status) in [
        (&elsewhere, StatusCode::NOT_FOUND),
        (&here, StatusCode::NO_CONTENT),
        (&here, StatusCode::NOT_FOUND),
    ] {
        let lifted = world.operator(Method::DELETE, path, "").await;
        assert_eq!(lifted.status, status, "{path}");
    }
    let mut device = authority.device(&other, 4);
    assert_eq!(onboard(&world, &mut device).await, CREATED);
}

#[tokio::test]
async fn a_credential_that_is_switched_off_or_over_lets_nobody_in() {
    let world = World::new().await;
    let authority = Authority::new("One");
    trusting(&world, &[anchor("one", &authority, &json!({}))]).await;
    let mut device = authority.device(&KeyPair::generate().unwrap(), 1);
    let answer = world.onboard(&mut device).await;
    let id = world.response(&device, &answer).device_id;
    for (member, status) in [
        (r#""enabled": false, "secrets": [{}]"#, REFUSED),
        (
            r#""secrets": [{"not-after": "2020-01-01T00:00:00Z"}]"#,
            REFUSED,
        ),
        (r#""secrets": [{}]"#, KNOWN),
    ] {
        let json = format!(r#"{{"type": "x509-cert", "auth-id": "CN=SN-1", {member}}}"#);
        let credential = CredentialDocument::decode(json.as_bytes()).unwrap();
        let save = DeviceSave {
            device_id: id.clone(),
            expected: Expected::Present,
            content: None,
            credentials: Some(vec![Credential {
                auth_id: credential.auth_id().clone(),
                document: credential.to_stored(),
            }]),
            by: SavedBy::Operator,
        };
        let saves = DeviceSaves {
            tenant: TenantId::parse("acme").unwrap(),
            devices: vec![save],
            max_devices: None,
            policy: None,
            actor: Actor::Server,
            at: common::unix(world.now()),
        };
        let saved = world.store.save_devices(saves).await.unwrap();
        assert!(matches!(saved, DeviceSavesOutcome::Saved(_)), "{saved:?}");
        assert_eq!(onboard(&world, &mut device).await, status, "{member}");
    }
}

#[tokio::test]
async fn an_anchor_of_gateways_makes_gateways() {
    let world = World::new().await;
    let (one, two) = (Authority::new("One"), Authority::new("Two"));
    let mut gateways = anchor("one", &one, &json!({}));
    gateways["auto-provision-as-gateway"] = json!(true);
    let devices = anchor("two", &two, &json!({}));
    trusting(&world, &[gateways, devices]).await;
    for (authority, seed, brings) in [(&one, 1, true), (&two, 2, false)] {
        let key = KeyPair::generate().unwrap();
        let name = format!("SN-{seed}");
        let issued = authority.issue(&[(DnType::CommonName, &name)], &key);
        let mut device = TestDevice::from(&name, issued, seed);
        let answer = world.onboard(&mut device).await;
        let id = world.response(&device, &answer).device_id;
        let stored = world.store.device(&id).await.unwrap().unwrap();
        let document = DeviceDocument::from_stored(stored.registration.as_bytes()).unwrap();
        assert_eq!(document.gateway("g").may_provision, brings);
        assert!(document.is_auto_provisioned());
    }
}

#[tokio::test]
async fn a_full_tenant_takes_no_registration() {
    let world = World::new().await;
    let limits = json!({ "registration-limits": { "max-devices": 1 } }).to_string();
    let answer = world
        .operator(Method::PUT, "/admin/tenants/default", &limits)
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let (one, two) = (TestDevice::new(1), TestDevice::new(2));
    assert_eq!(world.register(&one).await.status, CREATED);
    let refused = world.register(&two).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text());
    assert!(
        refused.text().contains("quota-tenant"),
        "{}",
        refused.text()
    );
    assert_eq!(world.register(&one).await.status, KNOWN);
}
