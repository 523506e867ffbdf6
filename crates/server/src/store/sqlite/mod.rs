//! The embedded backend: one SQLite file.
//!
//! One thread writes, and shares a commit among all commands that wait (`writer.rs`); a few
//! connections read beside it. Several processes may use one file: SQLite's own lock lets one of
//! them write at a time.

mod admitting;
mod allowlist;
mod apply_admission;
mod apply_certificates;
mod apply_credentials;
mod apply_operator;
mod apply_records;
mod apply_reports;
mod apply_saves;
mod apply_tenants;
mod certificate_rows;
mod credential_rows;
mod device_rows;
mod displacing;
mod fault;
mod open;
mod read;
mod read_identity;
mod read_tenants;
mod readers;
mod rows;
mod schema;
mod standing;
mod tombstones;
mod writer;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use gangplank_allowlist::ImageDigest;
use gangplank_envelope::OnceKey;
use gangplank_key::CertificateId;
use gangplank_onboarding::DeviceId;
use gangplank_token::StoredSecret;
use gangplank_trust::TenantId;
use rustls_pki_types::{CertificateRevocationListDer, UnixTime};

use self::readers::Readers;
use self::writer::{Step, Writer};
use super::{
    Actor, Admission, AdmissionOutcome, AllowedImage, AllowlistChange, AllowlistOutcome,
    AllowlistPage, AllowlistQuery, AuditEntry, AuditRecord, AuthenticationOutcome,
    CapabilitiesReport, Change, ChangeOutcome, ClientAuthentication, DeploymentDocument, Device,
    DeviceQuery, DeviceSaves, DeviceSavesOutcome, Document, GitTokenIssue, Identity, IdentityQuery,
    IssueOutcome, LiveToken, OutboxRecord, Purged, PutOutcome, RegisterOutcome, Registration,
    StatusReport, Store, StoreError, TenantNews, TenantOutcome, TenantQuery, TenantRecord,
    TenantRemoval, TenantRemovalOutcome, TenantSave, TokenKind,
};

/// A [`Store`] in one SQLite file, in write-ahead mode with `synchronous=FULL`.
///
/// Its methods need a Tokio runtime around them. Dropping it finishes the commands that wait,
/// folds the write-ahead log into the file and closes it; that takes a moment and blocks.
pub struct SqliteStore {
    // In this order: the writer closes last, and so leaves one file.
    readers: Arc<Readers>,
    writer: Writer,
}

impl SqliteStore {
    /// Opens the file, creates it (mode 0600) if it is missing, and brings its schema up to date.
    /// Blocks for as long as another process does the same, at most some seconds.
    ///
    /// # Errors
    /// [`StoreError::SchemaTooNew`] for a file of a newer version, [`StoreError::Corrupt`] for one
    /// that is damaged or not gangplank's, and [`StoreError::Unavailable`] for one that cannot be
    /// opened for writing. None of them changes the file.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let connection = open::writer(path).map_err(StoreError::from)?;
        let readers = Arc::new(Readers::open(path).map_err(StoreError::from)?);
        let writer = Writer::start(connection)?;
        Ok(Self { readers, writer })
    }

    /// How many transactions were committed since the store was opened: far fewer than operations
    /// when many callers share a commit.
    pub fn commits(&self) -> u64 {
        self.writer.commits()
    }
}

impl core::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SqliteStore")
            .field("commits", &self.commits())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn device(&self, id: &DeviceId) -> Result<Option<Device>, StoreError> {
        let id = id.clone();
        self.readers
            .read(move |c| Ok(read::found_by_id(c, &id)?.map(|found| found.device)))
            .await
    }

    async fn device_by_key(&self, spki_sha256: &[u8; 32]) -> Result<Option<Device>, StoreError> {
        let key = *spki_sha256;
        self.readers
            .read(move |c| Ok(read::found_by_key(c, &key)?.map(|found| found.device)))
            .await
    }

    async fn devices_by_certificate_id(
        &self,
        id: &CertificateId,
    ) -> Result<Vec<Device>, StoreError> {
        let id = id.clone();
        self.readers
            .read(move |c| read::devices_by_certificate_id(c, &id))
            .await
    }

    async fn identity(&self, query: IdentityQuery) -> Result<Identity, StoreError> {
        self.readers
            .read(move |c| read_identity::identity(c, &query))
            .await
    }

    async fn devices(&self, query: &DeviceQuery) -> Result<Vec<Device>, StoreError> {
        let query = query.clone();
        self.readers.read(move |c| read::devices(c, &query)).await
    }

    async fn device_by_token(
        &self,
        kind: TokenKind,
        token: &StoredSecret,
        now: UnixTime,
    ) -> Result<Option<LiveToken>, StoreError> {
        let token = *token;
        self.readers
            .read(move |c| read::device_by_token(c, kind, &token, now))
            .await
    }

    async fn capabilities(&self, device: &DeviceId) -> Result<Option<Document>, StoreError> {
        let device = device.clone();
        self.readers
            .read(move |c| read::capabilities(c, &device))
            .await
    }

    async fn statuses(&self, device: &DeviceId) -> Result<Vec<DeploymentDocument>, StoreError> {
        let device = device.clone();
        self.readers.read(move |c| read::statuses(c, &device)).await
    }

    async fn audit(&self, after: u64, limit: usize) -> Result<Vec<AuditRecord>, StoreError> {
        self.readers
            .read(move |c| read::audit(c, after, limit))
            .await
    }

    async fn outbox(&self, after: u64, limit: usize) -> Result<Vec<OutboxRecord>, StoreError> {
        self.readers
            .read(move |c| read::outbox(c, after, limit))
            .await
    }

    async fn oldest_events(
        &self,
        after: Option<&TenantId>,
    ) -> Result<Vec<OutboxRecord>, StoreError> {
        let after = after.cloned();
        self.readers
            .read(move |c| read::oldest_events(c, after.as_ref()))
            .await
    }

    async fn notification_target(&self, tenant: &TenantId) -> Result<Option<String>, StoreError> {
        let tenant = tenant.clone();
        self.readers
            .read(move |c| read::notification_target(c, &tenant))
            .await
    }

    async fn tenant(&self, id: &TenantId) -> Result<Option<TenantRecord>, StoreError> {
        let id = id.clone();
        self.readers
            .read(move |c| read_tenants::tenant(c, &id))
            .await
    }

    async fn tenants(&self, query: &TenantQuery) -> Result<Vec<TenantRecord>, StoreError> {
        let query = query.clone();
        self.readers
            .read(move |c| read_tenants::tenants(c, &query))
            .await
    }

    async fn tenant_news(&self, since: Option<u64>) -> Result<Option<TenantNews>, StoreError> {
        self.readers
            .read(move |c| read_tenants::tenant_news(c, since))
            .await
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.readers.read(read_tenants::newest_revision).await?;
        self.writer.apply(|_| Ok(Step::Keep(()))).await
    }

    async fn register(&self, registration: Registration) -> Result<RegisterOutcome, StoreError> {
        self.writer
            .apply(move |c| apply_operator::register(c, &registration))
            .await
    }

    async fn create_or_adopt(&self, admission: Admission) -> Result<AdmissionOutcome, StoreError> {
        self.writer
            .apply(move |c| apply_admission::create_or_adopt(c, &admission))
            .await
    }

    async fn authenticate_client(
        &self,
        authentication: ClientAuthentication,
    ) -> Result<AuthenticationOutcome, StoreError> {
        self.writer
            .apply(move |c| apply_credentials::authenticate_client(c, &authentication))
            .await
    }

    async fn issue_git_token(&self, issue: GitTokenIssue) -> Result<IssueOutcome, StoreError> {
        self.writer
            .apply(move |c| apply_credentials::issue_git_token(c, &issue))
            .await
    }

    async fn put_capabilities(&self, report: CapabilitiesReport) -> Result<PutOutcome, StoreError> {
        self.writer
            .apply(move |c| apply_reports::put_capabilities(c, &report))
            .await
    }

    async fn put_status(&self, report: StatusReport) -> Result<PutOutcome, StoreError> {
        self.writer
            .apply(move |c| apply_reports::put_status(c, &report))
            .await
    }

    async fn change(
        &self,
        device: &DeviceId,
        change: Change,
        actor: Actor,
        at: UnixTime,
    ) -> Result<ChangeOutcome, StoreError> {
        let device = device.clone();
        self.writer
            .apply(move |c| apply_operator::change(c, &device, change, actor, at))
            .await
    }

    async fn consume_once(&self, keys: &[OnceKey], now: UnixTime) -> Result<bool, StoreError> {
        let keys = keys.to_vec();
        self.writer
            .apply(move |c| apply_records::consume_once(c, &keys, now))
            .await
    }

    async fn key_used(
        &self,
        device: &DeviceId,
        spki_sha256: &[u8; 32],
        at: UnixTime,
    ) -> Result<(), StoreError> {
        let (device, key) = (device.clone(), *spki_sha256);
        self.writer
            .apply(move |c| apply_certificates::key_used(c, &device, &key, at))
            .await
    }

    async fn save_devices(&self, saves: DeviceSaves) -> Result<DeviceSavesOutcome, StoreError> {
        self.writer
            .apply(move |c| apply_saves::save_devices(c, &saves))
            .await
    }

    async fn readmit(
        &self,
        tenant: &TenantId,
        device: &DeviceId,
        actor: Actor,
        at: UnixTime,
    ) -> Result<bool, StoreError> {
        let (tenant, device) = (tenant.clone(), device.clone());
        self.writer
            .apply(move |c| apply_operator::readmit(c, &tenant, &device, actor, at))
            .await
    }

    async fn append_audit(&self, entry: AuditEntry) -> Result<u64, StoreError> {
        self.writer
            .apply(move |c| apply_records::append_audit(c, &entry))
            .await
    }

    async fn save_tenant(&self, save: TenantSave) -> Result<TenantOutcome, StoreError> {
        self.writer
            .apply(move |c| apply_tenants::save_tenant(c, &save))
            .await
    }

    async fn remove_tenant(
        &self,
        removal: TenantRemoval,
    ) -> Result<TenantRemovalOutcome, StoreError> {
        self.writer
            .apply(move |c| apply_tenants::remove_tenant(c, &removal))
            .await
    }

    async fn acknowledge_outbox(&self, through: u64) -> Result<(), StoreError> {
        self.writer
            .apply(move |c| apply_records::acknowledge_outbox(c, through))
            .await
    }

    async fn acknowledge_event(&self, seq: u64) -> Result<(), StoreError> {
        self.writer
            .apply(move |c| apply_records::acknowledge_event(c, seq))
            .await
    }

    async fn revocation_lists(
        &self,
        tenant: &TenantId,
    ) -> Result<Vec<CertificateRevocationListDer<'static>>, StoreError> {
        let tenant = tenant.clone();
        self.readers
            .read(move |c| read_tenants::revocation_lists(c, &tenant))
            .await
    }

    async fn set_revocation_lists(
        &self,
        tenant: &TenantId,
        lists: Vec<CertificateRevocationListDer<'static>>,
        actor: Actor,
        at: UnixTime,
    ) -> Result<bool, StoreError> {
        let tenant = tenant.clone();
        self.writer
            .apply(move |c| apply_tenants::set_revocation_lists(c, &tenant, &lists, &actor, at))
            .await
    }

    async fn allowlist(&self, query: &AllowlistQuery) -> Result<Option<AllowlistPage>, StoreError> {
        let query = query.clone();
        self.readers.read(move |c| allowlist::page(c, &query)).await
    }

    async fn allowed(
        &self,
        tenant: &TenantId,
        digest: &ImageDigest,
    ) -> Result<Option<AllowedImage>, StoreError> {
        let (tenant, digest) = (tenant.clone(), *digest);
        self.readers
            .read(move |c| allowlist::allowed(c, &tenant, &digest))
            .await
    }

    async fn change_allowlist(
        &self,
        change: AllowlistChange,
    ) -> Result<AllowlistOutcome, StoreError> {
        self.writer
            .apply(move |c| allowlist::change(c, &change))
            .await
    }

    async fn set_notification_target(
        &self,
        tenant: &TenantId,
        target: Option<String>,
        actor: Actor,
        at: UnixTime,
    ) -> Result<bool, StoreError> {
        let tenant = tenant.clone();
        self.writer
            .apply(move |c| {
                let (target, actor) = (target.as_deref(), actor.clone());
                apply_records::set_notification_target(c, &tenant, target, actor, at)
            })
            .await
    }

    async fn purge(&self, now: UnixTime) -> Result<Purged, StoreError> {
        self.writer
            .apply(move |c| apply_records::purge(c, now))
            .await
    }
}
