//! Documents as the store keeps them.

use gangplank_onboarding::DeviceId;
use gangplank_trust::{CredentialDocument, DeviceDocument, Tenant, TenantId};

use super::devices::{DeviceRegistry, SavedDevice, is_expected};
use super::error::RegistryError;
use super::{RegisteredDevice, TRIES};
use crate::store::{
    Credential, DeviceContent, DeviceNotSaved, DeviceSave, DeviceSaves, DeviceSavesOutcome,
    Expected, SavedBy,
};

/// What a request says, so that what is wrong can be pointed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A device, or its credentials.
    Single,
    /// A list of devices.
    Import,
}

/// What is to be written of a device.
type Written = (Option<DeviceContent>, Option<Vec<Credential>>);

impl DeviceRegistry<'_> {
    /// Writes over the device that is `expected`, keeping what only the store knows of it.
    pub(super) async fn write(
        &self,
        tenant: &TenantId,
        id: &DeviceId,
        expected: Expected,
        write: impl Fn(&RegisteredDevice) -> Written,
    ) -> Result<SavedDevice, RegistryError> {
        for _ in 0..TRIES {
            let stored = self.device(tenant, id).await?;
            is_expected(&stored, expected)?;
            let (content, credentials) = write(&stored);
            let save = DeviceSave {
                device_id: id.clone(),
                // What is kept is that of what was read.
                expected: Expected::Revision(stored.revision),
                content,
                credentials,
                by: SavedBy::Operator,
            };
            match self.save_one(tenant, save).await {
                Err(RegistryError::Changed { .. }) if expected == Expected::Present => {}
                outcome => return outcome,
            }
        }
        Err(RegistryError::Busy)
    }

    pub(super) async fn save_one(
        &self,
        tenant: &TenantId,
        save: DeviceSave,
    ) -> Result<SavedDevice, RegistryError> {
        let saved = self.save(tenant, vec![save], Form::Single).await?;
        saved.into_iter().next().ok_or(RegistryError::Busy)
    }

    /// Saves all, or none.
    pub(super) async fn save(
        &self,
        tenant: &TenantId,
        devices: Vec<DeviceSave>,
        form: Form,
    ) -> Result<Vec<SavedDevice>, RegistryError> {
        let mut saves = DeviceSaves {
            tenant: tenant.clone(),
            devices,
            max_devices: None,
            policy: None,
            actor: self.actor.clone(),
            at: self.server.now(),
        };
        for _ in 0..TRIES {
            let tenants = self.server.tenants().await?;
            let tenant = tenants.index().get(&saves.tenant);
            let tenant = tenant.ok_or_else(|| RegistryError::NoSuchTenant(saves.tenant.clone()))?;
            within_limit(tenant, &saves.devices, form)?;
            saves.max_devices = tenant.max_devices;
            saves.policy = tenants.policy_of(tenant);
            match self.server.save_devices(saves.clone()).await? {
                DeviceSavesOutcome::Saved(revisions) => {
                    let ids = saves.devices.into_iter().map(|one| one.device_id);
                    let saved = ids.zip(revisions);
                    return Ok(saved
                        .map(|(id, revision)| SavedDevice { id, revision })
                        .collect());
                }
                DeviceSavesOutcome::NoSuchTenant => {
                    return Err(RegistryError::NoSuchTenant(saves.tenant));
                }
                DeviceSavesOutcome::Outdated => {}
                DeviceSavesOutcome::Refused { index, reason } => {
                    return Err(refused(&saves, index, reason, form));
                }
            }
        }
        Err(RegistryError::Busy)
    }
}

/// The limit is that of the policy which the store then finds unchanged.
fn within_limit(tenant: &Tenant, devices: &[DeviceSave], form: Form) -> Result<(), RegistryError> {
    let Some(max) = tenant.max_credentials_per_device else {
        return Ok(());
    };
    let count = |save: &DeviceSave| save.credentials.as_ref().map_or(0, Vec::len) as u64;
    match devices.iter().position(|save| count(save) > max) {
        None => Ok(()),
        Some(index) => Err(RegistryError::TooManyCredentials {
            pointer: match form {
                Form::Single => String::new(),
                Form::Import => format!("/{index}/credentials"),
            },
            max,
        }),
    }
}

/// A device that is to be made.
pub(super) fn new_device(
    device_id: DeviceId,
    document: &DeviceDocument,
    documents: &[CredentialDocument],
) -> DeviceSave {
    DeviceSave {
        device_id,
        expected: Expected::Absent,
        content: Some(content(document)),
        credentials: Some(credentials(documents)),
        by: SavedBy::Operator,
    }
}

pub(super) fn content(document: &DeviceDocument) -> DeviceContent {
    DeviceContent {
        enabled: document.is_enabled(),
        registration: document.to_stored(),
    }
}

pub(super) fn credentials(documents: &[CredentialDocument]) -> Vec<Credential> {
    let stored = documents.iter().map(|document| Credential {
        auth_id: document.auth_id().clone(),
        document: document.to_stored(),
    });
    stored.collect()
}

fn refused(saves: &DeviceSaves, index: usize, reason: DeviceNotSaved, form: Form) -> RegistryError {
    let Some(save) = saves.devices.get(index) else {
        return RegistryError::Busy;
    };
    let id = save.device_id.clone();
    match reason {
        DeviceNotSaved::Unexpected { current } => RegistryError::Changed { id, current },
        DeviceNotSaved::DeviceIdTaken => RegistryError::DeviceExists {
            pointer: match form {
                Form::Single => String::new(),
                Form::Import => format!("/{index}/device-id"),
            },
            id,
        },
        DeviceNotSaved::AuthIdTaken { auth_id, holder } => {
            let mut credentials = save.credentials.iter().flatten();
            let at = credentials.position(|one| one.auth_id.as_str() == auth_id);
            let at = at.unwrap_or_default();
            RegistryError::AuthIdTaken {
                pointer: match form {
                    Form::Single => format!("/{at}/auth-id"),
                    Form::Import => format!("/{index}/credentials/{at}/auth-id"),
                },
                holder,
            }
        }
        DeviceNotSaved::TenantFull => RegistryError::TenantFull,
        // An operator makes removed devices again, so what is left is that there is none.
        _ => RegistryError::NoSuchDevice(id),
    }
}
