//! `POST /onboarding/` as DESIGN describes it, status by status, in memory with a clock of our own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod common;

use common::{ROOT, TestDevice, World};
use gangplank_server::ServerBuilder;
use gangplank_server::envelope::{Audience, Binding, Form, PayloadType};
use gangplank_server::key::CertificateId;
use gangplank_server::onboarding::v2024::onboarding::OnboardingRequest;
use gangplank_server::trust::{
    Anchor, AnchorPolicy, AutoProvisioning, Tenant, TenantId, UnknownDevices,
};
use gangplank_testkit::{Leaf, TestCa, self_signed};
use http::{Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test]
async fn first_created_then_ok_and_one_device() {
    let world = World::new().await;
    let (mut device, first) = world.aboard(1).await;
    assert_eq!(
        first.token_endpoint_url.as_str(),
        format!("{ROOT}/oauth2/token")
    );
    assert_eq!(
        first.git_repository_url.as_str(),
        format!("{ROOT}/git/{}.git", first.device_id)
    );
    let answer = world.onboard(&mut device).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(
        answer.headers["content-type"],
        "application/vnd.gangplank.envelope+json"
    );
    let again = world.response(&device, &answer);
    assert_eq!(again.device_id, first.device_id);
    assert_eq!(again.client_id, first.client_id);
    assert_eq!(world.device_count().await, 1);
}

#[tokio::test]
async fn the_path_of_the_public_url_may_be_there_or_stripped() {
    let world = World::new().await;
    for path in ["/onboarding/certificate", "/margo/onboarding/certificate"] {
        let answer = world.public(Method::GET, path, &[], b"").await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.json()["certificate"], common::base64(&world.root));
    }
    let mut device = TestDevice::new(1);
    world.register(&device).await;
    let envelope = device.onboarding(world.now());
    let answer = world
        .public(Method::POST, "/margo/onboarding/", &[], &envelope)
        .await;
    assert_eq!(answer.status, StatusCode::CREATED);
}

#[tokio::test]
async fn bytes_already_seen_are_refused_without_effect() {
    let world = World::new().await;
    let mut device = TestDevice::new(1);
    world.register(&device).await;
    let envelope = device.onboarding(world.now());
    let first = world
        .public(Method::POST, "/onboarding/", &[], &envelope)
        .await;
    assert_eq!(first.status, StatusCode::CREATED);
    for _ in 0..2 {
        world.pass(100);
        let replayed = world
            .public(Method::POST, "/onboarding/", &[], &envelope)
            .await;
        assert_eq!(replayed.problem(), "/problems/not-authenticated");
        assert_eq!(replayed.status, StatusCode::UNAUTHORIZED);
    }
    // The secret of the first answer still works: a replay did not count as a new request.
    let response = world.response(&device, &first);
    assert_eq!(world.token(&response).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_401_is_the_same_whatever_the_reason() {
    let world = World::new().await;
    let mut device = TestDevice::new(1);
    let mut stranger = TestDevice::new(2);
    world.register(&device).await;
    let now = world.now();
    let no_certificates = |device: &mut TestDevice| {
        device
            .binding(PayloadType::ONBOARDING_REQUEST, now)
            .certificates(Vec::new())
    };
    let payload = OnboardingRequest::default().encode();
    let mut forged = String::from_utf8(device.onboarding(now)).unwrap();
    forged = forged.replace(
        &format!("\"created\":{now}"),
        &format!("\"created\":{}", now + 1),
    );
    let other_audience = device
        .binding(PayloadType::ONBOARDING_REQUEST, now)
        .audience(Audience::parse("https://wfm.example").unwrap());
    let binding = no_certificates(&mut stranger);
    let unknown_id = stranger.seal(&payload, Form::Bound(binding));
    let cases = [
        ("stale", device.onboarding(now - 301)),
        ("from the future", device.onboarding(now + 61)),
        ("forged", forged.into_bytes()),
        (
            "other audience",
            device.seal(&payload, Form::Bound(other_audience)),
        ),
        (
            "other type",
            device.message(PayloadType::DEPLOYMENT_STATUS, &payload, now),
        ),
        ("unknown id without certificate", unknown_id),
    ];
    let mut bodies = std::collections::BTreeSet::new();
    for (name, envelope) in cases {
        let answer = world
            .public(Method::POST, "/onboarding/", &[], &envelope)
            .await;
        assert_eq!(
            answer.status,
            StatusCode::UNAUTHORIZED,
            "{name}: {}",
            answer.text()
        );
        answer.nonce();
        bodies.insert(answer.body);
    }
    assert_eq!(bodies.len(), 1);
}

#[tokio::test]
async fn a_stranger_is_told_nothing_about_the_id_it_claims() {
    for world in [World::new().await, World::queueing().await] {
        let (device, _) = world.aboard(1).await;
        // Two strangers: one claims an id that exists, the other one that does not.
        let mut taken = TestDevice::from(
            device.id.as_str(),
            self_signed(&Leaf::new("x").serial_number(device.id.as_str())),
            7,
        );
        let mut free = TestDevice::from("SN-9999", self_signed(&Leaf::new("y")), 8);
        let (one, other) = (
            world.onboard(&mut taken).await,
            world.onboard(&mut free).await,
        );
        assert_eq!(one.status, other.status);
        assert_eq!(one.body, other.body);
        assert!(matches!(
            one.status,
            StatusCode::FORBIDDEN | StatusCode::ACCEPTED
        ));
        let names = |answer: &common::Answer| {
            let names: Vec<_> = answer.headers.keys().map(|name| name.to_string()).collect();
            names
        };
        assert_eq!(names(&one), names(&other));
    }
}

#[tokio::test]
async fn a_stranger_waits_for_an_operator_where_the_server_queues() {
    let world = World::queueing().await;
    let mut device = TestDevice::new(1);
    for _ in 0..3 {
        let answer = world.onboard(&mut device).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED);
        assert_eq!(answer.headers["retry-after"], "30");
        assert_eq!(answer.problem(), "/problems/awaiting-approval");
    }
    let list = world
        .operator(Method::GET, "/admin/devices?state=pending", "")
        .await
        .json();
    assert_eq!(list["devices"].as_array().unwrap().len(), 1);
    assert_eq!(list["devices"][0]["certificateId"], device.id.as_str());
    let id = list["devices"][0]["deviceId"].as_str().unwrap();
    let approved = world
        .operator(Method::POST, &format!("/admin/devices/{id}/approve"), "")
        .await;
    assert_eq!(approved.status, StatusCode::OK);
    assert_eq!(world.onboard(&mut device).await.status, StatusCode::CREATED);
    assert_eq!(world.device_count().await, 1);
}

#[tokio::test]
async fn a_rejected_a_disabled_and_a_removed_device_stay_out() {
    let world = World::new().await;
    let (mut device, response) = world.aboard(1).await;
    let bearer = world.bearer(&response).await;
    let path = format!("/admin/devices/{}", response.device_id);
    let act = |verb: &'static str| {
        let path = format!("{path}/{verb}");
        let world = &world;
        async move { world.operator(Method::POST, &path, "").await.status }
    };
    assert_eq!(act("disable").await, StatusCode::OK);
    assert_eq!(
        world.onboard(&mut device).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        world.token(&response).await.status,
        StatusCode::UNAUTHORIZED
    );
    let credential = format!("/device/{}/git-credential", response.device_id);
    let answer = world
        .public(Method::GET, &credential, &[("authorization", &bearer)], b"")
        .await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(act("enable").await, StatusCode::OK);
    assert_eq!(world.onboard(&mut device).await.status, StatusCode::OK);
    assert_eq!(act("reject").await, StatusCode::OK);
    assert_eq!(
        world.onboard(&mut device).await.problem(),
        "/problems/not-admitted"
    );
    assert_eq!(
        world.operator(Method::DELETE, &path, "").await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        world.onboard(&mut device).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        world.operator(Method::GET, &path, "").await.status,
        StatusCode::NOT_FOUND
    );
    // Registering it anew lets it back in, as a new device.
    assert_eq!(world.register(&device).await.status, StatusCode::CREATED);
    let answer = world.onboard(&mut device).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    assert_ne!(
        world.response(&device, &answer).device_id,
        response.device_id
    );
}

#[tokio::test]
async fn a_refused_request_is_used_up() {
    let world = World::new().await;
    let (mut device, response) = world.aboard(1).await;
    let path = format!("/admin/devices/{}", response.device_id);
    let (disable, enable) = (format!("{path}/disable"), format!("{path}/enable"));
    world.operator(Method::POST, &disable, "").await;
    let envelope = device.onboarding(world.now());
    let send = || world.public(Method::POST, "/onboarding/", &[], &envelope);
    assert_eq!(send().await.status, StatusCode::FORBIDDEN);
    world.operator(Method::POST, &enable, "").await;
    assert_eq!(send().await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(world.onboard(&mut device).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_removed_stranger_does_not_queue_again() {
    let world = World::queueing().await;
    let mut device = TestDevice::new(1);
    assert_eq!(
        world.onboard(&mut device).await.status,
        StatusCode::ACCEPTED
    );
    let list = world
        .operator(Method::GET, "/admin/devices", "")
        .await
        .json();
    let id = list["devices"][0]["deviceId"].as_str().unwrap().to_owned();
    world
        .operator(Method::DELETE, &format!("/admin/devices/{id}"), "")
        .await;
    assert_eq!(
        world.onboard(&mut device).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(world.device_count().await, 0);
}

#[tokio::test]
async fn a_device_without_a_clock_uses_the_nonce_it_is_given() {
    let world = World::new().await;
    let mut device = TestDevice::new(1);
    world.register(&device).await;
    let payload = OnboardingRequest::default().encode();
    let audience = || Audience::parse(ROOT).unwrap();
    let clockless = |device: &mut TestDevice, nonce| {
        device.last_nonce = nonce;
        let binding = Binding::new(PayloadType::ONBOARDING_REQUEST)
            .nonce(device.last_nonce.clone())
            .audience(audience())
            .certificates(vec![device.issued.certificate.clone()]);
        device.seal(&payload, Form::Bound(binding))
    };
    let random = device.last_nonce.clone();
    let envelope = clockless(&mut device, random);
    let refused = world
        .public(Method::POST, "/onboarding/", &[], &envelope)
        .await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    let envelope = clockless(&mut device, refused.nonce());
    let answer = world
        .public(Method::POST, "/onboarding/", &[], &envelope)
        .await;
    assert_eq!(answer.status, StatusCode::CREATED);
    world.response(&device, &answer);
    // Once: the same nonce under another signature is refused, and so is an expired one.
    let envelope = clockless(&mut device, refused.nonce());
    let again = world
        .public(Method::POST, "/onboarding/", &[], &envelope)
        .await;
    assert_eq!(again.status, StatusCode::UNAUTHORIZED);
    let late = again.nonce();
    world.pass(301);
    let envelope = clockless(&mut device, late);
    let expired = world
        .public(Method::POST, "/onboarding/", &[], &envelope)
        .await;
    assert_eq!(expired.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_plain_form_is_policy_and_only_for_registered_devices() {
    let payload = OnboardingRequest::default().encode();
    let refusing = World::new().await;
    let device = TestDevice::new(1);
    refusing.register(&device).await;
    let plain = device.seal(&payload, Form::Plain);
    let answer = refusing
        .public(Method::POST, "/onboarding/", &[], &plain)
        .await;
    assert_eq!(answer.problem(), "/problems/plain-form-not-allowed");
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let stranger = TestDevice::new(2).seal(&payload, Form::Plain);
    let same = refusing
        .public(Method::POST, "/onboarding/", &[], &stranger)
        .await;
    assert_eq!(same.body, answer.body, "it does not tell which ids exist");

    let accepting = World::accepting_plain().await;
    let answer = accepting
        .public(Method::POST, "/onboarding/", &[], &plain)
        .await;
    assert_eq!(
        answer.status,
        StatusCode::UNAUTHORIZED,
        "nobody registered it"
    );
    accepting.register(&device).await;
    let answer = accepting
        .public(Method::POST, "/onboarding/", &[], &plain)
        .await;
    assert_eq!(answer.status, StatusCode::CREATED);
    let answer = accepting
        .public(Method::POST, "/onboarding/", &[], &plain)
        .await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn what_cannot_be_read_is_a_400_that_says_where() {
    let world = World::new().await;
    let mut device = TestDevice::new(1);
    world.register(&device).await;
    let now = world.now();
    let binding = device.binding(PayloadType::ONBOARDING_REQUEST, now);
    let wrong_kind = device.seal(
        br#"{"apiVersion":"onboarding.margo.org/v1alpha1","kind":"Other"}"#,
        Form::Bound(binding),
    );
    let envelope = device.onboarding(now);
    for (body, headers, problem) in [
        (&b"{"[..], &[][..], "/problems/unreadable-request"),
        (b"[]", &[], "/problems/unreadable-request"),
        (&wrong_kind, &[], "/problems/invalid-member"),
        (
            &envelope,
            &[("x-payload-signature", "x")],
            "/problems/two-signatures",
        ),
        (
            &envelope,
            &[("signature-input", "sig1=()")],
            "/problems/two-signatures",
        ),
        (
            &envelope,
            &[("content-type", "text/plain")],
            "/problems/unreadable-request",
        ),
    ] {
        let answer = world
            .public(Method::POST, "/onboarding/", headers, body)
            .await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
        assert_eq!(answer.problem(), problem);
        assert!(answer.json()["detail"].is_string());
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
    // Bytes beyond one of the envelope's limits, wherever they are.
    for (member, value) in [
        ("signature", json!("AAAA".repeat(342))),
        ("certificates", json!(["AAAA".repeat(5462)])),
    ] {
        let mut large: Value = serde_json::from_slice(&envelope).unwrap();
        large[member] = value;
        let answer = world
            .public(
                Method::POST,
                "/onboarding/",
                &[],
                large.to_string().as_bytes(),
            )
            .await;
        let status = answer.status;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{member}");
        assert_eq!(answer.problem(), "/problems/too-large");
    }
    let huge = vec![b' '; 2 << 20];
    let answer = world.public(Method::POST, "/onboarding/", &[], &huge).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(world.onboard(&mut device).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_certificate_of_an_enabled_anchor_is_enough() {
    let ca = TestCa::new("Acme Device CA");
    let other = TestCa::new("Other CA");
    let anchors = vec![
        anchor(&ca, AutoProvisioning::Enabled),
        anchor(&other, AutoProvisioning::Disabled),
    ];
    let world = World::with(|builder| {
        let mut tenant = Tenant::new(TenantId::parse("default").unwrap());
        tenant.anchors = anchors;
        builder.tenants(vec![tenant])
    })
    .await;
    let issue = |ca: &TestCa, id: &str| ca.issue(&Leaf::new("pump").serial_number(id));
    let mut device = TestDevice::from("SN-7", issue(&ca, "SN-7"), 1);
    assert_eq!(world.onboard(&mut device).await.status, StatusCode::CREATED);
    assert_eq!(world.onboard(&mut device).await.status, StatusCode::OK);
    // Another subject's certificate for the same id: the id is taken.
    let other_subject = ca.issue(&Leaf::new("valve").serial_number("SN-7"));
    let mut twin = TestDevice::from("SN-7", other_subject, 2);
    let answer = world.onboard(&mut twin).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    // One that claims another id than its certificate yields, and one under a disabled anchor.
    let mut liar = TestDevice::from("SN-9", issue(&ca, "SN-8"), 3);
    assert_eq!(world.onboard(&mut liar).await.status, StatusCode::FORBIDDEN);
    let mut disabled = TestDevice::from("SN-10", issue(&other, "SN-10"), 4);
    assert_eq!(
        world.onboard(&mut disabled).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(world.device_count().await, 1);
}

fn anchor(ca: &TestCa, auto_provisioning: AutoProvisioning) -> Anchor {
    let anchor = Anchor::from_certificate("acme", ca.certificate.clone()).unwrap();
    anchor.with_policy(AnchorPolicy {
        auto_provisioning,
        ..AnchorPolicy::default()
    })
}

/// A server that queues strangers, and provisions what this authority vouches for.
fn queueing_under(ca: &TestCa) -> impl FnOnce(ServerBuilder) -> ServerBuilder {
    let anchor = anchor(ca, AutoProvisioning::Enabled);
    |builder| {
        let mut tenant = Tenant::new(TenantId::parse("default").unwrap());
        tenant.unknown = UnknownDevices::Queue;
        tenant.anchors = vec![anchor];
        builder.tenants(vec![tenant])
    }
}

#[tokio::test]
async fn a_stranger_that_claims_an_id_keeps_nobody_away() {
    let ca = TestCa::new("Acme Device CA");
    let world = World::with(queueing_under(&ca)).await;
    let mut squatters = [7, 8].map(|seed| {
        let issued = self_signed(&Leaf::new("x"));
        TestDevice::from(&format!("SN-000{seed}"), issued, seed)
    });
    for squatter in &mut squatters {
        assert_eq!(world.onboard(squatter).await.status, StatusCode::ACCEPTED);
    }
    // One comes with a chain, the other is registered by the operator.
    let issued = ca.issue(&Leaf::new("pump").serial_number("SN-0007"));
    let mut vouched = TestDevice::from("SN-0007", issued, 70);
    assert_eq!(
        world.onboard(&mut vouched).await.status,
        StatusCode::CREATED
    );
    let mut registered = TestDevice::new(8);
    assert_eq!(
        world.register(&registered).await.status,
        StatusCode::CREATED
    );
    assert_eq!(
        world.onboard(&mut registered).await.status,
        StatusCode::CREATED
    );
    assert_eq!(world.device_count().await, 2);
    for squatter in &mut squatters {
        assert_eq!(world.onboard(squatter).await.status, StatusCode::ACCEPTED);
    }
    assert_eq!(world.device_count().await, 2);
}

#[tokio::test]
async fn a_device_that_waits_comes_aboard_once_an_anchor_stands_behind_it() {
    let ca = TestCa::new("Acme Device CA");
    let issued = ca.issue(&Leaf::new("pump").serial_number("SN-1"));
    let mut device = TestDevice::from("SN-1", issued, 1);
    let world = World::queueing().await;
    for _ in 0..2 {
        assert_eq!(
            world.onboard(&mut device).await.status,
            StatusCode::ACCEPTED
        );
    }
    let world = World::again(world.end(), queueing_under(&ca)).await;
    assert_eq!(world.onboard(&mut device).await.status, StatusCode::CREATED);
    assert_eq!(world.device_count().await, 1);
}

#[tokio::test]
async fn no_sequence_of_claims_tells_which_ids_exist() {
    let world = World::queueing().await;
    let (known, response) = world.aboard(1).await;
    let (_, removed) = world.aboard(2).await;
    let path = format!("/admin/devices/{}", removed.device_id);
    world.operator(Method::DELETE, &path, "").await;
    for claimed in [known.id.as_str(), "SN-0002", "SN-0003"] {
        let mut stranger = TestDevice::from(claimed, self_signed(&Leaf::new("x")), 9);
        assert_eq!(
            world.onboard(&mut stranger).await.status,
            StatusCode::ACCEPTED
        );
        stranger.id = CertificateId::parse("SN-0099").unwrap();
        assert_eq!(
            world.onboard(&mut stranger).await.status,
            StatusCode::ACCEPTED
        );
    }
    let path = format!("/admin/devices/{}", response.device_id);
    assert_eq!(
        world.operator(Method::GET, &path, "").await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn racing_first_requests_make_one_device() {
    let world = std::sync::Arc::new(World::new().await);
    let mut device = TestDevice::new(1);
    world.register(&device).await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let (world, envelope) = (world.clone(), device.onboarding(world.now()));
        tasks.spawn(async move {
            world
                .public(Method::POST, "/onboarding/", &[], &envelope)
                .await
                .status
        });
    }
    let statuses = tasks.join_all().await;
    let created = statuses
        .iter()
        .filter(|status| **status == StatusCode::CREATED)
        .count();
    let again = statuses
        .iter()
        .filter(|status| **status == StatusCode::OK)
        .count();
    assert_eq!((created, again), (1, 31));
    assert_eq!(world.device_count().await, 1);
}

#[tokio::test]
async fn a_registered_key_cannot_claim_another_id() {
    let world = World::new().await;
    let (mut device, _) = world.aboard(1).await;
    let (other, _) = world.aboard(2).await;
    device.id = CertificateId::parse(other.id.as_str()).unwrap();
    assert_eq!(
        world.onboard(&mut device).await.status,
        StatusCode::UNAUTHORIZED
    );
}
