//! Empty stores: each a prefix or a file of its own on a server that the tests share.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sessile::{MemoryStore, MySqlStore, PostgresStore, RedisStore, SqliteStore, Store};
use sessile_conformance::Factory;
use sessile_e2e::{Folder, MariaDb, Postgres, RedisCluster, RedisServer, Shared};
use sessile_sql::SqlOptions;

/// Makes empty stores of one kind. The server under them runs at least as long.
pub(crate) enum Bed {
    Memory,
    Redis(Arc<RedisServer>),
    RedisCluster(Arc<RedisCluster>),
    Postgres(Arc<Postgres>),
    MariaDb(Arc<MariaDb>),
    Sqlite(Folder),
    SqliteMemory,
}

impl Bed {
    pub(crate) fn memory() -> Bed {
        Bed::Memory
    }

    pub(crate) fn redis() -> Bed {
        static SERVER: Shared<RedisServer> = Shared::new();
        Bed::Redis(SERVER.get(|| RedisServer::start(&[])))
    }

    /// Where there is a `valkey-server`.
    pub(crate) fn valkey() -> Option<Bed> {
        let server = RedisServer::start_valkey(&[])?;
        Some(Bed::Redis(Arc::new(server)))
    }

    pub(crate) fn redis_cluster() -> Bed {
        static SERVER: Shared<RedisCluster> = Shared::new();
        Bed::RedisCluster(SERVER.get(|| RedisCluster::start(3, 0)))
    }

    pub(crate) fn postgres() -> Bed {
        static SERVER: Shared<Postgres> = Shared::new();
        Bed::Postgres(SERVER.get(Postgres::start))
    }

    pub(crate) fn mariadb() -> Bed {
        static SERVER: Shared<MariaDb> = Shared::new();
        Bed::MariaDb(SERVER.get(MariaDb::start))
    }

    pub(crate) fn sqlite() -> Bed {
        Bed::Sqlite(Folder::new("laws"))
    }

    /// A database in memory, which has one connection.
    pub(crate) fn sqlite_memory() -> Bed {
        Bed::SqliteMemory
    }

    async fn store(&self) -> Arc<dyn Store> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let tables = || {
            SqlOptions::new()
                .table_prefix(&format!("t{count}_"))
                .unwrap()
        };
        let options = || tables().acquire_timeout(PATIENCE);
        match self {
            Bed::Memory => Arc::new(MemoryStore::default()),
            Bed::Redis(server) => Arc::new(redis(&server.url(), count)),
            Bed::RedisCluster(cluster) => Arc::new(redis(&cluster.url(), count)),
            Bed::Postgres(server) => {
                let store = PostgresStore::connect_with(&server.url(), &options())
                    .await
                    .unwrap();
                store.migrate().await.unwrap();
                Arc::new(store)
            }
            Bed::MariaDb(server) => {
                let store = MySqlStore::connect_with(&server.url(), &options())
                    .await
                    .unwrap();
                store.migrate().await.unwrap();
                Arc::new(store)
            }
            Bed::Sqlite(folder) => {
                let url = format!("sqlite:{}/{count}.db", folder.path().display());
                Arc::new(sqlite(&url, &options()).await)
            }
            Bed::SqliteMemory => Arc::new(sqlite("sqlite::memory:", &options()).await),
        }
    }
}

impl Factory for Bed {
    fn fresh(&self) -> Pin<Box<dyn Future<Output = Arc<dyn Store>> + Send + '_>> {
        Box::pin(self.store())
    }
}

/// For a busy machine: how fast a store is, is no law's matter.
const PATIENCE: Duration = Duration::from_secs(20);

async fn sqlite(url: &str, options: &SqlOptions) -> SqliteStore {
    let store = SqliteStore::connect_with(url, options).await.unwrap();
    store.migrate().await.unwrap();
    store
}

fn redis(url: &str, count: u32) -> RedisStore {
    RedisStore::builder(url)
        .unwrap()
        .prefix(format!("t{count}:"))
        .response_timeout(PATIENCE)
        .connection_timeout(PATIENCE)
        .build()
        .unwrap()
}
