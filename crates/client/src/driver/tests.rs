use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gangplank_key::{CertificateDer, UnixTime, Zeroizing};
use gangplank_testkit::{Leaf, Purpose as Usage, TestCa, temp_dir};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::clock::SystemClock;
use super::transport::Transport;
use super::*;
use crate::testing::{DEVICE, Server, capabilities};
use crate::{
    Connection, DeviceState, MAX_ANSWER, Method, Purpose, Refusal, Request, Response, RootTrust,
    Settings,
};

type Script = Box<dyn FnMut(&mut Server, &Request) -> Response + Send>;

/// An orchestrator behind a real socket. It closes each connection after one answer, and counts them.
struct Site {
    server: Arc<Mutex<Server>>,
    requests: Arc<Mutex<Vec<Purpose>>>,
    port: u16,
}

impl Site {
    /// `issuer` makes the TLS certificate; `None`: the orchestrator's root.
    async fn start(issuer: Option<&TestCa>, mut script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut server = Server::at(&format!("https://localhost:{port}/margo"));
        server.wall = system_time();
        let leaf = Leaf::new("tls")
            .dns_name("localhost")
            .purpose(Usage::Server);
        let issued = issuer.unwrap_or(&server.root).issue(&leaf);
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(issued.private_key));
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![issued.certificate], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let server = Arc::new(Mutex::new(server));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (held, seen) = (Arc::clone(&server), Arc::clone(&requests));
        tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let Ok(mut stream) = acceptor.accept(socket).await else {
                    continue;
                };
                let Some(request) = read_request(&mut stream).await else {
                    continue;
                };
                seen.lock().unwrap().push(request.purpose);
                let response = script(&mut held.lock().unwrap(), &request);
                let head = format!(
                    "HTTP/1.1 {} X\r\ncontent-length: {}\r\nconnection: close\r\nlocation: https://localhost:1/\r\n{}\r\n",
                    response.status,
                    response.body.len(),
                    response
                        .replay_nonce()
                        .map(|n| format!("replay-nonce: {n}\r\n"))
                        .unwrap_or_default(),
                );
                let _ = stream.write_all(head.as_bytes()).await;
                let _ = stream.write_all(&response.body).await;
                let _ = stream.shutdown().await;
            }
        });
        Self {
            server,
            requests,
            port,
        }
    }

    async fn honest() -> Self {
        Self::start(None, Box::new(Server::answer)).await
    }

    fn settings(&self) -> Settings {
        let mut settings = self.server.lock().unwrap().settings();
        settings.capabilities = Some(capabilities());
        settings
    }

    fn device(
        &self,
        settings: Settings,
        directory: &std::path::Path,
        transport: &[&TestCa],
    ) -> Device {
        let key = Arc::new(self.server.lock().unwrap().device_key());
        let directory = StateDirectory::open(directory.join("state")).unwrap();
        let roots = transport.iter().map(|ca| ca.certificate.clone()).collect();
        Device::new(settings, key, directory, roots)
            .unwrap()
            .with_patience(Patience::NoWait)
            .with_proxy(Proxy::Direct)
    }

    fn root(&self) -> CertificateDer<'static> {
        self.server.lock().unwrap().root.certificate.clone()
    }

    fn seen(&self) -> Vec<Purpose> {
        self.requests.lock().unwrap().clone()
    }
}

fn system_time() -> UnixTime {
    UnixTime::since_unix_epoch(SystemTime::now().duration_since(UNIX_EPOCH).unwrap())
}

async fn read_request(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> Option<Request> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.lines();
    let mut first = lines.next().unwrap().split(' ');
    let (method, path) = (first.next().unwrap(), first.next().unwrap().to_owned());
    let header = |name: &str| {
        let mut found = head.lines().filter_map(|line| line.split_once(": "));
        found
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.to_owned())
    };
    let length = header("content-length").map_or(0, |text| text.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let purpose = match path.split('?').next().unwrap() {
        "/margo/onboarding/certificate" => Purpose::RootCertificate,
        "/margo/onboarding/" => Purpose::Onboarding,
        "/margo/oauth2/token" => Purpose::Token,
        path if path.ends_with("/capabilities") => Purpose::Capabilities,
        path if path.ends_with("/git-credential") => Purpose::GitCredential,
        _ => Purpose::DeploymentStatus,
    };
    let headers = ["authorization", "content-type"]
        .into_iter()
        .filter_map(|name| Some((name, Zeroizing::new(header(name)?))))
        .collect();
    let method = if method == "GET" {
        Method::Get
    } else {
        Method::Post
    };
    Some(Request {
        purpose,
        method,
        url: path,
        headers,
        body,
        connection: Connection::Verified,
    })
}

#[tokio::test]
async fn a_device_comes_aboard_over_tls_and_keeps_its_state() {
    let site = Site::honest().await;
    let folder = temp_dir();
    let shown = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&shown);
    let mut device = site
        .device(site.settings(), folder.path(), &[])
        .with_observer(Observer::new(move |exchange| {
            sink.lock().unwrap().push(exchange.clone())
        }));
    let aboard = device.onboard().await.unwrap();
    assert_eq!(aboard.device_id.as_str(), "d-1");
    let way = [
        Purpose::RootCertificate,
        Purpose::Onboarding,
        Purpose::Token,
        Purpose::Capabilities,
    ];
    assert_eq!(site.seen(), way);

    let shown = shown.lock().unwrap().clone();
    assert_eq!(
        shown
            .iter()
            .map(|exchange| exchange.purpose)
            .collect::<Vec<_>>(),
        way
    );
    let authenticated: Vec<_> = shown
        .iter()
        .map(|exchange| exchange.authenticated)
        .collect();
    assert_eq!(authenticated, [false, true, true, true]);
    let text = format!("{shown:?}");
    assert!(text.contains("(redacted)") && text.contains("OnboardingRequest"));
    for secret in ["gpcs_", "gpat_", "gpgt_", "Z3Bj", "Basic "] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }

    // A credential, with the token that is there; then the one at hand.
    let credential = device.git_credential().await.unwrap();
    let held = device.git_access().await.unwrap();
    assert_eq!(held.token.expose(), credential.password.expose());
    assert_eq!(site.seen()[4..], [Purpose::GitCredential]);
    device.forget_git_access(Some("another")).await.unwrap();
    device
        .forget_git_access(Some(held.token.expose()))
        .await
        .unwrap();
    device.git_access().await.unwrap();
    assert_eq!(site.seen()[5..], [Purpose::GitCredential]);

    // After a reboot: no request, and another process's state is seen.
    let mut again = site.device(site.settings(), folder.path(), &[]);
    assert_eq!(again.onboard().await.unwrap().device_id.as_str(), "d-1");
    assert_eq!(site.seen().len(), 6);
    device.reset().await.unwrap();
    assert!(again.status().unwrap().is_none());
    assert!(matches!(
        again.git_credential().await,
        Err(ClientError::Start(_))
    ));
}

#[tokio::test]
async fn a_wrong_pin_stops_before_anything_else_is_sent() {
    let site = Site::honest().await;
    let mut settings = site.settings();
    settings.root = RootTrust::Pinned([9; 32]);
    let folder = temp_dir();
    let error = site
        .device(settings, folder.path(), &[])
        .onboard()
        .await
        .unwrap_err();
    assert_eq!(error.exit_code(), 6, "{error}");
    assert_eq!(site.seen(), [Purpose::RootCertificate]);
    assert!(!folder.path().join("state/state.json").exists());
}

#[tokio::test]
async fn a_server_under_another_root_gets_no_request() {
    let other = TestCa::new("Other");
    let site = Site::start(Some(&other), Box::new(Server::answer)).await;
    let mut settings = site.settings();
    settings.root = RootTrust::Given(site.root());
    let folder = temp_dir();
    let error = site
        .device(settings, folder.path(), &[])
        .onboard()
        .await
        .unwrap_err();
    assert_eq!(error.exit_code(), 3, "{error}");
    assert!(error.to_string().contains("UnknownIssuer"), "{error}");
    assert!(site.seen().is_empty());
}

#[tokio::test]
async fn a_root_for_transport_carries_but_does_not_authenticate() {
    let proxy_ca = TestCa::new("Inspecting proxy");
    let site = Site::start(Some(&proxy_ca), Box::new(Server::answer)).await;
    let folder = temp_dir();
    let shown = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&shown);
    let mut device = site
        .device(site.settings(), folder.path(), &[&proxy_ca])
        .with_observer(Observer::new(move |exchange| {
            sink.lock().unwrap().push(exchange.authenticated)
        }));
    // The answers are signed under the orchestrator's root all the same.
    device.onboard().await.unwrap();
    assert_eq!(*shown.lock().unwrap(), [false; 4]);
    let roots = fs::read_to_string(device.root_file()).unwrap();
    assert_eq!(roots.matches("BEGIN CERTIFICATE").count(), 2);

    // The proxy signs with a certificate of its own: not believed.
    let forged = proxy_ca.issue(&crate::testing::signing_leaf());
    site.server.lock().unwrap().sign_as(&forged);
    let error = device.git_credential().await.unwrap_err();
    assert_eq!(error.exit_code(), 6, "{error}");

    // With that root in the list, the orchestrator's own certificate still authenticates.
    let direct = Site::start(None, Box::new(|_, _| Response::new(403, Vec::new()))).await;
    let mut settings = direct.settings();
    settings.root = RootTrust::Given(direct.root());
    let other = temp_dir();
    let mut device = direct
        .device(settings, other.path(), &[&proxy_ca])
        .with_patience(Patience::Forever);
    let error = device.onboard().await.unwrap_err();
    assert!(
        matches!(error, ClientError::Refused(Refusal { status: 403, .. })),
        "{error}"
    );
}

async fn refused_onboarding(script: Script) -> (ClientError, Vec<Purpose>) {
    let site = Site::start(None, script).await;
    let mut settings = site.settings();
    settings.root = RootTrust::Given(site.root());
    let folder = temp_dir();
    let error = site
        .device(settings, folder.path(), &[])
        .onboard()
        .await
        .unwrap_err();
    (error, site.seen())
}

#[tokio::test]
async fn redirects_are_refused_and_long_answers_not_read() {
    let (error, seen) = refused_onboarding(Box::new(|_, _| Response::new(307, Vec::new()))).await;
    assert!(
        matches!(error, ClientError::Refused(Refusal { status: 307, .. })),
        "{error}"
    );
    assert_eq!(seen, [Purpose::Onboarding]);
    let (error, _) = refused_onboarding(Box::new(|_, _| {
        Response::new(200, vec![b' '; MAX_ANSWER + 1])
    }))
    .await;
    assert_eq!(
        error.to_string(),
        "the answer to onboarding cannot be believed: it is longer than 4 MiB"
    );
}

#[tokio::test]
async fn exit_codes_tell_why_it_did_not_wait() {
    for (status, code) in [(202, 5), (401, 4), (403, 4), (409, 8), (503, 4), (204, 6)] {
        let (error, _) =
            refused_onboarding(Box::new(move |_, _| Response::new(status, Vec::new()))).await;
        assert_eq!(error.exit_code(), code, "{error}");
    }
}

#[tokio::test]
async fn a_proxy_is_asked_to_connect() {
    let site = Site::honest().await;
    let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = proxy.local_addr().unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let port = site.port;
    tokio::spawn(async move {
        loop {
            let (mut client, _) = proxy.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(client.read_u8().await.unwrap());
            }
            let head = String::from_utf8(head).unwrap();
            seen.lock()
                .unwrap()
                .push(head.lines().next().unwrap().to_owned());
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            let mut upstream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            tokio::spawn(async move {
                let _ = tokio::io::copy_bidirectional(&mut client, &mut upstream).await;
            });
        }
    });
    let folder = temp_dir();
    let mut device = site
        .device(site.settings(), folder.path(), &[])
        .with_proxy(Proxy::Through(format!("http://{address}")));
    device.onboard().await.unwrap();
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 4);
    assert!(
        asked
            .iter()
            .all(|line| *line == format!("CONNECT localhost:{port} HTTP/1.1")),
        "{asked:?}"
    );
}

#[tokio::test]
async fn tls_without_a_clock_takes_what_may_have_begun_and_nothing_that_has_ended() {
    let root = TestCa::new("Root");
    let try_with = async |from: u64, until: u64, wall: fn() -> Option<u64>| {
        let leaf = Leaf::new("tls").dns_name("localhost").valid(from, until);
        // `Site` issues with the default window, so a socket of its own.
        let issued = root.issue(&leaf.purpose(Usage::Server));
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(issued.private_key));
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![issued.certificate], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (socket, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = TlsAcceptor::from(Arc::new(config)).accept(socket).await else {
                return;
            };
            read_request(&mut stream).await;
            let _ = stream
                .write_all(b"HTTP/1.1 204 X\r\nconnection: close\r\n\r\n")
                .await;
            let _ = stream.shutdown().await;
        });
        let floor = UnixTime::since_unix_epoch(Duration::from_secs(1_700_000_000));
        let mut transport =
            Transport::new(Arc::new(SystemClock::with_wall(floor, wall)), Vec::new());
        transport.proxy = Proxy::Direct;
        let request = Request {
            purpose: Purpose::Token,
            method: Method::Get,
            url: format!("https://localhost:{port}/"),
            headers: Vec::new(),
            body: Vec::new(),
            connection: Connection::Verified,
        };
        transport
            .send(&request, Some(&root.certificate))
            .await
            .map(|response| response.status)
    };
    let none: fn() -> Option<u64> = || None;
    let early: fn() -> Option<u64> = || Some(1_600_000_000);
    let late: fn() -> Option<u64> = || Some(1_750_000_000);
    // Begins after the build, ended before it, and a clock that says that it has not begun.
    assert_eq!(try_with(1_800_000_000, 1_900_000_000, none).await, Ok(204));
    assert_eq!(try_with(1_800_000_000, 1_900_000_000, early).await, Ok(204));
    assert!(try_with(1_600_000_000, 1_650_000_000, none).await.is_err());
    assert!(try_with(1_800_000_000, 1_900_000_000, late).await.is_err());
}

fn a_state() -> DeviceState {
    let server = Server::new();
    let settings = server.settings();
    DeviceState::new(
        settings.root_url,
        settings.certificate_id,
        server.root.certificate,
    )
}

#[test]
fn state_files_are_private_whole_and_never_deleted_by_themselves() {
    let folder = temp_dir();
    let path = folder.path().join("state");
    let directory = StateDirectory::open(&path).unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert!(directory.load().unwrap().is_none());
    let lock = directory.try_lock().unwrap().unwrap();
    let mut state = a_state();
    directory.save(&lock, &state, &[]).unwrap();
    assert_eq!(mode(&path), 0o700);
    for name in ["state.json", "root.pem", "lock"] {
        assert_eq!(mode(&path.join(name)), 0o600, "{name}");
    }
    // What a crash left beside the state changes nothing, and is overwritten.
    fs::write(path.join("state.json.new"), b"half").unwrap();
    fs::set_permissions(
        path.join("state.json.new"),
        fs::Permissions::from_mode(0o600),
    )
    .unwrap();
    assert!(directory.load().unwrap().is_some());
    state.last_authenticated = Some(UnixTime::since_unix_epoch(Duration::from_secs(5)));
    directory.save(&lock, &state, &[]).unwrap();
    assert_eq!(
        directory.load().unwrap().unwrap().last_authenticated,
        state.last_authenticated
    );
    assert!(!path.join("state.json.new").exists());

    fs::write(path.join("state.json"), br#"{"clientSecret":"gpcs_x"#).unwrap();
    let error = directory.load().unwrap_err().to_string();
    assert!(
        error.contains("state.json is damaged") && !error.contains("gpcs_"),
        "{error}"
    );
    assert!(path.join("state.json").exists());
    directory.reset(&lock).unwrap();
    assert!(directory.load().unwrap().is_none());
    assert!(!path.join("root.pem").exists());
}

#[test]
fn one_process_at_a_time_changes_the_state() {
    let folder = temp_dir();
    let directory = StateDirectory::open(folder.path().join("state")).unwrap();
    let lock = directory.try_lock().unwrap();
    assert!(lock.is_some());
    assert!(directory.try_lock().unwrap().is_none());
    drop(lock);
    assert!(directory.try_lock().unwrap().is_some());
}

#[test]
fn a_folder_that_others_can_read_is_made_private_only_while_it_is_empty() {
    let folder = temp_dir();
    let path = folder.path().join("state");
    fs::create_dir(&path).unwrap();
    let open_to_all = || fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    open_to_all();
    StateDirectory::open(&path).unwrap();
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    fs::write(path.join("something"), b"").unwrap();
    open_to_all();
    assert!(matches!(
        StateDirectory::open(&path),
        Err(StateError::NotPrivate { .. })
    ));
}

#[test]
fn to_look_at_a_folder_changes_nothing() {
    let folder = temp_dir();
    let path = folder.path().join("state");
    let look = || StateDirectory::open_existing(&path);
    assert!(matches!(look(), Err(StateError::Io { .. })));
    assert!(!path.exists());
    fs::create_dir(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(matches!(look(), Err(StateError::NotPrivate { .. })));
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o755);
    StateDirectory::open(&path).unwrap();
    assert!(look().unwrap().load().unwrap().is_none());
    fs::write(folder.path().join("file"), b"").unwrap();
    let file = StateDirectory::open_existing(folder.path().join("file"));
    assert!(matches!(file, Err(StateError::Io { .. })));
}

#[tokio::test]
async fn a_device_is_opened_from_files_and_reopened_from_its_state() {
    let site = Site::honest().await;
    let folder = temp_dir();
    let write = |name: &str, label: &str, der: &[u8]| {
        use base64::Engine as _;
        let text = base64::engine::general_purpose::STANDARD.encode(der);
        let lines: Vec<_> = text
            .as_bytes()
            .chunks(64)
            .map(String::from_utf8_lossy)
            .collect();
        let text = lines.join("\n");
        let pem = format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n");
        fs::write(folder.path().join(name), pem).unwrap();
    };
    {
        let server = site.server.lock().unwrap();
        write("device.key", "PRIVATE KEY", &server.device.private_key);
        write("device.pem", "CERTIFICATE", &server.device.certificate);
        write("root.pem", "CERTIFICATE", &server.root.certificate);
    }
    let json = format!(
        r#"{{"url":"https://localhost:{}/margo/","id":"{DEVICE}","key":"device.key","cert":"device.pem",
            "root":"root.pem","state":"state","vendor":"Northwind"}}"#,
        site.port
    );
    let file = folder.path().join("device.json");
    fs::write(&file, json).unwrap();
    let config = DeviceConfig::read(&file).unwrap();
    let open = |config: &DeviceConfig| {
        let device = Device::open(config)?;
        Ok::<_, ClientError>(
            device
                .with_proxy(Proxy::Direct)
                .with_patience(Patience::NoWait),
        )
    };
    // The configuration is there before the network is used, and without it the network is not.
    let unreachable = DeviceConfig {
        url: Some("https://localhost:1/margo".into()),
        state: Some(folder.path().join("other")),
        ..config.clone()
    };
    let error = open(&unreachable).unwrap().onboard().await.unwrap_err();
    assert_eq!(error.exit_code(), 3, "{error}");
    let kept = DeviceConfig::read(&folder.path().join("other/device.json")).unwrap();
    assert_eq!(kept, unreachable);
    let odd = folder
        .path()
        .join(std::ffi::OsStr::from_bytes(b"not-utf8-\xff"));
    let unkept = DeviceConfig {
        state: Some(odd.clone()),
        ..config.clone()
    };
    let error = open(&unkept).unwrap().onboard().await.unwrap_err();
    assert!(
        matches!(error, ClientError::Config(ConfigError::Unkept(_))),
        "{error}"
    );
    assert!(site.seen().is_empty() && !odd.join("device.json").exists());

    open(&config).unwrap().onboard().await.unwrap();
    let mut again = Device::reopen(&folder.path().join("state"))
        .unwrap()
        .with_proxy(Proxy::Direct);
    again.git_credential().await.unwrap();

    // Secrets do not follow a new URL.
    let elsewhere = DeviceConfig {
        url: Some("https://localhost:1/margo".into()),
        root: config.root.clone(),
        ..DeviceConfig::default()
    };
    let error = open(&elsewhere.over(config.clone()))
        .unwrap()
        .onboard()
        .await
        .unwrap_err();
    assert!(error.to_string().contains("reset the device"), "{error}");
    let without = |change: fn(&mut DeviceConfig)| {
        let mut config = config.clone();
        change(&mut config);
        open(&config).map(|_| ()).unwrap_err().to_string()
    };
    assert!(without(|config| config.root = None).contains("which root certificate to believe"));
    assert!(without(|config| config.cert = config.root.clone()).contains("is not that of the key"));
    assert!(
        without(|config| config.key = Some(KeyLocation::File("nowhere".into())))
            .contains("nowhere: No such file")
    );
    let endless = without(|config| config.key = Some(KeyLocation::File("/dev/zero".into())));
    assert_eq!(endless, "/dev/zero: it is longer than 1 MiB");
}

#[test]
fn the_same_url_again_keeps_the_trust_of_the_layer_below() {
    let pin = "ab".repeat(32);
    let join = format!("gangplank://wfm.example/margo?ca=sha256:{pin}");
    let with = |url: &str| DeviceConfig {
        url: Some(url.to_owned()),
        ..DeviceConfig::default()
    };
    let lower = DeviceConfig {
        root: Some("root.pem".into()),
        insecure_trust_on_first_use: Some(true),
        ..with(&join)
    };
    assert_eq!(
        with("https://wfm.example/margo/").over(lower.clone()),
        lower
    );
    for url in [
        "https://other.example/margo",
        "https://wfm.example/",
        "no URL",
    ] {
        assert_eq!(with(url).over(lower.clone()), with(url), "{url}");
    }
    // What the upper one says of trust itself stands alone.
    let other_pin = with(&join.replace("ab", "cd"));
    assert_eq!(other_pin.clone().over(lower), other_pin);
}

#[tokio::test]
async fn a_secret_that_no_longer_works_is_renewed_by_onboarding_again() {
    let site = Site::honest().await;
    let folder = temp_dir();
    let mut device = site.device(site.settings(), folder.path(), &[]);
    device.onboard().await.unwrap();
    {
        let mut server = site.server.lock().unwrap();
        (server.secret, server.token) = (None, None);
    }
    device.git_credential().await.unwrap();
    let again = [
        Purpose::GitCredential,
        Purpose::Token,
        Purpose::Onboarding,
        Purpose::Token,
        Purpose::GitCredential,
    ];
    assert_eq!(site.seen()[4..], again);
}

#[test]
fn calls_can_move_between_threads() {
    fn moves<T: Send>(_: T) {}
    let folder = temp_dir();
    let server = Server::new();
    let directory = StateDirectory::open(folder.path().join("state")).unwrap();
    let key = Arc::new(server.device_key());
    let mut device = Device::new(server.settings(), key, directory, Vec::new()).unwrap();
    moves(device.onboard());
    moves(device.git_access());
    moves(device.report_capabilities(&capabilities()));
}
