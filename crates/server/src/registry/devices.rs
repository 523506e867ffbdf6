use gangplank_onboarding::DeviceId;
use gangplank_trust::{
    CredentialDocument, DeviceDocument, DocumentError, ImportDocument, ImportedDevice, TenantId,
};

use super::error::RegistryError;
use super::saving::{Form, content, credentials, new_device};
use super::{RegisteredDevice, TRIES};
use crate::random;
use crate::server::Server;
use crate::store::{Actor, ChangeOutcome, DeviceQuery, Expected, MAX_PAGE};

/// The devices of tenants, as an operator reads and writes them.
#[derive(Clone, Debug)]
pub struct DeviceRegistry<'s> {
    pub(super) server: &'s Server,
    pub(super) actor: Actor,
}

/// A device that was saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedDevice {
    /// Its name.
    pub id: DeviceId,
    /// Its revision now.
    pub revision: u64,
}

impl<'s> DeviceRegistry<'s> {
    pub(super) fn of(server: &'s Server, actor: Actor) -> Self {
        Self { server, actor }
    }

    /// A page of a tenant's devices, by id: at most `limit`, whose ids are greater than `after`. Strangers
    /// that wait for an operator are none of them.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub async fn list(
        &self,
        tenant: &TenantId,
        after: Option<DeviceId>,
        limit: usize,
    ) -> Result<Vec<RegisteredDevice>, RegistryError> {
        self.check_tenant(tenant).await?;
        let limit = limit.min(MAX_PAGE);
        let (mut page, mut after) = (Vec::new(), after);
        while page.len() < limit {
            let query = DeviceQuery {
                tenant: Some(tenant.clone()),
                after,
                ..DeviceQuery::default()
            };
            let found = self.server.shared.store.devices(&query).await?;
            let Some(last) = found.last() else {
                break;
            };
            after = Some(last.id.clone());
            for device in &found {
                let read = RegisteredDevice::read(device);
                page.extend(read.map_err(|error| corrupt(&device.id, &error))?);
            }
        }
        page.truncate(limit);
        Ok(page)
    }

    /// One device, with its credentials.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub async fn device(
        &self,
        tenant: &TenantId,
        id: &DeviceId,
    ) -> Result<RegisteredDevice, RegistryError> {
        let found = self.server.shared.store.device(id).await?;
        let found = found.filter(|device| device.tenant == *tenant);
        let read = found.map(|device| RegisteredDevice::read(&device));
        let read = read.transpose().map_err(|error| corrupt(id, &error))?;
        match read.flatten() {
            Some(device) => Ok(device),
            None => {
                self.check_tenant(tenant).await?;
                Err(RegistryError::NoSuchDevice(id.clone()))
            }
        }
    }

    /// Makes a device without credentials. One that was removed may be made again, which forgets the
    /// removal.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub async fn create(
        &self,
        tenant: &TenantId,
        id: &DeviceId,
        document: &DeviceDocument,
    ) -> Result<SavedDevice, RegistryError> {
        let save = new_device(id.clone(), document, &[]);
        self.save_one(tenant, save).await
    }

    /// Writes a device over the one that is `expected`.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub async fn update(
        &self,
        tenant: &TenantId,
        id: &DeviceId,
        expected: Expected,
        document: &DeviceDocument,
    ) -> Result<SavedDevice, RegistryError> {
        let write = |stored: &RegisteredDevice| {
            let document = document.clone().with_origin_of(&stored.document);
            (Some(content(&document)), None)
        };
        self.write(tenant, id, expected, write).await
    }

    /// Gives a device these credentials and no others.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub async fn set_credentials(
        &self,
        tenant: &TenantId,
        id: &DeviceId,
        expected: Expected,
        documents: &[CredentialDocument],
    ) -> Result<SavedDevice, RegistryError> {
        let write = |stored: &RegisteredDevice| {
            let documents = documents.iter().cloned();
            let documents: Vec<_> = documents.map(|one| as_stored(one, stored)).collect();
            (None, Some(credentials(&documents)))
        };
        self.write(tenant, id, expected, write).await
    }

    /// Removes a device, and moves its repository away. It stays out until it is made anew.
    ///
    /// # Errors
    /// [`RegistryError`]. With [`RegistryError::Store`] the device may be gone and its repository not moved:
    /// ask again, until there is no such device.
    pub async fn remove(
        &self,
        tenant: &TenantId,
        id: &DeviceId,
        expected: Expected,
    ) -> Result<(), RegistryError> {
        for _ in 0..TRIES {
            let stored = match self.device(tenant, id).await {
                Err(RegistryError::NoSuchDevice(id)) => return Err(self.gone(id).await),
                found => found?,
            };
            is_expected(&stored, expected)?;
            // The one that was seen to be of the tenant.
            let seen = Expected::Revision(stored.revision);
            let actor = self.actor.clone();
            match self.server.remove_device(id, seen, actor).await? {
                ChangeOutcome::Done(_) => return Ok(()),
                ChangeOutcome::NotFound => return Err(RegistryError::NoSuchDevice(id.clone())),
                // It is read again, and not expected any more if a revision was asked for.
                ChangeOutcome::Changed { .. } => {}
                ChangeOutcome::WrongState(_) | ChangeOutcome::TenantFull => break,
            }
        }
        Err(RegistryError::Busy)
    }

    /// A device that is not there. Its repository may be.
    async fn gone(&self, id: DeviceId) -> RegistryError {
        match self.server.clear_repository(&id).await {
            Ok(()) => RegistryError::NoSuchDevice(id),
            Err(error) => error.into(),
        }
    }

    /// Makes many devices with their credentials: all of them, or none.
    ///
    /// # Errors
    /// [`RegistryError`]: the first that cannot be made.
    pub async fn import(
        &self,
        tenant: &TenantId,
        import: &ImportDocument,
    ) -> Result<Vec<SavedDevice>, RegistryError> {
        let devices = import.devices.iter();
        let saves = devices.map(|one| new_device(id_of(one), &one.device, &one.credentials));
        self.save(tenant, saves.collect(), Form::Import).await
    }

    async fn check_tenant(&self, id: &TenantId) -> Result<(), RegistryError> {
        let tenants = self.server.tenants().await?;
        match tenants.index().get(id) {
            Some(_) => Ok(()),
            None => Err(RegistryError::NoSuchTenant(id.clone())),
        }
    }
}

/// Keeps what an operator's text does not say of a credential that is there already.
fn as_stored(document: CredentialDocument, stored: &RegisteredDevice) -> CredentialDocument {
    let same = |one: &&CredentialDocument| one.auth_id().as_str() == document.auth_id().as_str();
    match stored.credentials.iter().find(same) {
        Some(former) => document.with_auth_id_of(former.auth_id()),
        None => document,
    }
}

fn id_of(one: &ImportedDevice) -> DeviceId {
    let given = one.device_id.as_deref().map(DeviceId::parse);
    // What an import names is always one.
    match given {
        Some(Ok(id)) => id,
        _ => DeviceId::random(&mut random::system()),
    }
}

pub(super) fn is_expected(
    stored: &RegisteredDevice,
    expected: Expected,
) -> Result<(), RegistryError> {
    match expected.is(stored.revision) {
        true => Ok(()),
        false => Err(RegistryError::Changed {
            id: stored.id.clone(),
            current: stored.revision,
        }),
    }
}

fn corrupt(id: &DeviceId, error: &DocumentError) -> RegistryError {
    RegistryError::Corrupt {
        of: id.to_string(),
        what: error.to_string(),
    }
}
