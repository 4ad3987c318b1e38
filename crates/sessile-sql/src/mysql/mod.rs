//! The store over MySQL and MariaDB: a short transaction for each change.

mod statements;
mod store;

use std::str::FromStr as _;
use std::sync::Arc;

use sessile_core::{Error, ErrorKind, Result};
use sqlx::mysql::{MySqlConnectOptions, MySqlPoolOptions};
use sqlx::{AssertSqlSafe, MySql, MySqlPool};

use crate::SqlOptions;
use crate::connections::Connections;
use crate::error::{self, Phase};
use statements::{MIGRATIONS, Statements};

/// Sessions in MySQL 8 or MariaDB 10.6, or later ones. Cheap to clone; the clones share the
/// connections.
///
/// A read is one round trip, and so is the creation of a session; a change is a transaction of
/// four, in which the row is locked, the patch applied by the core, and the row written; a login
/// under a cap of sessions for each subject is one of five, and one more for each session that
/// makes room. A connection prepares each statement when it first uses it, and keeps it.
///
/// A server whose `binlog_format` is `STATEMENT` refuses the isolation level that is used here;
/// the default is another one.
///
/// # Durability
///
/// What is acknowledged is committed. Whether that survives a power failure is the server's
/// setting (`innodb_flush_log_at_trx_commit`, 1 by default), and whether it survives a fail-over
/// depends on how its replicas are kept.
#[derive(Clone, Debug)]
pub struct MySqlStore {
    connections: Connections<MySql>,
    statements: Arc<Statements>,
}

/// What every connection is told. Rows that are not there need no locks; a value that does not fit
/// is an error and never cut; who waits for a lock that nobody gives back would fill up the
/// server.
const SESSION: &str = "\
SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED;
SET SESSION autocommit = 1, innodb_lock_wait_timeout = 5,
  sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')";

impl MySqlStore {
    /// Connects to `mysql://user:password@host:port/database`, with the default options.
    ///
    /// # Errors
    ///
    /// As [`connect_with`](Self::connect_with).
    pub async fn connect(url: &str) -> Result<Self> {
        Self::connect_with(url, &SqlOptions::new()).await
    }

    /// Connects. READ COMMITTED is set on every connection, whatever the server's default is.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if the URL is none, and [`ErrorKind::Unavailable`] if the server
    /// can't be reached.
    pub async fn connect_with(url: &str, options: &SqlOptions) -> Result<Self> {
        const URL: &str = "this is no URL of a MySQL or MariaDB database: write \
            `mysql://user:password@host:3306/database`, special characters as %xx";
        // What it says of a URL could quote the password.
        let invalid = || Error::new(ErrorKind::Invalid, URL);
        if !url.starts_with("mysql://") && !url.starts_with("mariadb://") {
            return Err(invalid());
        }
        let server = MySqlConnectOptions::from_str(url).map_err(|_| invalid())?;
        if server.get_database().is_none() {
            return Err(invalid());
        }
        let store = MySqlStore {
            connections: Connections::new(options, server, |pool: MySqlPoolOptions| {
                pool.after_connect(|connection, _| {
                    Box::pin(
                        async move { sqlx::raw_sql(SESSION).execute(connection).await.map(|_| ()) },
                    )
                })
            }),
            statements: Arc::new(Statements::new(options)),
        };
        store.connections.lease().await?.keep();
        Ok(store)
    }

    /// Uses connections that the program has already. Of the options, the table prefix counts: an
    /// operation waits for a connection for as long as that pool has it (30 seconds by default),
    /// and for a session that somebody else has locked for as long as the server has it.
    ///
    /// Its connections should be at READ COMMITTED and of a strict `sql_mode`; at a higher level
    /// the operations are right too, and tried again when they meet. A pool that tests its
    /// connections before it hands one out, which is what pools do by default, costs a round trip
    /// more each time.
    pub fn from_pool(pool: MySqlPool, options: &SqlOptions) -> Self {
        MySqlStore {
            connections: Connections::from_pool(pool),
            statements: Arc::new(Statements::new(options)),
        }
    }

    /// The connections.
    pub fn pool(&self) -> &MySqlPool {
        self.connections.pool()
    }

    /// Makes the tables where they are missing. Several may do so at once.
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
