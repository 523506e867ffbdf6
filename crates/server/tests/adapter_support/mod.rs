//! A store whose steps fail when a test says so.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use gangplank_server::allowlist::ImageDigest;
use gangplank_server::envelope::OnceKey;
use gangplank_server::key::{CertificateId, UnixTime};
use gangplank_server::onboarding::DeviceId;
use gangplank_server::store::*;
use gangplank_server::token::StoredSecret;
use gangplank_server::trust::TenantId;
use rustls_pki_types::CertificateRevocationListDer;

/// Does what `inner` does, except the one step that fails.
pub struct Failing {
    inner: Arc<dyn Store>,
    step: Arc<Mutex<Option<Failure>>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Failure {
    /// The step is not done.
    Before(&'static str),
    /// The step is done, and its answer is lost.
    After(&'static str),
}

/// Says which step fails.
#[derive(Clone, Default)]
pub struct Fault(Arc<Mutex<Option<Failure>>>);

impl Fault {
    pub fn at(&self, step: Option<&'static str>) {
        *self.0.lock().unwrap() = step.map(Failure::Before);
    }

    /// The step is done, and whoever asked does not learn it.
    pub fn after(&self, step: &'static str) {
        *self.0.lock().unwrap() = Some(Failure::After(step));
    }

    pub fn wrap(&self, inner: Arc<dyn Store>) -> Arc<dyn Store> {
        let step = Arc::clone(&self.0);
        Arc::new(Failing { inner, step })
    }
}

impl Failing {
    fn check(&self, now: Failure) -> Result<(), StoreError> {
        match *self.step.lock().unwrap() == Some(now) {
            true => Err(StoreError::Unavailable {
                reason: "a step fails in this test".to_owned(),
            }),
            false => Ok(()),
        }
    }
}

macro_rules! steps {
    ($($name:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)*) => {
        #[async_trait]
        impl Store for Failing {
            $(async fn $name(&self, $($argument: $kind),*) -> Result<$answer, StoreError> {
                self.check(Failure::Before(stringify!($name)))?;
                let answer = self.inner.$name($($argument),*).await;
                self.check(Failure::After(stringify!($name)))?;
                answer
            })*
        }
    };
}

steps! {
    device(id: &DeviceId) -> Option<Device>;
    device_by_key(key: &[u8; 32]) -> Option<Device>;
    devices_by_certificate_id(id: &CertificateId) -> Vec<Device>;
    identity(query: IdentityQuery) -> Identity;
    devices(query: &DeviceQuery) -> Vec<Device>;
    device_by_token(kind: TokenKind, token: &StoredSecret, now: UnixTime) -> Option<LiveToken>;
    capabilities(device: &DeviceId) -> Option<Document>;
    statuses(device: &DeviceId) -> Vec<DeploymentDocument>;
    audit(after: u64, limit: usize) -> Vec<AuditRecord>;
    outbox(after: u64, limit: usize) -> Vec<OutboxRecord>;
    tenant(id: &TenantId) -> Option<TenantRecord>;
    tenants(query: &TenantQuery) -> Vec<TenantRecord>;
    tenant_news(since: Option<u64>) -> Option<TenantNews>;
    oldest_events(after: Option<&TenantId>) -> Vec<OutboxRecord>;
    notification_target(tenant: &TenantId) -> Option<String>;
    revocation_lists(tenant: &TenantId) -> Vec<CertificateRevocationListDer<'static>>;
    set_revocation_lists(tenant: &TenantId, lists: Vec<CertificateRevocationListDer<'static>>, actor: Actor, at: UnixTime) -> bool;
    allowlist(query: &AllowlistQuery) -> Option<AllowlistPage>;
    allowed(tenant: &TenantId, digest: &ImageDigest) -> Option<AllowedImage>;
    change_allowlist(change: AllowlistChange) -> AllowlistOutcome;
    ready() -> ();
    register(registration: Registration) -> RegisterOutcome;
    create_or_adopt(admission: Admission) -> AdmissionOutcome;
    authenticate_client(authentication: ClientAuthentication) -> AuthenticationOutcome;
    issue_git_token(issue: GitTokenIssue) -> IssueOutcome;
    put_capabilities(report: CapabilitiesReport) -> PutOutcome;
    put_status(report: StatusReport) -> PutOutcome;
    change(device: &DeviceId, change: Change, actor: Actor, at: UnixTime) -> ChangeOutcome;
    consume_once(keys: &[OnceKey], now: UnixTime) -> bool;
    key_used(device: &DeviceId, key: &[u8; 32], at: UnixTime) -> ();
    save_devices(saves: DeviceSaves) -> DeviceSavesOutcome;
    readmit(tenant: &TenantId, device: &DeviceId, actor: Actor, at: UnixTime) -> bool;
    append_audit(entry: AuditEntry) -> u64;
    save_tenant(save: TenantSave) -> TenantOutcome;
    remove_tenant(removal: TenantRemoval) -> TenantRemovalOutcome;
    acknowledge_outbox(through: u64) -> ();
    acknowledge_event(seq: u64) -> ();
    set_notification_target(tenant: &TenantId, target: Option<String>, actor: Actor, at: UnixTime) -> bool;
    purge(now: UnixTime) -> Purged;
}
