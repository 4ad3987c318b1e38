//! The store over SQLite: a file on this machine, or the memory of this process.

mod statements;
mod store;

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use sessile_core::{Error, ErrorKind, Result};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Sqlite, SqlitePool};

use crate::SqlOptions;
use crate::connections::Connections;
use crate::error::{self, Phase};
use statements::{MIGRATIONS, Statements};

/// Sessions in SQLite 3.38 or later, which this crate brings along. Cheap to clone; the clones
/// share the connections.
///
/// The file is kept in WAL mode and synced with each commit.
///
/// # Scope
///
/// All processes *of one machine* that open the same file share its sessions, and to them the
/// promises of a shared store are made ([`guarantees`](sessile_core::Store::guarantees)). A file
/// is no way to share sessions among machines: on a network file system its locks can't be relied
/// on. `sqlite::memory:` is one connection's own, is not shared with anybody, and is gone with the
/// store; its promises are those of memory.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    connections: Connections<Sqlite>,
    statements: Arc<Statements>,
    in_memory: bool,
}

/// How long a statement waits for another process or connection to finish its own.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

impl SqliteStore {
    /// Opens `sqlite:sessions.db`, which is made if it is not there, or `sqlite::memory:`, with
    /// the default options.
    ///
    /// # Errors
    ///
    /// As [`connect_with`](Self::connect_with).
    pub async fn connect(url: &str) -> Result<Self> {
        Self::connect_with(url, &SqlOptions::new()).await
    }

    /// Opens the file, or makes it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if the URL is none, and [`ErrorKind::Unavailable`] if the file can't
    /// be opened.
    pub async fn connect_with(url: &str, options: &SqlOptions) -> Result<Self> {
        const URL: &str = "this is no URL of a SQLite database: write `sqlite:sessions.db`, \
            `sqlite:///var/lib/app/sessions.db` or `sqlite::memory:`";
        let invalid = || Error::new(ErrorKind::Invalid, URL);
        if !url.starts_with("sqlite:") || url.trim_end_matches('/') == "sqlite:" {
            return Err(invalid());
        }
        let file = SqliteConnectOptions::from_str(url)
            .map_err(|_| invalid())?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT);
        let in_memory = url.contains(":memory:") || url.contains("mode=memory");
        let store = SqliteStore {
            connections: Connections::new(options, file, |pool: SqlitePoolOptions| {
                // A file has no server that forgets connections, and what is in memory goes with
                // its only one.
                let pool = pool.idle_timeout(None).max_lifetime(None);
                if in_memory {
                    pool.max_connections(1)
                } else {
                    pool
                }
            })
            .kept(),
            statements: Arc::new(Statements::new(options)),
            in_memory,
        };
        store.connections.lease().await?.keep();
        Ok(store)
    }

    /// Uses connections that the program has already. Of the options, the table prefix counts: an
    /// operation waits for a connection for as long as that pool has it (30 seconds by default).
    pub fn from_pool(pool: SqlitePool, options: &SqlOptions) -> Self {
        SqliteStore {
            in_memory: is_in_memory(&pool),
            connections: Connections::from_pool(pool).kept(),
            statements: Arc::new(Statements::new(options)),
        }
    }

    /// The connections.
    pub fn pool(&self) -> &SqlitePool {
        self.connections.pool()
    }

    /// Makes the table and its indexes where they are missing. Several may do so at once.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] if the database refuses.
    pub async fn migrate(&self) -> Result<()> {
        let mut lease = self.connections.lease().await?;
        let migrations = AssertSqlSafe(self.statements.migrations.clone());
        let result = sqlx::raw_sql(migrations).execute(lease.connection()).await;
        lease.settle(&result);
        result
            .map(|_| ())
            .map_err(|error| error::of(error, Phase::Nothing))
    }

    /// What [`migrate`](Self::migrate) runs, for whoever runs it otherwise, with the default
    /// prefix of the names.
    pub const fn migrations() -> &'static str {
        MIGRATIONS
    }
}

/// Whether the database of these connections is in memory: by the name that the program or the
/// driver gave it, or by an option that has no accessor and is read where it is shown.
fn is_in_memory(pool: &SqlitePool) -> bool {
    let options = pool.connect_options();
    let name = options.get_filename().to_string_lossy();
    name.contains(":memory:")
        || name.starts_with("file:sqlx-in-memory-")
        || name.contains("mode=memory")
        || format!("{options:?}").contains("in_memory: true")
}
