//! A box in front of the server: it ends TLS under a root of its own, speaks plain HTTP behind, and
//! does with each exchange what a test tells it to.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

mod exchange;
pub mod site;

pub use exchange::{Answer, Asked, connect, exchange};

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock};

use bytes::Bytes;
use gangplank_testkit::{Leaf, Purpose, TestCa};
use http::header::HOST;
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// What the box does with an exchange: it may ask the server behind it, never, once or often, and
/// gives an answer or none at all.
pub type Hook = Arc<dyn Fn(Asked, Upstream) -> Meddled + Send + Sync>;
pub type Meddled = Pin<Box<dyn Future<Output = Option<Answer>> + Send>>;

pub fn hook<F>(meddle: impl Fn(Asked, Upstream) -> F + Send + Sync + 'static) -> Hook
where
    F: Future<Output = Option<Answer>> + Send + 'static,
{
    Arc::new(move |asked, upstream| Box::pin(meddle(asked, upstream)))
}

/// The server behind the box.
#[derive(Clone, Copy)]
pub struct Upstream(SocketAddr);

impl Upstream {
    /// Forwards as a balancer does: over a new plain connection, under a host name of its own.
    pub async fn send(self, mut asked: Asked) -> Answer {
        asked
            .headers
            .insert(HOST, HeaderValue::from_static("backend.internal"));
        asked
            .headers
            .insert("x-forwarded-for", HeaderValue::from_static("127.0.0.1"));
        asked
            .headers
            .insert("x-forwarded-proto", HeaderValue::from_static("https"));
        let stream = TcpStream::connect(self.0).await.unwrap();
        exchange(stream, asked)
            .await
            .expect("the server behind the box answers")
    }
}

pub struct Proxy {
    pub port: u16,
    /// The root of the box's own TLS certificate; the orchestrator's root is another one.
    pub ca: TestCa,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    upstream: OnceLock<SocketAddr>,
    hook: Mutex<Option<Hook>>,
    log: Mutex<Vec<String>>,
    failed: Mutex<Vec<String>>,
}

impl Proxy {
    pub async fn start() -> Self {
        let ca = TestCa::new("Balancer");
        let leaf = Leaf::new("balancer")
            .dns_name("localhost")
            .purpose(Purpose::Server);
        let issued = ca.issue(&leaf);
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(issued.private_key));
        let tls = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![issued.certificate], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::<Shared>::default();
        tokio::spawn(accept(
            listener,
            TlsAcceptor::from(Arc::new(tls)),
            Arc::clone(&shared),
        ));
        Self { port, ca, shared }
    }

    pub fn forward_to(&self, address: SocketAddr) {
        self.shared.upstream.set(address).unwrap();
    }

    pub fn upstream(&self) -> Upstream {
        Upstream(*self.shared.upstream.get().unwrap())
    }

    /// From here on each exchange is given to the hook; `None`: passed on as it is.
    pub fn meddle(&self, hook: Option<Hook>) {
        *self.shared.hook.lock().unwrap() = hook;
    }

    /// The panics of hooks since the last call.
    pub fn failed(&self) -> Vec<String> {
        std::mem::take(&mut *self.shared.failed.lock().unwrap())
    }

    /// `METHOD target status` of each exchange so far.
    pub fn log(&self) -> Vec<String> {
        self.shared.log.lock().unwrap().clone()
    }
}

async fn accept(listener: TcpListener, tls: TlsAcceptor, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (tls, shared) = (tls.clone(), Arc::clone(&shared));
        tokio::spawn(async move {
            let Ok(stream) = tls.accept(stream).await else {
                return;
            };
            let service =
                hyper::service::service_fn(move |request| serve(Arc::clone(&shared), request));
            let http = hyper::server::conn::http1::Builder::new();
            let _ = http.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// An error closes the connection without an answer.
async fn serve(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, &'static str> {
    let (head, body) = request.into_parts();
    let asked = Asked {
        method: head.method,
        target: head.uri.path_and_query().unwrap().to_string(),
        headers: head.headers,
        body: body
            .collect()
            .await
            .map_err(|_| "broken off")?
            .to_bytes()
            .to_vec(),
    };
    let line = format!("{} {}", asked.method, asked.target);
    let upstream = Upstream(*shared.upstream.get().unwrap());
    let hook = shared.hook.lock().unwrap().clone();
    let answer = match hook {
        // What a hook asserts counts, although it runs in the box.
        Some(hook) => match tokio::spawn(async move { hook(asked, upstream).await }).await {
            Ok(answer) => answer,
            Err(panic) => {
                shared.failed.lock().unwrap().push(panic.to_string());
                None
            }
        },
        None => Some(upstream.send(asked).await),
    };
    let status = answer
        .as_ref()
        .map_or("-", |answer| answer.status.as_str())
        .to_owned();
    shared.log.lock().unwrap().push(format!("{line} {status}"));
    let answer = answer.ok_or("swallowed")?;
    let mut response = Response::new(Full::from(answer.body));
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    Ok(response)
}
