//! The store over PostgreSQL: one statement for each operation.

mod statements;
mod store;

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use sessile_core::{Error, ErrorKind, Result};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor as _, PgPool, Postgres};

use crate::SqlOptions;
use crate::connections::Connections;
use crate::error::{self, Phase};
use statements::{MIGRATIONS, Statements};

/// Sessions in PostgreSQL 12 or later, in a database whose encoding is UTF-8. Cheap to clone; the
/// clones share the connections.
///
/// Every operation is one statement and one round trip, but for a login under a cap of sessions
/// for each subject, which is a transaction of four. A connection prepares each statement when it
/// first uses it, and keeps it. Behind PgBouncer in transaction mode that needs its
/// `max_prepared_statements` (1.21 or later). There, what [`connect`](Self::connect) sets on a
/// connection (READ COMMITTED, not read-only, a `lock_timeout` of 5 seconds) is set on whichever
/// server connection PgBouncer has at hand, stays there for everybody who gets that one later, and
/// need not hold for those that this store gets. Set the same for the database user instead, with
/// `ALTER ROLE … SET`; the statements are right without it.
///
/// # Durability
///
/// What is acknowledged is committed. Whether that survives a power failure is the server's
/// setting (`synchronous_commit`, on by default), and whether it survives a fail-over depends on
/// how its replicas are kept.
#[derive(Clone, Debug)]
pub struct PostgresStore {
    connections: Connections<Postgres>,
    statements: Arc<Statements>,
}

/// How long a statement waits for a session that another transaction has locked. Beyond that
/// somebody has forgotten a transaction, and whoever waits would fill up the server.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

impl PostgresStore {
    /// Connects to `postgres://user:password@host:port/database`, with the default options.
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
        const URL: &str = "this is no URL of a PostgreSQL database: write \
            `postgres://user:password@host:5432/database`, special characters as %xx";
        // What it says of a URL could quote the password.
        let invalid = || Error::new(ErrorKind::Invalid, URL);
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(invalid());
        }
        let mut server = PgConnectOptions::from_str(url).map_err(|_| invalid())?;
        if server.get_application_name().is_none() {
            server = server.application_name("sessile");
        }
        let store = PostgresStore {
            connections: Connections::new(options, server, |pool: PgPoolOptions| {
                pool.after_connect(|connection, _| {
                    Box::pin(async move {
                        let millis = LOCK_TIMEOUT.as_millis();
                        let set = format!(
                            "SET default_transaction_isolation = 'read committed'; \
                             SET default_transaction_read_only = off; SET lock_timeout = {millis}"
                        );
                        connection.execute(AssertSqlSafe(set)).await.map(|_| ())
                    })
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
    /// The statements are right at every isolation level; above READ COMMITTED they are refused
    /// and tried again when they meet. A pool that tests its connections before it hands one out,
    /// which is what pools do by default, costs a round trip more each time.
    pub fn from_pool(pool: PgPool, options: &SqlOptions) -> Self {
        PostgresStore {
            connections: Connections::from_pool(pool),
            statements: Arc::new(Statements::new(options)),
        }
    }

    /// The connections.
    pub fn pool(&self) -> &PgPool {
        self.connections.pool()
    }

    /// Makes the table and its indexes where they are missing. Several may do so at once.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] if the database refuses, and [`ErrorKind::Invalid`] if its
    /// encoding is not UTF-8.
    pub async fn migrate(&self) -> Result<()> {
        let mut lease = self.connections.lease().await?;
        // Two that create what is missing at the same time would meet in the catalogue.
        let sql = format!(
            "BEGIN; SELECT pg_advisory_xact_lock({}); {} COMMIT",
            0x5e55_11e0_u32, self.statements.migrations
        );
        let result = async {
            let encoding: String = sqlx::query_scalar("SHOW server_encoding")
                .fetch_one(lease.connection())
                .await?;
            if encoding == "UTF8" {
                sqlx::raw_sql(AssertSqlSafe(sql))
                    .execute(lease.connection())
                    .await?;
            }
            Ok(encoding)
        };
        // If it failed there may be a transaction left: the connection is not kept then.
        let encoding = result
            .await
            .map_err(|error| error::of(error, Phase::Nothing))?;
        lease.keep();
        if encoding != "UTF8" {
            return Err(Error::new(
                ErrorKind::Invalid,
                "the database's encoding is not UTF-8: create it with `ENCODING 'UTF8'`",
            ));
        }
        Ok(())
    }

    /// What [`migrate`](Self::migrate) runs, for whoever runs it otherwise, with the default
    /// prefix of the names.
    pub const fn migrations() -> &'static str {
        MIGRATIONS
    }
}
