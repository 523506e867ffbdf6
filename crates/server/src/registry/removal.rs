use gangplank_onboarding::DeviceId;
use tokio::sync::RwLockReadGuard;

use crate::git::RepositoryError;
use crate::server::Server;
use crate::store::{
    Actor, Admission, AdmissionOutcome, AdmissionPlan, Change, ChangeOutcome, DeviceSaves,
    DeviceSavesOutcome, Expected, StoreError,
};

/// A repository belongs to whoever has the id, and no transaction has both. So a device is only made where
/// no repository of a former one is left: whatever a removal could not move, or did not come to, is moved
/// before, or the device is not made.
impl Server {
    /// Removes a device, and moves its repository away with it. Whoever asked may go away in between: what
    /// was begun is done to the end. If the repository stays, that is an error though the device is gone;
    /// asking again moves it.
    pub(crate) async fn remove_device(
        &self,
        id: &DeviceId,
        expected: Expected,
        actor: Actor,
    ) -> Result<ChangeOutcome, StoreError> {
        let (server, id) = (self.clone(), id.clone());
        let removing = tokio::spawn(async move {
            let _alone = server.shared.removal.write().await;
            let (store, now) = (&server.shared.store, server.now());
            let remove = Change::Remove { expected };
            let outcome = store.change(&id, remove, actor, now).await?;
            if let ChangeOutcome::Done(_) | ChangeOutcome::NotFound = outcome {
                server.move_away_unless_owned(&id).await?;
            }
            Ok(outcome)
        });
        let unavailable = |error: tokio::task::JoinError| StoreError::Unavailable {
            reason: error.to_string(),
        };
        removing.await.map_err(unavailable)?
    }

    /// Moves the repository of a device away that is gone already.
    pub(crate) async fn clear_repository(&self, id: &DeviceId) -> Result<(), StoreError> {
        let _alone = self.shared.removal.write().await;
        self.move_away_unless_owned(id).await
    }

    /// As the store does it, where no former device left its repository.
    pub(crate) async fn save_devices(
        &self,
        saves: DeviceSaves,
    ) -> Result<DeviceSavesOutcome, StoreError> {
        let made = saves.devices.iter();
        let made = made.filter(|save| save.expected == Expected::Absent);
        let _turn = self.clear_ids(made.map(|save| &save.device_id)).await?;
        self.shared.store.save_devices(saves).await
    }

    /// As the store does it, where no former device left its repository.
    pub(crate) async fn create_or_adopt(
        &self,
        admission: Admission,
    ) -> Result<AdmissionOutcome, StoreError> {
        // The ids of others are random, and nobody had them before.
        let made = match &admission.plan {
            AdmissionPlan::Provision { device, .. } => Some(&device.device_id),
            AdmissionPlan::Known { .. } | AdmissionPlan::Queue { .. } => None,
        };
        let _turn = self.clear_ids(made.into_iter()).await?;
        self.shared.store.create_or_adopt(admission).await
    }

    /// No device is removed until the turn ends, so no repository is left under the ids either.
    async fn clear_ids<'s, 'i>(
        &'s self,
        ids: impl Iterator<Item = &'i DeviceId>,
    ) -> Result<RwLockReadGuard<'s, ()>, StoreError> {
        let turn = self.shared.removal.read().await;
        let repositories = &self.shared.repositories;
        let mut left = ids.filter(|id| !matches!(repositories.path(id).try_exists(), Ok(false)));
        let Some(first) = left.next() else {
            return Ok(turn);
        };
        drop(turn);
        let alone = self.shared.removal.write().await;
        for id in [first].into_iter().chain(left) {
            self.move_away_unless_owned(id).await?;
        }
        Ok(alone.downgrade())
    }

    /// Only where nobody else removes or makes devices. That holds in one process: of several with one
    /// folder, another might make the device and fill its repository between the look and the move.
    async fn move_away_unless_owned(&self, id: &DeviceId) -> Result<(), StoreError> {
        if self.shared.store.device(id).await?.is_some() {
            return Ok(());
        }
        match self.shared.repositories.remove(id).await {
            Ok(_) => Ok(()),
            Err(error) => Err(StoreError::Unavailable {
                reason: format!(
                    "the repository of the removed device {id} stays: {}",
                    why(&error)
                ),
            }),
        }
    }
}

fn why(error: &RepositoryError) -> String {
    match error {
        RepositoryError::Io(cause) => format!("{error}: {cause}"),
        error => error.to_string(),
    }
}
