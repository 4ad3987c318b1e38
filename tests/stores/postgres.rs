//! PostgreSQL: what stores over SQL can get wrong, and what only it can.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sessile_core::{SessionId, Store};
use sessile_e2e::{Postgres, Shared};
use sessile_sql::{PostgresStore, SqlOptions};
use sqlx::AssertSqlSafe;

use crate::sql::{self, Bed, Tables, on};

mod statements;

mod broken;
mod wrong;

mod failures;

on!(PostgresBed);

/// Tables of its own on a server that tests which run at the same time share.
pub(crate) struct PostgresBed {
    pub(crate) store: PostgresStore,
    pub(crate) prefix: String,
    pub(crate) server: Arc<Postgres>,
}

impl PostgresBed {
    pub(crate) async fn new() -> Self {
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

    /// A statement of the tests with this bed's table in it.
    pub(crate) fn sql(&self, sql: &str) -> AssertSqlSafe<String> {
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
pub(crate) fn server() -> Arc<Postgres> {
    static SERVER: Shared<Postgres> = Shared::new();
    SERVER.get(Postgres::start)
}

impl Bed for PostgresBed {
    fn store(&self) -> Arc<dyn Store> {
        Arc::new(self.store.clone())
    }

    async fn connections(&self) -> usize {
        sql::connections(self.store.pool()).await
    }
}

impl Tables for PostgresBed {
    async fn another(&self) -> Arc<dyn Store> {
        Arc::new(connect(&self.server, &self.prefix).await)
    }

    async fn run(&self, sql: &str) {
        sqlx::raw_sql(self.sql(sql))
            .execute(self.store.pool())
            .await
            .unwrap();
    }

    async fn staged<T: Send>(
        &self,
        sid: &SessionId,
        statement: &str,
        operation: impl Future<Output = T> + Send,
    ) -> T {
        let mut holder = self.store.pool().begin().await.unwrap();
        let lock = format!(
            "SELECT 1 FROM sessions WHERE sid = {} FOR UPDATE",
            self.id(sid)
        );
        sqlx::raw_sql(self.sql(&lock))
            .execute(&mut *holder)
            .await
            .unwrap();
        let change = async {
            let waiting = "SELECT count(*) FROM pg_stat_activity
                WHERE wait_event_type = 'Lock' AND query LIKE '%sessions%'";
            let mut waits = 0;
            for _ in 0..400 {
                let waiting = sqlx::query_scalar::<_, i64>(self.sql(waiting));
                waits = waiting.fetch_one(self.store.pool()).await.unwrap();
                if waits > 0 {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            assert_eq!(waits, 1, "the operation waits");
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
        format!("'\\x{hex}'")
    }
}
