use alloc::format;
use alloc::string::{String, ToString};

use super::TenantIndex;
use crate::{TenantDocument, TenantId};

impl TenantIndex {
    /// Whether a tenant may be saved beside the others: its alias is no other tenant's, nor its names
    /// those of other tenants' anchors, unless they carry one trust anchor group.
    ///
    /// It is the rule, and not the guard: ask it where nothing else can write, such as in the
    /// transaction that saves.
    ///
    /// # Errors
    /// [`SaveError`]: what is taken, and by whom.
    pub fn check_save(&self, id: &TenantId, document: &TenantDocument) -> Result<(), SaveError> {
        self.check_names(id, document)?;
        let group = document.trust_anchor_group.as_ref();
        for (at, anchor) in document.anchors().enumerate() {
            let places = self.names.get(anchor.prepared_name()).iter();
            let mut others = places.filter_map(|place| self.tenant(place.tenant));
            let taken = others.find(|other| {
                other.id != *id && (group.is_none() || group != other.trust_anchor_group.as_ref())
            });
            if let Some(other) = taken {
                return Err(SaveError::IssuerTaken {
                    pointer: format!("/trusted-ca/{at}"),
                    name: anchor.name().to_string(),
                    by: other.id.clone(),
                });
            }
        }
        Ok(())
    }

    /// Ids and aliases are looked up by the same hint, so that no id may be another tenant's alias.
    fn check_names(&self, id: &TenantId, document: &TenantDocument) -> Result<(), SaveError> {
        let alias = document
            .alias
            .as_ref()
            .map(|alias| ("/alias", alias.as_str()));
        for (pointer, name) in [("", id.as_str())].into_iter().chain(alias) {
            let with_alias = self.aliases.get(name).into_iter().flatten();
            let with_alias = with_alias.filter_map(|at| self.id(*at));
            let with_id = TenantId::parse(name).ok();
            let with_id = with_id.and_then(|found| self.ids.get_key_value(&found));
            let with_id = with_id.map(|(found, _)| found);
            let mut others = with_alias.chain(with_id).filter(|other| *other != id);
            if let Some(by) = others.next() {
                return Err(SaveError::AliasTaken {
                    pointer,
                    alias: String::from(name),
                    by: by.clone(),
                });
            }
        }
        Ok(())
    }
}

/// Why a tenant cannot be saved beside the others: a conflict (409).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SaveError {
    /// Another tenant has an anchor of the same name, and not both carry one trust anchor group.
    #[error(
        "the name {name} is that of an anchor of tenant {by}, which is in another group or in none"
    )]
    IssuerTaken {
        /// JSON pointer to the anchor.
        pointer: String,
        /// The printed name.
        name: String,
        /// The other tenant.
        by: TenantId,
    },
    /// Another tenant has the alias as its alias or id, or the id as its alias.
    #[error("{alias} is already a name of tenant {by}")]
    AliasTaken {
        /// JSON pointer to the alias; empty if it is the tenant's id.
        pointer: &'static str,
        /// The alias or id.
        alias: String,
        /// The other tenant.
        by: TenantId,
    },
}

impl SaveError {
    /// Its stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::IssuerTaken { .. } => "issuer-taken",
            Self::AliasTaken { .. } => "alias-taken",
        }
    }

    /// JSON pointer to what is taken.
    pub fn pointer(&self) -> &str {
        match self {
            Self::IssuerTaken { pointer, .. } => pointer,
            Self::AliasTaken { pointer, .. } => pointer,
        }
    }
}
