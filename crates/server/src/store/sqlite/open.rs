use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::fault::Fault;
use super::schema;
use crate::store::StoreError;

/// Opens the one connection that writes, and brings the file to the current schema.
pub(super) fn writer(path: &Path) -> Result<Connection, Fault> {
    create_private(path)?;
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(BUSY)?;
    // Before anything is changed in a file that may be somebody else's; in one transaction, since
    // another process may just be making it ours.
    let looking = connection.unchecked_transaction()?;
    schema::check_owner(&looking)?;
    looking.finish()?;
    enter_wal(&connection)?;
    // Each commit is on the disk before it returns; WAL with NORMAL would lose the last ones when
    // the power fails (https://www.sqlite.org/pragma.html#pragma_synchronous).
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    // What a command changes is noted for its undoing: in memory up to 64 KiB, then in a file, since a
    // list of millions may be cleared at once (SQLITE_STMTJRNL_SPILL).
    connection.pragma_update(None, "temp_store", "FILE")?;
    // Keys are hashes, so a batch touches pages all over the file; folding them in later writes each
    // once instead of many times.
    connection.pragma_update(None, "wal_autocheckpoint", WAL_PAGES)?;
    // A batch may write much; a WAL file need not keep that size afterwards.
    connection.pragma_update(None, "journal_size_limit", WAL_BYTES)?;
    keep_statements(&connection)?;
    // Off while tables are made anew: dropping the old one would delete what refers to it
    // (https://www.sqlite.org/lang_altertable.html#otheralter).
    connection.pragma_update(None, "foreign_keys", false)?;
    schema::migrate(&connection)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

/// Opens a connection that only reads.
pub(super) fn reader(path: &Path) -> Result<Connection, Fault> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(BUSY)?;
    keep_statements(&connection)?;
    Ok(connection)
}

/// Lets each statement be compiled once. Without the planner's stability guarantee SQLite compiles
/// some of them anew for each new value (https://www.sqlite.org/queryplanner-ng.html#qpstab).
fn keep_statements(connection: &Connection) -> Result<(), Fault> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// SQLite does not call its busy handler for this change of mode, and a second process may be
/// making the same one.
fn enter_wal(connection: &Connection) -> Result<(), Fault> {
    let deadline = Instant::now() + BUSY;
    loop {
        let mode = connection
            .query_row("PRAGMA journal_mode = WAL", [], |row| {
                row.get::<_, String>(0)
            })
            .map_err(Fault::from);
        match mode {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(mode) => {
                return Err(Fault::Store(StoreError::Unavailable {
                    reason: format!(
                        "this file system does not allow write-ahead logging (journal mode {mode})"
                    ),
                }));
            }
            Err(fault) if fault.is_busy() && Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(fault) => return Err(fault),
        }
    }
}

/// Creates the file, if it is missing, readable by its owner only; SQLite gives the files beside
/// it the same mode. Then makes the folder's new entry durable.
fn create_private(path: &Path) -> Result<(), Fault> {
    let unavailable = |error: std::io::Error| {
        Fault::Store(StoreError::Unavailable {
            reason: format!("{}: {error}", path.display()),
        })
    };
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => sync_folder(path).map_err(unavailable),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(unavailable(error)),
    }
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    std::fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> std::io::Result<()> {
    Ok(())
}

/// How long a connection waits for another process's lock.
const BUSY: Duration = Duration::from_secs(5);

/// More than the backend has statements, so that each is compiled once per connection.
const STATEMENTS: usize = 128;

const WRITER_CACHE_KIB: i64 = 32 * 1024;

/// 32 MiB at SQLite's page size of 4 KiB; a crash then costs reading as much at the next start.
const WAL_PAGES: i64 = 8192;

const WAL_BYTES: i64 = 64 * 1024 * 1024;
