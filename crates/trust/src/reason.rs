use alloc::string::String;

use crate::ChainError;

/// Why a device is refused: for the operator's log. The device learns only that it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The device's certificate is not believed.
    #[error("the certificate is not trusted: {0}")]
    NotTrusted(ChainError),
    /// The tenant is switched off.
    #[error("the tenant is disabled; enable it to admit its devices")]
    TenantDisabled,
    /// The proof or the known device is another tenant's.
    #[error("the proof or the known device belongs to another tenant")]
    OtherTenant,
    /// Nobody registered the device and no trust anchor stands behind it.
    #[error("the device is not registered; register its certificate or trust its issuer")]
    UnknownDevice,
    /// An anchor stands behind the device, but strangers under it may not join.
    #[error("the device is not registered and anchor {anchor} does not provision devices")]
    ProvisioningDisabled {
        /// The anchor's id.
        anchor: String,
    },
    /// The anchor that verified the path is no longer one of the tenant's.
    #[error("the trust anchor {anchor} was withdrawn or changed since the path was verified")]
    AnchorWithdrawn {
        /// The anchor's id.
        anchor: String,
    },
    /// The certificate id or the key belongs to a device with another key or certificate id.
    #[error("the certificate id {known} or its key already belongs to another device")]
    IdentityConflict {
        /// The certificate id of the device that is known.
        known: String,
    },
    /// An operator disabled the device.
    #[error("the device is disabled; enable it to let it back in")]
    DeviceDisabled,
    /// An operator rejected the device.
    #[error("the device was rejected by an operator")]
    DeviceRejected,
    /// An operator removed the device; it stays out until somebody registers it again.
    #[error("the device was removed by an operator; register it again to let it back in")]
    Tombstoned,
}

impl Reason {
    /// A stable name for logs and tests, in kebab-case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotTrusted(error) => error.code(),
            Self::TenantDisabled => "tenant-disabled",
            Self::OtherTenant => "other-tenant",
            Self::UnknownDevice => "device-unknown",
            Self::ProvisioningDisabled { .. } => "provisioning-disabled",
            Self::AnchorWithdrawn { .. } => "anchor-withdrawn",
            Self::IdentityConflict { .. } => "identity-conflict",
            Self::DeviceDisabled => "device-disabled",
            Self::DeviceRejected => "device-rejected",
            Self::Tombstoned => "tombstoned",
        }
    }

    /// Whether the device should try again by itself.
    pub fn retry(&self) -> Retry {
        match self {
            Self::NotTrusted(error) => error.retry(),
            // Switched off for a while: an operator switches it on and the device comes back.
            Self::TenantDisabled | Self::DeviceDisabled => Retry::Later,
            _ => Retry::Never,
        }
    }
}

impl From<ChainError> for Reason {
    fn from(error: ChainError) -> Self {
        Self::NotTrusted(error)
    }
}

/// Whether a refused device should try again by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The same request can succeed later without a change on the device.
    Later,
    /// Somebody has to act first: the refusal is terminal.
    Never,
}
