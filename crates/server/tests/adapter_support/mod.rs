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
use tokio::sync::Notify;

/// Does what `inner` does, except the one step that fails.
pub struct Failing {
    inner: Arc<dyn Store>,
    fault: Fault,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Failure {
    /// The step is not done.
    Before(&'static str),
    /// The step is done, and its answer is lost.
    After(&'static str),
    /// The step is done, and its answer waits.
    Held(&'static str),
}

/// Says which step fails.
#[derive(Clone, Default)]
pub struct Fault {
    step: Arc<Mutex<Option<Failure>>>,
    held: Arc<Notify>,
    released: Arc<Notify>,
}

impl Fault {
    pub fn at(&self, step: Option<&'static str>) {
        *self.step.lock().unwrap() = step.map(Failure::Before);
    }

    /// The step is done, and whoever asked does not learn it.
    pub fn after(&self, step: &'static str) {
        *self.step.lock().unwrap() = Some(Failure::After(step));
    }

    /// The next time, the step is done, and its answer waits to be released.
    pub fn hold(&self, step: &'static str) {
        *self.step.lock().unwrap() = Some(Failure::Held(step));
    }

    /// Returns when an answer waits.
    pub async fn held(&self) {
        self.held.notified().await;
    }

    pub fn release(&self) {
        self.released.notify_one();
    }

    pub fn wrap(&self, inner: Arc<dyn Store>) -> Arc<dyn Store> {
        let fault = self.clone();
        Arc::new(Failing { inner, fault })
    }
}

impl Failing {
    fn check(&self, now: Failure) -> Result<(), StoreError> {
        match *self.fault.step.lock().unwrap() == Some(now) {
            true => Err(StoreError::Unavailable {
                reason: "a step fails in this test".to_owned(),
            }),
            false => Ok(()),
        }
    }

    async fn wait(&self, step: &'static str) {
        let here = |one: &mut Failure| *one == Failure::Held(step);
        let held = self.fault.step.lock().unwrap().take_if(here).is_some();
        if held {
            self.fault.held.notify_one();
            self.fault.released.notified().await;
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
                self.wait(stringify!($name)).await;
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
