//! How the store's record of a device reads as documents.

use gangplank_onboarding::DeviceId;
use gangplank_trust::{
    CredentialDocument, DeviceDocument, DeviceStatus, DocumentError, EdgeDevice, Gateway,
};

use crate::store::{Credential, Device, DeviceState};

/// A device as it is registered.
#[derive(Clone, Debug, PartialEq)]
pub struct RegisteredDevice {
    /// Its name.
    pub id: DeviceId,
    /// Grows with each change of its record.
    pub revision: u64,
    /// What an operator, or provisioning, wrote.
    pub document: DeviceDocument,
    /// What the registry knows of it.
    pub status: DeviceStatus,
    /// What it is recognised by.
    pub credentials: Vec<CredentialDocument>,
    admitted: bool,
}

impl RegisteredDevice {
    /// Reads the record; `None` of a stranger that waits or was turned away, which nobody registered.
    pub(crate) fn read(device: &Device) -> Result<Option<Self>, DocumentError> {
        if device.state == DeviceState::Pending || !device.is_vouched_for() {
            return Ok(None);
        }
        let mut document = DeviceDocument::from_stored(device.registration.as_bytes())?;
        // An operator may have switched it off or on by the other way.
        if document.is_enabled() == device.disabled {
            document.enabled = Some(!device.disabled);
        }
        let credentials = device.credentials.iter().map(credential);
        let changed = device.updated_at != device.created_at;
        Ok(Some(Self {
            id: device.id.clone(),
            revision: device.revision,
            document,
            status: DeviceStatus {
                created: device.created_at,
                updated: changed.then_some(device.updated_at),
                last_user: None,
                notification_sent: false,
            },
            credentials: credentials.collect::<Result<_, _>>()?,
            admitted: device.state != DeviceState::Rejected,
        }))
    }

    /// It as one that may act through gateways.
    pub(super) fn edge_device(&self) -> EdgeDevice {
        let device = self.document.edge_device();
        EdgeDevice {
            enabled: device.enabled && self.admitted,
            ..device
        }
    }

    /// It as one that others act through.
    pub(super) fn gateway(&self) -> Gateway {
        let gateway = self.document.gateway(self.id.as_str());
        Gateway {
            enabled: gateway.enabled && self.admitted,
            ..gateway
        }
    }
}

/// Reads a credential. Its authentication id is the one that the store finds it by.
pub(super) fn credential(stored: &Credential) -> Result<CredentialDocument, DocumentError> {
    let read = CredentialDocument::from_stored(stored.document.as_bytes())?;
    Ok(read.with_auth_id_of(&stored.auth_id))
}
