//! Connections: bounded waiting, none that was left in the middle of something, none that is
//! likely dead.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sessile_core::Result;
use sqlx::pool::{PoolConnection, PoolConnectionMetadata, PoolOptions};
use sqlx::query::Query;
use sqlx::{Connection as _, Database, Executor, IntoArguments, Pool};

use crate::SqlOptions;
use crate::error::{self, Phase};

/// A pool, and what is known of its server's health.
#[derive(Debug)]
pub(crate) struct Connections<DB: Database> {
    pool: Pool<DB>,
    suspicion: Suspicion,
    /// The server takes no writes any more: connections from before are closed.
    moved: Suspicion,
    /// Whether a connection whose operation did not come to its end is closed.
    closes: bool,
}

/// How often something is tried that was rolled back because of others, for certain.
pub(crate) const ATTEMPTS: usize = 16;

/// A connection that has been idle for longer is asked whether it is alive before it is used:
/// something on the way may have forgotten it.
const LONG_IDLE: Duration = Duration::from_secs(10);

impl<DB: Database> Clone for Connections<DB> {
    fn clone(&self) -> Self {
        Connections {
            pool: self.pool.clone(),
            suspicion: self.suspicion.clone(),
            moved: self.moved.clone(),
            closes: self.closes,
        }
    }
}

impl<DB: Database> Connections<DB> {
    /// A pool as these options have it, and more of them to be chosen by `more`.
    pub(crate) fn new(
        options: &SqlOptions,
        server: <DB::Connection as sqlx::Connection>::Options,
        more: impl FnOnce(PoolOptions<DB>) -> PoolOptions<DB>,
    ) -> Self {
        let suspicion = Suspicion::default();
        let (asked, moved) = (suspicion.clone(), Suspicion::default());
        let left = moved.clone();
        let options = PoolOptions::<DB>::new()
            .max_connections(options.max_connections)
            .acquire_timeout(options.acquire_timeout)
            // It would cost a round trip each time.
            .test_before_acquire(false)
            .before_acquire(move |connection, meta| {
                let is_doubtful = asked.is_on(&meta);
                let is_left = left.is_raised(&meta);
                Box::pin(async move {
                    if is_left {
                        return Ok(false);
                    }
                    if is_doubtful {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            });
        Connections {
            pool: more(options).connect_lazy_with(server),
            suspicion,
            moved,
            closes: true,
        }
    }

    /// Somebody else's pool, as it is.
    pub(crate) fn from_pool(pool: Pool<DB>) -> Self {
        Connections {
            pool,
            suspicion: Suspicion::default(),
            moved: Suspicion::default(),
            closes: true,
        }
    }

    /// Connections are kept whatever happens: for a driver that finishes or takes back by itself
    /// what was dropped, and a database that may live in a connection.
    #[cfg(feature = "sqlite")]
    pub(crate) fn kept(mut self) -> Self {
        self.closes = false;
        self
    }

    pub(crate) fn pool(&self) -> &Pool<DB> {
        &self.pool
    }

    /// Waits for a connection. Without one, nothing was applied.
    pub(crate) async fn lease(&self) -> Result<Lease<DB>> {
        let connection = self.pool.acquire().await;
        Ok(Lease {
            connection: connection.map_err(|error| error::of(error, Phase::Nothing))?,
            suspicion: self.suspicion.clone(),
            moved: self.moved.clone(),
            is_clean: !self.closes,
        })
    }
}

impl<DB> Connections<DB>
where
    DB: Database,
    DB::Arguments: IntoArguments<DB>,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    /// One statement that changes nothing: if the connection turns out to be dead, once more on
    /// another one.
    pub(crate) async fn read<'q>(
        &self,
        statement: impl Fn() -> Query<'q, DB, DB::Arguments>,
    ) -> Result<Vec<DB::Row>> {
        let mut result = self.run(&statement).await?;
        if result
            .as_ref()
            .is_err_and(|failed| !error::is_answer(failed))
        {
            result = self.run(&statement).await?;
        }
        result.map_err(|failed| error::of(failed, Phase::Nothing))
    }

    /// One statement that changes something: again only if it was rolled back for certain.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) async fn write<'q>(
        &self,
        statement: impl Fn() -> Query<'q, DB, DB::Arguments>,
    ) -> Result<Vec<DB::Row>> {
        let mut result = self.run(&statement).await?;
        for _ in 1..ATTEMPTS {
            if !result.as_ref().is_err_and(error::is_rolled_back) {
                break;
            }
            result = self.run(&statement).await?;
        }
        result.map_err(|failed| error::of(failed, Phase::Sent))
    }

    async fn run<'q>(
        &self,
        statement: &impl Fn() -> Query<'q, DB, DB::Arguments>,
    ) -> Result<sqlx::Result<Vec<DB::Row>>> {
        let mut lease = self.lease().await?;
        let result = statement().fetch_all(lease.connection()).await;
        lease.settle(&result);
        Ok(result)
    }
}

/// A connection in use. It goes back to the pool only if what it was used for came to its end;
/// otherwise (an error on the way, a future that was dropped) it is closed, so that neither half
/// a transaction nor an answer nobody took is left for the next one.
#[derive(Debug)]
pub(crate) struct Lease<DB: Database> {
    connection: PoolConnection<DB>,
    suspicion: Suspicion,
    moved: Suspicion,
    is_clean: bool,
}

impl<DB: Database> Lease<DB> {
    pub(crate) fn connection(&mut self) -> &mut DB::Connection {
        &mut self.connection
    }

    /// The connection is out of every transaction, and its last answer has come.
    pub(crate) fn keep(mut self) {
        self.is_clean = true;
    }

    /// Keeps the connection if the result is one that leaves it good.
    pub(crate) fn settle<T>(self, result: &sqlx::Result<T>) {
        match result {
            Err(failed) if error::is_read_only(failed) => self.moved.raise(),
            Err(failed) if !error::is_answer(failed) => self.suspicion.raise(),
            _ => self.keep(),
        }
    }
}

impl<DB: Database> Drop for Lease<DB> {
    fn drop(&mut self) {
        if !self.is_clean {
            self.connection.close_on_drop();
        }
    }
}

/// How a transaction is to end, and what it then comes to.
#[derive(Debug)]
#[cfg(any(feature = "mysql", feature = "postgres"))]
pub(crate) enum Verdict<T> {
    Commit(Result<T>),
    Rollback(Result<T>),
    /// Somebody else was faster: nothing is kept, and it may be tried again.
    #[cfg(feature = "mysql")]
    Again,
}

#[cfg(any(feature = "mysql", feature = "postgres"))]
impl<DB> Lease<DB>
where
    DB: Database,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    /// Ends the transaction in which the verdict was found. `None` if it was rolled back because
    /// of others, for certain, and may be tried again.
    pub(crate) async fn conclude<T>(
        mut self,
        verdict: sqlx::Result<Verdict<T>>,
    ) -> Result<Option<T>> {
        let (end, phase, given) = match verdict {
            Ok(Verdict::Commit(given)) => ("COMMIT", Phase::Sent, given.map(Some)),
            Ok(Verdict::Rollback(given)) => ("ROLLBACK", Phase::Nothing, given.map(Some)),
            #[cfg(feature = "mysql")]
            Ok(Verdict::Again) => ("ROLLBACK", Phase::Nothing, Ok(None)),
            Err(failed) if error::is_rolled_back(&failed) => ("ROLLBACK", Phase::Nothing, Ok(None)),
            Err(failed) if error::is_read_only(&failed) => {
                self.moved.raise();
                return Err(error::of(failed, Phase::Nothing));
            }
            Err(failed) if error::is_answer(&failed) => (
                "ROLLBACK",
                Phase::Nothing,
                Err(error::of(failed, Phase::Nothing)),
            ),
            Err(failed) => {
                // Without its connection, a transaction is rolled back.
                self.suspicion.raise();
                return Err(error::of(failed, Phase::Nothing));
            }
        };
        let ended = sqlx::raw_sql(end).execute(self.connection()).await;
        self.settle(&ended);
        match ended {
            Err(failed) if phase == Phase::Sent && error::is_rolled_back(&failed) => Ok(None),
            Err(failed) if phase == Phase::Sent => Err(error::of(failed, phase)),
            _ => given,
        }
    }
}

/// When a connection was last found dead. Those that were idle then are asked before they are
/// used: a restart of the server costs one failure, not one for each connection.
#[derive(Clone, Debug, Default)]
struct Suspicion(Arc<Mutex<Option<Instant>>>);

impl Suspicion {
    #[expect(
        clippy::disallowed_methods,
        reason = "about connections of this process, not about sessions"
    )]
    fn raise(&self) {
        let mut raised = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *raised = Some(Instant::now());
    }

    fn is_on(&self, connection: &PoolConnectionMetadata) -> bool {
        connection.idle_for > LONG_IDLE || self.is_raised(connection)
    }

    /// Whether it was raised while this connection was idle.
    fn is_raised(&self, connection: &PoolConnectionMetadata) -> bool {
        let raised = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        raised.is_some_and(|raised| raised.elapsed() <= connection.idle_for)
    }
}
