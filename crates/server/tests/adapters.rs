//! What protocol adapters ask, and the registry that they ask, over HTTP.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod adapter_support;
mod common;

use adapter_support::Fault;
use common::{Answer, START, World, base64, request};
use gangplank_server::key::CertificateDer;
use gangplank_server::onboarding::DeviceId;
use gangplank_testkit::{Leaf, TestCa, temp_dir};
use http::header::{ETAG, LOCATION};
use http::{Method, StatusCode};
use serde_json::{Value, json};

const ACME: &str = "/admin/tenants/acme";
const TENANT: &str = "/admin/adapter/tenant";
const CREDENTIALS: &str = "/admin/adapter/tenants/acme/credentials";
/// [`START`] as RFC 3339 has it: `date -u -d @1790000000`.
const STARTED: &str = "2026-09-21T14:13:20Z";

async fn post(world: &World, path: &str, body: &Value) -> Answer {
    world.operator(Method::POST, path, &body.to_string()).await
}

async fn put(world: &World, path: &str, body: &Value) -> Answer {
    world.operator(Method::PUT, path, &body.to_string()).await
}

async fn get(world: &World, path: &str) -> Answer {
    world.operator(Method::GET, path, "").await
}

async fn if_match(world: &World, method: Method, path: &str, tag: &str, body: &Value) -> Answer {
    let token = format!("Bearer {}", world.admin_token);
    let headers = [("authorization", token.as_str()), ("if-match", tag)];
    let body = body.to_string();
    let request = request(method, path, &headers, body.as_bytes());
    world.send(&world.admin, request).await
}

fn tag(answer: &Answer) -> String {
    answer.headers[ETAG].to_str().unwrap().to_owned()
}

/// A world with the tenant acme, which trusts `ca` by an anchor with `more` members.
async fn trusting(ca: &TestCa, more: Value) -> World {
    let world = World::new().await;
    trust(&world, ca, more).await;
    world
}

async fn trust(world: &World, ca: &TestCa, more: Value) {
    let mut anchor = json!({
        "id": "a1", "cert": base64(&ca.certificate), "auto-provisioning-enabled": true,
    });
    anchor
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let tenant = json!({"alias": "plant-7", "trusted-ca": [anchor]});
    let answer = match get(world, ACME).await.status {
        StatusCode::OK => put(world, ACME, &tenant).await,
        _ => post(world, ACME, &tenant).await,
    };
    assert!(answer.status.is_success(), "{}", answer.text());
}

fn leaf(ca: &TestCa, name: &str) -> CertificateDer<'static> {
    ca.issue(&Leaf::new(name).organization("ACME")).certificate
}

fn asking(certificate: &CertificateDer<'_>, auth_id: &str) -> Value {
    json!({
        "type": "x509-cert", "auth-id": auth_id, "client-certificate": base64(certificate),
    })
}

/// The status and the code of the reason.
fn refusal(answer: &Answer) -> (u16, String) {
    let body = answer.json();
    assert_eq!(body["type"], "/problems/device-refused", "{body}");
    assert_eq!(body["status"], answer.status.as_u16());
    assert!(body["detail"].as_str().is_some_and(|text| !text.is_empty()));
    (
        answer.status.as_u16(),
        body["reason"].as_str().unwrap().to_owned(),
    )
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// How many devices of acme, and how many events, there are.
async fn counts(world: &World) -> (usize, usize) {
    let devices = get(world, &format!("{ACME}/devices")).await.json();
    let events = world.store.outbox(0, 1000).await.unwrap();
    (devices["devices"].as_array().unwrap().len(), events.len())
}

#[tokio::test]
async fn a_tenant_is_found_by_its_name_or_issuer() {
    let ca = TestCa::new("Acme Device CA");
    let more = json!({"auth-id-template": "{{subject-cn}}", "auto-provision-as-gateway": true});
    let world = trusting(&ca, more).await;
    for asked in [
        json!({"tenant-id": "acme"}),
        json!({"tenant-id": "plant-7"}),
        json!({"subject-dn": "CN=Acme Device CA"}),
        json!({"subject-dn": "cn=acme  device ca"}),
    ] {
        let answer = post(&world, TENANT, &asked).await;
        assert_eq!(answer.status, StatusCode::OK, "{asked} {}", answer.text());
        let view = answer.json();
        assert_eq!(
            (&view["tenant-id"], &view["enabled"]),
            (&json!("acme"), &json!(true))
        );
        let anchor = view["trusted-ca"][0].as_object().unwrap();
        assert_eq!(anchor["subject-dn"], "CN=Acme Device CA");
        assert_eq!(anchor["auth-id-template"], "{{subject-cn}}");
        assert_eq!(anchor["auto-provisioning-enabled"], true);
        for never in [
            "cert",
            "not-before",
            "not-after",
            "auto-provision-as-gateway",
        ] {
            assert!(!anchor.contains_key(never), "{never}");
        }
    }
    for unknown in [
        json!({"tenant-id": "nobody"}),
        json!({"subject-dn": "CN=Nobody"}),
    ] {
        let answer = post(&world, TENANT, &unknown).await;
        assert_eq!(
            refusal(&answer),
            refused(404, "tenant-unknown"),
            "{unknown}"
        );
    }
    for (wrong, problem) in [
        (json!({}), "invalid-member"),
        (
            json!({"tenant-id": "acme", "subject-dn": "CN=a"}),
            "invalid-member",
        ),
        (json!({"subject-dn": "nonsense"}), "invalid-member"),
        (json!({"tenant": "acme"}), "invalid-member"),
    ] {
        let answer = post(&world, TENANT, &wrong).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wrong}");
        assert_eq!(answer.problem(), format!("/problems/{problem}"));
    }
    let adapters = json!({"adapters": [{"type": "hono-http", "enabled": true}]});
    put(&world, ACME, &adapters).await;
    for (adapter, expected) in [
        ("hono-mqtt", "adapter-disabled"),
        ("hono-http", "certificate-not-presented"),
    ] {
        let asked = json!({"type": "x509-cert", "auth-id": "CN=pump", "adapter-type": adapter});
        let answer = post(&world, CREDENTIALS, &asked).await;
        assert_eq!(refusal(&answer).1, expected);
    }
    put(&world, ACME, &json!({"enabled": false})).await;
    let shown = post(&world, TENANT, &json!({"tenant-id": "acme"})).await;
    assert_eq!(shown.json(), json!({"tenant-id": "acme", "enabled": false}));
}

#[tokio::test]
async fn a_device_with_a_verified_certificate_joins_once() {
    let ca = TestCa::new("Acme Device CA");
    let world = trusting(&ca, json!({})).await;
    let certificate = leaf(&ca, "pump");
    let asked = asking(&certificate, "CN=pump, O=ACME");
    let first = post(&world, CREDENTIALS, &asked).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.text());
    let id = first.json()["device-id"].as_str().unwrap().to_owned();
    let expected = format!(
        r#"{{"device-id":"{id}","type":"x509-cert","auth-id":"CN=pump,O=ACME","enabled":true,"secrets":[{{}}]}}"#
    );
    assert_eq!(String::from_utf8(first.body).unwrap(), expected);
    assert_eq!(counts(&world).await, (1, 1));
    let again = post(&world, CREDENTIALS, &asked).await;
    assert_eq!(again.status, StatusCode::OK, "{}", again.text());
    assert_eq!(String::from_utf8(again.body).unwrap(), expected);
    assert_eq!(counts(&world).await, (1, 1));

    let path = format!("{ACME}/devices/{id}");
    let mut shown = get(&world, &path).await.json();
    shown["status"].as_object_mut().unwrap().remove("updated");
    assert_eq!(
        shown,
        json!({
            "enabled": true,
            "ext": {"comment": format!("Auto-provisioned at {STARTED}")},
            "status": {"created": STARTED, "auto-provisioned": true},
        })
    );
    assert_eq!(
        get(&world, &format!("{path}/credentials")).await.json(),
        json!([{
            "type": "x509-cert", "auth-id": "CN=pump,O=ACME", "enabled": true,
            "comment": format!("Auto-provisioned at {STARTED}"), "secrets": [{}],
        }])
    );
    let event = &world.store.outbox(0, 10).await.unwrap()[0];
    assert_eq!(event.event.as_str(), "device.provisioned");
    assert_eq!(
        (event.tenant.as_str(), event.device.as_str()),
        ("acme", id.as_str())
    );
    let record = world.store.device(&event.device).await.unwrap().unwrap();
    assert_eq!(record.anchor_id.as_deref(), Some("a1"));
    assert_eq!(record.certificates[0].certificate, certificate);
}

#[tokio::test]
async fn nobody_joins_on_an_adapters_word() {
    let (ca, other) = (TestCa::new("Acme Device CA"), TestCa::new("Other CA"));
    let impostor = ca.impostor(&Leaf::new("Acme Device CA").certificate_authority());
    let world = trusting(&ca, json!({})).await;
    let good = leaf(&ca, "pump");
    let name = "CN=pump,O=ACME";
    let mut unreadable = asking(&good, name);
    unreadable["client-certificate"] = json!(base64(b"no certificate"));
    for (asked, expected) in [
        (
            asking(&good, "CN=someone-else,O=ACME"),
            refused(400, "auth-id-mismatch"),
        ),
        (
            asking(&leaf(&other, "pump"), name),
            refused(401, "no-anchor-for-issuer"),
        ),
        (
            asking(&leaf(&impostor, "pump"), name),
            refused(401, "bad-signature"),
        ),
        (unreadable, refused(400, "certificate-malformed")),
        (
            json!({"type": "x509-cert", "auth-id": name}),
            refused(404, "certificate-not-presented"),
        ),
    ] {
        let answer = post(&world, CREDENTIALS, &asked).await;
        assert_eq!(refusal(&answer), expected, "{asked}");
    }
    let nobodys = "/admin/adapter/tenants/nobody/credentials";
    let elsewhere = post(&world, nobodys, &asking(&good, name)).await;
    assert_eq!(refusal(&elsewhere), refused(404, "tenant-unknown"));
    for wrong in [
        json!({"auth-id": name}),
        json!({"type": "hashed-password", "auth-id": "a"}),
        json!({"type": "x509-cert", "auth-id": name, "client-certificate": "?"}),
    ] {
        let answer = post(&world, CREDENTIALS, &wrong).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wrong}");
        assert_eq!(answer.problem(), "/problems/invalid-member");
    }
    trust(&world, &ca, json!({"auto-provisioning-enabled": false})).await;
    let answer = post(&world, CREDENTIALS, &asking(&good, name)).await;
    assert_eq!(refusal(&answer), refused(404, "provisioning-disabled"));
    let sources = json!({"provisioning-policy": {"source-cidrs": ["192.0.2.0/24"]}});
    trust(&world, &ca, sources).await;
    let mut asked = asking(&good, name);
    let answer = post(&world, CREDENTIALS, &asked).await;
    assert_eq!(refusal(&answer), refused(403, "source-not-allowed"));
    assert_eq!(counts(&world).await, (0, 0));
    asked["source"] = json!("192.0.2.7");
    assert_eq!(
        post(&world, CREDENTIALS, &asked).await.status,
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn a_path_may_lead_over_an_intermediate_and_by_the_alias() {
    let ca = TestCa::new("Acme Device CA");
    let between = ca.intermediate(&Leaf::new("Plant CA").certificate_authority());
    let world = trusting(&ca, json!({})).await;
    let mut asked = asking(&leaf(&between, "pump"), "CN=pump,O=ACME");
    let path = "/admin/adapter/tenants/plant-7/credentials";
    let answer = post(&world, path, &asked).await;
    assert_eq!(refusal(&answer), refused(401, "no-anchor-for-issuer"));
    asked["intermediates"] = json!([base64(&between.certificate)]);
    assert_eq!(post(&world, path, &asked).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn limits_and_approval_hold_for_adapters() {
    let ca = TestCa::new("Acme Device CA");
    let world = trusting(&ca, json!({"provisioning-policy": {"max-devices": 1}})).await;
    let ask = async |name: &str| {
        let asked = asking(&leaf(&ca, name), &format!("CN={name},O=ACME"));
        post(&world, CREDENTIALS, &asked).await
    };
    assert_eq!(ask("one").await.status, StatusCode::CREATED);
    assert_eq!(refusal(&ask("two").await), refused(403, "quota-anchor"));
    let queue = json!({
        "auto-provisioning-enabled": false, "provisioning-policy": {"approval": "queue"},
    });
    trust(&world, &ca, queue).await;
    let waits = ask("three").await;
    assert_eq!(waits.status, StatusCode::ACCEPTED, "{}", waits.text());
    assert_eq!(waits.problem(), "/problems/awaiting-approval");
    assert!(waits.headers.contains_key("retry-after"));
    assert_eq!(
        counts(&world).await.0,
        1,
        "a stranger that waits is not registered"
    );
    let waiting = get(&world, "/admin/devices?state=pending").await.json();
    let id = waiting["devices"][0]["deviceId"]
        .as_str()
        .unwrap()
        .to_owned();
    let hidden = get(&world, &format!("{ACME}/devices/{id}")).await;
    assert_eq!(hidden.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_known_device_is_refused_for_what_an_operator_said() {
    let ca = TestCa::new("Acme Device CA");
    let world = trusting(&ca, json!({})).await;
    let asked = asking(&leaf(&ca, "pump"), "CN=pump,O=ACME");
    let made = post(&world, CREDENTIALS, &asked).await.json();
    let path = format!("{ACME}/devices/{}", made["device-id"].as_str().unwrap());
    let by_name = json!({"type": "x509-cert", "auth-id": "cn=PUMP, o=acme"});
    let status = async |asked: &Value| post(&world, CREDENTIALS, asked).await;
    assert_eq!(
        status(&by_name).await.json()["device-id"],
        made["device-id"]
    );

    let credentials = format!("{path}/credentials");
    let mut list = get(&world, &credentials).await.json();
    let over = json!([{"not-after": STARTED}]);
    let none = json!([{}]);
    for (enabled, secrets, expected) in [
        (false, &none, Some(refused(401, "credential-disabled"))),
        (true, &over, None),
        (true, &none, None),
    ] {
        list[0]["enabled"] = json!(enabled);
        list[0]["secrets"] = secrets.clone();
        let saved = put(&world, &credentials, &list).await;
        assert_eq!(saved.status, StatusCode::OK, "{}", saved.text());
        for asked in [&asked, &by_name] {
            let answer = status(asked).await;
            match &expected {
                Some(expected) => assert_eq!(&refusal(&answer), expected),
                None => assert_eq!(answer.status, StatusCode::OK, "{}", answer.text()),
            }
        }
    }
    list[0]["secrets"] = over;
    put(&world, &credentials, &list).await;
    world.pass(1);
    assert_eq!(
        refusal(&status(&asked).await),
        refused(401, "credential-disabled")
    );
    list[0]["secrets"] = none;
    put(&world, &credentials, &list).await;

    put(&world, &path, &json!({"enabled": false})).await;
    for asked in [&asked, &by_name] {
        assert_eq!(
            refusal(&status(asked).await),
            refused(404, "device-disabled")
        );
    }
    put(&world, &path, &json!({})).await;
    assert_eq!(status(&asked).await.status, StatusCode::OK);

    assert_eq!(
        world.operator(Method::DELETE, &path, "").await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(refusal(&status(&asked).await), refused(403, "tombstoned"));
    assert_eq!(
        refusal(&status(&by_name).await),
        refused(404, "certificate-not-presented")
    );
    put(&world, ACME, &json!({"enabled": false})).await;
    for asked in [&asked, &by_name] {
        assert_eq!(
            refusal(&status(asked).await),
            refused(403, "tenant-disabled")
        );
    }
}

#[tokio::test]
async fn of_racing_first_connections_one_makes_the_device() {
    let ca = TestCa::new("Acme Device CA");
    let world = trusting(&ca, json!({})).await;
    let asked = asking(&leaf(&ca, "pump"), "CN=pump,O=ACME");
    let racers = (0..20).map(|_| post(&world, CREDENTIALS, &asked));
    let answers = futures_util::future::join_all(racers).await;
    let made = answers
        .iter()
        .filter(|one| one.status == StatusCode::CREATED)
        .count();
    let known = answers
        .iter()
        .filter(|one| one.status == StatusCode::OK)
        .count();
    assert_eq!((made, known), (1, 19));
    let ids: std::collections::BTreeSet<String> = answers
        .iter()
        .map(|one| one.json()["device-id"].to_string())
        .collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(counts(&world).await, (1, 1));
}

fn registration(device: &str) -> String {
    format!("/admin/adapter/tenants/acme/registrations/{device}")
}

#[tokio::test]
async fn a_gateway_brings_devices_and_others_do_not() {
    let ca = TestCa::new("Acme Device CA");
    let world = trusting(&ca, json!({"auto-provision-as-gateway": true})).await;
    let asked = asking(&leaf(&ca, "gateway"), "CN=gateway,O=ACME");
    let gateway = post(&world, CREDENTIALS, &asked).await.json();
    let gateway = gateway["device-id"].as_str().unwrap();
    let through = |gateway: &str| json!({"gateway-id": gateway});
    let shown = get(&world, &format!("{ACME}/devices/{gateway}"))
        .await
        .json();
    assert_eq!(shown["authorities"], json!(["auto-provisioning-enabled"]));

    let unknown = post(&world, &registration("edge1"), &json!({})).await;
    assert_eq!(refusal(&unknown), refused(404, "device-unknown"));
    for _ in 0..2 {
        let answer = post(&world, &registration("edge1"), &through(gateway)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        assert_eq!(
            answer.json(),
            json!({"device-id": "edge1", "via": [gateway]})
        );
        assert_eq!(counts(&world).await, (2, 2));
    }
    let shown = get(&world, &format!("{ACME}/devices/edge1")).await.json();
    let status = json!({"created": STARTED, "auto-provisioned": true});
    assert_eq!(
        shown,
        json!({"enabled": true, "via": [gateway], "status": status})
    );
    let events = world.store.outbox(0, 10).await.unwrap();
    let detail: Value = serde_json::from_str(&events[1].detail).unwrap();
    assert_eq!(detail["gatewayId"], *gateway);
    let alone = world
        .operator(Method::POST, &registration("edge1"), "")
        .await;
    assert_eq!(alone.status, StatusCode::OK);

    post(&world, &format!("{ACME}/devices/gw2"), &json!({})).await;
    for (device, by, expected) in [
        ("edge1", "gw2", refused(403, "claimed-by-other-gateway")),
        ("edge1", "nobody", refused(403, "gateway-unknown")),
        ("edge2", "gw2", refused(404, "device-unknown")),
        ("edge1++%C2%A3", gateway, refused(400, "device-id-invalid")),
        ("gw2", gateway, refused(403, "gateway-not-authorised")),
    ] {
        let answer = post(&world, &registration(device), &through(by)).await;
        assert_eq!(refusal(&answer), expected, "{device} by {by}");
    }
    put(
        &world,
        &format!("{ACME}/devices/gw2"),
        &json!({"enabled": false}),
    )
    .await;
    let answer = post(&world, &registration("edge1"), &through("gw2")).await;
    assert_eq!(refusal(&answer), refused(403, "gateway-disabled"));

    let path = format!("{ACME}/devices/edge1");
    world.operator(Method::DELETE, &path, "").await;
    let answer = post(&world, &registration("edge1"), &through(gateway)).await;
    assert_eq!(refusal(&answer), refused(403, "tombstoned"));
    assert_eq!(
        post(&world, &path, &json!({"via": gateway})).await.status,
        StatusCode::CREATED
    );
    let answer = post(&world, &registration("edge1"), &through(gateway)).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn groups_of_gateways_are_shared_and_origins_are_kept() {
    let world = trusting(&TestCa::new("Acme Device CA"), json!({})).await;
    let authority = json!(["auto-provisioning-enabled"]);
    for (id, document) in [
        (
            "gw1",
            json!({"memberOf": ["barfoospam4711"], "authorities": authority}),
        ),
        ("gw2", json!({"memberOf": ["barfoospam4711"]})),
        ("gw3", json!({"memberOf": ["another"]})),
    ] {
        let made = post(&world, &format!("{ACME}/devices/{id}"), &document).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    }
    let by = async |gateway: &str| {
        let body = json!({"gateway-id": gateway});
        post(&world, &registration("edge1"), &body).await
    };
    assert_eq!(by("gw1").await.status, StatusCode::OK);
    let path = format!("{ACME}/devices/edge1");
    let mut shown = get(&world, &path).await.json();
    assert_eq!(shown["viaGroups"], json!(["barfoospam4711"]));
    assert_eq!(by("gw2").await.status, StatusCode::OK);
    assert_eq!(
        refusal(&by("gw3").await),
        refused(403, "claimed-by-other-gateway")
    );
    // Given back as it was shown, it is still one that a gateway brought.
    shown["defaults"] = json!({"ttl": 30});
    let saved = put(&world, &path, &shown).await;
    assert_eq!(saved.status, StatusCode::OK, "{}", saved.text());
    assert_eq!(
        get(&world, &path).await.json()["status"]["auto-provisioned"],
        true
    );
    let expected = json!({"device-id": "edge1", "via": ["gw1"], "defaults": {"ttl": 30}});
    assert_eq!(by("gw2").await.json(), expected);
}

#[tokio::test]
async fn a_failing_store_changes_nothing_and_is_no_refusal() {
    let fault = Fault::default();
    let world = World::over(temp_dir(), |builder| builder, |store| fault.wrap(store)).await;
    let ca = TestCa::new("Acme Device CA");
    trust(&world, &ca, json!({})).await;
    post(
        &world,
        &format!("{ACME}/devices/gw1"),
        &json!({"authorities": ["auto-provisioning-enabled"]}),
    )
    .await;
    let asked = asking(&leaf(&ca, "pump"), "CN=pump,O=ACME");
    let edge = json!({"gateway-id": "gw1"});
    // Case D12 of the suite: the look-up of the credential fails; and each step after it.
    for step in ["tenant_news", "identity", "create_or_adopt"] {
        fault.at(Some(step));
        let answer = post(&world, CREDENTIALS, &asked).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{step}");
        assert_eq!(answer.problem(), "/problems/unavailable");
        fault.at(None);
        assert_eq!(counts(&world).await, (1, 0), "{step}");
    }
    // Case E3: the device cannot be made.
    for step in ["device", "save_devices"] {
        fault.at(Some(step));
        let answer = post(&world, &registration("edge1"), &edge).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{step}");
        fault.at(None);
        assert_eq!(counts(&world).await, (1, 0), "{step}");
    }
    // The same requests succeed when the store does.
    assert_eq!(
        post(&world, CREDENTIALS, &asked).await.status,
        StatusCode::CREATED
    );
    assert_eq!(
        post(&world, &registration("edge1"), &edge).await.status,
        StatusCode::OK
    );
    assert_eq!(counts(&world).await, (3, 2));
}

#[tokio::test]
async fn an_answer_that_is_lost_leaves_no_orphan() {
    let fault = Fault::default();
    let world = World::over(temp_dir(), |builder| builder, |store| fault.wrap(store)).await;
    let ca = TestCa::new("Acme Device CA");
    trust(&world, &ca, json!({"auto-provision-as-gateway": true})).await;
    let asked = asking(&leaf(&ca, "pump"), "CN=pump,O=ACME");
    fault.after("create_or_adopt");
    let lost = post(&world, CREDENTIALS, &asked).await;
    assert_eq!(lost.status, StatusCode::SERVICE_UNAVAILABLE);
    fault.at(None);
    let again = post(&world, CREDENTIALS, &asked).await;
    assert_eq!(again.status, StatusCode::OK, "{}", again.text());
    assert_eq!(counts(&world).await, (1, 1));
    let edge = json!({"gateway-id": again.json()["device-id"]});
    fault.after("save_devices");
    let lost = post(&world, &registration("edge1"), &edge).await;
    assert_eq!(lost.status, StatusCode::SERVICE_UNAVAILABLE);
    fault.at(None);
    assert_eq!(
        post(&world, &registration("edge1"), &edge).await.status,
        StatusCode::OK
    );
    assert_eq!(counts(&world).await, (2, 2));
}

#[tokio::test]
async fn of_racing_gateways_one_brings_the_device() {
    let world = trusting(&TestCa::new("Acme Device CA"), json!({})).await;
    for id in ["gw1", "gw2"] {
        let gateway = json!({"authorities": ["auto-provisioning-enabled"]});
        post(&world, &format!("{ACME}/devices/{id}"), &gateway).await;
    }
    let path = registration("edge1");
    let bodies: Vec<Value> = (0..20)
        .map(|n| json!({"gateway-id": format!("gw{}", n % 2 + 1)}))
        .collect();
    let answers =
        futures_util::future::join_all(bodies.iter().map(|body| post(&world, &path, body))).await;
    let shown = get(&world, &format!("{ACME}/devices/edge1")).await.json();
    for (body, answer) in bodies.iter().zip(&answers) {
        match shown["via"] == json!([body["gateway-id"]]) {
            true => assert_eq!(answer.status, StatusCode::OK),
            false => assert_eq!(refusal(answer), refused(403, "claimed-by-other-gateway")),
        }
    }
    assert_eq!(counts(&world).await, (3, 1));
}

#[tokio::test]
async fn of_racing_changes_to_one_version_one_is_made() {
    let world = World::new().await;
    post(&world, ACME, &json!({})).await;
    let path = &format!("{ACME}/devices/a");
    let version = &tag(&post(&world, path, &json!({})).await);
    let world = &world;
    let change = async |n: usize| {
        let document = json!({"ext": {"n": n}});
        if_match(world, Method::PUT, path, version, &document)
            .await
            .status
    };
    let statuses = futures_util::future::join_all((0..10).map(change)).await;
    let made = statuses
        .iter()
        .filter(|one| **one == StatusCode::OK)
        .count();
    let late = statuses
        .iter()
        .filter(|one| **one == StatusCode::PRECONDITION_FAILED)
        .count();
    assert_eq!((made, late), (1, 9));
    // Without a version all of them are made, one after the other.
    let nothing = &json!({});
    let blind = (0..10).map(|_| put(world, path, nothing));
    let answers = futures_util::future::join_all(blind).await;
    let made = answers
        .iter()
        .filter(|one| one.status == StatusCode::OK)
        .count();
    let busy = answers
        .iter()
        .filter(|one| one.status == StatusCode::SERVICE_UNAVAILABLE)
        .count();
    assert!(made >= 5 && made + busy == 10, "{made} made, {busy} busy");
}

#[tokio::test]
async fn what_keeps_a_gateways_device_from_being_made_is_passed_on() {
    // Case E3 with the status that it has: the tenant is full.
    let world = World::new().await;
    let limits = json!({"registration-limits": {"max-devices": 1}});
    post(&world, ACME, &limits).await;
    post(
        &world,
        &format!("{ACME}/devices/gw1"),
        &json!({"authorities": ["auto-provisioning-enabled"]}),
    )
    .await;
    let body = json!({"gateway-id": "gw1"});
    let answer = post(&world, &registration("edge1"), &body).await;
    assert_eq!(refusal(&answer), refused(403, "quota-tenant"));
    // The id is unique over all tenants.
    post(&world, "/admin/tenants/other", &json!({})).await;
    post(&world, "/admin/tenants/other/devices/edge2", &json!({})).await;
    put(&world, ACME, &json!({})).await;
    let answer = post(&world, &registration("edge2"), &body).await;
    assert_eq!(refusal(&answer), refused(409, "identity-conflict"));
    assert_eq!(counts(&world).await, (1, 0));
}

#[tokio::test]
async fn a_device_is_made_read_changed_and_removed() {
    let world = World::new().await;
    post(&world, ACME, &json!({})).await;
    let path = &format!("{ACME}/devices/pump-1");
    let made = world.operator(Method::POST, path, "").await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    assert_eq!(made.headers[LOCATION], *path);
    let version = tag(&made);
    let number = version.trim_matches('"');
    assert_eq!(
        made.json(),
        json!({"id": "pump-1", "resourceVersion": number})
    );
    let again = post(&world, path, &json!({})).await;
    assert_eq!(
        (again.status, again.problem().as_str()),
        (StatusCode::CONFLICT, "/problems/device-exists")
    );
    let shown = get(&world, path).await;
    assert_eq!(shown.json(), json!({"status": {"created": STARTED}}));
    assert_eq!(tag(&shown), version);

    world.pass(5);
    let document = json!({"via": ["gw1"], "ext": {"n": 1}});
    let changed = if_match(&world, Method::PUT, path, &version, &document).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
    assert_ne!(tag(&changed), version);
    for method in [Method::PUT, Method::DELETE] {
        let stale = if_match(&world, method, path, &version, &json!({})).await;
        assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
        assert_eq!(stale.problem(), "/problems/version-mismatch");
    }
    let shown = get(&world, path).await;
    let status = json!({"created": STARTED, "updated": "2026-09-21T14:13:25Z"});
    assert_eq!(
        shown.json(),
        json!({"ext": {"n": 1}, "via": ["gw1"], "status": status})
    );
    // The other way to switch a device off is seen here, too.
    world
        .operator(Method::POST, "/admin/devices/pump-1/disable", "")
        .await;
    assert_eq!(get(&world, path).await.json()["enabled"], false);

    let elsewhere = "/admin/tenants/default/devices/pump-1";
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let answer = world.operator(method, elsewhere, "{}").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(
        world.operator(Method::POST, elsewhere, "").await.problem(),
        "/problems/device-exists"
    );
    let current = tag(&get(&world, path).await);
    let removed = if_match(&world, Method::DELETE, path, &current, &json!({})).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let answer = world.operator(method, path, "{}").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
    }
    for (method, path) in [
        (Method::GET, "/admin/tenants/nobody/devices"),
        (Method::POST, "/admin/tenants/nobody/devices"),
        (Method::PUT, "/admin/tenants/nobody/devices/a"),
    ] {
        let answer = world.operator(method, path, "{}").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(
            answer.json()["detail"]
                .as_str()
                .unwrap()
                .contains("tenant nobody")
        );
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_device_is_named_with_its_place() {
    let world = World::new().await;
    post(&world, ACME, &json!({})).await;
    let path = &format!("{ACME}/devices/a");
    for (body, place) in [
        (r#"{"colour": 1}"#, "/colour"),
        (r#"{"via": ["a", ""]}"#, "/via/1"),
        (r#"{"memberOf": ["g"], "via": ["a"]}"#, "/memberOf"),
    ] {
        let answer = world.operator(Method::POST, path, body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(answer.problem(), "/problems/invalid-member");
        assert!(answer.json()["detail"].as_str().unwrap().starts_with(place));
    }
    assert_eq!(
        world.operator(Method::POST, path, "{").await.problem(),
        "/problems/unreadable-request"
    );
    for id in ["a~b", "-a", "a%20b", &"a".repeat(129)] {
        let answer = post(&world, &format!("{ACME}/devices/{id}"), &json!({})).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{id}");
    }
    assert_eq!(counts(&world).await, (0, 0));
    let unknown = request(Method::GET, path, &[], b"");
    assert_eq!(
        world.send(&world.admin, unknown).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn devices_are_listed_page_by_page_and_may_be_named_by_the_server() {
    let world = World::new().await;
    post(&world, ACME, &json!({})).await;
    post(&world, "/admin/tenants/other/devices/x", &json!({})).await;
    let made = post(&world, &format!("{ACME}/devices"), &json!({})).await;
    let id = made.json()["id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("d-") && id.len() == 28, "{id}");
    assert_eq!(made.headers[LOCATION], format!("{ACME}/devices/{id}"));
    for id in ["c", "a", "b"] {
        post(
            &world,
            &format!("{ACME}/devices/{id}"),
            &json!({"ext": {"id": id}}),
        )
        .await;
    }
    let (mut ids, mut after) = (Vec::new(), String::new());
    loop {
        let page = get(&world, &format!("{ACME}/devices?limit=3{after}"))
            .await
            .json();
        let page = page["devices"].as_array().unwrap().clone();
        let Some(last) = page.last() else { break };
        after = format!("&after={}", last["id"].as_str().unwrap());
        for one in &page {
            assert!(one["resourceVersion"].as_str().is_some());
            if one["id"] != id {
                assert_eq!(one["device"]["ext"]["id"], one["id"]);
            }
            ids.push(one["id"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(ids, ["a", "b", "c", id.as_str()]);
}

#[tokio::test]
async fn credentials_are_one_devices_of_a_tenant() {
    let world = World::new().await;
    let limits = json!({"registration-limits": {"max-credentials-per-device": 2}});
    post(&world, ACME, &limits).await;
    for id in ["a", "b"] {
        post(&world, &format!("{ACME}/devices/{id}"), &json!({})).await;
    }
    let one = |auth_id: &str| json!({"type": "x509-cert", "auth-id": auth_id, "secrets": [{}]});
    let of = |id: &str| format!("{ACME}/devices/{id}/credentials");
    let first = get(&world, &of("a")).await;
    assert_eq!(first.json(), json!([]));
    let list = json!([one("CN=a, O=b"), one("sensor")]);
    let saved = if_match(&world, Method::PUT, &of("a"), &tag(&first), &list).await;
    assert_eq!(saved.status, StatusCode::OK, "{}", saved.text());
    let shown = get(&world, &of("a")).await;
    assert_eq!(shown.json(), json!([one("CN=a,O=b"), one("sensor")]));
    assert_eq!(tag(&shown), tag(&saved));
    let stale = if_match(&world, Method::PUT, &of("a"), &tag(&first), &list).await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);

    for taken in ["sensor", "cn=A,o=B"] {
        let answer = put(&world, &of("b"), &json!([one("free"), one(taken)])).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{taken}");
        assert_eq!(answer.problem(), "/problems/auth-id-taken");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(
            detail.starts_with("/1/auth-id") && detail.contains("device a "),
            "{detail}"
        );
    }
    let many = put(&world, &of("b"), &json!([one("1"), one("2"), one("3")])).await;
    assert_eq!(
        (many.status, many.problem().as_str()),
        (StatusCode::FORBIDDEN, "/problems/limit-reached")
    );
    let wrong = put(&world, &of("b"), &json!([one("1"), one("1")])).await;
    assert_eq!(wrong.problem(), "/problems/invalid-member");
    assert!(
        wrong.json()["detail"]
            .as_str()
            .unwrap()
            .starts_with("/1/auth-id")
    );
    assert_eq!(get(&world, &of("b")).await.json(), json!([]));
    // Another tenant has authentication ids of its own.
    post(&world, "/admin/tenants/other", &json!({})).await;
    post(&world, "/admin/tenants/other/devices/c", &json!({})).await;
    let other = "/admin/tenants/other/devices/c/credentials";
    assert_eq!(
        put(&world, other, &json!([one("sensor")])).await.status,
        StatusCode::OK
    );
    assert_eq!(
        put(&world, &of("a"), &json!([])).await.status,
        StatusCode::OK
    );
    assert_eq!(
        put(&world, &of("b"), &json!([one("sensor")])).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_device_that_an_operator_wrote_connects_by_its_certificate() {
    let ca = TestCa::new("Acme Device CA");
    let world = trusting(&ca, json!({"auto-provisioning-enabled": false})).await;
    let certificate = leaf(&ca, "pump");
    let import = json!([{
        "device-id": "pump-1",
        "credentials": [{"type": "x509-cert", "cert": base64(&certificate)}],
    }]);
    assert_eq!(
        post(&world, &format!("{ACME}/import"), &import)
            .await
            .status,
        StatusCode::CREATED
    );
    let answer = post(&world, CREDENTIALS, &asking(&certificate, "CN=pump,O=ACME")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(answer.json()["device-id"], "pump-1");
    let other = asking(&leaf(&ca, "other"), "CN=other,O=ACME");
    let answer = post(&world, CREDENTIALS, &other).await;
    assert_eq!(refusal(&answer), refused(404, "provisioning-disabled"));
    assert_eq!(counts(&world).await, (1, 0));
}

#[tokio::test]
async fn the_values_of_a_template_survive_an_operators_change() {
    let ca = TestCa::new("Acme Device CA");
    let template = json!({"auth-id-template": "{{subject-cn}}:{{subject-ou}}"});
    let world = trusting(&ca, template).await;
    let of = |name: &str, unit: &str| {
        let leaf = Leaf::new(name).organizational_unit(unit);
        ca.issue(&leaf).certificate
    };
    let (one, twin) = (of("a", "b:c"), of("a:b", "c"));
    let made = post(&world, CREDENTIALS, &asking(&one, "a:b:c")).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let conflict = refused(409, "identity-conflict");
    assert_eq!(
        refusal(&post(&world, CREDENTIALS, &asking(&twin, "a:b:c")).await),
        conflict
    );
    let id = made.json()["device-id"].as_str().unwrap().to_owned();
    let path = format!("{ACME}/devices/{id}/credentials");
    let list = get(&world, &path).await.json();
    assert_eq!(put(&world, &path, &list).await.status, StatusCode::OK);
    let device = world.store.device(&DeviceId::parse(&id).unwrap()).await;
    let stored = &device.unwrap().unwrap().credentials[0].auth_id;
    let values = ["a".to_owned(), "b:c".to_owned()];
    assert_eq!(stored.template_values(), Some(&values[..]));
    assert_eq!(
        post(&world, CREDENTIALS, &asking(&one, "a:b:c"))
            .await
            .status,
        StatusCode::OK
    );
    assert_eq!(
        refusal(&post(&world, CREDENTIALS, &asking(&twin, "a:b:c")).await),
        conflict
    );
}

#[tokio::test]
async fn an_import_is_made_whole_or_not_at_all() {
    let world = World::new().await;
    post(
        &world,
        ACME,
        &json!({"registration-limits": {"max-devices": 4}}),
    )
    .await;
    let path = format!("{ACME}/import");
    let one = |auth_id: &str| json!({"type": "x509-cert", "auth-id": auth_id, "secrets": [{}]});
    let import = json!([
        {"device-id": "gw1", "device": {"authorities": ["auto-provisioning-enabled"]}},
        {"device": {"via": ["gw1"]}, "credentials": [one("CN=a"), one("b")]},
    ]);
    let made = post(&world, &path, &import).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let devices = made.json()["devices"].clone();
    assert_eq!(devices[0]["id"], "gw1");
    let id = devices[1]["id"].as_str().unwrap();
    let shown = get(&world, &format!("{ACME}/devices/{id}/credentials")).await;
    assert_eq!(shown.json(), json!([one("CN=a"), one("b")]));
    assert_eq!(
        shown.headers[ETAG],
        format!("\"{}\"", devices[1]["resourceVersion"].as_str().unwrap())
    );

    for (last, status, problem, place) in [
        (
            json!({"device-id": "gw1"}),
            409,
            "device-exists",
            "/1/device-id",
        ),
        (
            json!({"credentials": [one("c"), one("cn=A")]}),
            409,
            "auth-id-taken",
            "/1/credentials/1/auth-id",
        ),
        (
            json!({"device-id": "a b"}),
            400,
            "invalid-member",
            "/1/device-id",
        ),
        (
            json!({"credentials": [{"type": "psk"}]}),
            400,
            "invalid-member",
            "/1/credentials/0/type",
        ),
    ] {
        let answer = post(&world, &path, &json!([{"device-id": "new"}, last])).await;
        assert_eq!(answer.status.as_u16(), status, "{last} {}", answer.text());
        assert_eq!(answer.problem(), format!("/problems/{problem}"));
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.starts_with(place), "{detail}");
        assert_eq!(counts(&world).await, (2, 0), "{last}");
    }
    let full = post(&world, &path, &json!([{}, {}, {}])).await;
    assert_eq!(
        (full.status, full.problem().as_str()),
        (StatusCode::FORBIDDEN, "/problems/limit-reached")
    );
    assert_eq!(counts(&world).await, (2, 0));
    assert_eq!(
        post(&world, &path, &json!([{}, {}])).await.status,
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn the_library_answers_what_http_does() {
    use gangplank_server::registry::{Acquaintance, AdapterError};
    use gangplank_server::trust::{CredentialsLookup, Reason, TenantLookup};

    let ca = TestCa::new("Acme Device CA");
    let world = trusting(&ca, json!({})).await;
    let asked = asking(&leaf(&ca, "pump"), "CN=pump,O=ACME").to_string();
    let asked = CredentialsLookup::decode(asked.as_bytes()).unwrap();
    let adapter = world.server.adapter();
    let first = adapter.credentials("acme", &asked).await.unwrap();
    assert_eq!(first.acquaintance, Acquaintance::Provisioned);
    let again = adapter.credentials("acme", &asked).await.unwrap();
    assert_eq!(again.acquaintance, Acquaintance::Known);
    assert_eq!(again.device_id, first.device_id);
    let nobody = adapter.registration("acme", "nobody", None).await;
    assert_eq!(nobody, Err(AdapterError::Refused(Reason::UnknownDevice)));
    let lookup = TenantLookup::Name("plant-7".to_owned());
    assert_eq!(
        adapter.tenant(&lookup).await.unwrap().tenant_id.as_str(),
        "acme"
    );
    assert_eq!(world.now(), START);
}
