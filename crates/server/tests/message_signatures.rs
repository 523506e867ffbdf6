//! Reports that are signed as HTTP messages (RFC 9421), in memory with a clock of our own.
#![cfg(feature = "message")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod common;

use common::{Answer, DEPLOYMENT, ROOT, TestDevice, World, base64, capabilities, status, unix};
use gangplank_server::envelope::payload_signature::PayloadSignature;
use gangplank_server::envelope::{Nonce, PayloadType};
use gangplank_server::key::{PublicKey, SigningKey};
use gangplank_server::message::margo::{self, Headers, Profile};
use gangplank_server::message::{Target, Window};
use gangplank_server::message_signature::{Expect, VerifyError, verify};
use gangplank_server::onboarding::RootUrl;
use gangplank_server::onboarding::v2024::onboarding::OnboardingResponse;
use gangplank_server::{HeaderForm, MessageForm, ServerBuilder};
use gangplank_testkit::{KeyKind, python};
use http::Method;

const NOT_ALLOWED: &str = "/problems/signature-form-not-allowed";
const TWO: &str = "/problems/two-signatures";
const DIGEST: &str = "/problems/content-digest";

/// A device that is aboard, at a server that accepts message signatures.
struct Scene {
    world: World,
    device: TestDevice,
    response: OnboardingResponse,
    bearer: String,
}

fn accepting(builder: ServerBuilder) -> ServerBuilder {
    builder.message_form(MessageForm::Accept(Profile::MARGO_1_0))
}

impl Scene {
    async fn new() -> Self {
        Self::of(World::with(accepting).await, TestDevice::new(1)).await
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

    fn report(&self) -> Report {
        Report::new(Method::POST, &self.path(), status("installed"), self)
    }

    async fn send(&self, report: &Report) -> Answer {
        let mut headers = vec![("authorization", self.bearer.as_str())];
        headers.extend(
            report
                .headers
                .iter()
                .map(|(name, value)| (*name, value.as_str())),
        );
        self.world
            .public(report.method.clone(), &report.path, &headers, &report.body)
            .await
    }

    /// What the operator sees of the deployment.
    async fn shown(&self) -> serde_json::Value {
        let path = format!("/admin/devices/{}", self.response.device_id);
        let shown = self.world.operator(Method::GET, &path, "").await.json();
        shown["deployments"][0]["status"]["status"]["state"].clone()
    }
}

/// A request as it is sent; whatever is changed after signing is a forgery.
#[derive(Clone)]
struct Report {
    method: Method,
    path: String,
    body: Vec<u8>,
    headers: Vec<(&'static str, String)>,
}

impl Report {
    fn new(method: Method, path: &str, body: Vec<u8>, scene: &Scene) -> Self {
        let unsigned = Self {
            method,
            path: path.to_owned(),
            body,
            headers: Vec::new(),
        };
        unsigned.signed(ROOT, scene.world.now(), &scene.device)
    }

    /// The same request signed anew, for a server at this URL.
    fn signed(&self, root: &str, created: u64, device: &TestDevice) -> Self {
        let uri = format!("{root}{}", self.path);
        let target = Target::parse(&uri).unwrap();
        let method = self.method.as_str();
        let nonce = Nonce::random(&mut gangplank_testkit::TestRng::new(fresh()));
        let key = device.key.public_key();
        let signed = margo::prepare(method, target, Some(&self.body), unix(created), &nonce, key);
        let Headers {
            content_digest,
            signature_input,
            signature,
        } = signed.unwrap().sign_with(&device.key).unwrap();
        Self {
            headers: vec![
                ("content-digest", content_digest.unwrap()),
                ("signature-input", signature_input),
                ("signature", signature),
            ],
            ..self.clone()
        }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(found, _)| *found != name);
        self
    }
}

/// Another number each time, for another nonce each time.
fn fresh() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::SeqCst)
}

#[tokio::test]
async fn reports_signed_as_messages_are_stored() {
    for kind in [KeyKind::P256, KeyKind::P384, KeyKind::Rsa2048] {
        let device = TestDevice::of_kind(kind, 2);
        let scene = Scene::of(World::with(accepting).await, device).await;
        let id = scene.response.device_id.as_str();
        let answer = scene.send(&scene.report()).await;
        assert_eq!(answer.status.as_u16(), 201, "{}", answer.text());
        assert_eq!(scene.shown().await, "installed");
        let path = format!("/device/{id}/capabilities");
        for (method, media_type) in [
            (Method::POST, "application/json"),
            (Method::PUT, "Application/JSON; charset=utf-8"),
        ] {
            let report = Report::new(method, &path, capabilities(id), &scene);
            let answer = scene.send(&report.with("content-type", media_type)).await;
            assert_eq!(answer.status.as_u16(), 201, "{}", answer.text());
        }
        let path = format!("/admin/devices/{id}");
        let shown = scene.world.operator(Method::GET, &path, "").await.json();
        assert_eq!(shown["capabilities"]["properties"]["vendor"], "Northwind");
    }
}

/// A balancer may leave the path of the public URL or take it away, and writes what it likes into
/// Host and X-Forwarded-….
#[tokio::test]
async fn the_target_is_the_public_url_whatever_stands_in_between() {
    let scene = Scene::new().await;
    let mut whole = scene.report();
    whole.path = format!("/margo{}", whole.path);
    for report in [whole, scene.report()] {
        let report = report
            .with("host", "10.0.0.7:8080")
            .with("x-forwarded-host", "elsewhere.example")
            .with("x-forwarded-proto", "http");
        let answer = scene.send(&report).await;
        assert_eq!(answer.status.as_u16(), 201, "{}", answer.text());
    }
    // Nor do these headers make a signature for another server count here.
    for root in [
        "https://elsewhere.example/margo",
        "http://wfm.example/margo",
        "https://wfm.example",
    ] {
        let report = scene
            .report()
            .signed(root, scene.world.now(), &scene.device);
        let report = report
            .with("host", "elsewhere.example")
            .with("x-forwarded-host", "elsewhere.example")
            .with("x-forwarded-proto", "http");
        assert_eq!(scene.send(&report).await.status.as_u16(), 401, "{root}");
    }
}

#[tokio::test]
async fn message_signatures_are_refused_unless_they_were_allowed() {
    let scene = Scene::of(World::new().await, TestDevice::new(1)).await;
    let answer = scene.send(&scene.report()).await;
    assert_eq!(
        (answer.status.as_u16(), answer.problem().as_str()),
        (400, NOT_ALLOWED)
    );
    assert!(scene.shown().await.is_null());
    // Onboarding has no bearer token, so there they are never allowed.
    let scene = Scene::new().await;
    let onboarding = Report::new(Method::POST, "/onboarding/", b"{}".to_vec(), &scene);
    assert_eq!(scene.send(&onboarding).await.problem(), NOT_ALLOWED);
}

#[tokio::test]
async fn a_message_is_taken_once() {
    let scene = Scene::new().await;
    let report = scene.report();
    let (one, other) = tokio::join!(scene.send(&report), scene.send(&report));
    let mut both = [one.status.as_u16(), other.status.as_u16()];
    both.sort_unstable();
    assert_eq!(both, [201, 401]);
    // ECDSA: n - s signs the same base, with other bytes.
    let mut malleated = report.clone().without("signature");
    malleated = malleated.with("signature", &negated(&report.headers[2].1));
    assert_ne!(malleated.headers, report.headers);
    assert_eq!(scene.send(&malleated).await.status.as_u16(), 401);
    // The same through the other path that leads here, and after a restart.
    let mut whole = report.clone();
    whole.path = format!("/margo{}", whole.path);
    assert_eq!(scene.send(&whole).await.status.as_u16(), 401);
    let scene = Scene {
        world: World::again(scene.world.end(), accepting).await,
        ..scene
    };
    assert_eq!(scene.send(&report).await.status.as_u16(), 401);
    assert_eq!(scene.send(&scene.report()).await.status.as_u16(), 201);
}

/// The other signature of the same message by the same P-256 key.
fn negated(signature: &str) -> String {
    use ::base64::Engine;
    let encoded = signature.strip_prefix("sig1=:").unwrap().strip_suffix(':');
    let mut bytes = ::base64::prelude::BASE64_STANDARD
        .decode(encoded.unwrap())
        .unwrap();
    let mut borrow = 0;
    for (byte, order) in bytes[32..].iter_mut().zip(P256_ORDER).rev() {
        let difference = i16::from(order) - i16::from(*byte) - borrow;
        borrow = i16::from(difference < 0);
        *byte = difference.rem_euclid(256).try_into().unwrap();
    }
    format!("sig1=:{}:", base64(&bytes))
}

/// FIPS 186-5, SP 800-186 §3.2.1.3.
const P256_ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6,
    0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

#[tokio::test]
async fn what_was_not_signed_so_is_refused_without_a_word() {
    let scene = Scene::new().await;
    let (other, theirs) = scene.world.aboard(2).await;
    let now = scene.world.now();
    let honest = scene.report();
    let by = |device: &TestDevice| honest.signed(ROOT, now, device);
    let key_id = |key: &PublicKey| -> String {
        key.spki_sha256()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    };
    let mut renamed = honest.clone();
    renamed.headers[1].1 = renamed.headers[1].1.replace(
        &key_id(scene.device.key.public_key()),
        &key_id(other.key.public_key()),
    );
    assert_ne!(renamed.headers, honest.headers);
    let mut own_name = by(&other);
    own_name.headers[1].1 = own_name.headers[1].1.replace(
        &key_id(other.key.public_key()),
        &key_id(scene.device.key.public_key()),
    );
    let changed = |change: &dyn Fn(&mut Report)| {
        let mut report = honest.clone();
        change(&mut report);
        report
    };
    let forgeries = [
        ("another registered device's key", by(&other)),
        ("a key that nobody knows", by(&TestDevice::new(3))),
        ("the key id of another key", renamed),
        (
            "another's signature under the registered key's id",
            own_name,
        ),
        (
            "another path",
            changed(&|report| {
                report.path = report
                    .path
                    .replace(DEPLOYMENT, "00000000-0000-4000-8000-000000000000");
            }),
        ),
        (
            "the same path, spelled otherwise",
            changed(&|report| {
                report.path = report.path.replace("/a3e2", "/%613e2");
            }),
        ),
        (
            "a query",
            changed(&|report| report.path.push_str("?force=1")),
        ),
        ("a body and a digest of a box's own", {
            let box_s = Report {
                body: status("failed"),
                ..honest.clone()
            };
            let digest = box_s.signed(ROOT, now, &other).headers[0].1.clone();
            box_s
                .without("content-digest")
                .with("content-digest", &digest)
        }),
        (
            "six minutes ago",
            honest.signed(ROOT, now - 301, &scene.device),
        ),
        ("in a minute", honest.signed(ROOT, now + 61, &scene.device)),
        (
            "only a signature",
            honest.clone().without("signature-input"),
        ),
        ("only what it covers", honest.clone().without("signature")),
        (
            "another label",
            changed(&|report| {
                for (_, value) in &mut report.headers {
                    *value = value.replace("sig1=", "sig2=");
                }
            }),
        ),
    ];
    let mut answers = Vec::new();
    for (what, report) in forgeries {
        let answer = scene.send(&report).await;
        assert_eq!(answer.status.as_u16(), 401, "{what}: {}", answer.text());
        assert!(answer.headers.contains_key("replay-nonce"));
        answers.push(answer.body);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "one body for all of them");
    // Another method of the same path.
    let id = scene.response.device_id.as_str();
    let path = format!("/device/{id}/capabilities");
    let mut put = Report::new(Method::POST, &path, capabilities(id), &scene);
    put.method = Method::PUT;
    assert_eq!(scene.send(&put).await.status.as_u16(), 401);
    // The token still decides whose keys count, and whose route it is.
    let scene = Scene {
        bearer: scene.world.bearer(&theirs).await,
        ..scene
    };
    assert_eq!(scene.send(&honest).await.status.as_u16(), 403);
    let scene = Scene {
        bearer: "Bearer none".to_owned(),
        ..scene
    };
    assert_eq!(scene.send(&honest).await.status.as_u16(), 401);
    assert!(scene.shown().await.is_null(), "nothing of it was stored");
    let scene = Scene {
        bearer: scene.world.bearer(&scene.response).await,
        ..scene
    };
    assert_eq!(
        scene.send(&honest).await.status.as_u16(),
        201,
        "and it itself is"
    );
}

#[tokio::test]
async fn a_body_goes_with_its_digest() {
    let scene = Scene::new().await;
    let honest = scene.report();
    let longer = Report {
        body: [honest.body.as_slice(), b"\n"].concat(),
        ..honest.clone()
    };
    let none = honest.clone().without("content-digest");
    for (what, report) in [
        ("no digest", none.clone()),
        (
            "not a digest",
            none.clone().with("content-digest", "sha-256"),
        ),
        (
            "a digest that does not count",
            none.clone()
                .with("content-digest", "md5=:AAAAAAAAAAAAAAAAAAAAAA==:"),
        ),
        (
            "another body",
            Report {
                body: status("failed"),
                ..honest.clone()
            },
        ),
        ("a line more", longer),
    ] {
        let answer = scene.send(&report).await;
        assert_eq!(answer.status.as_u16(), 400, "{what}: {}", answer.text());
        assert_eq!(answer.problem(), DIGEST, "{what}");
        assert!(!answer.text().contains(ROOT), "{}", answer.text());
    }
    // Who has no key learns nothing about digests of bodies.
    let stranger = Report {
        body: status("failed"),
        ..honest.signed(ROOT, scene.world.now(), &TestDevice::new(3))
    };
    assert_eq!(scene.send(&stranger).await.status.as_u16(), 401);
    assert!(scene.shown().await.is_null());
    assert_eq!(scene.send(&honest).await.status.as_u16(), 201);
}

#[tokio::test]
async fn a_request_is_signed_in_one_form() {
    let world = World::with(|builder| {
        accepting(builder).header_form(HeaderForm::Accept(
            gangplank_server::envelope::payload_signature::Spelling::Wrapped,
        ))
    });
    let mut scene = Scene::of(world.await, TestDevice::new(1)).await;
    let honest = scene.report();
    let header = PayloadSignature::prepare(honest.body.clone(), scene.device.key.public_key())
        .unwrap()
        .sign_with(&scene.device.key)
        .unwrap()
        .header;
    let now = scene.world.now();
    let envelope = scene
        .device
        .message(PayloadType::DEPLOYMENT_STATUS, &status("installed"), now);
    let around = Report::new(Method::POST, &scene.path(), envelope, &scene);
    for report in [
        honest.clone().with("x-payload-signature", &header),
        honest
            .clone()
            .with("content-type", "application/vnd.gangplank.envelope+json"),
        around.clone(),
        around.with("content-type", "application/json"),
    ] {
        let answer = scene.send(&report).await;
        assert_eq!(answer.status.as_u16(), 400, "{}", answer.text());
        assert_eq!(answer.problem(), TWO);
    }
    let text = honest.clone().with("content-type", "text/plain");
    assert_eq!(
        scene.send(&text).await.problem(),
        "/problems/unreadable-request"
    );
    assert!(scene.shown().await.is_null());
    assert_eq!(scene.send(&honest).await.status.as_u16(), 201);
}

#[tokio::test]
async fn the_payload_is_held_to_its_route() {
    let scene = Scene::new().await;
    let id = scene.response.device_id.as_str();
    let other = String::from_utf8(status("installed")).unwrap();
    let other = other.replace(DEPLOYMENT, "00000000-0000-4000-8000-000000000000");
    for body in [&b""[..], b"[]", b"{}", other.as_bytes(), &capabilities(id)] {
        let report = Report::new(Method::POST, &scene.path(), body.to_vec(), &scene);
        let answer = scene.send(&report).await;
        assert_eq!(answer.status.as_u16(), 400, "{}", answer.text());
    }
    assert!(scene.shown().await.is_null());
}

/// Nothing of ours makes this request: `cryptography` signs it, and the base is put together by hand.
#[tokio::test]
async fn a_request_that_python_signed_is_stored() {
    let scene = Scene::new().await;
    let honest = scene.report();
    let input = serde_json::json!({
        "key": base64(&scene.device.issued.private_key),
        "uri": format!("{ROOT}{}", honest.path),
        "body": String::from_utf8(honest.body.clone()).unwrap(),
        "created": scene.world.now(),
    });
    let Some(output) = python(PYTHON_SIGNER, input.to_string().as_bytes()) else {
        return;
    };
    let made: serde_json::Value = serde_json::from_slice(&output).unwrap();
    let mut report = Report {
        headers: Vec::new(),
        ..honest
    };
    for name in ["content-digest", "signature-input", "signature"] {
        report = report.with(name, made[name].as_str().unwrap());
    }
    let mut changed = report.clone();
    changed.headers[1].1 = changed.headers[1].1.replace("outsider", "insider");
    assert_ne!(changed.headers, report.headers);
    assert_eq!(scene.send(&changed).await.status.as_u16(), 401);
    let answer = scene.send(&report).await;
    assert_eq!(answer.status.as_u16(), 201, "{}", answer.text());
    assert_eq!(scene.send(&report).await.status.as_u16(), 401);
}

const PYTHON_SIGNER: &str = r#"
import base64, hashlib, json, sys
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
given = json.load(sys.stdin)
key = serialization.load_der_private_key(base64.b64decode(given["key"]), None)
b64 = lambda data: base64.b64encode(data).decode()
digest = "sha-256=:" + b64(hashlib.sha256(given["body"].encode()).digest()) + ":"
params = '("content-digest" "@target-uri" "@method");keyid="outsider";created=%d' % given["created"]
base = '"content-digest": %s\n"@target-uri": %s\n"@method": POST\n"@signature-params": %s' % (
    digest, given["uri"], params)
r, s = utils.decode_dss_signature(key.sign(base.encode(), ec.ECDSA(hashes.SHA256())))
signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
print(json.dumps({"content-digest": digest, "signature-input": "sig1=" + params,
                  "signature": "sig1=:" + b64(signature) + ":"}))
"#;

/// The function for services of others, where the operator's reason can be seen.
#[tokio::test]
async fn the_reason_names_the_key_that_was_meant_and_the_target() {
    let scene = Scene::new().await;
    let other = TestDevice::new(2);
    let (own, others) = (scene.device.key.public_key(), other.key.public_key());
    let public_url = RootUrl::parse(ROOT).unwrap();
    let now = unix(scene.world.now());
    let expect = Expect {
        public_url: &public_url,
        client_id: "c-1",
        profile: Profile::MARGO_1_0,
        window: Window {
            now,
            max_age: std::time::Duration::from_secs(300),
            max_lead: std::time::Duration::from_secs(60),
        },
    };
    let request = |report: &Report| {
        let mut builder = http::Request::builder()
            .method(&report.method)
            .uri(&report.path);
        for (name, value) in &report.headers {
            builder = builder.header(*name, value);
        }
        builder.body(report.body.clone()).unwrap()
    };
    let honest = scene.report();
    let sent = request(&honest);
    for keys in [vec![own], vec![own, others], vec![others, own]] {
        let verified = verify(&sent, keys, &expect).unwrap();
        assert_eq!(verified.body(), honest.body);
        assert_eq!(verified.once_keys().len(), 1);
        assert_eq!(verified.algorithm(), own.algorithm());
    }
    let reason =
        |report: &Report, keys: Vec<&PublicKey>| match verify(&request(report), keys, &expect) {
            Err(VerifyError::Message { reason, target_uri }) => {
                assert_eq!(target_uri, format!("{ROOT}{}", report.path));
                reason
            }
            other => panic!("{other:?}"),
        };
    let stale = honest.signed(ROOT, scene.world.now() - 301, &scene.device);
    let moved = Report {
        path: "/elsewhere".to_owned(),
        ..honest.clone()
    };
    let changed = Report {
        body: status("failed"),
        ..honest.clone()
    };
    for keys in [vec![own, others], vec![others, own]] {
        use margo::VerifyError as E;
        assert!(matches!(reason(&stale, keys.clone()), E::Stale(_)));
        assert_eq!(reason(&moved, keys.clone()), E::Signature);
        assert_eq!(reason(&changed, keys.clone()), E::DigestMismatch);
    }
    assert_eq!(reason(&honest, vec![others]), margo::VerifyError::KeyId);
    assert_eq!(reason(&honest, vec![]), margo::VerifyError::Signature);
}
