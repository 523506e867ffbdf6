use gangplank_onboarding::DeviceId;

use crate::server::Server;
use crate::store::{Actor, Change, ChangeOutcome, Expected, StoreError};

impl Server {
    /// Removes a device, and moves its repository away with it, so that nobody who gets the id again finds
    /// it. Whoever asked may go away in between: what was begun is done to the end.
    pub(crate) async fn remove_device(
        &self,
        id: &DeviceId,
        expected: Expected,
        actor: Actor,
    ) -> Result<ChangeOutcome, StoreError> {
        let (server, id) = (self.clone(), id.clone());
        let removing = tokio::spawn(async move {
            let (store, now) = (&server.shared.store, server.now());
            let remove = Change::Remove { expected };
            let outcome = store.change(&id, remove, actor, now).await?;
            if let ChangeOutcome::Done(_) = outcome {
                server.move_repository_away(&id).await;
            }
            Ok(outcome)
        });
        let unavailable = |error: tokio::task::JoinError| StoreError::Unavailable {
            reason: error.to_string(),
        };
        removing.await.map_err(unavailable)?
    }

    /// Also for a device that is gone already: the server may have ended between the two steps.
    pub(crate) async fn move_repository_away(&self, id: &DeviceId) {
        if let Err(error) = self.shared.repositories.remove(id).await {
            tracing::warn!(device = %id, %error, "the repository of a removed device stays");
        }
    }
}
