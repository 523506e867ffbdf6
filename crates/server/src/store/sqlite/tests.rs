use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use gangplank_trust::{CredentialDocument, DeviceDocument, StoredAuthId};
use rusqlite::Connection;
use tempfile::TempDir;

use super::schema;
use super::writer::Step;
use super::*;
use crate::store::conformance::{self, Backend};

/// A folder per store; the last one is the one that is reopened.
#[derive(Default)]
struct Folders(Mutex<Vec<TempDir>>);

#[async_trait]
impl Backend for Folders {
    async fn open_fresh(&self) -> Result<Arc<dyn Store>, StoreError> {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&file(&folder))?;
        self.0.lock().unwrap().push(folder);
        Ok(Arc::new(store))
    }

    async fn reopen(&self, store: Arc<dyn Store>) -> Result<Arc<dyn Store>, StoreError> {
        drop(store);
        let path = file(self.0.lock().unwrap().last().unwrap());
        Ok(Arc::new(SqliteStore::open(&path)?))
    }
}

fn file(folder: &TempDir) -> PathBuf {
    folder.path().join("gangplank.db")
}

fn audit_entry(detail: &str) -> AuditEntry {
    AuditEntry {
        at: UnixTime::since_unix_epoch(core::time::Duration::from_secs(1_800_000_000)),
        actor: Actor::Server,
        action: "test".into(),
        tenant: None,
        device: None,
        detail: detail.to_owned(),
    }
}

fn error(path: &Path) -> StoreError {
    SqliteStore::open(path).unwrap_err()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sqlite_passes_the_conformance_suite() {
    let report = conformance::run(Arc::new(Folders::default())).await;
    println!("{report}");
    assert!(report.passed(), "{report}");
    assert!(report.results().len() >= 109, "{report}");
}

#[tokio::test]
async fn the_pragmas_hold() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&file(&folder)).unwrap();
    let writer = store
        .writer
        .apply(|c| {
            let pragma = |name| c.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
            let mode = c.pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0));
            let values = [
                pragma("synchronous")?,
                pragma("foreign_keys")?,
                pragma("application_id")?,
                pragma("user_version")?,
            ];
            Ok(Step::Keep((mode?, values)))
        })
        .await
        .unwrap();
    // 2 is FULL (https://www.sqlite.org/pragma.html#pragma_synchronous); "gplk" in ASCII.
    let expected = [2, 1, 0x67_70_6c_6b, i64::from(schema::KNOWN)];
    assert_eq!(writer, ("wal".to_owned(), expected));
    let written = store
        .readers
        .read(|c| Ok(c.execute("DELETE FROM audit", []).map(drop)))
        .await
        .unwrap();
    assert!(written.is_err(), "a reading connection writes");
}

#[tokio::test]
async fn every_table_is_strict() {
    let folder = tempfile::tempdir().unwrap();
    drop(SqliteStore::open(&file(&folder)).unwrap());
    let connection = Connection::open(file(&folder)).unwrap();
    let loose: i64 = connection
        .query_row(
            "SELECT count(*) FROM pragma_table_list \
             WHERE schema = 'main' AND NOT strict AND name NOT LIKE 'sqlite_%'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(loose, 0);
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_the_files() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&file(&folder)).unwrap();
    store.append_audit(audit_entry("")).await.unwrap();
    for name in ["gangplank.db", "gangplank.db-wal"] {
        let mode = std::fs::metadata(folder.path().join(name)).unwrap();
        assert_eq!(mode.permissions().mode() & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn a_dropped_store_leaves_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&file(&folder)).unwrap();
    store.append_audit(audit_entry("")).await.unwrap();
    drop(store);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// The files as a power failure would leave them: copied while the store is open.
#[tokio::test]
async fn what_was_answered_is_there_without_a_shutdown() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&file(&folder)).unwrap();
    store.append_audit(audit_entry("kept")).await.unwrap();
    let crashed = tempfile::tempdir().unwrap();
    for name in ["gangplank.db", "gangplank.db-wal"] {
        std::fs::copy(folder.path().join(name), crashed.path().join(name)).unwrap();
    }
    let reopened = SqliteStore::open(&file(&crashed)).unwrap();
    let audit = reopened.audit(0, 10).await.unwrap();
    assert_eq!(audit.len(), 1);
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    drop(SqliteStore::open(&file(&folder)).unwrap());
    let connection = Connection::open(file(&folder)).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let before = std::fs::read(file(&folder)).unwrap();
    let expected = StoreError::SchemaTooNew {
        found: 99,
        known: schema::KNOWN,
    };
    assert_eq!(error(&file(&folder)), expected);
    assert_eq!(std::fs::read(file(&folder)).unwrap(), before);
}

#[test]
fn a_foreign_file_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let garbage = b"this is no database, though it has many bytes. ".repeat(100);
    std::fs::write(file(&folder), &garbage).unwrap();
    assert!(matches!(error(&file(&folder)), StoreError::Corrupt { .. }));
    assert_eq!(std::fs::read(file(&folder)).unwrap(), garbage);

    let other = folder.path().join("other.db");
    let connection = Connection::open(&other).unwrap();
    connection.execute("CREATE TABLE theirs (x)", []).unwrap();
    drop(connection);
    let before = std::fs::read(&other).unwrap();
    assert!(matches!(error(&other), StoreError::Corrupt { .. }));
    assert_eq!(std::fs::read(&other).unwrap(), before);
}

#[test]
fn a_path_that_cannot_be_written_is_a_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing").join("gangplank.db");
    let text = error(&missing).to_string();
    assert!(text.contains("missing"), "{text}");
    assert!(matches!(
        error(folder.path()),
        StoreError::Unavailable { .. }
    ));
}

/// Root may write anywhere, so the check is one only for other users.
#[cfg(unix)]
#[test]
fn a_folder_that_may_not_be_written_is_a_clear_error() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let read_only = std::fs::Permissions::from_mode(0o500);
    std::fs::set_permissions(folder.path(), read_only).unwrap();
    if std::fs::write(folder.path().join("probe"), "").is_err() {
        assert!(matches!(
            error(&file(&folder)),
            StoreError::Unavailable { .. }
        ));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_commands_share_a_commit() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteStore::open(&file(&folder)).unwrap());
    let (begun, beginning) = tokio::sync::oneshot::channel();
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let first = Arc::clone(&store);
    // The writer is busy until 64 commands wait.
    let busy = tokio::spawn(async move {
        let command = first.writer.apply(move |_| {
            begun.send(()).unwrap();
            held.recv().unwrap();
            Ok(Step::Keep(()))
        });
        command.await.unwrap();
    });
    beginning.await.unwrap();
    let mut running = tokio::task::JoinSet::new();
    for n in 0..64 {
        let store = Arc::clone(&store);
        running.spawn(async move {
            store
                .append_audit(audit_entry(&n.to_string()))
                .await
                .unwrap()
        });
    }
    while store.writer.waiting() < 64 {
        tokio::task::yield_now().await;
    }
    hold.send(()).unwrap();
    busy.await.unwrap();
    running.join_all().await;
    assert_eq!(store.commits(), 2);
    assert_eq!(store.audit(0, 100).await.unwrap().len(), 64);
}

#[tokio::test]
async fn a_command_that_fails_spoils_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&file(&folder)).unwrap();
    let insert = "INSERT INTO audit (at, actor, action, detail) VALUES (1, 'server', 'x', ?1)";
    let failing = store.writer.apply(move |c| {
        c.execute(insert, ["half of a failing command"])?;
        c.execute("INSERT INTO outbox (seq) VALUES ('no number')", [])?;
        Ok(Step::Keep(()))
    });
    let (one, failed, two) = tokio::join!(
        store.append_audit(audit_entry("one")),
        failing,
        store.append_audit(audit_entry("two")),
    );
    assert!(one.is_ok() && two.is_ok());
    assert!(failed.is_err());
    let audit = store.audit(0, 10).await.unwrap();
    let details: Vec<_> = audit.iter().map(|one| one.entry.detail.as_str()).collect();
    assert_eq!(details, ["one", "two"]);
}

#[tokio::test]
async fn a_panic_fails_its_own_command_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&file(&folder)).unwrap();
    let insert = "INSERT INTO audit (at, actor, action, detail) VALUES (1, 'server', 'x', 'half')";
    let panicking = store.writer.apply::<(), _>(move |c| {
        c.execute(insert, [])?;
        panic!("a command that is broken");
    });
    let (one, failed) = tokio::join!(store.append_audit(audit_entry("one")), panicking);
    assert!(one.is_ok() && failed.is_err());
    // More readings than there are connections: none may take its connection with it.
    for _ in 0..8 {
        let reading = store
            .readers
            .read::<(), _>(|_| panic!("a reading that is broken"));
        assert!(reading.await.is_err());
    }
    store.append_audit(audit_entry("two")).await.unwrap();
    let audit = store.audit(0, 10).await.unwrap();
    let details: Vec<_> = audit.iter().map(|one| one.entry.detail.as_str()).collect();
    assert_eq!(details, ["one", "two"]);
}

#[tokio::test]
async fn a_full_disk_is_an_error_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&file(&folder)).unwrap();
    store.append_audit(audit_entry("before")).await.unwrap();
    let limit = |pages: u32| {
        store.writer.apply(move |c| {
            c.pragma_update(None, "max_page_count", pages)?;
            Ok(Step::Keep(()))
        })
    };
    limit(1).await.unwrap(); // SQLite takes the number of pages there are.
    let large = "x".repeat(100_000);
    let refused = store.append_audit(audit_entry(&large)).await;
    assert!(
        matches!(refused, Err(StoreError::Full { .. })),
        "{refused:?}"
    );
    store.ready().await.unwrap();
    limit(1_000_000).await.unwrap();
    store.append_audit(audit_entry("after")).await.unwrap();
    let audit = store.audit(0, 10).await.unwrap();
    let details: Vec<_> = audit.iter().map(|one| one.entry.detail.as_str()).collect();
    assert_eq!(details, ["before", "after"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_stores_on_one_file_are_one_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder);
    let opening = [0, 1].map(|_| {
        let path = path.clone();
        std::thread::spawn(move || SqliteStore::open(&path).unwrap())
    });
    let stores = opening.map(|one| Arc::new(one.join().unwrap()));
    let mut running = tokio::task::JoinSet::new();
    for n in 0..64_u32 {
        let store = Arc::clone(&stores[n as usize % 2]);
        let key = OnceKey {
            key: [(n / 2) as u8; 32],
            since: UnixTime::since_unix_epoch(core::time::Duration::ZERO),
            until: UnixTime::since_unix_epoch(core::time::Duration::from_secs(1_800_000_000)),
        };
        let now = UnixTime::since_unix_epoch(core::time::Duration::from_secs(1_700_000_000));
        running.spawn(async move { store.consume_once(&[key], now).await.unwrap() });
    }
    let consumed = running.join_all().await.into_iter().filter(|fresh| *fresh);
    assert_eq!(consumed.count(), 32);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_that_another_process_keeps_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&file(&folder)).unwrap();
    let quickly = store.writer.apply(|c| {
        c.busy_timeout(core::time::Duration::from_millis(50))?;
        Ok(Step::Keep(()))
    });
    quickly.await.unwrap();
    let other = Connection::open(file(&folder)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = store.append_audit(audit_entry("")).await;
    assert!(
        matches!(refused, Err(StoreError::Unavailable { .. })),
        "{refused:?}"
    );
    other.execute_batch("ROLLBACK").unwrap();
    store.append_audit(audit_entry("")).await.unwrap();
}

#[tokio::test]
async fn a_file_of_the_first_schema_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let old = Connection::open(file(&folder)).unwrap();
    old.execute_batch(include_str!("schema_1.sql")).unwrap();
    old.execute_batch(
        "INSERT INTO tenant (id, enabled, policy_revision, document) VALUES ('acme', 0, 7, '{}');
         PRAGMA application_id = 1735421035; PRAGMA user_version = 1;",
    )
    .unwrap();
    drop(old);
    let store = SqliteStore::open(&file(&folder)).unwrap();
    let tenants = store.tenants(&TenantQuery::default()).await.unwrap();
    let found = tenants.iter().map(|one| (one.id.as_str(), one.enabled));
    assert!(found.eq([("acme", false), ("default", true)]));
    let news = store.tenant_news(None).await.unwrap().unwrap();
    assert_eq!((news.revision, news.changed), (7, tenants));
}

#[tokio::test]
async fn devices_of_the_fourth_schema_keep_all_they_have() {
    let folder = tempfile::tempdir().unwrap();
    let old = Connection::open(file(&folder)).unwrap();
    for schema in [
        include_str!("schema_1.sql"),
        include_str!("schema_2.sql"),
        include_str!("schema_3.sql"),
        include_str!("schema_4.sql"),
    ] {
        old.execute_batch(schema).unwrap();
    }
    let insert = |n: u8, auth_id: &str, values: &str| {
        let key = [n; 32];
        old.execute(
            "INSERT INTO device (number, id, tenant, certificate_id, state, disabled, revision, \
             client_id, created_at, updated_at, anchor_id, auth_id, auth_id_values) \
             VALUES (?1, ?2, 'default', ?2, 'aboard', 0, 1, ?2, 1, 1, 'a', ?3, ?4)",
            rusqlite::params![n, format!("d-{n}"), auth_id, values],
        )
        .unwrap();
        for insert in [
            "INSERT INTO device_key (device, spki_sha256) VALUES (?1, ?2)",
            "INSERT INTO certificate (device, spki_sha256, fingerprint, der, added_at) \
             VALUES (?1, ?2, ?2, X'00', 1)",
            "INSERT INTO client_secret (device, hash, created_at) VALUES (?1, ?2, 1)",
        ] {
            old.execute(insert, rusqlite::params![n, key]).unwrap();
        }
    };
    insert(1, "CN=Pump,O=Acme", "[]");
    insert(2, "cn=PUMP,o=acme", "[]");
    insert(3, "CN=Pump", r#"["Pump"]"#);
    old.execute_batch(
        "INSERT INTO tombstone (tenant, kind, subject, device, removed_at) \
         VALUES ('default', 'key', X'09', 'd-9', 1);
         PRAGMA application_id = 1735421035; PRAGMA user_version = 4;",
    )
    .unwrap();
    drop(old);
    let store = SqliteStore::open(&file(&folder)).unwrap();
    let devices = store.devices(&DeviceQuery::default()).await.unwrap();
    let ids: Vec<Vec<_>> = devices
        .iter()
        .map(|one| {
            one.credentials
                .iter()
                .map(|one| one.auth_id.clone())
                .collect()
        })
        .collect();
    // Of two that are one by name the first keeps it.
    let made = StoredAuthId::of_template("CN=Pump", vec!["Pump".to_owned()]);
    let first = StoredAuthId::new("CN=Pump,O=Acme");
    assert_eq!(ids, [vec![first], vec![], vec![made]]);
    for device in &devices {
        for one in &device.credentials {
            let document = CredentialDocument::from_stored(one.document.as_bytes()).unwrap();
            assert_eq!(document.auth_id(), &one.auth_id);
            assert!(document.is_usable(UnixTime::now()));
        }
        let registration = DeviceDocument::from_stored(device.registration.as_bytes()).unwrap();
        assert!(registration.is_auto_provisioned() && registration.is_enabled());
        assert_eq!(device.certificates.len(), 1);
        assert_eq!(device.anchor_id.as_deref(), Some("a"));
        let key = device.certificates[0].spki_sha256;
        assert_eq!(
            store.device_by_key(&key).await.unwrap().as_ref(),
            Some(device)
        );
    }
    drop(store);
    let connection = Connection::open(file(&folder)).unwrap();
    for (select, expected) in [
        ("SELECT count(*) FROM client_secret", 3),
        ("SELECT count(*) FROM tombstone", 1),
        ("SELECT count(*) FROM pragma_foreign_key_check", 0),
        (
            "SELECT count(*) FROM pragma_foreign_key_list('client_secret') WHERE \"table\" = 'device'",
            1,
        ),
    ] {
        let found: i64 = connection.query_row(select, [], |row| row.get(0)).unwrap();
        assert_eq!(found, expected, "{select}");
    }
    // The references hold: with a device goes what it has.
    connection
        .pragma_update(None, "foreign_keys", true)
        .unwrap();
    connection.execute("DELETE FROM device", []).unwrap();
    for table in ["device_key", "certificate", "credential", "client_secret"] {
        let select = format!("SELECT count(*) FROM {table}");
        let left: i64 = connection.query_row(&select, [], |row| row.get(0)).unwrap();
        assert_eq!(left, 0, "{table}");
    }
}

#[tokio::test]
async fn identities_are_looked_up_by_index() {
    let folder = tempfile::tempdir().unwrap();
    drop(SqliteStore::open(&file(&folder)).unwrap());
    let connection = Connection::open(file(&folder)).unwrap();
    for select in [
        "SELECT device FROM credential WHERE tenant = ?1 AND auth_id = ?2",
        "SELECT device FROM credential WHERE tenant = ?1 AND name = ?2",
        "SELECT d.id FROM credential k JOIN device d ON d.number = k.device \
         WHERE k.tenant = ?1 AND k.device <> 1 AND (k.auth_id = ?2 OR k.name = ?2)",
        "DELETE FROM tombstone WHERE tenant = ?1 AND device = ?2",
    ] {
        let mut plan = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {select}"))
            .unwrap();
        let steps = plan.query_map([rusqlite::types::Null; 2], |row| row.get::<_, String>(3));
        for step in steps.unwrap() {
            let step = step.unwrap();
            assert!(!step.starts_with("SCAN"), "{step} in {select}");
        }
    }
}

#[tokio::test]
async fn tenants_are_compared_by_index() {
    let folder = tempfile::tempdir().unwrap();
    drop(SqliteStore::open(&file(&folder)).unwrap());
    let connection = Connection::open(file(&folder)).unwrap();
    for select in [
        apply_tenants::HOLDER_OF_ALIAS,
        apply_tenants::HOLDER_OF_ISSUER,
    ] {
        let mut plan = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {select}"))
            .unwrap();
        let steps = plan.query_map([rusqlite::types::Null; 2], |row| row.get::<_, String>(3));
        for step in steps.unwrap() {
            let step = step.unwrap();
            assert!(!step.starts_with("SCAN"), "{step} in {select}");
        }
    }
}
