use alloc::string::String;
use alloc::vec::Vec;

use crate::{Adapters, Alias, Anchor, TenantId};

/// A tenant and its policy. A new one is enabled, trusts nothing and refuses strangers.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Its name.
    pub id: TenantId,
    /// A disabled tenant admits nobody, not even devices it knows.
    pub enabled: bool,
    /// Counts changes of this policy; a [`Plan`](crate::Plan) names the one it was made under.
    pub policy_revision: u64,
    /// The certificates it trusts.
    pub anchors: Vec<Anchor>,
    /// What becomes of a device that no anchor vouches for.
    pub unknown: UnknownDevices,
    /// How many devices it may have; any number without it.
    pub max_devices: Option<u64>,
    /// How many credentials each of them may have; any number without it.
    pub max_credentials_per_device: Option<u64>,
    /// Another name of it, that no other tenant has.
    pub alias: Option<Alias>,
    /// Tenants of one group may trust anchors of one name; all others have names of their own.
    pub trust_anchor_group: Option<String>,
    /// The protocol adapters that its devices may use.
    pub adapters: Adapters,
}

impl Tenant {
    /// Enabled, revision 0, no anchors, [`UnknownDevices::Refuse`], no limit, no other name, no
    /// group, [`Adapters::All`].
    pub fn new(id: TenantId) -> Self {
        Self {
            id,
            enabled: true,
            policy_revision: 0,
            anchors: Vec::new(),
            unknown: UnknownDevices::Refuse,
            max_devices: None,
            max_credentials_per_device: None,
            alias: None,
            trust_anchor_group: None,
            adapters: Adapters::All,
        }
    }
}

/// What becomes of a device that is not registered and that no anchor vouches for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownDevices {
    /// It is refused.
    #[default]
    Refuse,
    /// It waits for an operator.
    Queue,
}
