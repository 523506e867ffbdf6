//! A whole orchestrator's side in one process, from one data directory: what `gangplank serve` runs.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gangplank_onboarding::{JoinString, RootUrl, UrlError};
use gangplank_trust::{TenantId, UnknownDevices};
use ipnet::IpNet;
use rustls_pki_types::UnixTime;
use tokio::task::JoinHandle;

use crate::authority::{Authority, AuthorityError};
use crate::git::{self, Repositories};
use crate::listen::{
    Bound, ListenConfig, ListenError, Listeners, Shutdown, ShutdownTrigger, TrustedProxies,
};
use crate::secure_manager::SecureManager;
use crate::store::sqlite::SqliteStore;
use crate::store::{Store, StoreError};
use crate::{
    BuildError, HeaderForm, MessageForm, PlainForm, RateLimit, Server, admin_router, router,
};

mod files;
mod secure_manager;

use self::secure_manager::SecureManagerPort;

/// What to serve, and where.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServeConfig {
    /// The data directory: keys, database, repositories. Made at the first start.
    pub data: PathBuf,
    /// TLS, for devices.
    pub listen: SocketAddr,
    /// Plain HTTP, for a balancer that ends TLS.
    pub listen_plain: Option<SocketAddr>,
    /// The balancers that may use the plain listener and whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// TLS, for operators.
    pub admin_listen: SocketAddr,
    /// Where devices reach the server; without it `https://localhost:PORT`.
    pub public_url: Option<RootUrl>,
    /// Whether registered devices may send the plain form.
    pub plain_form: PlainForm,
    /// Whether reports may be signed by the header `X-Payload-Signature`.
    pub header_form: HeaderForm,
    /// Whether reports may be signed as HTTP messages.
    pub message_form: MessageForm,
    /// The endpoints of the Secure Manager, without TLS, and where.
    pub secure_manager: Option<(SocketAddr, SecureManager)>,
    /// What becomes of devices that nobody registered.
    pub unknown: UnknownDevices,
    /// How many requests one address may make.
    pub rate_limit: RateLimit,
    /// The git program.
    pub git_program: PathBuf,
}

impl ServeConfig {
    /// The safe defaults: bound form only, strangers refused, rates limited.
    pub fn new(data: PathBuf, listen: SocketAddr, admin_listen: SocketAddr) -> Self {
        Self {
            data,
            listen,
            listen_plain: None,
            trusted_proxies: Vec::new(),
            admin_listen,
            public_url: None,
            plain_form: PlainForm::Refuse,
            header_form: HeaderForm::Refuse,
            message_form: MessageForm::Refuse,
            secure_manager: None,
            unknown: UnknownDevices::Refuse,
            rate_limit: RateLimit::default(),
            git_program: PathBuf::from("git"),
        }
    }
}

/// Starts serving. When it returns, requests are answered.
///
/// # Errors
/// [`ServeError`], naming what the operator can change.
pub async fn start(config: ServeConfig) -> Result<Running, ServeError> {
    if let Err(missing) = git::check(&config.git_program).await {
        // Devices can still come aboard; they get no desired state until git is there.
        tracing::warn!(%missing, "no desired state can be served");
    }
    let host = config
        .public_url
        .as_ref()
        .map_or("localhost", |url| url.host());
    let authority = Arc::new(Authority::open(&config.data, host, UnixTime::now())?);
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&config.data.join(DATABASE))?);
    if let Some((_, settings)) = &config.secure_manager {
        secure_manager::check(settings, &*store).await?;
    }
    raise_descriptor_limit();
    let (bound, secure_manager) = bind(&config, &authority).await?;
    let addresses = Addresses {
        tls: bound.tls_address(),
        admin: bound.admin_address(),
        plain: bound.plain_address(),
        secure_manager: secure_manager.as_ref().map(SecureManagerPort::address),
    };
    let server = server(&config, addresses.tls, &store, &authority)?;
    let join = JoinString {
        root_url: server.public_url().clone(),
        ca: authority.root_fingerprint(),
    };
    let admin_url = format!("https://{}", loopback_for(addresses.admin));
    files::publish(&config.data, &join, &admin_url)?;
    let (trigger, shutdown) = Shutdown::new();
    let mut tasks = in_the_background(store, authority, &shutdown);
    tasks.extend(secure_manager.map(|port| port.serve(server.clone(), shutdown.clone())));
    let serving = tokio::spawn(bound.serve(router(server.clone()), admin_router(server), shutdown));
    Ok(Running {
        trigger,
        serving,
        tasks,
        join,
        admin_url,
        addresses,
    })
}

async fn bind(
    config: &ServeConfig,
    authority: &Authority,
) -> Result<(Bound, Option<SecureManagerPort>), ListenError> {
    let identity = authority.tls_resolver();
    let mut listen = ListenConfig::new(config.listen, config.admin_listen, identity);
    listen.plain = config.listen_plain;
    listen.trusted_proxies = TrustedProxies::new(config.trusted_proxies.clone());
    let bound = Listeners::bind(listen).await?;
    let secure_manager = match config.secure_manager.clone() {
        Some((address, settings)) => Some(SecureManagerPort::bind(address, settings).await?),
        None => None,
    };
    Ok((bound, secure_manager))
}

fn server(
    config: &ServeConfig,
    address: SocketAddr,
    store: &Arc<dyn Store>,
    authority: &Arc<Authority>,
) -> Result<Server, ServeError> {
    let public_url = match &config.public_url {
        Some(url) => url.clone(),
        None => RootUrl::parse(&format!("https://localhost:{}", address.port()))?,
    };
    let repositories = Repositories::new(config.data.join("git"), config.git_program.clone());
    let server = Server::builder(Arc::clone(store), Arc::clone(authority), repositories)
        .public_url(public_url)
        .unknown(config.unknown)
        .plain_form(config.plain_form)
        .header_form(config.header_form)
        .message_form(config.message_form)
        .rate_limit(config.rate_limit)
        .build()?;
    Ok(server)
}

/// What goes on beside the requests, until shutdown.
fn in_the_background(
    store: Arc<dyn Store>,
    authority: Arc<Authority>,
    shutdown: &Shutdown,
) -> Vec<JoinHandle<()>> {
    let renewal = Arc::clone(&authority);
    let stop = shutdown.clone();
    vec![
        tokio::spawn(async move { renewal.keep_renewed(UnixTime::now, HOURLY, stop).await }),
        tokio::spawn(keep_purged(Arc::clone(&store), shutdown.clone())),
        #[cfg(feature = "notify")]
        tokio::spawn(crate::notify::deliver(
            Arc::clone(&store),
            Arc::new(crate::notify::HttpsSink::new(
                store,
                authority,
                Arc::new(UnixTime::now),
            )),
            shutdown.clone(),
        )),
    ]
}

/// A server that answers requests. Dropping it stops it without waiting.
#[derive(Debug)]
pub struct Running {
    trigger: ShutdownTrigger,
    serving: JoinHandle<()>,
    tasks: Vec<JoinHandle<()>>,
    join: JoinString,
    admin_url: String,
    addresses: Addresses,
}

#[derive(Clone, Copy, Debug)]
struct Addresses {
    tls: SocketAddr,
    admin: SocketAddr,
    plain: Option<SocketAddr>,
    secure_manager: Option<SocketAddr>,
}

impl Running {
    /// Where devices reach the server.
    pub fn public_url(&self) -> &RootUrl {
        &self.join.root_url
    }

    /// What a device is given: the public URL and the root certificate's fingerprint.
    pub fn join(&self) -> &JoinString {
        &self.join
    }

    /// Where operators on this machine reach the server.
    pub fn admin_url(&self) -> &str {
        &self.admin_url
    }

    /// The address that TLS listens on.
    pub fn listen_address(&self) -> SocketAddr {
        self.addresses.tls
    }

    /// The address that the operators' TLS listens on.
    pub fn admin_address(&self) -> SocketAddr {
        self.addresses.admin
    }

    /// The address that the plain listener has.
    pub fn plain_address(&self) -> Option<SocketAddr> {
        self.addresses.plain
    }

    /// The address that the endpoints of the Secure Manager have.
    pub fn secure_manager_address(&self) -> Option<SocketAddr> {
        self.addresses.secure_manager
    }

    /// Stops accepting, lets requests in flight finish, and ends.
    pub async fn shutdown(self) {
        self.trigger.shut_down();
        // A task that panicked has ended, too.
        let _ = self.serving.await;
        for task in self.tasks {
            let _ = task.await;
        }
    }
}

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The orchestrator's keys and certificates.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The listeners.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The public URL.
    #[error("the public URL: {0}")]
    PublicUrl(#[from] UrlError),
    /// The configuration as a whole.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The Secure Manager's endpoints would have no list to work on.
    #[error("the Secure Manager's endpoints are for tenant {0}, and there is no such tenant")]
    NoSuchTenant(TenantId),
    /// A file for the operator could not be written.
    #[error("cannot write {}", path.display())]
    Publish {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
}

/// Each connection takes a descriptor, and the usual soft limit of 1,024 is below the number of
/// connections that the listeners accept.
fn raise_descriptor_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, ?limit, "the limit of open files stays as it is");
    }
}

/// Forgets what time has ended, so that tables do not grow for ever.
async fn keep_purged(store: Arc<dyn Store>, mut shutdown: Shutdown) {
    loop {
        tokio::select! {
            () = shutdown.requested() => return,
            () = tokio::time::sleep(PURGE_INTERVAL) => {}
        }
        match store.purge(UnixTime::now()).await {
            Ok(purged) => tracing::debug!(?purged, "purged"),
            Err(error) => tracing::warn!(%error, "could not purge"),
        }
    }
}

/// An address that this machine can connect to.
fn loopback_for(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => core::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => core::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

const DATABASE: &str = "gangplank.db";
const HOURLY: Duration = Duration::from_secs(3600);
const PURGE_INTERVAL: Duration = Duration::from_secs(60);
