//! Where the server's state is: the [`Store`] trait, what goes in and out of it, the embedded
//! backend ([`SqliteStore`](sqlite::SqliteStore)) and the suite that any backend must pass
//! ([`conformance`]).
//!
//! A store decides nothing about trust: it is handed what was verified and decided, and makes it
//! true in one step, or says why the state of things no longer allows it.
//!
//! # Replay
//!
//! A once key is stored with the time `until` which its message could be accepted. Purging deletes
//! keys whose `until` has passed, and that is safe for two reasons: such a message is already
//! refused as stale before it comes here; and should one have been verified just before a purge
//! and arrive just after it, the store still knows the greatest `until` it ever purged, and refuses
//! every key that is not newer than that. Keys survive a restart.

mod allowlist;
mod error;
mod identity;
mod model;
mod operations;
mod saves;
mod tenants;

pub mod conformance;
#[cfg(feature = "sqlite")]
pub mod sqlite;

use async_trait::async_trait;
use gangplank_allowlist::ImageDigest;
use gangplank_envelope::OnceKey;
use gangplank_key::CertificateId;
use gangplank_onboarding::DeviceId;
use gangplank_token::StoredSecret;
use gangplank_trust::TenantId;
use rustls_pki_types::{CertificateRevocationListDer, UnixTime};

pub use allowlist::{
    AllowedImage, AllowlistChange, AllowlistEdit, AllowlistHead, AllowlistOutcome, AllowlistPage,
    AllowlistQuery,
};
pub(crate) use allowlist::{Found, has_allowlist};
pub use error::StoreError;
pub use identity::{Identity, IdentityQuery};
pub use model::{
    Actor, AuditEntry, AuditRecord, Credential, DeploymentDocument, Described, Device,
    DeviceCertificate, DeviceQuery, DeviceState, Document, LiveToken, OutboxEvent, OutboxRecord,
    TokenKind, Voucher, action,
};
pub use operations::{
    Admission, AdmissionOutcome, AdmissionPlan, AuthenticationOutcome, CapabilitiesReport, Change,
    ChangeOutcome, ClientAuthentication, Conflict, Credentials, GitTokenIssue, Inadmissible,
    IssueOutcome, NewCertificate, NewDevice, PolicyRevision, Provisioning, Purged, PutOutcome,
    RegisterOutcome, Registration, StatusReport,
};
pub use saves::{
    DeviceContent, DeviceNotSaved, DeviceSave, DeviceSaves, DeviceSavesOutcome, SavedBy,
};
pub use tenants::{
    Expected, TenantContent, TenantNews, TenantOutcome, TenantQuery, TenantRecord, TenantRemoval,
    TenantRemovalOutcome, TenantSave,
};

/// The state of an orchestrator, as few operations of its own domain. Used as `Arc<dyn Store>`.
///
/// What every backend promises, and [`conformance`] checks where it can:
///
/// - Each operation is **one transaction**: all of it happens, its audit entry included, or
///   nothing. Concurrent operations, of other processes too, behave as if one came after the other.
/// - The answer comes **after the commit** is durable: what was answered survives a crash. After an
///   error, or when the future was dropped before its answer, the operation may or may not have
///   happened; each can be repeated.
/// - A read that begins after an answer sees what was answered.
/// - What a rule refuses is an outcome, not an error. Unless its documentation says otherwise, an
///   outcome that refuses changed nothing.
/// - The store reads no clock: every `at` and `now` is the caller's. Times have whole seconds.
/// - At most two secrets of a client live at once: the one last used and the newest, or, while none
///   was used, the newest two. The first use of the newest ends the older.
/// - At most [`MAX_DEPLOYMENTS`] statuses are kept per device; the oldest give way.
/// - At most [`MAX_TOKENS`] tokens of each kind live per device; the oldest give way.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// The device of that id.
    async fn device(&self, id: &DeviceId) -> Result<Option<Device>, StoreError>;

    /// The device that has the key with this SHA-256 of its SubjectPublicKeyInfo.
    async fn device_by_key(&self, spki_sha256: &[u8; 32]) -> Result<Option<Device>, StoreError>;

    /// The devices of all tenants that have this certificate id, by tenant.
    async fn devices_by_certificate_id(
        &self,
        id: &CertificateId,
    ) -> Result<Vec<Device>, StoreError>;

    /// Who in a tenant has what a verified certificate yields.
    async fn identity(&self, query: IdentityQuery) -> Result<Identity, StoreError>;

    /// A page of devices, by device id.
    async fn devices(&self, query: &DeviceQuery) -> Result<Vec<Device>, StoreError>;

    /// Whose token this is, if it lives (`now` is before its end) and its device may act.
    ///
    /// Looking a keyed hash up by index needs no constant time: who does not have the key cannot
    /// choose hashes to learn from the time a lookup takes.
    async fn device_by_token(
        &self,
        kind: TokenKind,
        token: &StoredSecret,
        now: UnixTime,
    ) -> Result<Option<LiveToken>, StoreError>;

    /// The capabilities a device sent last.
    async fn capabilities(&self, device: &DeviceId) -> Result<Option<Document>, StoreError>;

    /// The last status of each of a device's deployments, by deployment id.
    async fn statuses(&self, device: &DeviceId) -> Result<Vec<DeploymentDocument>, StoreError>;

    /// The audit after the entry `after` (0: from the beginning), oldest first; at most `limit`
    /// entries and never more than [`MAX_PAGE`].
    ///
    /// Entries appear in the order of their numbers: one that is seen later never has a lower
    /// number than one that was seen before.
    async fn audit(&self, after: u64, limit: usize) -> Result<Vec<AuditRecord>, StoreError>;

    /// The events after `after` that nobody acknowledged; order and limits as for
    /// [`audit`](Self::audit).
    async fn outbox(&self, after: u64, limit: usize) -> Result<Vec<OutboxRecord>, StoreError>;

    /// The tenant of that id.
    async fn tenant(&self, id: &TenantId) -> Result<Option<TenantRecord>, StoreError>;

    /// A page of tenants, by id.
    async fn tenants(&self, query: &TenantQuery) -> Result<Vec<TenantRecord>, StoreError>;

    /// What became of all tenants since the revision `since` of an earlier answer, or from the
    /// beginning; `None` if nothing did. Asked before each decision, so it is cheap when nothing did.
    async fn tenant_news(&self, since: Option<u64>) -> Result<Option<TenantNews>, StoreError>;

    /// The oldest event that nobody acknowledged of each tenant whose id is greater than `after`, by
    /// tenant; never more than [`MAX_PAGE`].
    async fn oldest_events(
        &self,
        after: Option<&TenantId>,
    ) -> Result<Vec<OutboxRecord>, StoreError>;

    /// Where a tenant's events go; the store gives no meaning to it.
    async fn notification_target(&self, tenant: &TenantId) -> Result<Option<String>, StoreError>;

    /// Whether reads and writes would be answered now.
    async fn ready(&self) -> Result<(), StoreError>;

    /// Registers a certificate that an operator vouches for, approves its device if it waited or
    /// had been rejected, and forgets that its certificate id or key were ever removed.
    async fn register(&self, registration: Registration) -> Result<RegisterOutcome, StoreError>;

    /// Lets a device come aboard, again aboard, or queue.
    ///
    /// In this order: the policy must be the stored one, else [`AdmissionOutcome::Outdated`]. The once
    /// keys are consumed, else [`AdmissionOutcome::Replayed`]. A known device is found by its id, a
    /// newcomer by its authentication id and its key: if a device that is no waiting stranger has one of
    /// them, that is [`AdmissionOutcome::Outdated`], unless it has both and the certificate id. One that
    /// exists is judged by what it is now: a plan that was made before it was registered, approved,
    /// rejected or disabled does not bring the older state back. One that does not is made, unless its
    /// certificate id, key or authentication id were removed. A proven chain takes the place of a waiting
    /// stranger that merely claims the same certificate id. A device that joins by an anchor is counted
    /// against the plan's quotas: those that the anchor provisioned, and those of the tenant, waiting
    /// strangers left out. A refusal changes nothing but the once keys: who was to give way stays.
    ///
    /// A certificate that a known device comes with for the first time is added to those it has. When it
    /// comes with it again, the older ones end, and keys that no certificate is left of.
    async fn create_or_adopt(&self, admission: Admission) -> Result<AdmissionOutcome, StoreError>;

    /// Checks a client's secret, in constant time, and makes its access token.
    async fn authenticate_client(
        &self,
        authentication: ClientAuthentication,
    ) -> Result<AuthenticationOutcome, StoreError>;

    /// Makes a Git token for a device that is aboard.
    async fn issue_git_token(&self, issue: GitTokenIssue) -> Result<IssueOutcome, StoreError>;

    /// Keeps what a device can do.
    async fn put_capabilities(&self, report: CapabilitiesReport) -> Result<PutOutcome, StoreError>;

    /// Keeps how a deployment goes.
    async fn put_status(&self, report: StatusReport) -> Result<PutOutcome, StoreError>;

    /// Does what an operator decided about a device.
    async fn change(
        &self,
        device: &DeviceId,
        change: Change,
        actor: Actor,
        at: UnixTime,
    ) -> Result<ChangeOutcome, StoreError>;

    /// Consumes keys: true if each is fresh and in date, and now used; else false, and nothing
    /// changed. For a request that changes nothing else.
    async fn consume_once(&self, keys: &[OnceKey], now: UnixTime) -> Result<bool, StoreError>;

    /// A message of a device verified with this key: certificates that are older than the first of this
    /// key end. Not an operator's: of a device without credentials nothing ends.
    async fn key_used(
        &self,
        device: &DeviceId,
        spki_sha256: &[u8; 32],
        at: UnixTime,
    ) -> Result<(), StoreError>;

    /// Makes or changes devices as an operator or a gateway says: all of them, or none. No two devices
    /// of a tenant come to have an authentication id in common.
    async fn save_devices(&self, saves: DeviceSaves) -> Result<DeviceSavesOutcome, StoreError>;

    /// Forgets that a device of this id was removed; whether that was remembered.
    async fn readmit(
        &self,
        tenant: &TenantId,
        device: &DeviceId,
        actor: Actor,
        at: UnixTime,
    ) -> Result<bool, StoreError>;

    /// Appends to the audit; the entry's number.
    async fn append_audit(&self, entry: AuditEntry) -> Result<u64, StoreError>;

    /// Makes or changes a tenant. Of racing changes that expect one revision exactly one is made, and
    /// no two tenants come to have an alias, or an issuer's name outside of one group, in common.
    async fn save_tenant(&self, save: TenantSave) -> Result<TenantOutcome, StoreError>;

    /// Removes a tenant that has no devices.
    async fn remove_tenant(
        &self,
        removal: TenantRemoval,
    ) -> Result<TenantRemovalOutcome, StoreError>;

    /// Acknowledges all events up to and including `through`.
    async fn acknowledge_outbox(&self, through: u64) -> Result<(), StoreError>;

    /// Acknowledges one event, in whatever order.
    async fn acknowledge_event(&self, seq: u64) -> Result<(), StoreError>;

    /// The certificate revocation lists of a tenant, in the order in which they were given.
    async fn revocation_lists(
        &self,
        tenant: &TenantId,
    ) -> Result<Vec<CertificateRevocationListDer<'static>>, StoreError>;

    /// Gives a tenant these revocation lists and no others, which is a change of the tenant; whether
    /// there is such a tenant.
    async fn set_revocation_lists(
        &self,
        tenant: &TenantId,
        lists: Vec<CertificateRevocationListDer<'static>>,
        actor: Actor,
        at: UnixTime,
    ) -> Result<bool, StoreError>;

    /// How a tenant's allowlist stands, and a page of it, by digest; both of one moment. `None` if there
    /// is no such tenant.
    async fn allowlist(&self, query: &AllowlistQuery) -> Result<Option<AllowlistPage>, StoreError>;

    /// What a tenant's allowlist says of a digest; `None` if it does not have it. A read, so a launch sees
    /// every change that was answered.
    async fn allowed(
        &self,
        tenant: &TenantId,
        digest: &ImageDigest,
    ) -> Result<Option<AllowedImage>, StoreError>;

    /// Edits a tenant's allowlist: all edits in their order, or none. No reader sees some of them.
    async fn change_allowlist(
        &self,
        change: AllowlistChange,
    ) -> Result<AllowlistOutcome, StoreError>;

    /// Says where a tenant's events go, or that they go nowhere; whether there is such a tenant.
    async fn set_notification_target(
        &self,
        tenant: &TenantId,
        target: Option<String>,
        actor: Actor,
        at: UnixTime,
    ) -> Result<bool, StoreError>;

    /// Deletes what time has ended: once keys whose `until` is before `now`, and tokens that are
    /// dead at `now`.
    async fn purge(&self, now: UnixTime) -> Result<Purged, StoreError>;
}

/// The most entries in one answer of a listing.
pub const MAX_PAGE: usize = 1000;

/// The most live tokens of one kind per device: room for retries and overlapping renewals, while a
/// client that asks in a loop fills nothing.
pub const MAX_TOKENS: usize = 16;

/// The most deployments of one device whose status is kept; the ones heard of longest ago give way.
/// A device runs a few dozen at most, and must not fill the disk with more.
pub const MAX_DEPLOYMENTS: u32 = 128;

/// The most images of one tenant's allowlist.
pub const MAX_ALLOWED_IMAGES: u64 = 10_000_000;

/// The tenant that exists from the start.
pub const DEFAULT_TENANT: &str = "default";
