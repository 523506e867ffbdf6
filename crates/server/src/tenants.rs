//! The tenants that decisions are made on.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use gangplank_trust::{
    DocumentError, Revocation, RevocationLists, Tenant, TenantDocument, TenantId, TenantIndex,
    UnknownDevices,
};
use rustls_pki_types::CertificateRevocationListDer;
use tokio::sync::Mutex;

use crate::store::{DEFAULT_TENANT, PolicyRevision, Store, StoreError, TenantNews, TenantRecord};

/// Gives each decision the tenants as they are now.
pub(crate) struct Tenants {
    source: Source,
    held: RwLock<Arc<Snapshot>>,
    /// Of many requests that find the snapshot old, one makes the next.
    renewal: Mutex<()>,
}

/// Where tenants come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Whoever embeds the server gave them once and for all.
    Fixed,
    /// The store has them. What becomes of strangers that no anchor vouches for is no tenant's policy
    /// but the server's, under the name of the default tenant.
    Store(UnknownDevices),
}

impl Tenants {
    /// These and no others.
    pub(crate) fn fixed(tenants: Vec<Tenant>) -> Self {
        let mut snapshot = Snapshot::default();
        for tenant in tenants {
            snapshot.index.insert(tenant);
        }
        Self::new(Source::Fixed, snapshot)
    }

    /// Those of the store.
    pub(crate) fn stored(unknown: UnknownDevices) -> Self {
        Self::new(Source::Store(unknown), Snapshot::default())
    }

    fn new(source: Source, snapshot: Snapshot) -> Self {
        Self {
            source,
            held: RwLock::new(Arc::new(snapshot)),
            renewal: Mutex::new(()),
        }
    }

    pub(crate) fn source(&self) -> Source {
        self.source
    }

    /// The tenants as they are now: what any process changed before the call is in it.
    pub(crate) async fn now(&self, store: &dyn Store) -> Result<Arc<Snapshot>, StoreError> {
        let Source::Store(unknown) = self.source else {
            return Ok(self.held());
        };
        let held = self.held();
        if store.tenant_news(held.revision).await?.is_none() {
            return Ok(held);
        }
        let _alone = self.renewal.lock().await;
        let held = self.held();
        let Some(news) = store.tenant_news(held.revision).await? else {
            return Ok(held);
        };
        let next = Arc::new(held.with(news, unknown));
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&next);
        Ok(next)
    }

    fn held(&self) -> Arc<Snapshot> {
        Arc::clone(&self.held.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// All tenants at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snapshot {
    /// That of the store's newest change; none before the store was asked, or if it is not.
    revision: Option<u64>,
    index: TenantIndex,
    /// Of the tenants that have any.
    revocation_lists: BTreeMap<TenantId, Arc<RevocationLists>>,
}

impl Snapshot {
    pub(crate) fn index(&self) -> &TenantIndex {
        &self.index
    }

    /// The tenant whose rule for strangers applies to a certificate that no anchor claims.
    pub(crate) fn default_tenant(&self) -> Option<&Tenant> {
        self.index.get(&TenantId::parse(DEFAULT_TENANT).ok()?)
    }

    /// What is known of revoked certificates in a tenant.
    pub(crate) fn revocation(&self, tenant: &Tenant) -> Revocation<'_> {
        let lists = self.revocation_lists.get(&tenant.id);
        lists.map_or(Revocation::NotChecked, |lists| Revocation::Lists(lists))
    }

    /// What must still be stored when a decision about this tenant is applied.
    pub(crate) fn policy_of(&self, tenant: &Tenant) -> Option<PolicyRevision> {
        self.revision.map(|_| PolicyRevision {
            tenant: tenant.id.clone(),
            revision: tenant.policy_revision,
        })
    }

    fn with(&self, news: TenantNews, unknown: UnknownDevices) -> Self {
        let mut index = self.index.clone();
        let mut revocation_lists = self.revocation_lists.clone();
        revocation_lists.retain(|id, _| news.present.binary_search(id).is_ok());
        let gone = |tenant: &&Tenant| news.present.binary_search(&tenant.id).is_err();
        for tenant in self.index.tenants().filter(gone) {
            index.remove(&tenant.id);
        }
        for record in news.changed {
            let mut tenant = tenant(&record);
            match news.revocation_lists.get(&tenant.id) {
                Some(given) => revocation_lists.insert(tenant.id.clone(), lists(&tenant.id, given)),
                None => revocation_lists.remove(&tenant.id),
            };
            if tenant.id.as_str() == DEFAULT_TENANT {
                tenant.unknown = unknown;
            }
            index.insert(tenant);
        }
        Self {
            revision: Some(news.revision),
            index,
            revocation_lists,
        }
    }
}

/// Reads the document that the store keeps.
pub(crate) fn document(record: &TenantRecord) -> Result<TenantDocument, DocumentError> {
    match record.document.as_str() {
        // The tenant that exists from the start.
        "{}" => Ok(TenantDocument::default()),
        text => TenantDocument::from_stored(text.as_bytes()),
    }
}

/// A document that cannot be read trusts nothing and admits nobody: the others' devices go on.
fn tenant(record: &TenantRecord) -> Tenant {
    let (id, revision) = (record.id.clone(), record.policy_revision);
    match document(record) {
        Ok(document) => document.tenant(id, revision),
        Err(error) => {
            tracing::error!(tenant = %id, %error, "the stored tenant cannot be read");
            Tenant {
                enabled: false,
                policy_revision: revision,
                ..Tenant::new(id)
            }
        }
    }
}

/// Lists that cannot be read are none, and without one nobody's status is known.
fn lists(
    tenant: &TenantId,
    given: &[CertificateRevocationListDer<'static>],
) -> Arc<RevocationLists> {
    let read = RevocationLists::read(given.iter().map(AsRef::as_ref));
    Arc::new(read.unwrap_or_else(|error| {
        tracing::error!(%tenant, %error, "the stored revocation lists cannot be read");
        RevocationLists::default()
    }))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use gangplank_testkit::TestCa;
    use gangplank_trust::Anchor;

    use super::*;
    use crate::store::sqlite::SqliteStore;
    use crate::store::{Actor, Expected, TenantContent, TenantRemoval, TenantSave};

    fn at() -> gangplank_key::UnixTime {
        gangplank_key::UnixTime::since_unix_epoch(core::time::Duration::from_secs(1_800_000_000))
    }

    async fn save(store: &dyn Store, id: &str, expected: Expected, document: String) {
        let content = TenantContent {
            enabled: true,
            alias: None,
            issuers: Vec::new(),
            trust_anchor_group: None,
            document,
        };
        let save = TenantSave {
            id: TenantId::parse(id).unwrap(),
            expected,
            content,
            actor: Actor::Server,
            at: at(),
        };
        store.save_tenant(save).await.unwrap();
    }

    fn ids(snapshot: &Snapshot) -> Vec<(&str, usize, bool)> {
        let all = snapshot.index.tenants();
        all.map(|one| (one.id.as_str(), one.anchors.len(), one.enabled))
            .collect()
    }

    #[tokio::test]
    async fn a_decision_sees_what_another_process_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gangplank.db");
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&path).unwrap());
        let other: Arc<dyn Store> = Arc::new(SqliteStore::open(&path).unwrap());
        let tenants = Tenants::stored(UnknownDevices::Queue);
        let first = tenants.now(&*store).await.unwrap();
        assert_eq!(ids(&first), [("default", 0, true)]);
        let default = first.default_tenant().unwrap();
        assert_eq!(default.unknown, UnknownDevices::Queue);
        assert!(Arc::ptr_eq(&first, &tenants.now(&*store).await.unwrap()));

        let ca = TestCa::new("Acme Device CA");
        let mut document = TenantDocument::default();
        let anchor = Anchor::from_certificate("acme", ca.certificate.clone()).unwrap();
        document.set_anchor(anchor).unwrap();
        let absent = Expected::Absent;
        save(&*other, "acme", absent, document.to_stored()).await;
        // What cannot be read is in nobody's way.
        save(&*other, "broken", absent, "[]".to_owned()).await;
        let second = tenants.now(&*store).await.unwrap();
        let all = [
            ("acme", 1, true),
            ("broken", 0, false),
            ("default", 0, true),
        ];
        assert_eq!(ids(&second), all);
        let acme = second.index.get(&TenantId::parse("acme").unwrap()).unwrap();
        assert_eq!(acme.unknown, UnknownDevices::Refuse);
        assert_eq!(second.policy_of(acme).unwrap().revision, 1);

        let present = Expected::Present;
        save(&*other, "acme", present, "{}".to_owned()).await;
        let removal = TenantRemoval {
            id: TenantId::parse("broken").unwrap(),
            expected: present,
            actor: Actor::Server,
            at: at(),
        };
        other.remove_tenant(removal).await.unwrap();
        let third = tenants.now(&*store).await.unwrap();
        assert_eq!(ids(&third), [("acme", 0, true), ("default", 0, true)]);
        assert_eq!(ids(&second), all, "a snapshot changes");
    }
}
