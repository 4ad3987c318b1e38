//! SQLite: the laws, on a file and in memory, and what only it can get wrong.

use std::sync::Arc;
use std::time::Duration;

use sessile_core::{ErrorKind, Loaded, Scope, SessionId, Store};
use sessile_e2e::Folder;
use sessile_sql::{SqlOptions, SqliteStore};
use sqlx::AssertSqlSafe;

use crate::sql::{Bed, laws, record, start};

laws!(SqliteBed);

/// A file of its own.
pub struct SqliteBed {
    store: SqliteStore,
    folder: Folder,
}

impl SqliteBed {
    pub async fn new() -> Self {
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

    async fn another(&self) -> Arc<dyn Store> {
        Arc::new(SqliteStore::connect(&url(&self.folder)).await.unwrap())
    }

    async fn connections(&self) -> usize {
        crate::sql::connections(self.store.pool()).await
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

    fn id(&self, sid: &SessionId) -> String {
        self.bytes(sid.as_bytes())
    }

    fn bytes(&self, bytes: &[u8]) -> String {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("X'{hex}'")
    }
}

/// The laws that need no second pool, in memory.
mod memory {
    use super::*;

    pub struct MemoryBed(SqliteStore);

    impl MemoryBed {
        pub async fn new() -> Self {
            let store = SqliteStore::connect("sqlite::memory:").await.unwrap();
            store.migrate().await.unwrap();
            MemoryBed(store)
        }
    }

    impl Bed for MemoryBed {
        fn store(&self) -> Arc<dyn Store> {
            Arc::new(self.0.clone())
        }

        /// The same: nobody else can see it.
        async fn another(&self) -> Arc<dyn Store> {
            self.store()
        }

        async fn connections(&self) -> usize {
            crate::sql::connections(self.0.pool()).await
        }

        async fn run(&self, sql: &str) {
            let sql = AssertSqlSafe(sql.replace("sessions", "sessile_sessions"));
            sqlx::raw_sql(sql).execute(self.0.pool()).await.unwrap();
        }

        async fn staged<T: Send>(
            &self,
            _: &SessionId,
            _: &str,
            _: impl Future<Output = T> + Send,
        ) -> T {
            unreachable!("there is one connection")
        }

        fn id(&self, sid: &SessionId) -> String {
            self.bytes(sid.as_bytes())
        }

        fn bytes(&self, bytes: &[u8]) -> String {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("X'{hex}'")
        }
    }

    laws! { MemoryBed:
        round_trip::every_field_round_trips,
        model::random_operations_give_what_the_model_gives,
        races::increments_of_many_are_exact,
        races::a_session_that_ended_never_comes_back,
        caps::a_cap_is_exact_under_parallel_logins,
        corrupt::what_cannot_be_read_is_corrupt_never_overwritten_and_can_be_ended,
        cancel::cancelled_operations_leave_nothing_behind,
    }
}

#[tokio::test]
async fn a_file_is_shared_and_memory_is_not() {
    let bed = SqliteBed::new().await;
    assert_eq!(bed.store.guarantees().scope, Scope::AllNodes);
    let record = Arc::new(record());
    bed.store
        .create(record.clone(), None, start())
        .await
        .unwrap();
    let again = bed.another().await;
    assert!(matches!(
        again.load(&record.sid, start()).await.unwrap(),
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
        .create(Arc::new(record()), None, start())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("locked"), "{error}");
    // Reading goes on meanwhile.
    bed.store.count(start()).await.unwrap();
    drop(holder);
    bed.store
        .create(Arc::new(record()), None, start())
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
    let error = store.count(start()).await.unwrap_err();
    assert!(error.to_string().contains("migrate"), "{error}");
    sqlx::raw_sql(SqliteStore::migrations())
        .execute(bed.store.pool())
        .await
        .unwrap();
    store.migrate().await.unwrap();
    assert_eq!(store.count(start()).await.unwrap(), Some(0));
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
