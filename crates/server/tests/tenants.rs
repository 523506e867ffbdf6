//! Tenants over the operator's API, and what becomes of devices by them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod common;

use common::{Answer, TestDevice, World, base64, request};
use gangplank_server::trust::{Tenant, TenantId};
use gangplank_testkit::{Leaf, TestCa};
use http::header::{ETAG, LOCATION};
use http::{Method, StatusCode};
use serde_json::{Value, json};

const ACME: &str = "/admin/tenants/acme";

async fn send(world: &World, method: Method, path: &str, body: &Value) -> Answer {
    world.operator(method, path, &body.to_string()).await
}

async fn put_if(world: &World, path: &str, version: &str, body: &Value) -> Answer {
    let token = format!("Bearer {}", world.admin_token);
    let headers = [("authorization", token.as_str()), ("if-match", version)];
    let body = body.to_string();
    let request = request(Method::PUT, path, &headers, body.as_bytes());
    world.send(&world.admin, request).await
}

async fn create(world: &World, path: &str, body: &Value) -> Answer {
    let answer = send(world, Method::POST, path, body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    answer
}

fn anchor(ca: &TestCa, id: &str, auto_provisioning: bool) -> Value {
    json!({
        "id": id,
        "cert": base64(&ca.certificate),
        "auto-provisioning-enabled": auto_provisioning,
    })
}

fn trusting(anchors: &[Value]) -> Value {
    json!({ "trusted-ca": anchors })
}

fn tag(answer: &Answer) -> String {
    answer.headers[ETAG].to_str().unwrap().to_owned()
}

fn device(ca: &TestCa, id: &str, seed: u64) -> TestDevice {
    TestDevice::from(id, ca.issue(&Leaf::new("pump").serial_number(id)), seed)
}

#[tokio::test]
async fn a_tenant_is_made_read_changed_and_removed() {
    let world = World::new().await;
    let made = create(&world, ACME, &json!({"alias": "plant-7", "ext": {"n": 1}})).await;
    assert_eq!(made.headers[LOCATION], ACME);
    assert_eq!(made.json()["id"], "acme");
    assert_eq!(made.json()["warnings"], json!([]));
    let version = tag(&made);
    assert_eq!(
        json!(version.trim_matches('"')),
        made.json()["resourceVersion"]
    );

    let shown = world.operator(Method::GET, ACME, "").await;
    assert_eq!(shown.json(), json!({"alias": "plant-7", "ext": {"n": 1}}));
    assert_eq!(tag(&shown), version);
    let again = send(&world, Method::POST, ACME, &json!({})).await;
    assert_eq!(
        (again.status, again.problem().as_str()),
        (StatusCode::CONFLICT, "/problems/tenant-exists")
    );

    let changed = put_if(&world, ACME, &version, &json!({"enabled": false})).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
    assert_ne!(tag(&changed), version);
    let stale = put_if(&world, ACME, &version, &json!({})).await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(stale.problem(), "/problems/version-mismatch");
    for blind in ["*", ""] {
        let answer = match blind {
            "" => send(&world, Method::PUT, ACME, &json!({})).await,
            any => put_if(&world, ACME, any, &json!({})).await,
        };
        assert_eq!(answer.status, StatusCode::OK);
    }
    for unreadable in ["7", "W/\"7\"", "\"a\"", "\"1\", \"2\""] {
        let answer = put_if(&world, ACME, unreadable, &json!({})).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{unreadable}");
    }

    let removed = world.operator(Method::DELETE, ACME, "").await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let answer = world.operator(method, ACME, "{}").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
    }
    let audit = world.operator(Method::GET, "/admin/audit", "").await.json();
    let entries = audit["entries"].as_array().unwrap();
    let actions: Vec<&str> = entries
        .iter()
        .map(|one| one["action"].as_str().unwrap())
        .collect();
    let changed = "tenant.changed";
    assert_eq!(
        actions,
        [
            "tenant.created",
            changed,
            changed,
            changed,
            "tenant.removed"
        ]
    );
    assert!(
        entries
            .iter()
            .all(|one| one["actor"] == "operator:admin" && one["tenant"] == "acme")
    );
}

#[tokio::test]
async fn tenants_are_listed_and_may_be_named_by_the_server() {
    let world = World::new().await;
    let made = create(&world, "/admin/tenants", &json!({})).await;
    let id = made.json()["id"].as_str().unwrap().to_owned();
    // RFC 9562 §5.4: version 4, variant 10.
    assert_eq!((id.len(), &id[14..15]), (36, "4"));
    assert!("89ab".contains(&id[19..20]), "{id}");
    create(&world, ACME, &json!({})).await;
    let mut listed = Vec::new();
    let mut after = String::new();
    loop {
        let path = format!("/admin/tenants?limit=2{after}");
        let page = world.operator(Method::GET, &path, "").await.json();
        let page = page["tenants"].as_array().unwrap().clone();
        let Some(last) = page.last() else { break };
        after = format!("&after={}", last["id"].as_str().unwrap());
        listed.extend(page);
    }
    let mut ids: Vec<&str> = listed
        .iter()
        .map(|one| one["id"].as_str().unwrap())
        .collect();
    assert!(ids.is_sorted());
    ids.retain(|one| *one != id);
    assert_eq!(ids, ["acme", "default"]);
    assert!(listed.iter().all(|one| one["tenant"] == json!({})));
    let answer = world
        .operator(Method::GET, "/admin/tenants?colour=1", "")
        .await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn what_is_wrong_is_named_with_its_place() {
    let world = World::new().await;
    let ca = TestCa::new("Acme Device CA");
    let mut ocsp = anchor(&ca, "a", false);
    ocsp["ocsp-revocation-enabled"] = true.into();
    for (body, problem, place) in [
        (json!({"colour": 1}), "invalid-member", "/colour"),
        (
            json!({"trusted-ca": [{}]}),
            "invalid-member",
            "/trusted-ca/0/subject-dn",
        ),
        (
            json!({"trusted-ca": [{"allow-auto-provision": true}]}),
            "invalid-member",
            "auto-provisioning-enabled",
        ),
        (
            trusting(&[ocsp]),
            "ocsp-not-supported",
            "/trusted-ca/0/ocsp-revocation-enabled",
        ),
    ] {
        let answer = send(&world, Method::POST, ACME, &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
        assert_eq!(answer.problem(), format!("/problems/{problem}"));
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(place), "{detail}");
    }
    let answer = world.operator(Method::POST, ACME, "{").await;
    assert_eq!(answer.problem(), "/problems/unreadable-request");
    let answer = world
        .operator(Method::POST, "/admin/tenants/a%20b", "{}")
        .await;
    assert_eq!(answer.problem(), "/problems/invalid-member");
    assert_eq!(
        world.operator(Method::GET, ACME, "").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn an_alias_and_an_issuer_are_one_tenants() {
    let world = World::new().await;
    let ca = TestCa::new("Acme Device CA");
    let other = TestCa::new("Other CA");
    let mut acme = trusting(&[anchor(&ca, "a", false)]);
    acme["alias"] = "plant".into();
    create(&world, ACME, &acme).await;
    let taken = send(
        &world,
        Method::POST,
        "/admin/tenants/two",
        &json!({"alias": "plant"}),
    )
    .await;
    assert_eq!(
        (taken.status, taken.problem().as_str()),
        (StatusCode::CONFLICT, "/problems/alias-taken")
    );
    let both = trusting(&[anchor(&other, "a", false), anchor(&ca, "b", false)]);
    let taken = send(&world, Method::POST, "/admin/tenants/two", &both).await;
    assert_eq!(
        (taken.status, taken.problem().as_str()),
        (StatusCode::CONFLICT, "/problems/issuer-taken")
    );
    let detail = taken.json()["detail"].as_str().unwrap().to_owned();
    assert!(
        detail.starts_with("/trusted-ca/1") && detail.contains("acme"),
        "{detail}"
    );
    acme["trust-anchor-group"] = "group".into();
    assert_eq!(
        send(&world, Method::PUT, ACME, &acme).await.status,
        StatusCode::OK
    );
    let mut shared = both;
    shared["trust-anchor-group"] = "group".into();
    create(&world, "/admin/tenants/two", &shared).await;
}

#[tokio::test]
async fn what_was_shown_can_be_put_back_and_keeps_its_certificates() {
    let world = World::new().await;
    let ca = TestCa::new("Acme Device CA");
    // A pin: only its certificate says that it is no authority.
    let pinned = device(&ca, "SN-1", 1);
    let pin = json!({"id": "pin", "cert": base64(&pinned.issued.certificate)});
    create(&world, ACME, &trusting(&[anchor(&ca, "ca", true), pin])).await;
    let shown = world.operator(Method::GET, ACME, "").await;
    let mut document = shown.json();
    assert!(
        document["trusted-ca"]
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one.get("cert").is_none())
    );
    document["trusted-ca"][0]["auto-provisioning-enabled"] = false.into();
    let put = put_if(&world, ACME, &tag(&shown), &document).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.text());
    // A certificate is an anchor again after a restart, and the pin still none for others.
    let world = World::again(world.end(), |builder| builder).await;
    let shown = world.operator(Method::GET, ACME, "").await.json();
    assert_eq!(shown, document);
    let stored = world
        .store
        .tenant(&TenantId::parse("acme").unwrap())
        .await
        .unwrap()
        .unwrap();
    assert!(stored.document.contains(&base64(&ca.certificate)));
    assert!(
        stored
            .document
            .contains(&base64(&pinned.issued.certificate))
    );
}

#[tokio::test]
async fn a_doubtful_template_is_saved_with_a_warning() {
    let world = World::new().await;
    let ca = TestCa::new("Acme Device CA");
    let mut doubtful = anchor(&ca, "a", false);
    doubtful["auth-id-template"] = "{{subject-ou}}".into();
    let made = create(&world, ACME, &trusting(&[doubtful])).await.json();
    let warnings = made["warnings"].as_array().unwrap();
    let found = |one: &&Value| {
        one["code"] == "not-unique" && one["pointer"] == "/trusted-ca/0/auth-id-template"
    };
    assert_eq!(warnings.iter().filter(found).count(), 1, "{made}");
}

#[tokio::test]
async fn tenants_without_a_token_or_fixed_ones_are_not_there() {
    let world = World::new().await;
    let answer = world
        .send(
            &world.admin,
            request(Method::GET, "/admin/tenants", &[], b""),
        )
        .await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let fixed = Tenant::new(TenantId::parse("default").unwrap());
    let world = World::with(|builder| builder.tenants(vec![fixed])).await;
    for (method, path) in [(Method::GET, "/admin/tenants"), (Method::POST, ACME)] {
        let answer = world.operator(method, path, "{}").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn the_default_tenant_and_one_with_devices_stay() {
    let world = World::new().await;
    let answer = world
        .operator(Method::DELETE, "/admin/tenants/default", "")
        .await;
    assert_eq!(answer.problem(), "/problems/tenant-not-empty");
    let ca = TestCa::new("Acme Device CA");
    create(&world, ACME, &trusting(&[anchor(&ca, "a", true)])).await;
    let mut pump = device(&ca, "SN-1", 1);
    assert_eq!(world.onboard(&mut pump).await.status, StatusCode::CREATED);
    let answer = world.operator(Method::DELETE, ACME, "").await;
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (StatusCode::CONFLICT, "/problems/tenant-not-empty")
    );
}

#[tokio::test]
async fn a_change_of_policy_counts_from_the_next_request_on() {
    let world = World::new().await;
    let ca = TestCa::new("Acme Device CA");
    let mut first = device(&ca, "SN-1", 1);
    assert_eq!(
        world.onboard(&mut first).await.status,
        StatusCode::FORBIDDEN
    );
    create(&world, ACME, &trusting(&[anchor(&ca, "a", true)])).await;
    assert_eq!(world.onboard(&mut first).await.status, StatusCode::CREATED);
    let devices = world
        .operator(Method::GET, "/admin/devices?tenant=acme", "")
        .await
        .json();
    assert_eq!(devices["devices"][0]["anchorId"], "a");
    // The serial number is no keyword of RFC 2253's.
    let auth_id = devices["devices"][0]["authIds"][0].as_str().unwrap();
    assert!(
        auth_id.contains("2.5.4.5=#") && auth_id.contains("CN=pump"),
        "{auth_id}"
    );
    let origin = &devices["devices"][0]["origin"];
    assert_eq!(origin["policyRevision"], 1);
    assert_eq!(origin["certificateSha256"], sha256(&first));
    assert_eq!(origin["issuer"], "CN=Acme Device CA");
    send(
        &world,
        Method::PUT,
        ACME,
        &trusting(&[anchor(&ca, "a", false)]),
    )
    .await;
    let mut second = device(&ca, "SN-2", 2);
    assert_eq!(
        world.onboard(&mut second).await.status,
        StatusCode::FORBIDDEN
    );
    let mut queue = anchor(&ca, "a", false);
    queue["provisioning-policy"] = json!({"approval": "queue"});
    send(&world, Method::PUT, ACME, &trusting(&[queue])).await;
    assert_eq!(
        world.onboard(&mut second).await.status,
        StatusCode::ACCEPTED
    );
    let disabled = json!({"enabled": false, "trusted-ca": [anchor(&ca, "a", true)]});
    send(&world, Method::PUT, ACME, &disabled).await;
    assert_eq!(
        world.onboard(&mut second).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        world.onboard(&mut first).await.status,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn quotas_and_device_id_templates_of_the_stored_policy_hold() {
    let world = World::new().await;
    let ca = TestCa::new("Acme Device CA");
    let mut limited = anchor(&ca, "a", true);
    limited["auto-provisioning-device-id-template"] = "pump-{{subject-cn}}".into();
    limited["provisioning-policy"] = json!({"max-devices": 1});
    create(&world, ACME, &trusting(&[limited.clone()])).await;
    let named = |name: &str, id: &str, seed| {
        TestDevice::from(id, ca.issue(&Leaf::new(name).serial_number(id)), seed)
    };
    let mut first = named("one", "SN-1", 1);
    let answer = world.onboard(&mut first).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    assert_eq!(
        world.response(&first, &answer).device_id.as_str(),
        "pump-one"
    );
    let mut second = named("two", "SN-2", 2);
    assert_eq!(
        world.onboard(&mut second).await.status,
        StatusCode::FORBIDDEN
    );
    limited["provisioning-policy"] = json!({"max-devices": 2});
    send(&world, Method::PUT, ACME, &trusting(&[limited])).await;
    // Another device, whose template makes the id of the first.
    let mut twin = named("one", "SN-3", 3);
    let answer = world.onboard(&mut twin).await;
    assert_eq!(answer.problem(), "/problems/identity-conflict");
    // What a former device left under the id that the template makes is not for the next one.
    let left = world.folder.path().join("data/git/pump-two.git");
    std::fs::create_dir_all(&left).unwrap();
    assert_eq!(world.onboard(&mut second).await.status, StatusCode::CREATED);
    assert!(!left.exists());
}

#[tokio::test]
async fn who_came_by_an_anchor_needs_it_again() {
    let world = World::new().await;
    let ca = TestCa::new("Acme Device CA");
    create(&world, ACME, &trusting(&[anchor(&ca, "a", true)])).await;
    let mut pump = device(&ca, "SN-1", 1);
    assert_eq!(world.onboard(&mut pump).await.status, StatusCode::CREATED);
    // The operator vouches for this one, whatever becomes of the anchor.
    let mut registered = device(&ca, "SN-2", 2);
    world.register(&registered).await;
    let registered_device = &mut registered;
    assert_eq!(
        world.onboard(registered_device).await.status,
        StatusCode::CREATED
    );
    let policies = [
        ("disabled", json!({"enabled": false}), StatusCode::FORBIDDEN),
        ("usual", json!({}), StatusCode::OK),
        (
            "denied",
            json!({"deny": {"certificates": [sha256(&pump)]}}),
            StatusCode::FORBIDDEN,
        ),
        (
            "other keys",
            json!({"leaf": {"key-types": ["P-384"]}}),
            StatusCode::FORBIDDEN,
        ),
        // These are about who joins, not about who is known.
        ("full", json!({"max-devices": 0}), StatusCode::OK),
        (
            "elsewhere",
            json!({"source-cidrs": ["192.0.2.0/24"]}),
            StatusCode::OK,
        ),
    ];
    for (what, policy, status) in policies {
        let mut changed = anchor(&ca, "a", false);
        changed["provisioning-policy"] = policy;
        let put = send(&world, Method::PUT, ACME, &trusting(&[changed])).await;
        assert_eq!(put.status, StatusCode::OK, "{}", put.text());
        assert_eq!(world.onboard(&mut pump).await.status, status, "{what}");
        let again = world.onboard(registered_device).await;
        assert_eq!(again.status, StatusCode::OK, "{what}");
    }
    send(&world, Method::PUT, ACME, &json!({})).await;
    assert_eq!(world.onboard(&mut pump).await.status, StatusCode::FORBIDDEN);
    assert_eq!(
        world.onboard(registered_device).await.status,
        StatusCode::OK
    );
}

fn sha256(device: &TestDevice) -> String {
    use gangplank_server::key::Backend;
    let hash = Backend::PURE_RUST.sha256(&[&device.issued.certificate]);
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_request_that_claims_another_id_is_used_up() {
    let world = World::new().await;
    let ca = TestCa::new("Acme Device CA");
    create(&world, ACME, &trusting(&[anchor(&ca, "a", true)])).await;
    let mut liar = TestDevice::from("SN-9", device(&ca, "SN-8", 3).issued, 3);
    let envelope = liar.onboarding(world.now());
    let post = || world.public(Method::POST, "/onboarding/", &[], &envelope);
    assert_eq!(post().await.status, StatusCode::FORBIDDEN);
    assert_eq!(post().await.status, StatusCode::UNAUTHORIZED);
}
