use std::collections::BTreeMap;

use gangplank_trust::{PreparedName, TenantId};
use rustls_pki_types::{CertificateRevocationListDer, UnixTime};

use super::Actor;

/// A tenant as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantRecord {
    /// The tenant's name. One called `default` exists from the start.
    pub id: TenantId,
    /// Grows with each change of the tenant. No two changes share a revision, of whatever tenants: one
    /// that was removed and made again does not come back to a revision that it had. The tenant that
    /// exists from the start begins with 0.
    pub policy_revision: u64,
    /// A disabled tenant's devices are refused everywhere, whatever their own state.
    pub enabled: bool,
    /// The policy: anchors and rules, as JSON. The store gives no meaning to it; that of the tenant
    /// which exists from the start is `{}` until it is changed.
    pub document: String,
}

/// Which tenants [`Store::tenants`](super::Store::tenants) lists. The default is the first page.
#[derive(Clone, Debug, Default)]
pub struct TenantQuery {
    /// Only those whose id is greater, byte by byte: the last one of the page before.
    pub after: Option<TenantId>,
    /// At most so many; none or more than [`MAX_PAGE`](super::MAX_PAGE) means that many.
    pub limit: Option<usize>,
}

/// All tenants, as far as they are news.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantNews {
    /// The revision of the newest change of any tenant, a removal included.
    pub revision: u64,
    /// Every tenant there is, by id.
    pub present: Vec<TenantId>,
    /// Those that were made or changed since, by id.
    pub changed: Vec<TenantRecord>,
    /// The revocation lists of those of them that have any.
    pub revocation_lists: BTreeMap<TenantId, Vec<CertificateRevocationListDer<'static>>>,
}

/// A tenant is to be made or changed.
#[derive(Clone, Debug)]
pub struct TenantSave {
    /// Which one.
    pub id: TenantId,
    /// As what it is known to whoever changes it.
    pub expected: Expected,
    /// What it shall be.
    pub content: TenantContent,
    /// Who does it.
    pub actor: Actor,
    /// Now.
    pub at: UnixTime,
}

/// What must be stored of a record before it is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Expected {
    /// Nothing: it is to be made.
    Absent,
    /// Anything.
    Present,
    /// This revision.
    Revision(u64),
}

impl Expected {
    /// Whether the record that is stored, of this revision, is what is expected.
    pub fn is(self, revision: u64) -> bool {
        match self {
            Self::Absent => false,
            Self::Present => true,
            Self::Revision(expected) => expected == revision,
        }
    }
}

/// The whole of a tenant, and what of its document the store has to know.
#[derive(Clone, Debug)]
pub struct TenantContent {
    /// As in [`TenantRecord`].
    pub enabled: bool,
    /// Another name of it, which no other tenant has as its alias or id.
    pub alias: Option<String>,
    /// The names of its anchors. No other tenant may have one of them, unless both are of one group.
    pub issuers: Vec<PreparedName>,
    /// The group, if it is of one.
    pub trust_anchor_group: Option<String>,
    /// As in [`TenantRecord`].
    pub document: String,
}

/// The answer to a [`TenantSave`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TenantOutcome {
    /// It is as asked for, under this revision.
    Saved {
        /// Its revision.
        revision: u64,
    },
    /// There is none to be changed.
    NotFound,
    /// What is stored is not what was expected; nothing changed.
    Unexpected {
        /// The stored revision.
        current: u64,
    },
    /// Another tenant is called so; nothing changed.
    AliasTaken {
        /// That tenant.
        holder: TenantId,
    },
    /// Another tenant has an anchor of this name, and the two are not of one group; nothing changed.
    IssuerTaken {
        /// The name.
        issuer: PreparedName,
        /// That tenant.
        holder: TenantId,
    },
}

/// A tenant is to be removed.
#[derive(Clone, Debug)]
pub struct TenantRemoval {
    /// Which one.
    pub id: TenantId,
    /// As what it is known; nothing is removed by [`Expected::Absent`].
    pub expected: Expected,
    /// Who does it.
    pub actor: Actor,
    /// Now.
    pub at: UnixTime,
}

/// The answer to a [`TenantRemoval`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TenantRemovalOutcome {
    /// It is gone, and with it what was remembered of its removed devices.
    Removed,
    /// There is none.
    NotFound,
    /// What is stored is not what was expected; nothing changed.
    Unexpected {
        /// The stored revision.
        current: u64,
    },
    /// It has devices; nothing changed.
    NotEmpty,
}
