//! Listening: TLS for devices, plain HTTP for a balancer in front, and an admin listener.
//!
//! ```no_run
//! # async fn serve(public: axum::Router, admin: axum::Router) -> Result<(), Box<dyn std::error::Error>> {
//! use gangplank_server::authority::Authority;
//! use gangplank_server::listen::{ListenConfig, Listeners, Shutdown};
//! use rustls_pki_types::UnixTime;
//!
//! let authority = Authority::open("data".as_ref(), "localhost", UnixTime::now())?;
//! let config = ListenConfig::new("[::]:8443".parse()?, "127.0.0.1:8444".parse()?, authority.tls_resolver());
//! let bound = Listeners::bind(config).await?;
//! let (_trigger, shutdown) = Shutdown::new();
//! bound.serve(public, admin, shutdown).await;
//! # Ok(())
//! # }
//! ```
//!
//! Every request carries a [`Peer`] as an extension; `X-Forwarded-*` and `Forwarded` headers are
//! evaluated here and removed. A vendor who has a web framework needs none of this, but should
//! insert a [`Peer`] for the rate limit and the audit log, and a [`ServerName`] where host names
//! tell tenants apart.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use rustls::server::{ResolvesServerCert, ServerConfig};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

mod accept;
mod connection;
mod peer;
mod request;
mod shutdown;
#[cfg(test)]
mod tests;

pub use peer::{Peer, ServerName, TrustedProxies};
pub(crate) use request::problem_response;
pub use request::{RequestLimits, RequestRefused, limit_requests, security_headers};
pub use shutdown::{Shutdown, ShutdownTrigger};

use connection::{Protocol, Serving};

/// Where to listen, and with which identity.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ListenConfig {
    /// TLS, for devices. Port 0 takes any free port.
    pub tls: SocketAddr,
    /// TLS, for operators. Port 0 takes any free port.
    pub admin: SocketAddr,
    /// Plain HTTP, for a balancer that ends TLS; serves trusted proxies only.
    pub plain: Option<SocketAddr>,
    /// The proxies whose `X-Forwarded-For` is believed, on every listener.
    pub trusted_proxies: TrustedProxies,
    /// The certificate to present.
    pub identity: Arc<dyn ResolvesServerCert>,
    /// How much a listener puts up with.
    pub limits: Limits,
}

impl ListenConfig {
    /// TLS on `tls` and `admin`, no plain listener, no trusted proxies, the default limits.
    pub fn new(tls: SocketAddr, admin: SocketAddr, identity: Arc<dyn ResolvesServerCert>) -> Self {
        let (plain, trusted_proxies, limits) = Default::default();
        Self {
            tls,
            admin,
            plain,
            trusted_proxies,
            identity,
            limits,
        }
    }
}

/// How much a listener puts up with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Connections open at once on the TLS and plain listeners together; more wait in the kernel's
    /// queue. The admin listener has [`Limits::admin_connections`] of its own, so that devices
    /// cannot lock the operator out.
    pub connections: usize,
    /// Connections open at once on the admin listener.
    pub admin_connections: usize,
    /// From accepting a connection to the end of the TLS handshake.
    pub tls_handshake: Duration,
    /// From the moment a request may begin until its headers are complete; also how long an idle
    /// connection is kept.
    pub header_read: Duration,
    /// How long requests in flight may take to finish after a shutdown was asked for.
    pub drain: Duration,
}

impl Default for Limits {
    /// 4096 and 64 connections, 10 s for TLS, 30 s for headers, 10 s to drain.
    fn default() -> Self {
        Self {
            connections: 4096,
            admin_connections: 64,
            tls_handshake: connection::TLS_HANDSHAKE,
            header_read: connection::HEADER_READ,
            drain: Duration::from_secs(10),
        }
    }
}

/// Why the listeners could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// The operating system refused an address.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// A plain listener without trusted proxies would serve nobody.
    #[error("the plain listener on {0} needs at least one trusted proxy")]
    NoTrustedProxy(SocketAddr),
    /// rustls refused the configuration.
    #[error("cannot configure TLS")]
    Tls(#[from] rustls::Error),
}

/// Opens listeners.
#[derive(Debug)]
pub struct Listeners;

impl Listeners {
    /// Takes all addresses; nothing is accepted before [`Bound::serve`].
    ///
    /// # Errors
    /// [`ListenError`], naming the address.
    pub async fn bind(config: ListenConfig) -> Result<Bound, ListenError> {
        let plain = match config.plain {
            Some(address) if config.trusted_proxies.is_empty() => {
                return Err(ListenError::NoTrustedProxy(address));
            }
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        Ok(Bound {
            tls: bind(config.tls).await?,
            admin: bind(config.admin).await?,
            plain,
            acceptor: TlsAcceptor::from(Arc::new(tls_config(config.identity)?)),
            proxies: Arc::new(config.trusted_proxies),
            limits: config.limits,
        })
    }
}

/// Open listeners, not yet served.
pub struct Bound {
    tls: Listening,
    admin: Listening,
    plain: Option<Listening>,
    acceptor: TlsAcceptor,
    proxies: Arc<TrustedProxies>,
    limits: Limits,
}

impl Bound {
    /// Where devices reach TLS, with the actual port.
    pub fn tls_address(&self) -> SocketAddr {
        self.tls.address
    }

    /// Where operators reach TLS, with the actual port.
    pub fn admin_address(&self) -> SocketAddr {
        self.admin.address
    }

    /// Where a balancer reaches plain HTTP, with the actual port.
    pub fn plain_address(&self) -> Option<SocketAddr> {
        self.plain.as_ref().map(|plain| plain.address)
    }

    /// Serves `public` on the TLS and plain listeners and `admin` on the admin listener. Returns
    /// after `shutdown` was asked for and requests in flight finished, or the drain time passed.
    pub async fn serve(self, public: Router, admin: Router, shutdown: Shutdown) {
        let public_room = Arc::new(Semaphore::new(self.limits.connections));
        let admin_room = Arc::new(Semaphore::new(self.limits.admin_connections));
        let serving = |router: &Router, protocol: Protocol| Serving {
            router: router.clone(),
            protocol,
            proxies: Arc::clone(&self.proxies),
            limits: self.limits,
        };
        let with_tls = || Protocol::Tls(self.acceptor.clone());
        let tls = accept::serve_all(
            self.tls.listener,
            serving(&public, with_tls()),
            Arc::clone(&public_room),
            shutdown.clone(),
        );
        let admin = accept::serve_all(
            self.admin.listener,
            serving(&admin, with_tls()),
            admin_room,
            shutdown.clone(),
        );
        let plain = async {
            if let Some(plain) = self.plain {
                let serving = serving(&public, Protocol::BehindProxy);
                accept::serve_all(plain.listener, serving, public_room, shutdown).await;
            }
        };
        tokio::join!(tls, admin, plain);
    }
}

/// A listener without TLS whose routes say themselves who may use it.
pub struct PlainListener {
    listening: Listening,
    limits: Limits,
}

impl PlainListener {
    /// Takes the address; nothing is accepted before [`serve`](Self::serve).
    ///
    /// # Errors
    /// [`ListenError::Bind`].
    pub async fn bind(address: SocketAddr) -> Result<Self, ListenError> {
        Ok(Self {
            listening: bind(address).await?,
            limits: Limits::default(),
        })
    }

    /// Its address, with the actual port.
    pub fn address(&self) -> SocketAddr {
        self.listening.address
    }

    /// As [`Bound::serve`]; nobody's word about another address is taken.
    pub async fn serve(self, router: Router, shutdown: Shutdown) {
        let room = Arc::new(Semaphore::new(self.limits.admin_connections));
        let serving = Serving {
            router,
            protocol: Protocol::Plain,
            proxies: Arc::default(),
            limits: self.limits,
        };
        accept::serve_all(self.listening.listener, serving, room, shutdown).await;
    }
}

struct Listening {
    listener: TcpListener,
    address: SocketAddr,
}

async fn bind(address: SocketAddr) -> Result<Listening, ListenError> {
    let failed = |source| ListenError::Bind { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok(Listening { listener, address })
}

/// TLS 1.3 and 1.2 by aws-lc-rs, HTTP/1.1, no client certificates: a device proves itself with
/// signatures, which also pass through a balancer.
fn tls_config(identity: Arc<dyn ResolvesServerCert>) -> Result<ServerConfig, rustls::Error> {
    // The provider is a value: installing one process-wide would choose for the embedding program.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_no_client_auth()
        .with_cert_resolver(identity);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
