//! One connection: TLS if asked for, then HTTP/1.1 until either side ends it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::Request;
use hyper::body::Incoming;
use hyper::rt::{Read, Write};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;
use tower::util::Oneshot;

use super::peer::strip_forwarded;
use super::{Limits, Peer, ServerName, Shutdown, TrustedProxies};

/// What all connections of one listener share.
#[derive(Clone)]
pub(super) struct Serving {
    pub(super) router: Router,
    pub(super) protocol: Protocol,
    pub(super) proxies: Arc<TrustedProxies>,
    pub(super) limits: Limits,
}

/// How the clients of a listener speak.
#[derive(Clone)]
pub(super) enum Protocol {
    /// With TLS, which ends here.
    Tls(TlsAcceptor),
    /// Without: a balancer in front ends TLS.
    BehindProxy,
    /// Without, and the routes judge who may come so.
    Plain,
}

impl Serving {
    /// Serves one connection to its end. Errors end the connection and are the client's affair;
    /// they are logged for debugging only, since anybody can cause them at will.
    pub(super) async fn serve(self, stream: TcpStream, from: SocketAddr, mut shutdown: Shutdown) {
        // Answers are small and complete: waiting to fill a segment only delays them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%from, %error, "cannot set TCP_NODELAY");
        }
        let acceptor = match self.protocol.clone() {
            Protocol::Tls(acceptor) => acceptor,
            // Only a balancer may speak for others, and only it has business on its listener.
            Protocol::BehindProxy if !self.proxies.trusts(from.ip()) => {
                tracing::warn!(%from, "closed a plain connection: not from a trusted proxy");
                return;
            }
            Protocol::BehindProxy | Protocol::Plain => {
                let stream = TokioIo::new(stream);
                return self.serve_http(stream, from, None, shutdown).await;
            }
        };
        let handshake = tokio::time::timeout(self.limits.tls_handshake, acceptor.accept(stream));
        let handshake = tokio::select! {
            () = shutdown.requested() => return,
            handshake = handshake => handshake,
        };
        match handshake {
            Ok(Ok(stream)) => {
                let name = stream.get_ref().1.server_name();
                let name = name.filter(|_| !self.proxies.trusts(from.ip()));
                let name = name.map(ServerName::new);
                self.serve_http(TokioIo::new(stream), from, name, shutdown)
                    .await;
            }
            Ok(Err(error)) => tracing::debug!(%from, %error, "TLS handshake failed"),
            Err(_) => tracing::debug!(%from, "TLS handshake took too long"),
        }
    }

    async fn serve_http(
        self,
        stream: impl Read + Write + Unpin,
        from: SocketAddr,
        name: Option<ServerName>,
        mut shutdown: Shutdown,
    ) {
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.header_read)
            .max_buf_size(HEAD_LIMIT)
            .serve_connection(
                stream,
                ForEachRequest {
                    serving: self,
                    from,
                    name,
                },
            );
        tokio::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = shutdown.requested() => {
                // The request in flight is answered, with `Connection: close`.
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%from, %error, "connection ended");
        }
    }
}

/// Tells each request of a connection who sent it.
struct ForEachRequest {
    serving: Serving,
    from: SocketAddr,
    name: Option<ServerName>,
}

impl hyper::service::Service<Request<Incoming>> for ForEachRequest {
    type Response = axum::response::Response;
    type Error = core::convert::Infallible;
    type Future = Oneshot<Router, Request<Body>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let peer = Peer {
            address: self
                .serving
                .proxies
                .client(self.from.ip(), request.headers()),
            over_tls: matches!(self.serving.protocol, Protocol::Tls(_)),
        };
        strip_forwarded(request.headers_mut());
        request.extensions_mut().insert(peer);
        if let Some(name) = &self.name {
            request.extensions_mut().insert(name.clone());
        }
        self.serving.router.clone().oneshot(request.map(Body::new))
    }
}

/// Bytes of a request's line and headers; browsers and proxies stay below 16 KiB.
const HEAD_LIMIT: usize = 64 * 1024;

pub(super) const TLS_HANDSHAKE: Duration = Duration::from_secs(10);
pub(super) const HEADER_READ: Duration = Duration::from_secs(30);
