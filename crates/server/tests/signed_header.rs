//! Reports that the header `X-Payload-Signature` signs, in memory with a clock of our own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod common;

use common::{Answer, DEPLOYMENT, KINDS, TestDevice, World, base64, capabilities, status};
use gangplank_server::HeaderForm;
use gangplank_server::PlainForm;
use gangplank_server::envelope::payload_signature::{PayloadSignature, Spelling};
use gangplank_server::envelope::{Form, PayloadType};
use gangplank_server::key::SigningKey;
use gangplank_server::onboarding::v2024::onboarding::OnboardingResponse;
use http::Method;

const NOT_ALLOWED: &str = "/problems/signature-form-not-allowed";
const TWO: &str = "/problems/two-signatures";
const UNREADABLE: &str = "/problems/unreadable-request";

/// A device that is aboard, at a server that accepts the header.
struct Scene {
    world: World,
    device: TestDevice,
    response: OnboardingResponse,
    bearer: String,
}

impl Scene {
    async fn new() -> Self {
        Self::with(HeaderForm::Accept(Spelling::Wrapped)).await
    }

    async fn with(form: HeaderForm) -> Self {
        let world = World::with(|builder| builder.header_form(form)).await;
        Self::of(world, TestDevice::new(1)).await
    }

    async fn of(world: World, device: TestDevice) -> Self {
        let (device, response) = world.bring_aboard(device).await;
        let bearer = world.bearer(&response).await;
        Self {
            world,
            device,
            response,
            bearer,
        }
    }

    fn path(&self) -> String {
        let device = &self.response.device_id;
        format!("/device/{device}/deployment/{DEPLOYMENT}/status")
    }

    async fn send(&self, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut all = vec![("authorization", self.bearer.as_str())];
        all.extend(headers);
        self.world
            .public(Method::POST, &self.path(), &all, body)
            .await
    }

    /// The status of an honest report.
    async fn report(&self, state: &str) -> u16 {
        let (header, body) = signed(&self.device, &status(state));
        let headers = [("x-payload-signature", header.as_str())];
        self.send(&headers, &body).await.status.as_u16()
    }

    /// What the operator sees of the deployment.
    async fn shown(&self) -> serde_json::Value {
        let path = format!("/admin/devices/{}", self.response.device_id);
        let shown = self.world.operator(Method::GET, &path, "").await.json();
        shown["deployments"][0].clone()
    }
}

fn signed(device: &TestDevice, body: &[u8]) -> (String, Vec<u8>) {
    let signed = PayloadSignature::prepare(body.to_vec(), device.key.public_key())
        .unwrap()
        .sign_with(&device.key)
        .unwrap();
    (signed.header, signed.body)
}

/// The value by hand, whatever the body is.
fn value(spki: &[u8], signer: &TestDevice, body: &[u8]) -> String {
    let signature = signer.key.sign(body).unwrap().to_wire();
    base64(format!("{};{}", base64(spki), base64(&signature)).as_bytes())
}

#[tokio::test]
async fn reports_signed_by_the_header_are_stored() {
    let scene = Scene::new().await;
    assert_eq!(scene.report("installing").await, 201);
    assert_eq!(
        scene.shown().await["status"]["status"]["state"],
        "installing"
    );
    let id = scene.response.device_id.as_str();
    let path = format!("/device/{id}/capabilities");
    for (method, media_type) in [
        (Method::POST, "application/json"),
        (Method::PUT, "Application/JSON; charset=utf-8"),
    ] {
        let (header, body) = signed(&scene.device, &capabilities(id));
        let headers = [
            ("authorization", scene.bearer.as_str()),
            ("x-payload-signature", header.as_str()),
            ("content-type", media_type),
        ];
        let answer = scene.world.public(method, &path, &headers, &body).await;
        assert_eq!(answer.status.as_u16(), 201, "{}", answer.text());
    }
    let path = format!("/admin/devices/{id}");
    let shown = scene.world.operator(Method::GET, &path, "").await.json();
    assert_eq!(shown["capabilities"]["properties"]["vendor"], "Northwind");
}

#[tokio::test]
async fn every_kind_of_key_signs_headers() {
    for kind in KINDS {
        let form = HeaderForm::Accept(Spelling::Wrapped);
        let world = World::with(|builder| builder.header_form(form)).await;
        let scene = Scene::of(world, TestDevice::of_kind(kind, 2)).await;
        assert_eq!(scene.report("installing").await, 201, "{kind:?}");
    }
}

#[tokio::test]
async fn the_header_is_refused_unless_it_was_allowed() {
    let scene = Scene::of(World::new().await, TestDevice::new(1)).await;
    let (header, body) = signed(&scene.device, &status("installed"));
    let answer = scene.send(&[("x-payload-signature", &header)], &body).await;
    assert_eq!(
        (answer.status.as_u16(), answer.problem().as_str()),
        (400, NOT_ALLOWED)
    );
    assert!(scene.shown().await.is_null());
    // Nor is a body that nobody signed taken where the header is allowed.
    let scene = Scene::new().await;
    assert_eq!(scene.send(&[], &body).await.problem(), UNREADABLE);
    // Onboarding has no bearer token, so there it is never allowed.
    let headers = [("x-payload-signature", header.as_str())];
    let answer = scene
        .world
        .public(Method::POST, "/onboarding/", &headers, &body)
        .await;
    assert_eq!(answer.problem(), NOT_ALLOWED);
}

#[tokio::test]
async fn only_the_key_registered_for_the_bearer_s_device_signs() {
    let scene = Scene::new().await;
    let (other, theirs) = scene.world.aboard(2).await;
    let body = status("installed");
    let (own, _) = signed(&scene.device, &body);
    let spki = scene.device.key.public_key().spki();
    let mut answers = Vec::new();
    for (header, body) in [
        // Another registered device's key, which the pre-draft text would believe.
        (signed(&other, &body).0, body.clone()),
        // A key that nobody knows.
        (signed(&TestDevice::new(3), &body).0, body.clone()),
        // The registered key in front of another's signature.
        (value(spki, &other, &body), body.clone()),
        // The signature of another body.
        (own.clone(), status("failed")),
        (own.clone(), [body.as_slice(), b"\n"].concat()),
    ] {
        let answer = scene.send(&[("x-payload-signature", &header)], &body).await;
        assert_eq!(answer.status.as_u16(), 401, "{}", answer.text());
        answers.push(answer.body);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "one body for all of them");
    // The right signature under another device's token.
    let bearer = scene.world.bearer(&theirs).await;
    let headers = [
        ("authorization", bearer.as_str()),
        ("x-payload-signature", &own),
    ];
    let answer = scene
        .world
        .public(Method::POST, &scene.path(), &headers, &body)
        .await;
    assert_eq!(answer.status.as_u16(), 403);
    let headers = [("x-payload-signature", own.as_str())];
    let answer = scene
        .world
        .public(Method::POST, &scene.path(), &headers, &body)
        .await;
    assert_eq!(answer.status.as_u16(), 401, "without a token");
    assert!(scene.shown().await.is_null(), "nothing of it was stored");
    assert_eq!(scene.report("installed").await, 201, "and an honest one is");
}

#[tokio::test]
async fn a_request_is_signed_in_one_form() {
    let mut scene = Scene::new().await;
    let body = status("installed");
    let now = scene.world.now();
    let bound = scene
        .device
        .message(PayloadType::DEPLOYMENT_STATUS, &body, now);
    let of_envelope = value(scene.device.key.public_key().spki(), &scene.device, &bound);
    let (header, _) = signed(&scene.device, &body);
    let (signature, json) = ("x-payload-signature", ("content-type", "application/json"));
    let envelope = ("content-type", "application/vnd.gangplank.envelope+json");
    let message = [("signature-input", "sig1=()"), ("signature", "sig1=:AA==:")];
    for (headers, body, problem) in [
        (vec![(signature, header.as_str())], &bound, TWO),
        (vec![(signature, of_envelope.as_str()), json], &bound, TWO),
        (vec![(signature, header.as_str()), envelope], &body, TWO),
        (vec![(signature, header.as_str()); 2], &body, TWO),
        (
            vec![(signature, header.as_str()), message[0], message[1]],
            &body,
            TWO,
        ),
        (vec![message[0], message[1]], &bound, TWO),
        (vec![message[0], message[1]], &body, NOT_ALLOWED),
        (vec![(signature, "AAAA")], &body, UNREADABLE),
        (
            vec![(signature, header.as_str()), ("content-type", "text/plain")],
            &body,
            UNREADABLE,
        ),
    ] {
        let answer = scene.send(&headers, body).await;
        assert_eq!(answer.status.as_u16(), 400, "{}", answer.text());
        assert_eq!(answer.problem(), problem, "{headers:?}");
    }
    assert!(scene.shown().await.is_null());
    // An envelope is welcome as before.
    assert_eq!(scene.send(&[], &bound).await.status.as_u16(), 201);
}

#[tokio::test]
async fn the_bare_pair_is_an_option() {
    for (spelling, expected) in [(Spelling::Wrapped, 400), (Spelling::WrappedOrBare, 201)] {
        let scene = Scene::with(HeaderForm::Accept(spelling)).await;
        let (header, body) = signed(&scene.device, &status("installed"));
        let bare = String::from_utf8(decode(&header)).unwrap();
        let answer = scene.send(&[("x-payload-signature", &bare)], &body).await;
        assert_eq!(answer.status.as_u16(), expected, "{}", answer.text());
    }
}

fn decode(text: &str) -> Vec<u8> {
    use ::base64::Engine;
    ::base64::prelude::BASE64_STANDARD.decode(text).unwrap()
}

#[tokio::test]
async fn the_body_is_a_json_object_of_the_route() {
    let scene = Scene::new().await;
    let spki = scene.device.key.public_key().spki();
    let other = String::from_utf8(status("installed")).unwrap();
    let other = other.replace(DEPLOYMENT, "00000000-0000-4000-8000-000000000000");
    let own = capabilities(scene.response.device_id.as_str());
    for (body, status) in [
        (&b"[]"[..], 401),
        (b"", 401),
        (b"{}{}", 401),
        (b"{}", 400),
        (other.as_bytes(), 400),
        (&own, 400),
    ] {
        let header = value(spki, &scene.device, body);
        let answer = scene.send(&[("x-payload-signature", &header)], body).await;
        assert_eq!(answer.status.as_u16(), status, "{}", answer.text());
    }
    assert!(scene.shown().await.is_null());
}

#[tokio::test]
async fn the_latest_report_again_is_a_retry_and_an_older_one_a_replay() {
    let mut scene = Scene::new().await;
    assert_eq!(scene.report("installing").await, 201);
    let first = scene.shown().await;
    scene.world.pass(5);
    assert_eq!(
        scene.report("installing").await,
        201,
        "its answer may be lost"
    );
    assert_eq!(scene.shown().await, first, "without effect");
    assert_eq!(scene.report("installed").await, 201);
    let (header, body) = signed(&scene.device, &status("installing"));
    let answer = scene.send(&[("x-payload-signature", &header)], &body).await;
    assert_eq!(answer.status.as_u16(), 401);
    assert_eq!(
        answer.headers["www-authenticate"],
        "Bearer error=\"invalid_token\""
    );
    assert_eq!(
        scene.shown().await["status"]["status"]["state"],
        "installed"
    );
    assert_eq!(scene.report("installed").await, 201, "the latest, still");

    // A device that really installs again comes back with a new token, as the challenge says.
    scene.world.pass(1);
    scene.bearer = scene.world.bearer(&scene.response).await;
    assert_eq!(scene.report("installing").await, 201);
    assert_eq!(
        scene.shown().await["status"]["status"]["state"],
        "installing"
    );
    assert_eq!(scene.report("installed").await, 201);
    assert_eq!(scene.report("installing").await, 401);
}

#[tokio::test]
async fn a_recorded_report_dies_with_its_token() {
    let scene = Scene::new().await;
    assert_eq!(scene.report("installing").await, 201);
    assert_eq!(scene.report("installed").await, 201);
    scene.world.pass(3599);
    assert_eq!(scene.report("installing").await, 401);
    scene.world.pass(1);
    assert_eq!(scene.report("installing").await, 401, "the token is dead");
    assert_eq!(scene.report("installed").await, 401);
    assert_eq!(
        scene.shown().await["status"]["status"]["state"],
        "installed"
    );
}

#[tokio::test]
async fn a_restart_forgets_no_report() {
    let scene = Scene::new().await;
    assert_eq!(scene.report("installing").await, 201);
    assert_eq!(scene.report("installed").await, 201);
    let form = HeaderForm::Accept(Spelling::Wrapped);
    let scene = Scene {
        world: World::again(scene.world.end(), |builder| builder.header_form(form)).await,
        ..scene
    };
    assert_eq!(scene.report("installing").await, 401);
    assert_eq!(scene.report("installed").await, 201);
}

/// Who carries such a report can put it in a plain envelope, since the signature is the same.
#[tokio::test]
async fn a_plain_envelope_is_remembered_as_the_same_report() {
    let world = World::with(|builder| {
        builder
            .header_form(HeaderForm::Accept(Spelling::Wrapped))
            .plain_form(PlainForm::Accept)
    });
    let scene = Scene::of(world.await, TestDevice::new(1)).await;
    assert_eq!(scene.report("installing").await, 201);
    let plain = |state: &str| scene.device.seal(&status(state), Form::Plain);
    assert_eq!(
        scene.send(&[], &plain("installing")).await.status.as_u16(),
        201
    );
    assert_eq!(
        scene.send(&[], &plain("installed")).await.status.as_u16(),
        201
    );
    assert_eq!(
        scene.send(&[], &plain("installing")).await.status.as_u16(),
        401
    );
    assert_eq!(scene.report("installing").await, 401);
    assert_eq!(
        scene.shown().await["status"]["status"]["state"],
        "installed"
    );
}
