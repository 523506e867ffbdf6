use gangplank_onboarding::DeviceId;
use gangplank_trust::TenantId;
use rustls_pki_types::UnixTime;

use super::{Actor, Credential, Expected, PolicyRevision};

/// Devices of one tenant are to be made or changed: all of them, or none.
#[derive(Clone, Debug)]
pub struct DeviceSaves {
    /// Whose devices.
    pub tenant: TenantId,
    /// Which, and what of them.
    pub devices: Vec<DeviceSave>,
    /// How many devices the tenant may have once all are saved; any number without a limit.
    pub max_devices: Option<u64>,
    /// The policy that decided, where one did.
    pub policy: Option<PolicyRevision>,
    /// Who does it.
    pub actor: Actor,
    /// Now.
    pub at: UnixTime,
}

/// One device is to be made or changed. One that an operator makes is no longer remembered as removed, nor
/// are credentials that he gives.
#[derive(Clone, Debug)]
pub struct DeviceSave {
    /// Which.
    pub device_id: DeviceId,
    /// As what it is known to whoever changes it.
    pub expected: Expected,
    /// What it shall be; unchanged without. One that is made and has none is enabled.
    pub content: Option<DeviceContent>,
    /// All credentials it shall have; unchanged without.
    pub credentials: Option<Vec<Credential>>,
    /// Who makes it known.
    pub by: SavedBy,
}

/// What an operator says about a device.
#[derive(Clone, Debug)]
pub struct DeviceContent {
    /// Whether it may act.
    pub enabled: bool,
    /// As in [`Device`](super::Device::registration).
    pub registration: String,
}

/// Who makes a device known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SavedBy {
    /// An operator.
    Operator,
    /// A gateway that has the authority to bring devices. A removed device stays out; one that comes is
    /// told of in the outbox.
    Gateway {
        /// Its device id.
        id: DeviceId,
        /// The revision of it that was decided on.
        revision: u64,
    },
}

/// The answer to [`DeviceSaves`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceSavesOutcome {
    /// All are as asked for, under these revisions, in the order in which they were asked for.
    Saved(Vec<u64>),
    /// There is no such tenant; nothing changed.
    NoSuchTenant,
    /// The tenant's policy is no longer the one that decided; nothing changed. Decide again.
    Outdated,
    /// Nothing changed.
    Refused {
        /// Which of the devices, counted from 0.
        index: usize,
        /// Why not.
        reason: DeviceNotSaved,
    },
}

/// Why a device is not made or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceNotSaved {
    /// There is none to be changed in this tenant.
    #[error("there is no such device")]
    NotFound,
    /// What is stored is not what was expected.
    #[error("the device has revision {current}")]
    Unexpected {
        /// The stored revision.
        current: u64,
    },
    /// A device of another tenant has the device id, or one of this tenant that was not expected.
    #[error("another device has this id")]
    DeviceIdTaken,
    /// Another device has one of the authentication ids, or one equal to it as a name.
    #[error("device {holder} has the authentication id {auth_id:?}")]
    AuthIdTaken {
        /// The id.
        auth_id: String,
        /// That device.
        holder: DeviceId,
    },
    /// The tenant has as many devices as it may.
    #[error("quota-tenant: the tenant has as many devices as it may")]
    TenantFull,
    /// It waits for an operator's approval, and gets no credentials before.
    #[error("the device waits for approval")]
    Waiting,
    /// The gateway is no longer the one that was decided on. Decide again.
    #[error("the gateway changed")]
    GatewayChanged,
    /// It was removed, and only an operator brings it back.
    #[error("tombstoned: the device was removed")]
    Removed,
}
