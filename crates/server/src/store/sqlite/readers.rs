use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::fault::Fault;
use super::open;
use crate::store::StoreError;

/// The connections that read, each used by one reading at a time. In WAL mode they neither wait for
/// the writer nor hold it up.
pub(super) struct Readers {
    idle: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn open(path: &Path) -> Result<Self, Fault> {
        let idle = (0..READERS)
            .map(|_| open::reader(path))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            idle: Mutex::new(idle),
            permits: Arc::new(Semaphore::new(READERS)),
        })
    }

    /// Runs `work` on one snapshot that has everything committed before the call.
    pub(super) async fn read<T, F>(self: &Arc<Self>, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    {
        let permit = Arc::clone(&self.permits)
            .acquire_owned()
            .await
            .map_err(unavailable)?;
        let readers = Arc::clone(self);
        let reading = tokio::task::spawn_blocking(move || {
            let connection = readers.take().ok_or_else(|| unavailable("no connection"))?;
            let result = snapshot(&connection, work);
            readers.give_back(connection);
            drop(permit);
            result.map_err(StoreError::from)
        });
        reading.await.map_err(unavailable)?
    }

    fn take(&self) -> Option<Connection> {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
    }

    fn give_back(&self, connection: Connection) {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(connection);
    }
}

fn snapshot<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, Fault>,
) -> Result<T, Fault> {
    connection.prepare_cached("BEGIN")?.execute([])?;
    // A reading that panics must not take its connection with it, nor leave its transaction open.
    let result = catch_unwind(AssertUnwindSafe(|| work(connection)));
    // Nothing was written, so it does not matter how the transaction ends; but end it must.
    connection.prepare_cached("ROLLBACK")?.execute([])?;
    result.unwrap_or_else(|_| Err(Fault::Store(unavailable("a reading panicked"))))
}

fn unavailable(reason: impl ToString) -> StoreError {
    StoreError::Unavailable {
        reason: reason.to_string(),
    }
}

/// Reads take microseconds; more connections would only hold memory.
const READERS: usize = 4;
