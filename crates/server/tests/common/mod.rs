//! A server in memory with a clock that the test turns, and devices that speak to it byte by byte.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use gangplank_server::authority::Authority;
use gangplank_server::envelope::{
    Audience, Binding, Envelope, Expect, ExpectedAudience, ExpectedForm, Form, Freshness, Limits,
    Nonce, PayloadType,
};
use gangplank_server::git::Repositories;
use gangplank_server::key::{
    AwsLcKey, Backend, CertificateDer, CertificateId, TrustedKey, UnixTime,
};
use gangplank_server::onboarding::RootUrl;
use gangplank_server::onboarding::v2024::git_credential::GitCredential;
use gangplank_server::onboarding::v2024::onboarding::{OnboardingRequest, OnboardingResponse};
use gangplank_server::store::Store;
use gangplank_server::store::sqlite::SqliteStore;
use gangplank_server::token::{TokenRequest, TokenResponse, bearer_header};
use gangplank_server::trust::UnknownDevices;
use gangplank_server::trust::orchestrator::verify_orchestrator;
use gangplank_server::{PlainForm, RateLimit, Server, ServerBuilder, admin_router, router};
use gangplank_testkit::{Issued, KeyKind, Leaf, TestRng, self_signed, temp_dir};
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use tower::ServiceExt;

pub const START: u64 = 1_790_000_000;
pub const ROOT: &str = "https://wfm.example/margo";
pub const DEPLOYMENT: &str = "a3e2f5dc-912e-494f-8395-52cf3769bc06";

pub struct World {
    pub store: Arc<dyn Store>,
    pub server: Server,
    pub public: Router,
    pub admin: Router,
    pub root: CertificateDer<'static>,
    pub admin_token: String,
    now: Arc<AtomicU64>,
    pub folder: tempfile::TempDir,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: http::HeaderMap,
    pub body: Vec<u8>,
}

impl World {
    pub async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    pub async fn queueing() -> Self {
        Self::with(|builder| builder.unknown(UnknownDevices::Queue)).await
    }

    pub async fn accepting_plain() -> Self {
        Self::with(|builder| builder.plain_form(PlainForm::Accept)).await
    }

    pub async fn with(configure: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Self {
        Self::again(temp_dir(), configure).await
    }

    /// Ends, and leaves what a next start finds.
    pub fn end(self) -> tempfile::TempDir {
        self.folder
    }

    /// Starts over the folder of a world that ended.
    pub async fn again(
        folder: tempfile::TempDir,
        configure: impl FnOnce(ServerBuilder) -> ServerBuilder,
    ) -> Self {
        Self::over(folder, configure, |store| store).await
    }

    /// Whose server's store is what `wrap` makes of it.
    pub async fn over(
        folder: tempfile::TempDir,
        configure: impl FnOnce(ServerBuilder) -> ServerBuilder,
        wrap: impl FnOnce(Arc<dyn Store>) -> Arc<dyn Store>,
    ) -> Self {
        let now = Arc::new(AtomicU64::new(START));
        let authority =
            Authority::open(&folder.path().join("data"), "wfm.example", unix(START)).unwrap();
        let authority = Arc::new(authority);
        let store: Arc<dyn Store> =
            Arc::new(SqliteStore::open(&folder.path().join("data/gangplank.db")).unwrap());
        let clock = Arc::clone(&now);
        let builder = Server::builder(
            wrap(Arc::clone(&store)),
            Arc::clone(&authority),
            Repositories::new(folder.path().join("data/git"), "git"),
        )
        .public_url(RootUrl::parse(ROOT).unwrap())
        .rate_limit(RateLimit::Off)
        .clock(Arc::new(move || unix(clock.load(Ordering::SeqCst))));
        let server = configure(builder).build().unwrap();
        Self {
            store,
            public: router(server.clone()),
            admin: admin_router(server.clone()),
            server,
            root: authority.root_certificate().clone(),
            admin_token: authority.admin_token().expose().to_owned(),
            now,
            folder,
        }
    }

    pub fn now(&self) -> u64 {
        self.now.load(Ordering::SeqCst)
    }

    pub fn pass(&self, seconds: u64) {
        self.now.fetch_add(seconds, Ordering::SeqCst);
    }

    pub async fn send(&self, router: &Router, request: Request<Body>) -> Answer {
        let response = router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        Answer {
            status: head.status,
            headers: head.headers,
            body: body.collect().await.unwrap().to_bytes().to_vec(),
        }
    }

    pub async fn public(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        self.send(&self.public, request(method, path, headers, body))
            .await
    }

    pub async fn operator(&self, method: Method, path: &str, body: &str) -> Answer {
        let token = format!("Bearer {}", self.admin_token);
        let headers = [("authorization", token.as_str())];
        self.send(
            &self.admin,
            request(method, path, &headers, body.as_bytes()),
        )
        .await
    }

    pub async fn register(&self, device: &TestDevice) -> Answer {
        let body = serde_json::json!({
            "certificateId": device.id.as_str(),
            "certificate": base64(&device.issued.certificate),
        });
        self.operator(Method::POST, "/admin/devices", &body.to_string())
            .await
    }

    pub async fn onboard(&self, device: &mut TestDevice) -> Answer {
        let envelope = device.onboarding(self.now());
        self.public(Method::POST, "/onboarding/", &[], &envelope)
            .await
    }

    /// Registers a device and brings it aboard.
    pub async fn aboard(&self, seed: u64) -> (TestDevice, OnboardingResponse) {
        self.bring_aboard(TestDevice::new(seed)).await
    }

    pub async fn bring_aboard(&self, mut device: TestDevice) -> (TestDevice, OnboardingResponse) {
        assert_eq!(self.register(&device).await.status, StatusCode::CREATED);
        let answer = self.onboard(&mut device).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
        let response = self.response(&device, &answer);
        (device, response)
    }

    /// Verifies a signed answer as a device would, from the root alone.
    pub fn payload(
        &self,
        device: &TestDevice,
        answer: &Answer,
        payload_type: PayloadType,
    ) -> Vec<u8> {
        let mut scratch = Vec::new();
        let envelope = Envelope::decode(&answer.body, &Limits::DEFAULT, &mut scratch).unwrap();
        let signer = verify_orchestrator(
            envelope.claimed_certificates(),
            &self.root,
            Backend::PURE_RUST,
            unix(self.now()),
        )
        .unwrap();
        let expect = Expect {
            form: ExpectedForm::Bound(payload_type),
            audience: ExpectedAudience::Exactly(
                Audience::parse(&format!("{ROOT}/certificate/{}", device.id)).unwrap(),
            ),
            freshness: Freshness::Echo(&device.last_nonce),
        };
        envelope
            .verify(&signer, &expect)
            .unwrap()
            .payload()
            .to_vec()
    }

    pub fn response(&self, device: &TestDevice, answer: &Answer) -> OnboardingResponse {
        let payload = self.payload(device, answer, PayloadType::ONBOARDING_RESPONSE);
        OnboardingResponse::decode(&payload).unwrap()
    }

    pub async fn token(&self, response: &OnboardingResponse) -> Answer {
        let credentials = TokenRequest {
            client_id: response.client_id.clone(),
            client_secret: response.client_secret.clone().unwrap(),
        };
        let headers = [
            ("authorization", credentials.basic_header().to_string()),
            (
                "content-type",
                "application/x-www-form-urlencoded".to_owned(),
            ),
        ];
        let headers = headers
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        self.public(
            Method::POST,
            "/oauth2/token",
            &headers,
            b"grant_type=client_credentials",
        )
        .await
    }

    pub async fn bearer(&self, response: &OnboardingResponse) -> String {
        let answer = self.token(response).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let token = TokenResponse::decode(&answer.body).unwrap().access_token;
        bearer_header(&token).to_string()
    }

    pub async fn git_credential(
        &self,
        device: &mut TestDevice,
        response: &OnboardingResponse,
        bearer: &str,
    ) -> (Answer, GitCredential) {
        device.last_nonce = Nonce::random(&mut device.rng);
        let path = format!(
            "/device/{}/git-credential?nonce={}",
            response.device_id, device.last_nonce
        );
        let answer = self
            .public(Method::GET, &path, &[("authorization", bearer)], b"")
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let payload = self.payload(device, &answer, PayloadType::GIT_CREDENTIAL);
        let credential = GitCredential::decode(&payload).unwrap();
        (answer, credential)
    }

    pub async fn device_count(&self) -> usize {
        let answer = self.operator(Method::GET, "/admin/devices", "").await;
        answer.json()["devices"].as_array().unwrap().len()
    }
}

impl Answer {
    pub fn text(&self) -> String {
        format!("{} {}", self.status, String::from_utf8_lossy(&self.body))
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn problem(&self) -> String {
        self.json()["type"].as_str().unwrap().to_owned()
    }

    pub fn nonce(&self) -> Nonce {
        Nonce::parse(self.headers["replay-nonce"].to_str().unwrap()).unwrap()
    }
}

pub struct TestDevice {
    pub id: CertificateId,
    pub key: AwsLcKey,
    pub issued: Issued,
    pub last_nonce: Nonce,
    pub rng: TestRng,
}

impl TestDevice {
    pub fn new(seed: u64) -> Self {
        Self::of_kind(KeyKind::P256, seed)
    }

    /// With a key of this kind.
    pub fn of_kind(kind: KeyKind, seed: u64) -> Self {
        let id = format!("SN-{seed:04}");
        let issued = self_signed(&Leaf::new("device").serial_number(&id).key(kind));
        Self::from(&id, issued, seed)
    }

    pub fn from(id: &str, issued: Issued, seed: u64) -> Self {
        let mut rng = TestRng::new(seed);
        Self {
            id: CertificateId::parse(id).unwrap(),
            key: AwsLcKey::from_pkcs8_der(&issued.private_key).unwrap(),
            issued,
            last_nonce: Nonce::random(&mut rng),
            rng,
        }
    }

    /// A bound form as gangplank's own client makes it.
    pub fn binding(&mut self, payload_type: PayloadType, now: u64) -> Binding {
        self.last_nonce = Nonce::random(&mut self.rng);
        Binding::new(payload_type)
            .created(unix(now))
            .nonce(self.last_nonce.clone())
            .audience(Audience::parse(ROOT).unwrap())
            .certificates(vec![self.issued.certificate.clone()])
    }

    pub fn onboarding(&mut self, now: u64) -> Vec<u8> {
        let binding = self.binding(PayloadType::ONBOARDING_REQUEST, now);
        self.seal(&OnboardingRequest::default().encode(), Form::Bound(binding))
    }

    pub fn message(&mut self, payload_type: PayloadType, payload: &[u8], now: u64) -> Vec<u8> {
        let binding = self.binding(payload_type, now).certificates(Vec::new());
        self.seal(payload, Form::Bound(binding))
    }

    pub fn seal(&self, payload: &[u8], form: Form) -> Vec<u8> {
        Envelope::prepare(payload.to_vec(), form, &self.id)
            .unwrap()
            .sign_with(&self.key)
            .unwrap()
    }

    pub fn trusted(&self) -> TrustedKey {
        use gangplank_server::key::SigningKey;
        TrustedKey::vouch(self.id.clone(), self.key.public_key().clone())
    }
}

/// A DeploymentStatus of [`DEPLOYMENT`].
pub fn status(state: &str) -> Vec<u8> {
    status_of(DEPLOYMENT, state)
}

pub fn status_of(deployment: &str, state: &str) -> Vec<u8> {
    serde_json::json!({
        "apiVersion": "deployment.margo/v1", "kind": "DeploymentStatus",
        "deploymentId": deployment, "status": {"state": state}, "components": []
    })
    .to_string()
    .into_bytes()
}

/// Every kind of key that a device may have.
pub const KINDS: [KeyKind; 4] = [
    KeyKind::P256,
    KeyKind::P384,
    KeyKind::Ed25519,
    KeyKind::Rsa2048,
];

/// `properties.id` as the device was told; the rest as in Margo's example.
pub fn capabilities(device_id: &str) -> Vec<u8> {
    serde_json::json!({
        "apiVersion": "device.margo/v1", "kind": "DeviceCapabilities",
        "properties": {
            "id": device_id, "vendor": "Northwind", "modelNumber": "m", "serialNumber": "s",
            "roles": ["standalone device"],
            "resources": {
                "cpus": [{"cpuArchitecture": "arm64", "cores": 4, "frequency": 2}],
                "memory": 8, "storage": 64
            },
            "peripherals": [], "interfaces": []
        }
    })
    .to_string()
    .into_bytes()
}

pub fn unix(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

pub fn request(method: Method, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Request<Body> {
    let mut builder = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(Body::from(body.to_vec())).unwrap()
}

pub fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::prelude::BASE64_STANDARD.encode(bytes)
}
