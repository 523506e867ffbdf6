//! What happens to devices is told over HTTPS: by a real server, to a real receiver.
#![cfg(feature = "notify")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod common;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use common::{START, TestDevice, World, unix};
use gangplank_server::authority::Authority;
use gangplank_server::key::{Algorithm, Backend, CertificateDer, Signature};
use gangplank_server::listen::Shutdown;
use gangplank_server::notify::{EventSink, HttpsSink, Notification, SinkError, deliver};
use gangplank_server::trust::orchestrator::verify_orchestrator;
use gangplank_testkit::{Leaf, TestCa, openssl, openssl_accepts, temp_dir};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_rustls::TlsAcceptor;

/// One POST as it came in.
struct Received {
    headers: HeaderMap,
    body: Bytes,
}

/// An HTTPS server that answers with these statuses, one after the other, and 204 when they are used
/// up.
async fn receiver(ca: &TestCa, answers: &[u16]) -> (SocketAddr, UnboundedReceiver<Received>) {
    let issued = ca.issue(&Leaf::new("receiver").dns_name("localhost"));
    let key = rustls_pki_types::PrivateKeyDer::try_from(issued.private_key).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![issued.certificate], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answers = Arc::new(Mutex::new(VecDeque::from(answers.to_vec())));
    let (send, receive) = unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, send, answers) = (acceptor.clone(), send.clone(), Arc::clone(&answers));
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else {
                    return;
                };
                let service = service_fn(|request: Request<Incoming>| async {
                    let (head, body) = request.into_parts();
                    let body = body.collect().await.unwrap().to_bytes();
                    let headers = head.headers;
                    send.send(Received { headers, body }).unwrap();
                    let status = answers.lock().unwrap().pop_front().unwrap_or(204);
                    let answer = Response::builder().status(status);
                    Ok::<_, Infallible>(answer.body(Full::<Bytes>::default()).unwrap())
                });
                let served = hyper::server::conn::http1::Builder::new();
                let _ = served.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    (address, receive)
}

async fn set_target(world: &World, address: SocketAddr, ca: &TestCa) -> String {
    let url = format!("https://localhost:{}/events", address.port());
    let target = json!({
        "url": url,
        "ca": BASE64_STANDARD.encode(&ca.certificate),
        "custom": {"plant": 7},
    });
    let path = "/admin/tenants/default/notification";
    let answer = world.operator(Method::PUT, path, &target.to_string()).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text());
    let shown = world.operator(Method::GET, path, "").await.json();
    assert_eq!(shown, target);
    url
}

fn https(world: &World) -> Arc<dyn EventSink> {
    let folder = world.folder.path().join("data");
    let authority = Authority::open(&folder, "wfm.example", unix(START)).unwrap();
    let clock = Arc::new(|| unix(START));
    Arc::new(HttpsSink::new(
        Arc::clone(&world.store),
        Arc::new(authority),
        clock,
    ))
}

/// The next one, within a time that only a hang exceeds.
async fn next<T>(receive: &mut UnboundedReceiver<T>) -> T {
    let next = tokio::time::timeout(Duration::from_secs(60), receive.recv());
    next.await.expect("an event within a minute").unwrap()
}

/// As a receiver does it that knows nothing but the root and its own URL: the signature base is put
/// together here, and openssl hashes and verifies.
fn verify(received: &Received, url: &str, root: &CertificateDer<'_>) -> Value {
    let body: Value = serde_json::from_slice(&received.body).unwrap();
    let certificate = BASE64_STANDARD.decode(body["signer"].as_str().unwrap());
    let certificate = CertificateDer::from(certificate.unwrap());
    let backend = Backend::AWS_LC_RS;
    let signer = [certificate.clone()];
    let signer = verify_orchestrator(&signer, root, backend, unix(START)).unwrap();
    let field = |name| received.headers[name].to_str().unwrap();
    let digest = field("content-digest");
    let params = field("signature-input").strip_prefix("sig1=").unwrap();
    let key_id: String = signer
        .key()
        .spki_sha256()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let covered = r#"("@method" "@target-uri" "content-digest")"#;
    assert_eq!(
        params,
        format!("{covered};created={START};keyid=\"{key_id}\"")
    );
    let base = format!(
        "\"@method\": POST\n\"@target-uri\": {url}\n\"content-digest\": {digest}\n\
         \"@signature-params\": {params}"
    );
    let signature = field("signature").strip_prefix("sig1=:").unwrap();
    let signature = BASE64_STANDARD
        .decode(signature.strip_suffix(':').unwrap())
        .unwrap();
    let signature = Signature::from_fixed(Algorithm::EcdsaP256Sha256, &signature).unwrap();
    assert!(signer.key().verify(base.as_bytes(), &signature).is_ok());
    let Some(hash) = openssl(&["dgst", "-sha256", "-binary"], &received.body) else {
        return body;
    };
    assert_eq!(
        digest,
        format!("sha-256=:{}:", BASE64_STANDARD.encode(hash))
    );
    let folder = temp_dir();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(at("signer.der"), &certificate).unwrap();
    std::fs::write(at("signature"), signature.to_wire()).unwrap();
    let public = [
        "x509",
        "-inform",
        "DER",
        "-in",
        &at("signer.der"),
        "-pubkey",
        "-noout",
    ];
    std::fs::write(at("key.pem"), openssl(&public, b"").unwrap()).unwrap();
    let verify = [
        "dgst",
        "-sha256",
        "-verify",
        &at("key.pem"),
        "-signature",
        &at("signature"),
    ];
    assert_eq!(openssl_accepts(&verify, base.as_bytes()), Some(true));
    body
}

#[tokio::test]
async fn a_device_that_comes_aboard_is_told_of_signed_and_once() {
    let (world, ca) = (World::new().await, TestCa::new("Receivers"));
    let (address, mut received) = receiver(&ca, &[500, 503]).await;
    let url = set_target(&world, address, &ca).await;
    let (device, aboard) = world.aboard(1).await;
    let (trigger, stop) = Shutdown::new();
    let delivery = tokio::spawn(deliver(Arc::clone(&world.store), https(&world), stop));

    // Twice the receiver fails; the same event comes again until it is taken.
    let mut bodies = Vec::new();
    for _ in 0..3 {
        bodies.push(verify(&next(&mut received).await, &url, &world.root));
    }
    let body = bodies[0].clone();
    assert!(bodies.iter().all(|other| *other == body));
    assert_eq!(body["event"], "device.aboard");
    assert_eq!(body["tenantId"], "default");
    assert_eq!(body["deviceId"], aboard.device_id.as_str());
    assert_eq!(body["certificateId"], device.id.as_str());
    let certificate = BASE64_STANDARD.encode(&device.issued.certificate);
    assert_eq!(body["certificate"], certificate);
    assert_eq!(body["at"], START);
    assert_eq!(body["custom"], json!({"plant": 7}));

    let path = format!("/admin/devices/{}", aboard.device_id.as_str());
    world.operator(Method::DELETE, &path, "").await;
    let removed = verify(&next(&mut received).await, &url, &world.root);
    assert_eq!(removed["event"], "device.removed");
    assert!(removed["sequence"].as_u64() > body["sequence"].as_u64());

    trigger.shut_down();
    delivery.await.unwrap();
    assert!(received.try_recv().is_err(), "nothing came twice");
    assert_eq!(world.store.outbox(0, 10).await.unwrap(), []);
}

#[tokio::test]
async fn a_receiver_under_another_root_gets_nothing() {
    let (world, ca) = (World::new().await, TestCa::new("Receivers"));
    let (address, mut received) = receiver(&ca, &[]).await;
    set_target(&world, address, &TestCa::new("Others")).await;
    world.aboard(1).await;
    let [record] = world.store.outbox(0, 10).await.unwrap().try_into().unwrap();
    let refused = https(&world)
        .deliver(&Notification::of(&record))
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("certificate"), "{refused}");
    assert!(received.try_recv().is_err());
}

/// Takes nothing of one tenant, and all of others.
struct Blocked(tokio::sync::mpsc::UnboundedSender<Notification>);

#[async_trait]
impl EventSink for Blocked {
    async fn deliver(&self, event: &Notification) -> Result<(), SinkError> {
        if event.tenant_id == "default" {
            return Err(SinkError("no".into()));
        }
        self.0.send(event.clone()).unwrap();
        Ok(())
    }
}

#[tokio::test]
async fn one_tenants_receiver_holds_up_no_other_tenant() {
    let ca = TestCa::new("Acme");
    let world = World::new().await;
    make_other(&world, &ca).await;
    world.aboard(1).await;
    for (seed, id) in [(2, "SN-2"), (3, "SN-3")] {
        let issued = ca.issue(&Leaf::new("pump").serial_number(id));
        let mut device = TestDevice::from(id, issued, seed);
        assert_eq!(world.onboard(&mut device).await.status, StatusCode::CREATED);
    }
    let (send, mut taken) = unbounded_channel();
    let (trigger, stop) = Shutdown::new();
    let sink = Arc::new(Blocked(send));
    let delivery = tokio::spawn(deliver(Arc::clone(&world.store), sink, stop));
    let (first, second) = (next(&mut taken).await, next(&mut taken).await);
    assert_eq!(first.detail["certificateId"], "SN-2");
    assert_eq!(second.detail["certificateId"], "SN-3");
    assert!(first.sequence < second.sequence);
    trigger.shut_down();
    delivery.await.unwrap();
    let left = world.store.outbox(0, 10).await.unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].tenant.as_str(), "default");
}

/// A tenant `other` that provisions everybody under this authority.
async fn make_other(world: &World, ca: &TestCa) {
    let anchor = json!({
        "cert": BASE64_STANDARD.encode(&ca.certificate),
        "auto-provisioning-enabled": true,
    });
    let tenant = json!({"trusted-ca": [anchor]}).to_string();
    let made = world
        .operator(Method::POST, "/admin/tenants/other", &tenant)
        .await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
}

#[tokio::test]
async fn a_provisioned_device_is_an_event_of_eclipse_hono() {
    let ca = TestCa::new("Acme");
    let world = World::new().await;
    make_other(&world, &ca).await;
    let issued = ca.issue(&Leaf::new("pump").serial_number("SN-2"));
    let mut device = TestDevice::from("SN-2", issued, 2);
    let answer = world.onboard(&mut device).await;
    let id = world.response(&device, &answer).device_id;
    let [record] = world.store.outbox(0, 10).await.unwrap().try_into().unwrap();
    let event = Notification::of(&record).hono_event().unwrap();
    // The case DX1 of the suite `hono`.
    let content_type = "application/vnd.eclipse-hono-device-provisioning-notification";
    assert_eq!(event.content_type, content_type);
    let expected = [
        ("hono_registration_status", "NEW"),
        ("tenant_id", "other"),
        ("device_id", id.as_str()),
        ("orig_adapter", "hono-device-registry"),
        ("orig_address", "event"),
    ];
    assert_eq!(
        event.properties,
        expected.map(|(name, value)| (name, value.to_owned()))
    );
    // One that an operator registered is no news to Hono.
    world.aboard(1).await;
    let all = world.store.outbox(0, 10).await.unwrap();
    assert_eq!(Notification::of(&all[1]).hono_event(), None);
}

#[tokio::test]
async fn targets_that_are_none_are_refused() {
    let world = World::new().await;
    let path = "/admin/tenants/default/notification";
    for target in [
        r#"{}"#,
        r#"{"url": "http://localhost/"}"#,
        r#"{"url": "https://user@localhost/"}"#,
        r#"{"url": "https://localhost/", "ca": "AAAA"}"#,
        r#"{"url": "https://localhost/", "colour": 1}"#,
    ] {
        let answer = world.operator(Method::PUT, path, target).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{target}");
    }
    assert_eq!(
        world.operator(Method::GET, path, "").await.status,
        StatusCode::NOT_FOUND
    );
    let target = r#"{"url": "https://localhost/"}"#;
    let nobody = "/admin/tenants/nobody/notification";
    let answer = world.operator(Method::PUT, nobody, target).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    let answer = world
        .public(Method::PUT, path, &[], target.as_bytes())
        .await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    world.operator(Method::PUT, path, target).await;
    world.operator(Method::DELETE, path, "").await;
    assert_eq!(
        world.operator(Method::GET, path, "").await.status,
        StatusCode::NOT_FOUND
    );
}
