//! A proxy that ends TLS with certificates of its own, as companies have them: an HTTP proxy whose
//! CONNECT leads to itself.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response, StatusCode};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::forgery;
use super::program::Program;
use super::scene::{Party, Scene};
use super::steps::Server;
use crate::{Exit, Failure, json, pinned};

/// The box, working until it is dropped.
pub(super) struct InspectingBox {
    address: SocketAddr,
    certificate_file: std::path::PathBuf,
    inside: Arc<Inside>,
    serving: JoinHandle<()>,
}

struct Inside {
    http: reqwest::Client,
    origin: String,
    rewrites: bool,
    rewritten: AtomicUsize,
}

impl InspectingBox {
    pub(super) async fn start(
        scene: &Scene,
        server: &Server,
        rewrites: bool,
    ) -> Result<Self, Failure> {
        let certificate_file = scene.inspecting_box().join("ca.pem");
        let acceptor = acceptor(&certificate_file, server.root_url.host())?;
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .map_err(|error| broken(&error))?;
        let address = listener.local_addr().map_err(|error| broken(&error))?;
        let inside = Arc::new(Inside {
            http: pinned::client(&server.root, server.root_url.as_str())?,
            origin: server.root_url.as_str().to_owned(),
            rewrites,
            rewritten: AtomicUsize::new(0),
        });
        let router = Router::new()
            .fallback(relay)
            .with_state(Arc::clone(&inside));
        let serving = tokio::spawn(async move {
            // It ends with the task.
            let _ = axum::serve(Tunnels { listener, acceptor }, router).await;
        });
        Ok(Self {
            address,
            certificate_file,
            inside,
            serving,
        })
    }

    /// `gangplank onboard` behind this box: it is the proxy, and its root counts for transport.
    pub(super) fn device(&self, party: &Party, server: &Server) -> Result<Program, Failure> {
        let certificate = self.certificate_file.to_string_lossy();
        let arguments = [
            "onboard",
            &server.join,
            "--id",
            party.id,
            "--key",
            "device.key",
            "--cert",
            "device.pem",
        ];
        let more = [
            "--state",
            "state",
            "--transport-ca",
            &certificate,
            "--no-wait",
            "--json",
        ];
        let program = Program::new(&party.folder, arguments.into_iter().chain(more))?;
        Ok(program.with("HTTPS_PROXY", &format!("http://{}", self.address)))
    }

    /// Otherwise the attack was none.
    pub(super) fn must_have_rewritten(&self) -> Result<(), Failure> {
        match self.inside.rewritten.load(Ordering::SeqCst) {
            0 => Err(Failure::new(Exit::No, "the box had nothing to rewrite")),
            _ => Ok(()),
        }
    }
}

impl Drop for InspectingBox {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Asks the real orchestrator, and answers in its place.
async fn relay(State(inside): State<Arc<Inside>>, request: Request) -> Response<Body> {
    match inside.ask(request).await {
        Ok(response) => response,
        Err(_) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            response
        }
    }
}

impl Inside {
    async fn ask(&self, request: Request) -> Result<Response<Body>, Failure> {
        let (head, body) = request.into_parts();
        let body = to_bytes(body, LONGEST)
            .await
            .map_err(|error| broken(&error))?;
        let url = format!(
            "{}{}",
            self.origin,
            head.uri.path_and_query().map_or("/", |path| path.as_str())
        );
        let answer = self
            .http
            .request(head.method, url)
            .headers(only(
                &head.headers,
                &["content-type", "authorization", "accept"],
            ))
            .body(body)
            .send()
            .await
            .map_err(|error| broken(&error))?;
        let (status, headers) = (
            answer.status(),
            only(
                answer.headers(),
                &["content-type", "retry-after", "replay-nonce"],
            ),
        );
        let mut body = answer
            .bytes()
            .await
            .map_err(|error| broken(&error))?
            .to_vec();
        if self.rewrites
            && let Some(changed) = rewritten(&body)
        {
            self.rewritten.fetch_add(1, Ordering::SeqCst);
            body = changed;
        }
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

/// Another Git repository, with a digest that fits.
fn rewritten(body: &[u8]) -> Option<Vec<u8>> {
    let mut envelope: Value = serde_json::from_slice(body).ok()?;
    let mut payload: Value = serde_json::from_slice(&forgery::payload(&envelope)?).ok()?;
    payload.get("gitRepositoryUrl")?;
    let elsewhere = "https://mallory.example/git/everything.git";
    json::set(&mut payload, "gitRepositoryUrl", elsewhere);
    let payload = payload.to_string();
    forgery::put_payload(&mut envelope, payload.as_bytes());
    forgery::put_digest_of(&mut envelope, payload.as_bytes());
    Some(envelope.to_string().into_bytes())
}

fn only(headers: &HeaderMap, names: &[&'static str]) -> HeaderMap {
    names
        .iter()
        .filter_map(|name| Some((name.parse().ok()?, headers.get(*name)?.clone())))
        .collect()
}

/// An authority of the box's own, and a certificate under it for the orchestrator's host.
fn acceptor(certificate_file: &std::path::Path, host: &str) -> Result<TlsAcceptor, Failure> {
    let failed = |error: rcgen::Error| broken(&error);
    let mut authority = CertificateParams::new(Vec::new()).map_err(failed)?;
    authority
        .distinguished_name
        .push(DnType::CommonName, "A box that ends TLS");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().map_err(failed)?;
    let root = authority.self_signed(&authority_key).map_err(failed)?;
    std::fs::write(certificate_file, root.pem()).map_err(|error| broken(&error))?;
    let key = KeyPair::generate().map_err(failed)?;
    let leaf = CertificateParams::new(vec![host.to_owned()])
        .and_then(|leaf| leaf.signed_by(&key, &Issuer::new(authority, authority_key)))
        .map_err(failed)?;
    let private = PrivateKeyDer::try_from(key.serialize_der())
        .map_err(|reason| Failure::new(Exit::CannotTell, reason))?;
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(
        rustls::crypto::aws_lc_rs::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .and_then(|builder| {
        builder
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], private)
    })
    .map_err(|error| broken(&error))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Connections that came by CONNECT, with TLS that ends here.
struct Tunnels {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl axum::serve::Listener for Tunnels {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            // One after the other: one device makes one connection at a time.
            if let Ok((stream, address)) = self.listener.accept().await
                && let Ok(stream) = tunnel(stream, &self.acceptor).await
            {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// RFC 9110 §9.3.6; whatever address is asked for, it ends here.
async fn tunnel(
    mut stream: TcpStream,
    acceptor: &TlsAcceptor,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < LONGEST_HEAD {
        head.push(stream.read_u8().await?);
    }
    if !head.starts_with(b"CONNECT ") {
        return Err(std::io::ErrorKind::InvalidData.into());
    }
    stream.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await?;
    acceptor.accept(stream).await
}

fn broken(error: &dyn std::error::Error) -> Failure {
    Failure::of(Exit::CannotTell, error)
}

const LONGEST: usize = 4 << 20;
const LONGEST_HEAD: usize = 8 << 10;
