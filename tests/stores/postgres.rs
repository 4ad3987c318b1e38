//! PostgreSQL: the laws, and what only it can get wrong.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use sessile_core::{SessionId, Store};
use sessile_e2e::Postgres;
use sessile_sql::{PostgresStore, SqlOptions};
use sqlx::AssertSqlSafe;

use crate::sql::{Bed, laws};

laws!(PostgresBed);

/// Tables of its own on a server that tests which run at the same time share.
pub struct PostgresBed {
    pub store: PostgresStore,
    pub prefix: String,
    pub server: Arc<Postgres>,
}

impl PostgresBed {
    pub async fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let server = server();
        let prefix = format!("t{}_", COUNT.fetch_add(1, Ordering::Relaxed));
        let store = connect(&server, &prefix).await;
        store.migrate().await.unwrap();
        PostgresBed {
            store,
            prefix,
            server,
        }
    }

    pub fn options(&self) -> SqlOptions {
        options(&self.prefix)
    }

    /// A statement of the tests with this bed's table in it.
    pub fn sql(&self, sql: &str) -> AssertSqlSafe<String> {
        AssertSqlSafe(sql.replace("sessions", &format!("{}sessions", self.prefix)))
    }
}

fn options(prefix: &str) -> SqlOptions {
    SqlOptions::new().table_prefix(prefix).unwrap()
}

async fn connect(server: &Postgres, prefix: &str) -> PostgresStore {
    PostgresStore::connect_with(&server.url(), &options(prefix))
        .await
        .unwrap()
}

/// The server, started with the first test that needs it and stopped after the last.
pub fn server() -> Arc<Postgres> {
    static SERVER: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());
    let mut server = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
    server.upgrade().unwrap_or_else(|| {
        let started = Arc::new(Postgres::start());
        *server = Arc::downgrade(&started);
        started
    })
}

impl Bed for PostgresBed {
    fn store(&self) -> Arc<dyn Store> {
        Arc::new(self.store.clone())
    }

    async fn another(&self) -> Arc<dyn Store> {
        Arc::new(connect(&self.server, &self.prefix).await)
    }

    async fn run(&self, sql: &str) {
        sqlx::raw_sql(self.sql(sql))
            .execute(self.store.pool())
            .await
            .unwrap();
    }

    fn id(&self, sid: &SessionId) -> String {
        self.bytes(sid.as_bytes())
    }

    fn bytes(&self, bytes: &[u8]) -> String {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("'\\x{hex}'")
    }
}
