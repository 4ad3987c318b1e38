//! SQLite, on a file and in memory: what stores over SQL can get wrong, and what only it can.

use std::sync::Arc;
use std::time::Duration;

use sessile_core::{ErrorKind, Loaded, Scope, SessionId, Store};
use sessile_e2e::Folder;
use sessile_sql::{SqlOptions, SqliteStore};
use sqlx::AssertSqlSafe;

use crate::samples::{NOW, blank};
use crate::sql::{self, Bed, Tables, on};

on!(SqliteBed);

/// A file of its own.
pub(crate) struct SqliteBed {
    store: SqliteStore,
    folder: Folder,
}

impl SqliteBed {
    pub(crate) async fn new() -> Self {
        let folder = Folder::new("sqlite");
        let store = SqliteStore::connect(&url(&folder)).await.unwrap();
        store.migrate().await.unwrap();
        SqliteBed { store, folder }
    }

    fn sql(&self, sql: &str) -> AssertSqlSafe<String> {
        AssertSqlSafe(sql.replace("sessions", "sessile_sessions"))
    }
}

fn url(folder: &Folder) -> String {
    format!("sqlite://{}", folder.path().join("sessions.db").display())
}

impl Bed for SqliteBed {
    fn store(&self) -> Arc<dyn Store> {
        Arc::new(self.store.clone())
    }

    async fn connections(&self) -> usize {
        sql::connections(self.store.pool()).await
    }
}

impl Tables for SqliteBed {
    async fn another(&self) -> Arc<dyn Store> {
        Arc::new(SqliteStore::connect(&url(&self.folder)).await.unwrap())
    }

    async fn run(&self, sql: &str) {
        sqlx::raw_sql(self.sql(sql))
            .execute(self.store.pool())
            .await
            .unwrap();
    }

    /// The whole database is locked, and how many wait cannot be asked.
    async fn staged<T: Send>(
        &self,
        _sid: &SessionId,
        statement: &str,
        operation: impl Future<Output = T> + Send,
    ) -> T {
        let mut holder = self
            .store
            .pool()
            .begin_with("BEGIN IMMEDIATE")
            .await
            .unwrap();
        let change = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            sqlx::raw_sql(self.sql(statement))
                .execute(&mut *holder)
                .await
                .unwrap();
            holder.commit().await.unwrap();
        };
        tokio::join!(operation, change).0
    }

    fn bytes(&self, bytes: &[u8]) -> String {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("X'{hex}'")
    }
}

/// In memory, where the one connection is the database.
mod memory {
    use super::*;

    pub(crate) struct MemoryBed(SqliteStore);

    impl MemoryBed {
        pub(crate) async fn new() -> Self {
            let store = SqliteStore::connect("sqlite::memory:").await.unwrap();
            store.migrate().await.unwrap();
            MemoryBed(store)
        }
    }

    impl Bed for MemoryBed {
        fn store(&self) -> Arc<dyn Store> {
            Arc::new(self.0.clone())
        }

        async fn connections(&self) -> usize {
            sql::connections(self.0.pool()).await
        }
    }

    on!(MemoryBed: cancel::cancelled_operations_leave_nothing_behind);
}

#[tokio::test]
async fn a_file_is_shared_and_memory_is_not() {
    let bed = SqliteBed::new().await;
    assert_eq!(bed.store.guarantees().scope, Scope::AllNodes);
    let record = Arc::new(blank());
    bed.store.create(record.clone(), None, NOW).await.unwrap();
    let again = bed.another().await;
    assert!(matches!(
        again.load(&record.sid, NOW).await.unwrap(),
        Loaded::Live(_)
    ));
    let memory = SqliteStore::connect("sqlite::memory:").await.unwrap();
    assert_eq!(memory.guarantees().scope, Scope::ThisNode);
}

#[tokio::test]
async fn what_is_no_url_is_told() {
    for bad in [
        "",
        "sqlite:",
        "sqlite://",
        "sessions.db",
        "postgres://u:secret@h/d",
    ] {
        let error = SqliteStore::connect(bad).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{bad}");
        assert!(
            error.to_string().contains("sqlite:sessions.db")
                && !error.to_string().contains("secret")
        );
    }
    let error = SqliteStore::connect("sqlite:///no/such/folder/sessions.db")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_locked_database_is_waited_for_and_then_unavailable() {
    let bed = SqliteBed::new().await;
    let holder = bed
        .store
        .pool()
        .begin_with("BEGIN IMMEDIATE")
        .await
        .unwrap();
    let error = bed
        .store
        .create(Arc::new(blank()), None, NOW)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("locked"), "{error}");
    // Reading goes on meanwhile.
    bed.store.count(NOW).await.unwrap();
    drop(holder);
    bed.store
        .create(Arc::new(blank()), None, NOW)
        .await
        .unwrap();
}

#[tokio::test]
async fn the_printed_migrations_make_the_tables() {
    let bed = SqliteBed::new().await;
    let store = SqliteStore::from_pool(
        bed.store.pool().clone(),
        &SqlOptions::new().table_prefix("other_").unwrap(),
    );
    let error = store.count(NOW).await.unwrap_err();
    assert!(error.to_string().contains("migrate"), "{error}");
    sqlx::raw_sql(SqliteStore::migrations())
        .execute(bed.store.pool())
        .await
        .unwrap();
    store.migrate().await.unwrap();
    assert_eq!(store.count(NOW).await.unwrap(), Some(0));
}

#[tokio::test]
async fn what_is_in_memory_promises_no_more_than_memory_whoever_opened_it() {
    let folder = Folder::new("sqlite");
    let file = format!("{}?mode=rwc", url(&folder));
    for (url, scope) in [
        ("sqlite::memory:", Scope::ThisNode),
        ("sqlite://named?mode=memory", Scope::ThisNode),
        (&file, Scope::AllNodes),
    ] {
        let pool = sqlx::SqlitePool::connect(url).await.unwrap();
        let store = SqliteStore::from_pool(pool, &SqlOptions::new());
        assert_eq!(store.guarantees().scope, scope, "{url}");
    }
}
