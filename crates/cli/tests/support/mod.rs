//! `gangplank serve` in a process of its own, and devices that speak to it byte by byte.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use gangplank_server::envelope::{
    Audience, Binding, Envelope, Expect, ExpectedAudience, ExpectedForm, Form, Freshness, Limits,
    Nonce, PayloadType,
};
use gangplank_server::key::{AwsLcKey, Backend, CertificateDer, CertificateId, UnixTime};
use gangplank_server::onboarding::v2024::onboarding::{OnboardingRequest, OnboardingResponse};
use gangplank_server::trust::orchestrator::verify_orchestrator;
use gangplank_testkit::{Issued, Leaf, TestRng, self_signed};
use reqwest::Method;
use rustls_pki_types::pem::PemObject as _;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// What devices are told the server's URL is. A restart may take other ports, and this stays.
pub const PUBLIC_URL: &str = "https://gangplank.test";

/// No wait in these tests is meant to last; one that does has failed.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Each of the writes that make a commit begins half a millisecond late. Otherwise all of them take
/// less, and a server that answers before it writes would be lucky in almost every run.
pub const SLOW_DISK: &[&str] = &[
    "-f",
    "--seccomp-bpf",
    "-o",
    "/dev/null",
    "-e",
    "trace=pwrite64",
    "-e",
    "inject=pwrite64:delay_enter=500",
];

/// By what [`Serving::kill`] ends a server.
pub const SIGKILL: i32 = 9;

/// A server that has said it is ready. Dropping it kills it.
pub struct Serving {
    // Before the child: a wrapper that is killed first leaves the server behind.
    group: Option<Group>,
    child: Child,
    pub api: Api,
}

/// Where a server is reached, and what opens it.
#[derive(Clone)]
pub struct Api {
    /// The devices' listener.
    pub devices: String,
    /// The listener without TLS.
    pub plain: Option<String>,
    /// The Secure Manager's listener.
    secure_manager: Option<String>,
    /// The root certificate from the data folder, the only one that is believed.
    pub root: CertificateDer<'static>,
    admin: String,
    operator: String,
    http: reqwest::Client,
}

/// `gangplank serve` over `data`, behind the words of `wrapper`, if any.
pub fn serve(wrapper: &[&str], data: &Path, more: &[&str]) -> Command {
    let mut words = wrapper.to_vec();
    words.push(env!("CARGO_BIN_EXE_gangplank"));
    let mut command = Command::new(words[0]);
    command
        .args(&words[1..])
        .args(["serve", "--json", "--no-rate-limit", "--data"])
        .arg(data)
        .args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"])
        .args(["--public-url", PUBLIC_URL])
        .args(more)
        .env("GANGPLANK_LOG", "warn");
    command
}

impl Serving {
    /// Starts it and waits for the line that says where it listens.
    pub async fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .expect("the server starts");
        let group = child.id().map(Group);
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let read = timeout(DEADLINE, stdout.read_line(&mut line)).await;
        read.expect("a ready line in time").unwrap();
        let ready: Value = serde_json::from_str(&line)
            .unwrap_or_else(|_| panic!("no ready line but {line:?}: the server did not start"));
        let text = |name: &str| ready[name].as_str().map(str::to_owned);
        let root = CertificateDer::from_pem_file(text("root").unwrap()).unwrap();
        let token = PathBuf::from(text("data").unwrap()).join("admin.token");
        let token = std::fs::read_to_string(token).unwrap();
        let api = Api {
            devices: format!("https://{}", text("listen").unwrap()),
            plain: text("listenPlain").map(|address| format!("http://{address}")),
            secure_manager: text("secureManager").map(|address| format!("http://{address}")),
            admin: text("adminUrl").unwrap(),
            operator: format!("Bearer {}", token.trim()),
            http: http(&root),
            root,
        };
        Self { group, child, api }
    }

    /// SIGKILL: the process gets no chance to finish anything.
    pub fn kill(&self) {
        let group = self.group.as_ref().expect("it was still running");
        group.signal("KILL");
    }

    /// Asks it to stop. A wrapper that does not heed the signal ends after the server.
    pub fn terminate(&self) {
        self.group
            .as_ref()
            .expect("it was still running")
            .signal("TERM");
    }

    pub async fn ended(&mut self) -> ExitStatus {
        let ended = timeout(DEADLINE, self.child.wait()).await;
        let status = ended.expect("it ends in time").unwrap();
        // From now on another process may have its number.
        if let Some(group) = self.group.take() {
            std::mem::forget(group);
        }
        status
    }
}

/// The processes of one server, wrapper included. Dropping it kills them.
struct Group(u32);

impl Group {
    fn signal(&self, name: &str) {
        // The standard library has no signals but SIGKILL, and none for groups.
        let kill = format!("kill -s {name} -- -{}", self.0);
        let _ = std::process::Command::new("sh")
            .arg("-c")
            .arg(kill)
            .stderr(Stdio::null())
            .status();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal("KILL");
    }
}

/// Whether strace is there and may do this; if not, prints one line that names the test.
pub fn strace_may(test: &str, arguments: &[&str]) -> bool {
    let tried = std::process::Command::new("strace")
        .args(arguments)
        .arg("true")
        .output();
    match tried {
        Ok(output) if output.status.success() => return true,
        Ok(output) => {
            let why = String::from_utf8_lossy(&output.stderr);
            let why = why.lines().next().unwrap_or("it failed");
            println!("{test} not run: strace: {why}");
        }
        Err(error) => println!("{test} not run: strace: {error}"),
    }
    false
}

impl Api {
    /// Asks the admin API.
    pub async fn operator(&self, method: Method, path: &str, body: &str) -> Result<Answer, Lost> {
        let headers = [("authorization", self.operator.as_str())];
        let url = format!("{}{path}", self.admin);
        self.send(method, &url, &headers, body.as_bytes()).await
    }

    /// A command to the Secure Manager.
    pub async fn secure_manager(&self, body: &str) -> Result<Answer, Lost> {
        let headers = [("authorization", self.operator.as_str())];
        let server = self.secure_manager.as_ref().expect("it is served");
        let url = format!("{server}/api/v1/orchestration/securemgr");
        self.send(Method::POST, &url, &headers, body.as_bytes())
            .await
    }

    pub async fn register(&self, device: &Device) -> Result<Answer, Lost> {
        let body = serde_json::json!({
            "certificateId": device.id.as_str(),
            "certificate": base64(&device.certificate),
        });
        self.operator(Method::POST, "/admin/devices", &body.to_string())
            .await
    }

    pub async fn send(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer, Lost> {
        let mut request = self.http.request(method, url).body(body.to_vec());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let lost = |status| move |why| Lost { status, why };
        let answer = request.send().await.map_err(lost(None))?;
        let status = answer.status().as_u16();
        let body = answer.bytes().await.map_err(lost(Some(status)))?.to_vec();
        Ok(Answer { status, body })
    }

    /// Sends these bytes as a request to come aboard.
    pub async fn onboard(&self, request: &[u8]) -> Result<Answer, Lost> {
        self.onboard_at(&self.devices, request).await
    }

    /// The same through the listener at `server`.
    pub async fn onboard_at(&self, server: &str, request: &[u8]) -> Result<Answer, Lost> {
        let headers = [("content-type", "application/vnd.gangplank.envelope+json")];
        let url = format!("{server}/onboarding/");
        self.send(Method::POST, &url, &headers, request).await
    }

    /// All devices, page by page.
    pub async fn list(&self) -> Vec<Value> {
        let mut all: Vec<Value> = Vec::new();
        loop {
            let after = all
                .last()
                .map(|device| device["deviceId"].as_str().unwrap());
            let path = match after {
                Some(id) => format!("/admin/devices?after={id}"),
                None => "/admin/devices".to_owned(),
            };
            let page = self.operator(Method::GET, &path, "").await.unwrap();
            assert_eq!(page.status, 200, "{}", page.text());
            match page.json()["devices"].as_array().unwrap().as_slice() {
                [] => return all,
                devices => all.extend_from_slice(devices),
            }
        }
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

/// The connection broke before the answer was complete.
#[derive(Debug)]
pub struct Lost {
    /// Of an answer that had begun.
    pub status: Option<u16>,
    pub why: reqwest::Error,
}

impl Answer {
    pub fn text(&self) -> String {
        format!("{} {}", self.status, String::from_utf8_lossy(&self.body))
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }
}

/// A device: an identity and a key, nothing else.
pub struct Device {
    pub id: CertificateId,
    certificate: CertificateDer<'static>,
    key: AwsLcKey,
    rng: TestRng,
}

/// A request as it is sent, and what its answer must echo.
#[derive(Clone)]
pub struct Sealed {
    pub bytes: Vec<u8>,
    nonce: Nonce,
}

impl Device {
    pub fn new(name: &str, seed: u64) -> Self {
        let issued = self_signed(&Leaf::new("device").serial_number(name));
        Self::with(name, &issued, seed)
    }

    /// With a certificate that an authority issued. Two of one certificate need two seeds.
    pub fn with(name: &str, issued: &Issued, seed: u64) -> Self {
        Self {
            id: CertificateId::parse(name).unwrap(),
            certificate: issued.certificate.clone(),
            key: AwsLcKey::from_pkcs8_der(&issued.private_key).unwrap(),
            rng: TestRng::new(seed),
        }
    }

    /// A newly signed request to come aboard.
    pub fn request(&mut self) -> Sealed {
        let nonce = Nonce::random(&mut self.rng);
        let binding = Binding::new(PayloadType::ONBOARDING_REQUEST)
            .created(UnixTime::now())
            .nonce(nonce.clone())
            .audience(Audience::parse(PUBLIC_URL).unwrap())
            .certificates(vec![self.certificate.clone()]);
        let payload = OnboardingRequest::default().encode();
        let bytes = Envelope::prepare(payload, Form::Bound(binding), &self.id)
            .unwrap()
            .sign_with(&self.key)
            .unwrap();
        Sealed { bytes, nonce }
    }

    /// What the orchestrator signed for this device in answer to this request.
    pub fn open(
        &self,
        root: &CertificateDer<'_>,
        request: &Sealed,
        answer: &Answer,
    ) -> OnboardingResponse {
        let mut scratch = Vec::new();
        let envelope = Envelope::decode(&answer.body, &Limits::DEFAULT, &mut scratch).unwrap();
        let certificates = envelope.claimed_certificates();
        let now = UnixTime::now();
        let signer = verify_orchestrator(certificates, root, Backend::AWS_LC_RS, now).unwrap();
        let audience = format!("{PUBLIC_URL}/certificate/{}", self.id);
        let expect = Expect {
            form: ExpectedForm::Bound(PayloadType::ONBOARDING_RESPONSE),
            audience: ExpectedAudience::Exactly(Audience::parse(&audience).unwrap()),
            freshness: Freshness::Echo(&request.nonce),
        };
        let verified = envelope.verify(&signer, &expect).unwrap();
        OnboardingResponse::decode(verified.payload()).unwrap()
    }
}

/// A number from the environment.
pub fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().expect(variable))
}

pub fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::prelude::BASE64_STANDARD.encode(bytes)
}

/// HTTP over TLS that believes in one root.
fn http(root: &CertificateDer<'static>) -> reqwest::Client {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(root.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    // A request goes out once: what is sent twice, these tests send twice.
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .retry(reqwest::retry::never())
        .no_proxy()
        .timeout(DEADLINE)
        .build();
    client.unwrap()
}
