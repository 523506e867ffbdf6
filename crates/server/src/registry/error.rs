use gangplank_onboarding::DeviceId;
use gangplank_trust::{Reason, TenantId};

use crate::store::StoreError;

/// Why a protocol adapter does not get what it asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AdapterError {
    /// The device is refused, and so it will be if it comes again.
    #[error("{code}: {reason}", code = .0.code(), reason = .0)]
    Refused(Reason),
    /// An operator has to approve the device.
    #[error("the device waits for an operator")]
    Pending,
    /// Whoever embeds the server keeps the tenants, so there are no documents of them.
    #[error("the tenants are fixed by the program that this server is part of")]
    TenantsFixed,
    /// What is decided on changes all the time; the same request may succeed later.
    #[error("what was decided on changes all the time")]
    Busy,
    /// What is stored cannot be read.
    #[error("what is stored of {of} cannot be read: {what}")]
    Corrupt {
        /// The device or tenant.
        of: String,
        /// What is wrong.
        what: String,
    },
    /// The store does not answer. Nothing changed, or all of it did: ask again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Reason> for AdapterError {
    fn from(reason: Reason) -> Self {
        Self::Refused(reason)
    }
}

/// Why an operator does not get a device, or cannot change it. Nothing changed, unless the error says so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// There is no such tenant.
    #[error("there is no tenant {0}")]
    NoSuchTenant(TenantId),
    /// The tenant has no such device.
    #[error("there is no device {0}")]
    NoSuchDevice(DeviceId),
    /// The device changed since it was read.
    #[error("the device {id} has resource version {current} by now")]
    Changed {
        /// The device.
        id: DeviceId,
        /// Its revision.
        current: u64,
    },
    /// A device has the id, in this tenant or in another.
    #[error("{}there is a device {id} already", place(pointer))]
    DeviceExists {
        /// Where an import says the id; empty if it was not an import.
        pointer: String,
        /// The id.
        id: DeviceId,
    },
    /// Another device has the authentication id.
    #[error("{}the device {holder} has this authentication id", place(pointer))]
    AuthIdTaken {
        /// Where the request says it: a JSON pointer.
        pointer: String,
        /// That device.
        holder: DeviceId,
    },
    /// A device would have more credentials than the tenant's limit.
    #[error("{}a device of the tenant may have {max} credentials", place(pointer))]
    TooManyCredentials {
        /// Where the request says them: a JSON pointer.
        pointer: String,
        /// The limit.
        max: u64,
    },
    /// The tenant would have more devices than its limit.
    #[error("the tenant has as many devices as it may")]
    TenantFull,
    /// What is saved changes all the time; the same request may succeed later.
    #[error("what is saved changes all the time")]
    Busy,
    /// What is stored cannot be read.
    #[error("what is stored of {of} cannot be read: {what}")]
    Corrupt {
        /// The device.
        of: String,
        /// What is wrong.
        what: String,
    },
    /// The store does not answer, or a former device's repository cannot be moved away. Nothing changed, or
    /// all of it did: ask again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn place(pointer: &str) -> String {
    match pointer {
        "" => String::new(),
        pointer => format!("{pointer}: "),
    }
}
