//! Whole requests and answers, and what carries them.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use gangplank_server::key::CertificateDer;
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// A whole request.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: Method,
    /// Path and query.
    pub target: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// One request and its answer over a stream.
pub async fn exchange<S>(stream: S, asked: Asked) -> Option<Answer>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .ok()?;
    tokio::spawn(connection);
    let mut request = Request::new(Full::<Bytes>::from(asked.body));
    *request.method_mut() = asked.method;
    *request.uri_mut() = asked.target.parse().unwrap();
    *request.headers_mut() = end_to_end(asked.headers);
    let (head, body) = sender.send_request(request).await.ok()?.into_parts();
    Some(Answer {
        status: head.status,
        headers: end_to_end(head.headers),
        body: body.collect().await.ok()?.to_bytes().to_vec(),
    })
}

/// Without what belongs to one connection (RFC 9110 §7.6.1), or to the body as it was.
fn end_to_end(mut headers: HeaderMap) -> HeaderMap {
    for name in [CONNECTION, TRANSFER_ENCODING, CONTENT_LENGTH] {
        headers.remove(name);
    }
    headers
}

/// TLS to a loopback port, verified under `root`, as a client that knows `versions` only.
pub async fn connect(
    address: SocketAddr,
    name: &str,
    root: &CertificateDer<'static>,
    versions: &[&'static SupportedProtocolVersion],
) -> std::io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, TcpStream::connect(address).await?)
        .await
}
