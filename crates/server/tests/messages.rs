//! What an onboarded device does: tokens, capabilities, status, Git credentials; in memory with a
//! clock of our own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod common;

use common::{Answer, DEPLOYMENT, KINDS, ROOT, TestDevice, World, capabilities, status, status_of};
use gangplank_server::envelope::PayloadType;
use gangplank_server::onboarding::v2024::onboarding::OnboardingResponse;
use http::{Method, StatusCode};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

async fn send(world: &World, method: Method, path: &str, bearer: &str, envelope: &[u8]) -> Answer {
    world
        .public(method, path, &[("authorization", bearer)], envelope)
        .await
}

async fn put_capabilities(
    world: &World,
    device: &mut TestDevice,
    of: &OnboardingResponse,
    bearer: &str,
) -> Answer {
    let payload = capabilities(of.device_id.as_str());
    let envelope = device.message(PayloadType::DEVICE_CAPABILITIES, &payload, world.now());
    let path = format!("/device/{}/capabilities", of.device_id);
    send(world, Method::PUT, &path, bearer, &envelope).await
}

#[tokio::test]
async fn capabilities_need_the_token_and_the_signature_of_one_device() {
    let world = World::new().await;
    let (mut one, first) = world.aboard(1).await;
    let (mut two, second) = world.aboard(2).await;
    let (bearer, other) = (world.bearer(&first).await, world.bearer(&second).await);
    let statuses = [
        put_capabilities(&world, &mut one, &first, &bearer)
            .await
            .status,
        put_capabilities(&world, &mut one, &first, &bearer)
            .await
            .status,
        // Somebody else's token, somebody else's signature, no token, a made-up one.
        put_capabilities(&world, &mut one, &first, &other)
            .await
            .status,
        put_capabilities(&world, &mut two, &first, &bearer)
            .await
            .status,
        put_capabilities(&world, &mut one, &first, "Bearer gpat_AAAA")
            .await
            .status,
        put_capabilities(&world, &mut one, &first, "Basic YTpi")
            .await
            .status,
    ];
    assert_eq!(
        statuses.map(|status| status.as_u16()),
        [201, 201, 403, 401, 401, 401]
    );
    let shown = world
        .operator(
            Method::GET,
            &format!("/admin/devices/{}", first.device_id),
            "",
        )
        .await;
    assert_eq!(
        shown.json()["capabilities"]["properties"]["vendor"],
        "Northwind"
    );
    let shown = world
        .operator(
            Method::GET,
            &format!("/admin/devices/{}", second.device_id),
            "",
        )
        .await;
    assert!(shown.json()["capabilities"].is_null());
}

#[tokio::test]
async fn the_challenge_says_what_to_bring() {
    let world = World::new().await;
    let (mut device, response) = world.aboard(1).await;
    let path = format!("/device/{}/capabilities", response.device_id);
    let answer = world.public(Method::POST, &path, &[], b"{}").await;
    assert_eq!(answer.headers["www-authenticate"], "Bearer");
    answer.nonce();
    let answer = put_capabilities(&world, &mut device, &response, "Bearer nonsense").await;
    assert_eq!(
        answer.headers["www-authenticate"],
        "Bearer error=\"invalid_token\""
    );
}

#[tokio::test]
async fn the_payload_must_be_of_the_route() {
    let world = World::new().await;
    let (mut device, response) = world.aboard(1).await;
    let bearer = world.bearer(&response).await;
    let path = format!("/device/{}/capabilities", response.device_id);
    let wrong_id = device.message(
        PayloadType::DEVICE_CAPABILITIES,
        &capabilities("d-other"),
        world.now(),
    );
    let answer = send(&world, Method::POST, &path, &bearer, &wrong_id).await;
    assert_eq!(answer.problem(), "/problems/id-mismatch");
    let wrong_kind = device.message(
        PayloadType::DEVICE_CAPABILITIES,
        &status("installed"),
        world.now(),
    );
    let answer = send(&world, Method::POST, &path, &bearer, &wrong_kind).await;
    assert_eq!(answer.problem(), "/problems/invalid-member");
    let wrong_type = device.message(
        PayloadType::DEPLOYMENT_STATUS,
        &capabilities(response.device_id.as_str()),
        world.now(),
    );
    let answer = send(&world, Method::POST, &path, &bearer, &wrong_type).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);

    let path = format!(
        "/device/{}/deployment/{DEPLOYMENT}/status",
        response.device_id
    );
    let other = "00000000-0000-4000-8000-000000000000";
    for (deployment, expected) in [(DEPLOYMENT, 201), (other, 400), (DEPLOYMENT, 201)] {
        let envelope = device.message(
            PayloadType::DEPLOYMENT_STATUS,
            &status_of(deployment, "Installed"),
            world.now(),
        );
        let answer = send(&world, Method::POST, &path, &bearer, &envelope).await;
        assert_eq!(answer.status.as_u16(), expected, "{}", answer.text());
    }
    let shown = world
        .operator(
            Method::GET,
            &format!("/admin/devices/{}", response.device_id),
            "",
        )
        .await;
    assert_eq!(shown.json()["deployments"][0]["deploymentId"], DEPLOYMENT);
}

#[tokio::test]
async fn every_kind_of_key_comes_aboard_and_reports() {
    for kind in KINDS {
        let world = World::new().await;
        let device = TestDevice::of_kind(kind, 1);
        let (mut device, response) = world.bring_aboard(device).await;
        let bearer = world.bearer(&response).await;
        let answer = put_capabilities(&world, &mut device, &response, &bearer).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{kind:?}");
    }
}

#[tokio::test]
async fn a_message_already_seen_is_refused() {
    let world = World::new().await;
    let (mut device, response) = world.aboard(1).await;
    let bearer = world.bearer(&response).await;
    let path = format!(
        "/device/{}/deployment/{DEPLOYMENT}/status",
        response.device_id
    );
    let envelope = device.message(
        PayloadType::DEPLOYMENT_STATUS,
        &status("pending"),
        world.now(),
    );
    let codes = [
        send(&world, Method::POST, &path, &bearer, &envelope)
            .await
            .status
            .as_u16(),
        send(&world, Method::POST, &path, &bearer, &envelope)
            .await
            .status
            .as_u16(),
    ];
    assert_eq!(codes, [201, 401]);
}

#[tokio::test]
async fn a_bearer_token_expires() {
    let world = World::new().await;
    let (mut device, response) = world.aboard(1).await;
    let bearer = world.bearer(&response).await;
    world.pass(3599);
    assert_eq!(
        put_capabilities(&world, &mut device, &response, &bearer)
            .await
            .status,
        StatusCode::CREATED
    );
    world.pass(1);
    assert_eq!(
        put_capabilities(&world, &mut device, &response, &bearer)
            .await
            .status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn the_token_endpoint_speaks_rfc_6749() {
    let world = World::new().await;
    let (_, response) = world.aboard(1).await;
    let secret = response.client_secret.clone().unwrap();
    let id = response.client_id.as_str();
    let token = |headers: Vec<(&'static str, String)>, body: String| {
        let world = &world;
        async move {
            let mut all = vec![FORM];
            all.extend(headers.iter().map(|(name, value)| (*name, value.as_str())));
            world
                .public(Method::POST, "/oauth2/token", &all, body.as_bytes())
                .await
        }
    };
    let post = format!(
        "grant_type=client_credentials&client_id={id}&client_secret={}",
        secret.expose()
    );
    let answer = token(vec![], post.clone()).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.json()["token_type"], "Bearer");
    assert_eq!(answer.json()["expires_in"], 3600);
    let basic = |id: &str, secret: &str| {
        vec![(
            "authorization",
            format!(
                "Basic {}",
                common::base64(format!("{id}:{secret}").as_bytes())
            ),
        )]
    };
    let grant = "grant_type=client_credentials".to_owned();
    for (headers, body, status, error) in [
        (basic(id, "wrong"), grant.clone(), 401, "invalid_client"),
        (
            basic("nobody", secret.expose()),
            grant.clone(),
            401,
            "invalid_client",
        ),
        (
            basic(id, secret.expose()),
            post.clone(),
            400,
            "invalid_request",
        ),
        (
            basic(id, secret.expose()),
            "grant_type=password".into(),
            400,
            "unsupported_grant_type",
        ),
        (
            basic(id, secret.expose()),
            String::new(),
            400,
            "invalid_request",
        ),
        (vec![], grant.clone(), 401, "invalid_client"),
    ] {
        let answer = token(headers, body).await;
        assert_eq!(answer.status.as_u16(), status, "{}", answer.text());
        assert_eq!(answer.json()["error"], error);
    }
    assert_eq!(
        token(basic(id, secret.expose()), grant).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn at_most_two_secrets_live_and_the_first_use_of_the_newer_ends_the_older() {
    let world = World::new().await;
    let (mut device, first) = world.aboard(1).await;
    assert_eq!(world.token(&first).await.status, StatusCode::OK);
    let answer = world.onboard(&mut device).await;
    let second = world.response(&device, &answer);
    assert_eq!(
        world.token(&first).await.status,
        StatusCode::OK,
        "the older lives"
    );
    assert_eq!(world.token(&second).await.status, StatusCode::OK);
    assert_eq!(
        world.token(&first).await.status,
        StatusCode::UNAUTHORIZED,
        "and ends"
    );
    // Two answers are lost: the secret in use outlives them.
    let answer = world.onboard(&mut device).await;
    let lost = world.response(&device, &answer);
    let answer = world.onboard(&mut device).await;
    let third = world.response(&device, &answer);
    assert_eq!(world.token(&lost).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(world.token(&second).await.status, StatusCode::OK);
    assert_eq!(world.token(&third).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_git_credential_is_signed_and_opens_one_repository() {
    let world = World::new().await;
    let (mut device, response) = world.aboard(1).await;
    let (_, other) = world.aboard(2).await;
    let bearer = world.bearer(&response).await;
    let (_, credential) = world.git_credential(&mut device, &response, &bearer).await;
    assert_eq!(credential.url, response.git_repository_url);
    assert_eq!(credential.username.as_str(), response.device_id.as_str());
    assert_eq!(credential.commit, None, "the repository is empty");
    let basic = |user: &str, password: &str| {
        format!(
            "Basic {}",
            common::base64(format!("{user}:{password}").as_bytes())
        )
    };
    let refs =
        |device: &str, service: &str| format!("/git/{device}.git/info/refs?service={service}");
    let (own, theirs) = (response.device_id.as_str(), other.device_id.as_str());
    let password = credential.password.expose();
    let bearer_as_password = bearer.trim_start_matches("Bearer ");
    let client_secret = response.client_secret.as_ref().unwrap().expose();
    let cases = [
        (refs(own, "git-upload-pack"), basic(own, password), 200),
        (
            refs(own, "git-upload-pack"),
            basic(own, response.git_access_token.expose()),
            200,
        ),
        (refs(theirs, "git-upload-pack"), basic(own, password), 401),
        (
            refs(theirs, "git-upload-pack"),
            basic(theirs, password),
            401,
        ),
        (refs(own, "git-upload-pack"), basic("admin", password), 401),
        (
            refs(own, "git-upload-pack"),
            basic("admin", &world.admin_token),
            401,
        ),
        (
            refs(own, "git-upload-pack"),
            basic(own, bearer_as_password),
            401,
        ),
        (refs(own, "git-upload-pack"), basic(own, client_secret), 401),
        (refs(own, "git-upload-pack"), bearer.clone(), 401),
        (refs(own, "git-receive-pack"), basic(own, password), 404),
        (format!("/git/{own}.git/HEAD"), basic(own, password), 404),
        (
            format!("/git/{own}.git/objects/info/packs"),
            basic(own, password),
            404,
        ),
        (
            format!("/git/../data/{own}.git/info/refs?service=git-upload-pack"),
            basic(own, password),
            404,
        ),
        (
            format!("/git/{own}%2egit/info/refs?service=git-upload-pack"),
            basic(own, password),
            404,
        ),
    ];
    for (path, authorization, expected) in &cases {
        let answer = world
            .public(Method::GET, path, &[("authorization", authorization)], b"")
            .await;
        assert_eq!(
            answer.status.as_u16(),
            *expected,
            "{path} {}",
            answer.text()
        );
    }
    let push = format!("/git/{own}.git/git-receive-pack");
    let answer = world
        .public(
            Method::POST,
            &push,
            &[("authorization", &basic(own, password))],
            b"0000",
        )
        .await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    world.pass(3600);
    let (path, authorization, _) = &cases[0];
    let answer = world
        .public(Method::GET, path, &[("authorization", authorization)], b"")
        .await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "it has expired");
    assert!(
        answer.headers["www-authenticate"]
            .to_str()
            .unwrap()
            .starts_with("Basic ")
    );
}

#[tokio::test]
async fn the_operator_s_routes_need_the_operator() {
    let world = World::new().await;
    let (_, response) = world.aboard(1).await;
    let bearer = world.bearer(&response).await;
    let device = format!("/admin/devices/{}", response.device_id);
    let routes = [
        (Method::GET, "/admin/devices".to_owned()),
        (Method::POST, "/admin/devices".to_owned()),
        (Method::GET, device.clone()),
        (Method::DELETE, device.clone()),
        (Method::POST, format!("{device}/approve")),
        (Method::POST, format!("{device}/reject")),
        (Method::POST, format!("{device}/disable")),
        (Method::POST, format!("{device}/enable")),
        (Method::GET, "/admin/audit".to_owned()),
        (
            Method::GET,
            format!(
                "/git/{}.git/info/refs?service=git-receive-pack",
                response.device_id
            ),
        ),
    ];
    for (method, path) in routes {
        for headers in [
            vec![],
            vec![("authorization", bearer.as_str())],
            vec![("authorization", "Bearer ")],
        ] {
            let request = common::request(method.clone(), &path, &headers, b"{}");
            let answer = world.send(&world.admin, request).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
            assert!(answer.headers.contains_key("www-authenticate"));
        }
        // And none of them is on the devices' listener.
        let token = format!("Bearer {}", world.admin_token);
        let answer = world
            .public(method, &path, &[("authorization", &token)], b"{}")
            .await;
        assert!(
            matches!(answer.status.as_u16(), 404),
            "{path}: {}",
            answer.text()
        );
    }
    assert_eq!(world.device_count().await, 1);
}

#[tokio::test]
async fn the_operator_is_told_what_is_wrong() {
    let world = World::new().await;
    let (device, other) = (TestDevice::new(1), TestDevice::new(2));
    assert_eq!(world.register(&device).await.status, StatusCode::CREATED);
    assert_eq!(world.register(&device).await.status, StatusCode::OK);
    let certificate = common::base64(&other.issued.certificate);
    let body = |id: &str, certificate: &str| {
        serde_json::json!({"certificateId": id, "certificate": certificate}).to_string()
    };
    for (body, problem) in [
        (body("SN-0001", &certificate), "/problems/identity-conflict"),
        (
            body("SN-0003", &common::base64(&device.issued.certificate)),
            "/problems/identity-conflict",
        ),
        (body("{SN}", &certificate), "/problems/invalid-member"),
        (body("SN-0002", "AAAA"), "/problems/invalid-member"),
        ("{}".to_owned(), "/problems/unreadable-request"),
        (
            "[\"SN-0002\",\"AAAA\",null]".to_owned(),
            "/problems/unreadable-request",
        ),
    ] {
        let answer = world.operator(Method::POST, "/admin/devices", &body).await;
        assert_eq!(answer.problem(), problem, "{body}");
        assert!(answer.json()["detail"].is_string());
    }
    assert_eq!(world.device_count().await, 1);
    let missing = world
        .operator(Method::GET, "/admin/devices/d-nobody", "")
        .await;
    assert_eq!(missing.problem(), "/problems/not-found");
    let list = world
        .operator(Method::GET, "/admin/devices?certificateId=SN-0001", "")
        .await
        .json();
    let path = format!(
        "/admin/devices/{}/approve",
        list["devices"][0]["deviceId"].as_str().unwrap()
    );
    assert_eq!(
        world.operator(Method::POST, &path, "").await.problem(),
        "/problems/wrong-state"
    );
    let audit = world.operator(Method::GET, "/admin/audit", "").await.json();
    assert_eq!(audit["entries"][0]["action"], "device.registered");
    assert_eq!(audit["entries"][0]["actor"], "operator:admin");
}

#[tokio::test]
async fn every_problem_explains_itself() {
    let world = World::new().await;
    let answer = world.public(Method::GET, "/nowhere", &[], b"").await;
    assert_eq!(answer.problem(), "/problems/not-found");
    let answer = world.public(Method::GET, "/oauth2/token", &[], b"").await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    for name in gangplank_server::onboarding::ProblemName::ALL {
        let answer = world.public(Method::GET, &name.path(), &[], b"").await;
        assert_eq!(answer.status, StatusCode::OK, "{ROOT}{}", name.path());
        assert!(answer.text().contains(name.explanation()));
    }
}

#[tokio::test]
async fn what_axum_refuses_reads_like_the_rest() {
    let world = World::new().await;
    let answer = world.public(Method::GET, "/problems/%ff", &[], b"").await;
    assert_eq!(answer.problem(), "/problems/not-found");
    let path = "/device/d-1/git-credential";
    let answer = world.public(Method::HEAD, path, &[], b"").await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn health_is_on_both_listeners() {
    let world = World::new().await;
    for path in ["/livez", "/readyz"] {
        assert_eq!(
            world.public(Method::GET, path, &[], b"").await.status,
            StatusCode::OK
        );
        let request = common::request(Method::GET, path, &[], b"");
        assert_eq!(
            world.send(&world.admin, request).await.status,
            StatusCode::OK
        );
    }
}
