//! The real server from a folder of its own, behind the box or without it, and its operator.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use gangplank_client::driver::{Device, DeviceConfig, KeyLocation, Proxy as HttpProxy};
use gangplank_server::RateLimit;
use gangplank_server::key::{CertificateDer, SoftwareKey};
use gangplank_server::onboarding::{DeviceId, RootUrl};
use gangplank_server::serve::{Running, ServeConfig, start};
use gangplank_testkit::{Issued, Leaf, self_signed, temp_dir};
use http::{HeaderMap, Method, StatusCode};
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};

use super::{Answer, Asked, Proxy, connect, exchange};

pub struct Site {
    pub folder: tempfile::TempDir,
    pub running: Running,
    /// The orchestrator's root.
    pub root: CertificateDer<'static>,
}

impl Site {
    /// Plain HTTP behind `proxy`, which is the public URL's host and port.
    pub async fn behind(proxy: &Proxy) -> Self {
        let url = format!("https://localhost:{}/margo", proxy.port);
        let site = Self::with(|config| {
            config.listen_plain = Some("127.0.0.1:0".parse().unwrap());
            config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
            config.public_url = Some(RootUrl::parse(&url).unwrap());
        })
        .await;
        proxy.forward_to(site.running.plain_address().unwrap());
        site
    }

    /// Its own TLS.
    pub async fn direct() -> Self {
        Self::with(|_| ()).await
    }

    pub async fn with(change: impl FnOnce(&mut ServeConfig)) -> Self {
        let folder = temp_dir();
        let any = "127.0.0.1:0".parse().unwrap();
        let mut config = ServeConfig::new(folder.path().join("data"), any, any);
        // All devices of a test come from one address, without a pause.
        config.rate_limit = RateLimit::Off;
        change(&mut config);
        let running = start(config).await.unwrap();
        let root = CertificateDer::from_pem_file(folder.path().join("data/root.pem")).unwrap();
        Self {
            folder,
            running,
            root,
        }
    }

    pub fn url(&self) -> String {
        self.running.public_url().to_string()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn admin_token(&self) -> String {
        fs::read_to_string(self.path("data/admin.token"))
            .unwrap()
            .trim()
            .to_owned()
    }

    /// The operator's API.
    pub async fn operator(&self, method: Method, target: &str, body: &Value) -> Answer {
        let address = self.running.admin_address();
        let stream = connect(address, "127.0.0.1", &self.root, rustls::ALL_VERSIONS)
            .await
            .unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(
            "authorization",
            format!("Bearer {}", self.admin_token()).parse().unwrap(),
        );
        headers.insert("host", "admin".parse().unwrap());
        let body = if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        };
        let asked = Asked {
            method,
            target: target.to_owned(),
            headers,
            body,
        };
        exchange(stream, asked).await.unwrap()
    }

    pub async fn register(&self, id: &str, issued: &Issued) {
        let body = json!({"certificateId": id, "certificate": base64(&issued.certificate)});
        let answer = self.operator(Method::POST, "/admin/devices", &body).await;
        assert_eq!(answer.status, StatusCode::CREATED);
    }

    /// All that the server knows under this certificate id.
    pub async fn devices(&self, id: &str) -> Vec<Value> {
        let target = format!("/admin/devices?certificateId={id}");
        let answer = self.operator(Method::GET, &target, &Value::Null).await;
        let mut list: Value = serde_json::from_slice(&answer.body).unwrap();
        list["devices"].take().as_array().unwrap().clone()
    }

    /// The one device of this certificate id, with what it reported.
    pub async fn device(&self, id: &str) -> Value {
        let devices = self.devices(id).await;
        assert_eq!(devices.len(), 1, "{devices:?}");
        let target = format!(
            "/admin/devices/{}",
            devices[0]["deviceId"].as_str().unwrap()
        );
        let answer = self.operator(Method::GET, &target, &Value::Null).await;
        serde_json::from_slice(&answer.body).unwrap()
    }

    /// A registered device with its files, as the driver opens it.
    pub async fn new_device(&self, id: &str, proxy: Option<&Proxy>) -> Device {
        let issued = self_signed(&Leaf::new("device").serial_number(id));
        self.register(id, &issued).await;
        Device::open(&self.device_config(id, &issued, proxy))
            .unwrap()
            .with_proxy(HttpProxy::Direct)
    }

    pub fn device_config(&self, id: &str, issued: &Issued, proxy: Option<&Proxy>) -> DeviceConfig {
        let folder = self.path(id);
        fs::create_dir(&folder).unwrap();
        let key = SoftwareKey::from_pkcs8_der(&issued.private_key).unwrap();
        fs::write(
            folder.join("key.pem"),
            key.to_pkcs8_pem().unwrap().as_bytes(),
        )
        .unwrap();
        write_pem(&folder.join("cert.pem"), &issued.certificate);
        let mut transport_ca = Vec::new();
        if let Some(proxy) = proxy {
            write_pem(&folder.join("balancer.pem"), &proxy.ca.certificate);
            transport_ca.push(folder.join("balancer.pem"));
        }
        DeviceConfig {
            url: Some(self.running.join().to_string()),
            id: Some(id.to_owned()),
            key: Some(KeyLocation::File(folder.join("key.pem"))),
            cert: Some(folder.join("cert.pem")),
            state: Some(folder.join("state")),
            transport_ca,
            ..DeviceConfig::default()
        }
    }

    /// Pushes `manifest.yaml` as the operator, over the admin listener; the commit.
    pub fn push(&self, device: &DeviceId) -> String {
        self.push_content(device, "v1\n")
    }

    pub fn push_content(&self, device: &DeviceId, content: &str) -> String {
        // The server that git talks to runs on the same threads.
        tokio::task::block_in_place(|| self.push_blocking(device, content))
    }

    fn push_blocking(&self, device: &DeviceId, content: &str) -> String {
        let work = self.path(&format!("operator-{device}"));
        fs::create_dir(&work).unwrap();
        fs::write(work.join("manifest.yaml"), content).unwrap();
        let url = format!("{}/git/{device}.git", self.running.admin_url());
        let token = self.admin_token();
        let helper =
            format!("credential.helper=!f() {{ echo username=admin; echo password={token}; }}; f");
        let root = format!("http.sslCAInfo={}", self.path("data/root.pem").display());
        let git = |arguments: &[&str]| {
            let output = Command::new("git")
                .current_dir(&work)
                .env_clear()
                .env("PATH", std::env::var_os("PATH").unwrap())
                .envs([
                    ("HOME", "/nonexistent"),
                    ("GIT_CONFIG_NOSYSTEM", "1"),
                    ("GIT_TERMINAL_PROMPT", "0"),
                ])
                .envs([
                    ("GIT_AUTHOR_NAME", "o"),
                    ("GIT_AUTHOR_EMAIL", "o@example.org"),
                ])
                .envs([
                    ("GIT_COMMITTER_NAME", "o"),
                    ("GIT_COMMITTER_EMAIL", "o@example.org"),
                ])
                .args(["-c", &helper, "-c", &root])
                .args(arguments)
                .output()
                .unwrap();
            assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        git(&["init", "-q", "--initial-branch=main"]);
        git(&["add", "."]);
        git(&["commit", "-q", "-m", "state"]);
        git(&["push", "-q", &url, "main"]);
        git(&["rev-parse", "HEAD"])
    }
}

pub fn write_pem(path: &Path, certificate: &CertificateDer<'_>) {
    let text = base64(certificate);
    fs::write(
        path,
        format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n"),
    )
    .unwrap();
}

pub fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::prelude::BASE64_STANDARD.encode(bytes)
}

/// A credential helper that gives the first of these passwords, and the next one after each `erase`.
pub fn credential_helper(folder: &Path, passwords: &[&str], username: &str) {
    fs::write(folder.join("passwords"), passwords.join("\n") + "\n").unwrap();
    let script = format!(
        "#!/bin/sh\ncase $2 in get) echo username={username}; echo password=\"$(head -n 1 \"$1/passwords\")\";;\n\
         erase) sed -i 1d \"$1/passwords\";; esac\n"
    );
    fs::write(folder.join("helper.sh"), script).unwrap();
    fs::set_permissions(folder.join("helper.sh"), fs::Permissions::from_mode(0o755)).unwrap();
}
