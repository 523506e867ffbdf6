//! The requests: registration before the clock starts, onboarding while it runs.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use gangplank_envelope::{Audience, MEDIA_TYPE};
use gangplank_onboarding::v2024::onboarding::PATH;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::client::Resumption;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::Result;
use crate::device::{Device, is_answer};
use crate::server::ServerProcess;

/// Whether requests share connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connections {
    Reused,
    New,
}

/// How long a run took, and each of its requests.
pub struct Took {
    pub whole: Duration,
    pub each: Vec<Duration>,
}

/// Registers the devices through the admin API.
pub async fn register(server: &ServerProcess, devices: Vec<Device>) -> Result<Vec<Device>> {
    let queue = Arc::new(Mutex::new(devices));
    let authorization = format!("Bearer {}", server.admin_token);
    let done = in_parallel(64, || {
        let (queue, authorization) = (Arc::clone(&queue), authorization.clone());
        let mut peer = Peer::new(server, server.admin);
        async move {
            let mut done = Vec::new();
            while let Some(device) = next(&queue) {
                let body = serde_json::json!({
                    "certificateId": device.id.as_str(),
                    "certificate": BASE64_STANDARD.encode(&device.certificate),
                });
                let request = peer
                    .post("/admin/devices", "application/json")
                    .header("authorization", &authorization)
                    .body(Full::from(body.to_string()))?;
                let (status, body) = peer.send(request).await?;
                expect(status, StatusCode::CREATED, &body)?;
                done.push(device);
            }
            Ok(done)
        }
    });
    Ok(done.await?.into_iter().flatten().collect())
}

/// Brings the devices aboard, so many at a time.
pub async fn onboard(
    server: &ServerProcess,
    devices: Vec<Device>,
    at_a_time: usize,
    connections: Connections,
) -> Result<Took> {
    let queue = Arc::new(Mutex::new(devices));
    let audience = Audience::parse(server.root_url.as_str())?;
    let path = format!("{}{PATH}", path_of(server.root_url.as_str()));
    let started = Instant::now();
    let each = in_parallel(at_a_time, || {
        let (queue, audience, path) = (Arc::clone(&queue), audience.clone(), path.clone());
        let mut peer = Peer::new(server, server.address());
        async move {
            let mut each = Vec::new();
            while let Some(device) = next(&queue) {
                let (body, nonce) = device.request(&audience)?;
                let begun = Instant::now();
                if connections == Connections::New {
                    peer.hang_up();
                }
                let request = peer.post(&path, MEDIA_TYPE).body(Full::from(body))?;
                let (status, body) = peer.send(request).await?;
                expect(status, StatusCode::CREATED, &body)?;
                if !is_answer(&body, &nonce) {
                    return Err("the answer is no answer to this request".into());
                }
                each.push(begun.elapsed());
            }
            Ok(each)
        }
    });
    let each = each.await?.into_iter().flatten().collect();
    Ok(Took {
        whole: started.elapsed(),
        each,
    })
}

async fn in_parallel<T, F>(count: usize, task: impl Fn() -> F) -> Result<Vec<T>>
where
    T: Send + 'static,
    F: Future<Output = Result<T>> + Send + 'static,
{
    let tasks: Vec<_> = (0..count).map(|_| tokio::spawn(task())).collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await??);
    }
    Ok(results)
}

/// One end of a connection that is made when it is needed.
struct Peer {
    address: SocketAddr,
    tls: TlsConnector,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Peer {
    fn new(server: &ServerProcess, address: SocketAddr) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(server.root.clone()).expect("the server's root");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("TLS 1.3")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        Self {
            address,
            tls: TlsConnector::from(Arc::new(config)),
            sender: None,
        }
    }

    fn post(&self, path: &str, media_type: &str) -> hyper::http::request::Builder {
        Request::post(path)
            .header("host", format!("localhost:{}", self.address.port()))
            .header("content-type", media_type)
    }

    async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes)> {
        let mut sender = match self.sender.take() {
            Some(sender) if !sender.is_closed() => sender,
            _ => self.connect().await?,
        };
        sender.ready().await?;
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        self.sender = Some(sender);
        Ok((status, body))
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from("localhost")?;
        let stream = self.tls.connect(name, stream).await?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }

    fn hang_up(&mut self) {
        self.sender = None;
    }
}

fn next(queue: &Mutex<Vec<Device>>) -> Option<Device> {
    queue
        .lock()
        .expect("no task panics while it holds the queue")
        .pop()
}

fn expect(found: StatusCode, expected: StatusCode, body: &[u8]) -> Result<()> {
    if found == expected {
        Ok(())
    } else {
        Err(format!("{found}, not {expected}: {}", String::from_utf8_lossy(body)).into())
    }
}

/// The path of a root URL, without a final slash.
fn path_of(root_url: &str) -> &str {
    let host_and_path = root_url.strip_prefix("https://").unwrap_or(root_url);
    host_and_path
        .find('/')
        .map_or("", |at| &host_and_path[at..])
}
