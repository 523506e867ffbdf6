use std::sync::Arc;
use std::time::Duration;

use gangplank_envelope::payload_signature::Spelling;
use gangplank_envelope::{Audience, AudienceError, NonceIssuer, Window};
use gangplank_key::{Backend, UnixTime};
use gangplank_onboarding::RootUrl;
use gangplank_token::StorageKey;
use gangplank_trust::{Tenant, UnknownDevices};
use tokio::sync::RwLock;

use crate::authority::Authority;
use crate::git::{HttpBackend, Repositories};
use crate::listen::RequestLimits;
use crate::rate::RateLimit;
use crate::store::{Store, StoreError};
use crate::tenants::{Snapshot, Tenants};

/// The orchestrator's side, ready to be mounted with [`router`](crate::router). Cheap to clone.
#[derive(Clone)]
pub struct Server {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) authority: Arc<Authority>,
    pub(crate) repositories: Repositories,
    /// Written while devices are removed, read while they are made.
    pub(crate) removal: Arc<RwLock<()>>,
    pub(crate) git: HttpBackend,
    pub(crate) public_url: RootUrl,
    pub(crate) audience: Audience,
    pub(crate) tenants: Tenants,
    pub(crate) plain_form: PlainForm,
    pub(crate) header_form: HeaderForm,
    pub(crate) message_form: MessageForm,
    pub(crate) lifetimes: Lifetimes,
    pub(crate) rate_limit: RateLimit,
    pub(crate) limits: RequestLimits,
    pub(crate) nonces: NonceIssuer,
    pub(crate) storage_key: StorageKey,
    pub(crate) clock: Clock,
}

/// Where the server's time comes from.
pub type Clock = Arc<dyn Fn() -> UnixTime + Send + Sync>;

/// Whether Margo 2024 devices that know no other may send the plain form.
///
/// It has no freshness, so a replay cannot be told from a retry; it is never accepted from a
/// device that is not registered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PlainForm {
    /// The bound form only.
    #[default]
    Refuse,
    /// The plain form, too.
    Accept,
}

/// Whether reports of Margo 2024 devices may be signed by the header `X-Payload-Signature`.
///
/// Like the plain form it has no freshness. A server remembers each body for as long as the bearer
/// token that it came with lives, so a recorded request is worth nothing by itself; a box that ends
/// TLS can still send an old body with a newer token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HeaderForm {
    /// Reports come in envelopes only.
    #[default]
    Refuse,
    /// The header, too, in these spellings, from devices that are aboard.
    Accept(Spelling),
}

/// Whether reports may be signed as HTTP messages (RFC 9421), as in Margo 1.0.
///
/// Such a signature says when it was made, for which URL and over which body, so it is as fresh and
/// as bound as an envelope; each is taken once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MessageForm {
    /// Not as HTTP messages.
    #[default]
    Refuse,
    /// As HTTP messages, too, within this profile, from devices that are aboard.
    #[cfg(feature = "message")]
    Accept(gangplank_message::margo::Profile),
}

/// How long what the server hands out holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// A bearer token.
    pub access_token: Duration,
    /// A Git token.
    pub git_token: Duration,
    /// A `Replay-Nonce`.
    pub nonce: Duration,
    /// How far the `created` of an envelope or a signed message may lie in the past. A store that has
    /// been used remembers messages for the window of its time only: before a wider one is set, let the
    /// server stand still for as long as the wider one lasts, or what was forgotten could pass again.
    pub max_age: Duration,
    /// How far the `created` of an envelope or a signed message may lie in the future.
    pub max_lead: Duration,
    /// How long a device is asked to wait while an operator decides.
    pub approval_retry: Duration,
}

impl Default for Lifetimes {
    /// Tokens hold an hour, nonces and envelopes five minutes with a minute of lead, and a device
    /// that waits for an operator asks every thirty seconds.
    fn default() -> Self {
        Self {
            access_token: Duration::from_secs(3600),
            git_token: Duration::from_secs(3600),
            nonce: Duration::from_secs(300),
            max_age: Duration::from_secs(300),
            max_lead: Duration::from_secs(60),
            approval_retry: Duration::from_secs(30),
        }
    }
}

impl Server {
    /// Begins with what there is no default for.
    pub fn builder(
        store: Arc<dyn Store>,
        authority: Arc<Authority>,
        repositories: Repositories,
    ) -> ServerBuilder {
        ServerBuilder {
            store,
            authority,
            repositories,
            public_url: None,
            tenants: None,
            unknown: UnknownDevices::default(),
            plain_form: PlainForm::default(),
            header_form: HeaderForm::default(),
            message_form: MessageForm::default(),
            lifetimes: Lifetimes::default(),
            rate_limit: RateLimit::default(),
            limits: RequestLimits::default(),
            clock: Arc::new(UnixTime::now),
        }
    }

    /// Where devices reach the server.
    pub fn public_url(&self) -> &RootUrl {
        &self.shared.public_url
    }

    pub(crate) fn now(&self) -> UnixTime {
        (self.shared.clock)()
    }

    pub(crate) fn window(&self, now: UnixTime) -> Window {
        Window {
            now,
            max_age: self.shared.lifetimes.max_age,
            max_lead: self.shared.lifetimes.max_lead,
        }
    }

    /// The tenants as they are now.
    pub(crate) async fn tenants(&self) -> Result<Arc<Snapshot>, StoreError> {
        self.shared.tenants.now(&*self.shared.store).await
    }
}

impl core::fmt::Debug for Server {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Server")
            .field("public_url", &self.shared.public_url)
            .finish_non_exhaustive()
    }
}

/// Configures a [`Server`].
pub struct ServerBuilder {
    store: Arc<dyn Store>,
    authority: Arc<Authority>,
    repositories: Repositories,
    public_url: Option<RootUrl>,
    tenants: Option<Vec<Tenant>>,
    unknown: UnknownDevices,
    plain_form: PlainForm,
    header_form: HeaderForm,
    message_form: MessageForm,
    lifetimes: Lifetimes,
    rate_limit: RateLimit,
    limits: RequestLimits,
    clock: Clock,
}

impl ServerBuilder {
    /// Where devices reach the server. No URL is ever built from a request's `Host`.
    #[must_use]
    pub fn public_url(mut self, url: RootUrl) -> Self {
        self.public_url = Some(url);
        self
    }

    /// Decides on these tenants for as long as the server lives, instead of those in the store: for a
    /// service that keeps its tenants elsewhere. Each must exist in the store
    /// ([`save_tenant`](Store::save_tenant)), as `default` does from the start, since the store keeps
    /// its devices; what the store has of its policy is not looked at, and the admin API has no
    /// tenants.
    #[must_use]
    pub fn tenants(mut self, tenants: Vec<Tenant>) -> Self {
        self.tenants = Some(tenants);
        self
    }

    /// What becomes of devices that nobody registered and that no anchor vouches for, while the
    /// tenants are those in the store. They are of the tenant `default`.
    #[must_use]
    pub fn unknown(mut self, unknown: UnknownDevices) -> Self {
        self.unknown = unknown;
        self
    }

    /// Whether the plain form is accepted from registered devices.
    #[must_use]
    pub fn plain_form(mut self, plain_form: PlainForm) -> Self {
        self.plain_form = plain_form;
        self
    }

    /// Whether reports may be signed by the header `X-Payload-Signature`.
    #[must_use]
    pub fn header_form(mut self, header_form: HeaderForm) -> Self {
        self.header_form = header_form;
        self
    }

    /// Whether reports may be signed as HTTP messages.
    #[must_use]
    pub fn message_form(mut self, message_form: MessageForm) -> Self {
        self.message_form = message_form;
        self
    }

    /// How long things hold.
    #[must_use]
    pub fn lifetimes(mut self, lifetimes: Lifetimes) -> Self {
        self.lifetimes = lifetimes;
        self
    }

    /// How many requests one client may make.
    #[must_use]
    pub fn rate_limit(mut self, limit: RateLimit) -> Self {
        self.rate_limit = limit;
        self
    }

    /// How large a request may be and how long it may take.
    #[must_use]
    pub fn request_limits(mut self, limits: RequestLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Another clock than the system's, for tests.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Checks that everything fits together.
    ///
    /// # Errors
    /// [`BuildError`]: what the embedder left out.
    pub fn build(self) -> Result<Server, BuildError> {
        let public_url = self.public_url.ok_or(BuildError::NoPublicUrl)?;
        let audience = Audience::parse(public_url.as_str())?;
        let tenants = match self.tenants {
            Some(fixed) => Tenants::fixed(fixed),
            None => Tenants::stored(self.unknown),
        };
        let keys = self.authority.server_key();
        let nonces = NonceIssuer::new(keys.derive("replay nonces/1"), self.lifetimes.nonce);
        let storage_key = StorageKey::new(keys.derive("stored secrets/1"));
        Ok(Server {
            shared: Arc::new(Shared {
                git: HttpBackend::new(self.repositories.git_program()),
                store: self.store,
                authority: self.authority,
                repositories: self.repositories,
                removal: Arc::default(),
                public_url,
                audience,
                tenants,
                plain_form: self.plain_form,
                header_form: self.header_form,
                message_form: self.message_form,
                lifetimes: self.lifetimes,
                rate_limit: self.rate_limit,
                limits: self.limits,
                nonces,
                storage_key,
                clock: self.clock,
            }),
        })
    }
}

/// Why a [`Server`] cannot be built. The embedder is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// No public URL was given, and none is guessed.
    #[error("the server needs the public URL under which devices reach it")]
    NoPublicUrl,
    /// The public URL cannot stand in an envelope.
    #[error("the public URL cannot be an audience: {0}")]
    Audience(#[from] AudienceError),
}

/// The backend that does the server's cryptography.
pub(crate) const BACKEND: Backend = Backend::AWS_LC_RS;
