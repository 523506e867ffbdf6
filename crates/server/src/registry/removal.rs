use std::sync::Arc;

use gangplank_onboarding::DeviceId;
use tokio::sync::OwnedRwLockReadGuard;
use tokio::task::JoinError;

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
        removing.await.map_err(unavailable)?
    }

    /// Moves the repository of a device away that is gone already.
    pub(crate) async fn clear_repository(&self, id: &DeviceId) -> Result<(), StoreError> {
        self.clear_repositories(vec![id.clone()]).await.map(drop)
    }

    /// As the store does it, where no former device left its repository.
    pub(crate) async fn save_devices(
        &self,
        saves: DeviceSaves,
    ) -> Result<DeviceSavesOutcome, StoreError> {
        let made = saves.devices.iter();
        let made = made.filter(|save| save.expected == Expected::Absent);
        let made: Vec<_> = made.map(|save| save.device_id.clone()).collect();
        let _turn = self.clear_ids(made).await?;
        self.shared.store.save_devices(saves).await
    }

    /// As the store does it, where no former device left its repository.
    pub(crate) async fn create_or_adopt(
        &self,
        admission: Admission,
    ) -> Result<AdmissionOutcome, StoreError> {
        // The ids of others are random, and nobody had them before.
        let made = match &admission.plan {
            AdmissionPlan::Provision { device, .. } => vec![device.device_id.clone()],
            AdmissionPlan::Known { .. } | AdmissionPlan::Queue { .. } => Vec::new(),
        };
        let _turn = self.clear_ids(made).await?;
        self.shared.store.create_or_adopt(admission).await
    }

    /// No device is removed until this ends.
    pub(crate) async fn turn(&self) -> OwnedRwLockReadGuard<()> {
        Arc::clone(&self.shared.removal).read_owned().await
    }

    /// No device is removed until the turn ends, so no repository is left under the ids either. Who makes
    /// no device waits for no removal.
    async fn clear_ids(
        &self,
        ids: Vec<DeviceId>,
    ) -> Result<Option<OwnedRwLockReadGuard<()>>, StoreError> {
        if ids.is_empty() {
            return Ok(None);
        }
        let turn = self.turn().await;
        let path = |id| self.shared.repositories.path(id);
        if ids
            .iter()
            .all(|id| matches!(path(id).try_exists(), Ok(false)))
        {
            return Ok(Some(turn));
        }
        drop(turn);
        self.clear_repositories(ids).await.map(Some)
    }

    /// Whoever asked may go away in between: a move that was begun must not end in the turn of another.
    async fn clear_repositories(
        &self,
        ids: Vec<DeviceId>,
    ) -> Result<OwnedRwLockReadGuard<()>, StoreError> {
        let server = self.clone();
        let clearing = tokio::spawn(async move {
            let alone = Arc::clone(&server.shared.removal).write_owned().await;
            for id in &ids {
                server.move_away_unless_owned(id).await?;
            }
            Ok(alone.downgrade())
        });
        clearing.await.map_err(unavailable)?
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

fn unavailable(error: JoinError) -> StoreError {
    StoreError::Unavailable {
        reason: error.to_string(),
    }
}

fn why(error: &RepositoryError) -> String {
    match error {
        RepositoryError::Io(cause) => format!("{error}: {cause}"),
        error => error.to_string(),
    }
}
