use gangplank_trust::StoredAuthId;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::{Connection, TransactionBehavior};

use super::fault::Fault;
use crate::store::StoreError;

/// Refuses a file that is a database, but not of this program, before anything in it is changed.
pub(super) fn check_owner(connection: &Connection) -> Result<(), Fault> {
    let owner: i64 = pragma(connection, "application_id")?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match owner {
        APPLICATION_ID => Ok(()),
        0 if tables == 0 => Ok(()),
        _ => Err(Fault::corrupt(format!(
            "the file is a database of another program (application id {owner:#x})"
        ))),
    }
}

/// Applies the migrations that the file lacks, in one transaction, so that of two processes that
/// start together one does it and the other finds it done.
pub(super) fn migrate(connection: &Connection) -> Result<(), Fault> {
    let transaction =
        rusqlite::Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    check_owner(&transaction)?;
    let found: u32 = pragma(&transaction, "user_version")?;
    let missing = MIGRATIONS
        .get(found as usize..)
        .ok_or(StoreError::SchemaTooNew {
            found,
            known: KNOWN,
        })?;
    if missing.is_empty() {
        return Ok(());
    }
    transaction.create_scalar_function("prepared_name", 1, PURE, prepared_name)?;
    for migration in missing {
        transaction.execute_batch(migration)?;
    }
    transaction.remove_function("prepared_name", 1)?;
    check_references(&transaction)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", KNOWN)?;
    transaction.commit()?;
    Ok(())
}

/// What the fifth schema fills a column with: a name as [`StoredAuthId`] prepares it, if the text is one.
fn prepared_name(call: &Context<'_>) -> Result<Option<Vec<u8>>, rusqlite::Error> {
    let auth_id = StoredAuthId::new(&call.get::<String>(0)?);
    Ok(auth_id.prepared_name().map(|name| name.as_bytes().to_vec()))
}

fn check_references(connection: &Connection) -> Result<(), Fault> {
    let mut broken = connection.prepare("SELECT \"table\" FROM pragma_foreign_key_check")?;
    let mut broken = broken.query([])?;
    match broken.next()? {
        None => Ok(()),
        Some(row) => {
            let table: String = row.get(0)?;
            Err(Fault::corrupt(format!(
                "the table {table} refers to what is not there"
            )))
        }
    }
}

fn pragma<T: rusqlite::types::FromSql>(
    connection: &Connection,
    name: &str,
) -> Result<T, rusqlite::Error> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}

const PURE: FunctionFlags = FunctionFlags::SQLITE_UTF8.union(FunctionFlags::SQLITE_DETERMINISTIC);

/// "gplk": tells the file from other programs' databases (`file` shows it).
const APPLICATION_ID: i64 = 0x6770_6c6b;

/// The number of the schema that this version writes.
pub(super) const KNOWN: u32 = MIGRATIONS.len() as u32;

/// One text per schema number, each applied to what the one before left. A published one is never
/// edited.
const MIGRATIONS: &[&str] = &[
    include_str!("schema_1.sql"),
    include_str!("schema_2.sql"),
    include_str!("schema_3.sql"),
    include_str!("schema_4.sql"),
    include_str!("schema_5.sql"),
    include_str!("schema_6.sql"),
];
