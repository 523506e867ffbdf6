use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::fault::Fault;
use crate::store::StoreError;

/// The one thread that writes. It takes the commands that wait, runs them in one transaction, and
/// answers when that is committed: one `fsync` for all of them (group commit).
pub(super) struct Writer {
    /// Present until the writer is dropped, which ends the thread.
    commands: Option<mpsc::Sender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
    commits: Arc<AtomicU64>,
}

/// What a command wants of its own changes.
pub(super) enum Step<T> {
    /// They stay, once the transaction is committed.
    Keep(T),
    /// They go: the answer promises that nothing changed.
    Undo(T),
}

impl Writer {
    pub(super) fn start(connection: Connection) -> Result<Self, StoreError> {
        let (commands, waiting) = mpsc::channel(MAX_WAITING);
        let commits = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&commits);
        let thread = std::thread::Builder::new()
            .name("gangplank-store".to_owned())
            .spawn(move || serve(waiting, &connection, &counter))
            .map_err(|error| StoreError::Unavailable {
                reason: format!("the writing thread does not start: {error}"),
            })?;
        Ok(Self {
            commands: Some(commands),
            thread: Some(thread),
            commits,
        })
    }

    /// Runs `work` in a transaction, and returns when it is committed.
    pub(super) async fn apply<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<Step<T>, Fault> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let command = Command {
            work: Some(work),
            result: Err(ended()),
            reply,
        };
        let commands = self.commands.as_ref().ok_or_else(ended)?;
        commands
            .send(Box::new(command))
            .await
            .map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }

    /// How many commands wait.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        let room = self.commands.as_ref().map(mpsc::Sender::capacity);
        room.map_or(0, |room| MAX_WAITING - room)
    }

    /// How many transactions were committed.
    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Without a sender the thread finishes what waits, and closes the connection.
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(mut waiting: mpsc::Receiver<Box<dyn Job>>, connection: &Connection, commits: &AtomicU64) {
    while let Some(first) = waiting.blocking_recv() {
        let mut batch = vec![first];
        while batch.len() < MAX_BATCH
            && let Ok(next) = waiting.try_recv()
        {
            batch.push(next);
        }
        // The promise of the whole store is the order of the next two steps. COMMIT returns after
        // the write-ahead log is synced to the disk (synchronous=FULL) ...
        let committed = commit(connection, &mut batch).map_err(StoreError::from);
        // ... and only then is anybody answered; if it failed, all are told so.
        if committed.is_ok() {
            commits.fetch_add(1, Ordering::Relaxed);
        }
        for job in batch {
            job.answer(&committed);
        }
    }
}

/// Runs the batch in one transaction. After an error nothing of it is in the database.
fn commit(connection: &Connection, batch: &mut [Box<dyn Job>]) -> Result<(), Fault> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let done = run_each(connection, batch).and_then(|()| {
        connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    });
    if done.is_err() && !connection.is_autocommit() {
        // If this fails too, the next BEGIN does, and nobody is answered wrongly.
        let _ = connection.execute_batch("ROLLBACK");
    }
    done
}

fn run_each(connection: &Connection, batch: &mut [Box<dyn Job>]) -> Result<(), Fault> {
    for job in batch {
        connection
            .prepare_cached("SAVEPOINT command")?
            .execute([])?;
        // A command that panics fails alone: its savepoint is undone, and the thread goes on.
        let keep = catch_unwind(AssertUnwindSafe(|| job.run(connection))).unwrap_or(false);
        // On some errors (disk full, I/O) SQLite rolls the whole transaction back by itself, and
        // what earlier commands did is gone as well (https://www.sqlite.org/lang_transaction.html).
        if connection.is_autocommit() {
            return Err(job.fault());
        }
        if !keep {
            connection
                .prepare_cached("ROLLBACK TO command")?
                .execute([])?;
        }
        connection.prepare_cached("RELEASE command")?.execute([])?;
    }
    Ok(())
}

/// A command without its types.
trait Job: Send {
    /// Runs it; whether its changes shall stay.
    fn run(&mut self, connection: &Connection) -> bool;
    /// Why it failed.
    fn fault(&self) -> Fault;
    /// Tells the caller how it went.
    fn answer(self: Box<Self>, committed: &Result<(), StoreError>);
}

struct Command<T, F> {
    work: Option<F>,
    result: Result<T, StoreError>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job for Command<T, F>
where
    T: Send,
    F: FnOnce(&Connection) -> Result<Step<T>, Fault> + Send,
{
    fn run(&mut self, connection: &Connection) -> bool {
        let Some(work) = self.work.take() else {
            return false;
        };
        let (result, keep) = match work(connection) {
            Ok(Step::Keep(value)) => (Ok(value), true),
            Ok(Step::Undo(value)) => (Ok(value), false),
            Err(fault) => (Err(fault.into()), false),
        };
        self.result = result;
        keep
    }

    fn fault(&self) -> Fault {
        Fault::Store(match &self.result {
            Err(error) => error.clone(),
            Ok(_) => StoreError::Unavailable {
                reason: "the transaction was rolled back".to_owned(),
            },
        })
    }

    fn answer(self: Box<Self>, committed: &Result<(), StoreError>) {
        let result = match committed {
            Ok(()) => self.result,
            Err(error) => Err(error.clone()),
        };
        // A caller that has gone away needs no answer.
        let _ = self.reply.send(result);
    }
}

fn ended() -> StoreError {
    StoreError::Unavailable {
        reason: "the store has ended".to_owned(),
    }
}

/// The most commands in one transaction: beyond this the commit's share of a command is small, and
/// the first one's wait would grow.
const MAX_BATCH: usize = 256;

/// The most commands that wait; further callers wait to be let in.
const MAX_WAITING: usize = 1024;
