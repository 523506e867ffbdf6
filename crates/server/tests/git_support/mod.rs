//! A TLS server with `HttpBackend` behind Basic authentication, a device and an operator for it.

use std::{
    collections::HashMap,
    ffi::OsString,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex},
};

use axum::{body::Body, extract::Request, response::Response};
use gangplank_client::git::{Checkout, ExpectedCommit, Git, HelperCommand};
use gangplank_onboarding::DeviceId;
use gangplank_server::git::{
    Access, BackendError, Caller, HttpBackend, Limits, Repositories, Route, parse_basic,
};
use http::{StatusCode, header};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, TlsConnector, client::TlsStream};

pub(crate) const DEVICE: &str = "d-1";
pub(crate) const DEVICE_TOKEN: &str = "gpgt_device-token";
pub(crate) const ADMIN_TOKEN: &str = "admin-token";

pub(crate) struct Site {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) port: u16,
    pub(crate) ca_file: PathBuf,
    pub(crate) repositories: Repositories,
    pub(crate) state: Arc<State>,
}

/// What the server side of a test sees and may change.
pub(crate) struct State {
    pub(crate) tokens: Mutex<HashMap<String, Access>>,
    /// `METHOD path-and-query`, with ` gzip` behind it for a packed body.
    pub(crate) requests: Mutex<Vec<String>>,
    pub(crate) redirect: Mutex<bool>,
    pub(crate) last_error: Mutex<Option<String>>,
    repositories: Repositories,
    backend: HttpBackend,
}

pub(crate) struct Setup {
    pub(crate) git_program: PathBuf,
    pub(crate) limits: Limits,
    pub(crate) validity: (i32, i32),
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            git_program: "git".into(),
            limits: Limits::DEFAULT,
            validity: (2020, 2090),
        }
    }
}

impl Site {
    pub(crate) async fn start() -> Self {
        Self::start_with(Setup::default()).await
    }

    pub(crate) async fn start_with(setup: Setup) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (root, chain, key) = certificates(setup.validity);
        let ca_file = folder.path().join("root.pem");
        fs::write(&ca_file, root).unwrap();
        let repositories = Repositories::new(folder.path().join("git"), "git");
        let tokens = [
            (DEVICE_TOKEN.to_owned(), Access::ReadOnly),
            (ADMIN_TOKEN.to_owned(), Access::ReadWrite),
        ];
        let state = Arc::new(State {
            tokens: Mutex::new(tokens.into()),
            requests: Mutex::default(),
            redirect: Mutex::default(),
            last_error: Mutex::default(),
            repositories: repositories.clone(),
            backend: HttpBackend::new(setup.git_program).with_limits(setup.limits),
        });
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(accept(
            listener,
            TlsAcceptor::from(Arc::new(tls)),
            Arc::clone(&state),
        ));
        let site = Self {
            folder,
            port,
            ca_file,
            repositories,
            state,
        };
        site.helper(DEVICE_TOKEN, None);
        site
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn url(&self) -> String {
        format!("https://127.0.0.1:{}/git/{DEVICE}.git", self.port)
    }

    /// The device's helper: a script that gives `token`, and after an `erase` gives `next`.
    pub(crate) fn helper(&self, token: &str, next: Option<&str>) {
        fs::write(self.path("token"), token).unwrap();
        fs::write(self.path("next"), next.unwrap_or(token)).unwrap();
        let body = "cat >> \"$state/helper.log\"\necho \"$1\" >> \"$state/actions\"\n\
            case $1 in get) printf 'username=device\\npassword=%s\\n' \"$(cat \"$state/token\")\";;\n\
            erase) cp \"$state/next\" \"$state/token\";; esac\n";
        script(
            &self.path("it's a helper.sh"),
            &format!("state=$2\nset -- \"$3\"\n{body}"),
        );
    }

    pub(crate) fn actions(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("actions")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    pub(crate) fn checkout(&self, expected: ExpectedCommit) -> Checkout {
        Checkout {
            url: self.url(),
            directory: self.path("desired"),
            ca_file: self.ca_file.clone(),
            helper: HelperCommand {
                program: self.path("it's a helper.sh"),
                arguments: vec!["--state".into(), self.folder.path().into()],
            },
            expected,
        }
    }

    /// Commits `content` as `manifest.yaml` and pushes it as the operator; the commit.
    pub(crate) fn push(&self, content: &str) -> String {
        let work = self.path("operator");
        if !work.exists() {
            fs::create_dir(&work).unwrap();
            self.operator(&["init", "-q", "--initial-branch=main"])
                .unwrap();
        }
        fs::write(work.join("manifest.yaml"), content).unwrap();
        self.operator(&["add", "."]).unwrap();
        self.operator(&["commit", "-q", "-m", "state"]).unwrap();
        self.operator(&["push", "-q", &self.url(), "main"]).unwrap();
        self.operator(&["rev-parse", "HEAD"])
            .unwrap()
            .trim()
            .to_owned()
    }

    /// git as an operator runs it, in the folder `operator`.
    pub(crate) fn operator(&self, arguments: &[&str]) -> Result<String, String> {
        self.plain_git(&self.path("operator"), ADMIN_TOKEN, arguments)
    }

    /// git with few precautions, in any folder, with any token.
    pub(crate) fn plain_git(
        &self,
        folder: &Path,
        token: &str,
        arguments: &[&str],
    ) -> Result<String, String> {
        let output = Command::new("git")
            .current_dir(folder)
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
            .arg("-c")
            .arg(format!("http.sslCAInfo={}", self.ca_file.display()))
            .arg("-c")
            .arg(format!(
                "credential.helper=!f() {{ echo username=u; echo password={token}; }}; f"
            ))
            .args(arguments)
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() {
            Ok(text(&output.stdout))
        } else {
            Err(text(&output.stderr))
        }
    }

    /// Sends bytes as they are and reads to the end; the status line's number.
    pub(crate) async fn raw(&self, request: &str) -> u16 {
        let mut stream = self.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let text = String::from_utf8_lossy(&answer);
        text.split(' ')
            .nth(1)
            .unwrap_or_else(|| panic!("no answer to {request}: {text}"))
            .parse()
            .unwrap()
    }

    pub(crate) async fn get(&self, token: &str, target: &str) -> u16 {
        self.raw(&format!("GET {target} {}\r\n", head(token))).await
    }

    pub(crate) async fn connect(&self) -> TlsStream<TcpStream> {
        use rustls::pki_types::pem::PemObject;
        let mut roots = rustls::RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_file(&self.ca_file).unwrap())
            .unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        TlsConnector::from(Arc::new(tls))
            .connect(name, stream)
            .await
            .unwrap()
    }
}

/// The rest of a request's head after the target, with Basic credentials, without the empty line.
pub(crate) fn head(token: &str) -> String {
    use base64::Engine;
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("device:{token}"));
    format!("HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Basic {basic}\r\n")
}

/// The device's git, whose parent had these variables besides PATH.
pub(crate) fn git_in(variables: &[(&str, &Path)]) -> Git {
    let path = (OsString::from("PATH"), std::env::var_os("PATH").unwrap());
    let more = variables
        .iter()
        .map(|(name, value)| (OsString::from(name), value.as_os_str().to_owned()));
    Git::new("git").with_environment([path].into_iter().chain(more))
}

pub(crate) fn script(path: &Path, body: &str) {
    fs::write(path, format!("#!/bin/sh\n{body}")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

pub(crate) fn device() -> DeviceId {
    DeviceId::parse(DEVICE).unwrap()
}

fn certificates(
    (from, to): (i32, i32),
) -> (String, Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let mut root = CertificateParams::default();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root_key = KeyPair::generate().unwrap();
    let pem = root.self_signed(&root_key).unwrap().pem();
    let issuer = Issuer::new(root, root_key);
    let mut leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    (leaf.not_before, leaf.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
    let key = KeyPair::generate().unwrap();
    let chain = vec![leaf.signed_by(&key, &issuer).unwrap().der().clone()];
    (
        pem,
        chain,
        PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
    )
}

async fn accept(listener: TcpListener, tls: TlsAcceptor, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (tls, state) = (tls.clone(), Arc::clone(&state));
        tokio::spawn(async move {
            let Ok(stream) = tls.accept(stream).await else {
                return;
            };
            let router =
                axum::Router::new().fallback(move |request| answer(Arc::clone(&state), request));
            let service = TowerToHyperService::new(router);
            let http = hyper::server::conn::http1::Builder::new();
            let _ = http.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(state: Arc<State>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let gzip = if parts.headers.contains_key(header::CONTENT_ENCODING) {
        " gzip"
    } else {
        ""
    };
    state
        .requests
        .lock()
        .unwrap()
        .push(format!("{} {}{gzip}", parts.method, parts.uri));
    let Some(route) = Route::parse(&parts.method, parts.uri.path(), parts.uri.query()) else {
        return status(StatusCode::NOT_FOUND);
    };
    if *state.redirect.lock().unwrap() {
        let mut response = status(StatusCode::FOUND);
        let elsewhere = parts.uri.to_string().replace(DEVICE, "d-2");
        response
            .headers_mut()
            .insert(header::LOCATION, elsewhere.parse().unwrap());
        return response;
    }
    let credentials = parts
        .headers
        .get(header::AUTHORIZATION)
        .and_then(|value| parse_basic(value.to_str().ok()?));
    let tokens = state.tokens.lock().unwrap().clone();
    let Some((user, access)) =
        credentials.and_then(|(user, token)| Some((user, *tokens.get(token.as_str())?)))
    else {
        let mut response = status(StatusCode::UNAUTHORIZED);
        response.headers_mut().insert(
            header::WWW_AUTHENTICATE,
            "Basic realm=\"git\"".parse().unwrap(),
        );
        return response;
    };
    let repository = state.repositories.ensure(route.device()).await.unwrap();
    let caller = Caller {
        access,
        user: &user,
        address: Some([127, 0, 0, 1].into()),
    };
    let answer = state
        .backend
        .serve(&repository, route.service(), &parts.headers, body, &caller)
        .await;
    answer.unwrap_or_else(|error: BackendError| {
        *state.last_error.lock().unwrap() = Some(error.to_string());
        status(error.status())
    })
}

fn status(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
