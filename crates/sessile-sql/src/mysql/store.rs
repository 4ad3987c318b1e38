//! The operations: lock, decide in the core, write.

use std::sync::Arc;

use async_trait::async_trait;
use sessile_core::encoding::FORMAT;
use sessile_core::{
    Applied, Candidate, Created, Durability, Guarantees, Loaded, OnFull, Patch, Patched, Record,
    Result, SessionId, Store, SubjectCap, TOMBSTONE, Timestamp,
};
use sqlx::mysql::{MySqlArguments, MySqlConnection, MySqlRow};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, FromRow as _, MySql, Row as _};

use super::MySqlStore;
use crate::columns::{Columns, Kept, by_a_slower_clock, check_new};
use crate::connections::{ATTEMPTS, Verdict};
use crate::error::{self, Phase};
use crate::parts::{at, check, number};

type Statement<'q> = Query<'q, MySql, MySqlArguments>;

#[async_trait]
impl Store for MySqlStore {
    async fn create(
        &self,
        record: Arc<Record>,
        cap: Option<SubjectCap>,
        now: Timestamp,
    ) -> Result<Created> {
        check_new(&record)?;
        if let (Some(cap), Some(subject)) = (cap, &record.subject) {
            return self
                .create_capped(&record, subject.as_bytes(), cap, now)
                .await;
        }
        for _ in 0..ATTEMPTS {
            let mut lease = self.connections.lease().await?;
            let inserted = self.insert(&record).execute(lease.connection()).await;
            lease.settle(&inserted);
            match inserted {
                Ok(_) => return Ok(Created::Created),
                Err(failed) if error::is_duplicate(&failed) => {
                    if !self.free(&record.sid, now).await? {
                        return Ok(Created::Taken);
                    }
                }
                Err(failed) if error::is_rolled_back(&failed) => {}
                Err(failed) => return Err(error::of(failed, Phase::Sent)),
            }
        }
        Err(error::unavailable(
            "others kept creating and ending the session",
        ))
    }

    async fn load(&self, sid: &SessionId, now: Timestamp) -> Result<Loaded> {
        let rows = self
            .connections
            .read(|| sql(&self.statements.load).bind(&sid.as_bytes()[..]))
            .await?;
        let kept = rows.first().map(kept).transpose()?;
        Ok(Kept::loaded(kept, now))
    }

    async fn apply(&self, sid: &SessionId, now: Timestamp, patch: &Patch) -> Result<Applied> {
        check(patch)?;
        for _ in 0..ATTEMPTS {
            let mut lease = self.connections.lease().await?;
            let verdict = self.apply_in(lease.connection(), sid, now, patch).await;
            if let Some(applied) = lease.conclude(verdict).await? {
                return Ok(applied);
            }
        }
        Err(error::unavailable("others kept changing the session"))
    }

    async fn end(
        &self,
        sid: &SessionId,
        _now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Arc<Record>>> {
        for _ in 0..ATTEMPTS {
            let mut lease = self.connections.lease().await?;
            let verdict = self.end_in(lease.connection(), sid, until).await;
            if let Some(ended) = lease.conclude(verdict).await? {
                return Ok(ended);
            }
        }
        Err(error::unavailable(
            "others kept creating and freeing the session",
        ))
    }

    async fn list(&self, subject: &str, now: Timestamp) -> Result<Vec<Candidate>> {
        let earlier = by_a_slower_clock(now);
        let rows = self
            .connections
            .read(|| {
                sql(&self.statements.list)
                    .bind(subject.as_bytes())
                    .bind(i64::from(FORMAT))
                    .bind(at(earlier))
                    .bind(at(earlier))
            })
            .await?;
        rows.iter()
            .map(|row| columns(row)?.candidate(now))
            .collect()
    }

    async fn count(&self, now: Timestamp) -> Result<Option<u64>> {
        let rows = self
            .connections
            .read(|| sql(&self.statements.count).bind(at(now)).bind(at(now)))
            .await?;
        let count = rows.first().map(|row| row.try_get::<i64, _>(0)).transpose();
        let count = count.map_err(|error| error::of(error, Phase::Nothing))?;
        Ok(count.and_then(|count| u64::try_from(count).ok()))
    }

    async fn sweep(&self, now: Timestamp, limit: usize) -> Result<usize> {
        let mut lease = self.connections.lease().await?;
        let result = sql(&self.statements.sweep)
            .bind(at(now))
            .bind(i64::from(FORMAT))
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .bind(at(now))
            .execute(lease.connection())
            .await;
        lease.settle(&result);
        let freed = result
            .map_err(|error| error::of(error, Phase::Sent))?
            .rows_affected();
        Ok(usize::try_from(freed).unwrap_or(usize::MAX))
    }

    async fn ping(&self) -> Result<()> {
        self.connections
            .read(|| sqlx::query("SELECT 1"))
            .await
            .map(|_| ())
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees::shared(Durability::Acknowledged)
    }
}

impl MySqlStore {
    async fn apply_in(
        &self,
        connection: &mut MySqlConnection,
        sid: &SessionId,
        now: Timestamp,
        patch: &Patch,
    ) -> sqlx::Result<Verdict<Applied>> {
        let record = match self.begin_and_lock(&mut *connection, sid).await? {
            Some(Ok(Kept::Record(record))) => record,
            Some(Ok(Kept::Tombstone(_))) | None => return Ok(Verdict::Rollback(Ok(Applied::Gone))),
            Some(Err(corrupt)) => return Ok(Verdict::Rollback(Err(corrupt))),
        };
        let next = match patch.apply_to(&record, now) {
            Ok(Patched::Applied(next)) => next,
            Ok(Patched::Conflict) => return Ok(Verdict::Rollback(Ok(Applied::Conflict(record)))),
            Ok(Patched::Gone) => return Ok(Verdict::Rollback(Ok(Applied::Gone))),
            Err(too_large) => return Ok(Verdict::Rollback(Err(too_large))),
        };
        sql(&self.statements.update)
            .bind(&next.hash.as_bytes()[..])
            .bind(next.previous.as_ref().map(|previous| previous.to_bytes()))
            .bind(number(next.version))
            .bind(at(next.last_seen))
            .bind(at(next.idle_deadline))
            .bind(at(next.absolute_deadline))
            .bind(next.data.to_json().into_bytes())
            .bind(&sid.as_bytes()[..])
            .execute(connection)
            .await?;
        Ok(Verdict::Commit(Ok(Applied::Applied {
            version: next.version,
            record: Some(Arc::new(next)),
        })))
    }

    async fn end_in(
        &self,
        connection: &mut MySqlConnection,
        sid: &SessionId,
        until: Timestamp,
    ) -> sqlx::Result<Verdict<Option<Arc<Record>>>> {
        let ended = match self.begin_and_lock(&mut *connection, sid).await? {
            Some(kept) => {
                self.bury(&mut *connection, sid, until).await?;
                kept.map(Kept::record)
            }
            None => {
                let inserted = sql(&self.statements.insert_tombstone)
                    .bind(&sid.as_bytes()[..])
                    .bind(i64::from(FORMAT))
                    .bind(at(until))
                    .execute(connection)
                    .await;
                match inserted {
                    // Created between the look and the insertion: it is there now.
                    Err(failed) if error::is_duplicate(&failed) => return Ok(Verdict::Again),
                    inserted => inserted.map(|_| Ok(None))?,
                }
            }
        };
        Ok(Verdict::Commit(ended))
    }

    /// A login under a cap: with the subject locked, so that the count of its sessions is exact.
    async fn create_capped(
        &self,
        record: &Record,
        subject: &[u8],
        cap: SubjectCap,
        now: Timestamp,
    ) -> Result<Created> {
        for _ in 0..ATTEMPTS {
            let mut lease = self.connections.lease().await?;
            let verdict = self
                .create_in(lease.connection(), record, subject, cap, now)
                .await;
            if let Some(created) = lease.conclude(verdict).await? {
                return Ok(created);
            }
        }
        Err(error::unavailable(
            "others kept changing the subject's sessions",
        ))
    }

    async fn create_in(
        &self,
        connection: &mut MySqlConnection,
        record: &Record,
        subject: &[u8],
        cap: SubjectCap,
        now: Timestamp,
    ) -> sqlx::Result<Verdict<Created>> {
        sqlx::raw_sql("BEGIN").execute(&mut *connection).await?;
        let locked = sql(&self.statements.lock_subject)
            .bind(subject)
            .fetch_optional(&mut *connection)
            .await?;
        if locked.is_none() {
            return Ok(Verdict::Rollback(Err(error::unavailable(
                "the store's rows for locks are not there: call `migrate` once",
            ))));
        }
        let live = sql(&self.statements.live)
            .bind(subject)
            .bind(at(now))
            .bind(at(now))
            .fetch_all(&mut *connection)
            .await?;
        let max = usize::try_from(cap.max.get()).unwrap_or(usize::MAX);
        let excess = live.get(max - 1..).unwrap_or_default();
        if !excess.is_empty() && cap.on_full == OnFull::Reject {
            // A taken id comes first, as everywhere.
            let there = sql(&self.statements.load)
                .bind(&record.sid.as_bytes()[..])
                .fetch_optional(&mut *connection)
                .await?;
            let is_free = there
                .is_none_or(|row| matches!(kept(&row), Ok(Kept::Tombstone(until)) if until <= now));
            let created = if is_free {
                Created::Full
            } else {
                Created::Taken
            };
            return Ok(Verdict::Rollback(Ok(created)));
        }
        sql(&self.statements.free)
            .bind(&record.sid.as_bytes()[..])
            .bind(at(now))
            .execute(&mut *connection)
            .await?;
        match self.insert(record).execute(&mut *connection).await {
            Err(failed) if error::is_duplicate(&failed) => {
                return Ok(Verdict::Rollback(Ok(Created::Taken)));
            }
            inserted => inserted?,
        };
        for row in excess {
            let sid: Vec<u8> = row.try_get(0)?;
            sql(&self.statements.bury)
                .bind(i64::from(FORMAT))
                .bind(at(now.after(TOMBSTONE)))
                .bind(sid)
                .execute(&mut *connection)
                .await?;
        }
        Ok(Verdict::Commit(Ok(Created::Created)))
    }

    /// Begins a transaction, waits for the row, and says what it is.
    async fn begin_and_lock(
        &self,
        connection: &mut MySqlConnection,
        sid: &SessionId,
    ) -> sqlx::Result<Option<Result<Kept>>> {
        sqlx::raw_sql("BEGIN").execute(&mut *connection).await?;
        let row = sql(&self.statements.lock)
            .bind(&sid.as_bytes()[..])
            .fetch_optional(connection)
            .await?;
        Ok(row.map(|row| kept(&row)))
    }

    async fn bury(
        &self,
        connection: &mut MySqlConnection,
        sid: &SessionId,
        until: Timestamp,
    ) -> sqlx::Result<()> {
        let buried = sql(&self.statements.bury)
            .bind(i64::from(FORMAT))
            .bind(at(until))
            .bind(&sid.as_bytes()[..])
            .execute(connection)
            .await;
        buried.map(|_| ())
    }

    /// Frees the id of a tombstone past its time, and says whether there was one.
    async fn free(&self, sid: &SessionId, now: Timestamp) -> Result<bool> {
        let mut lease = self.connections.lease().await?;
        let freed = sql(&self.statements.free)
            .bind(&sid.as_bytes()[..])
            .bind(at(now))
            .execute(lease.connection())
            .await;
        lease.settle(&freed);
        // Whether it was freed or not is the same to everybody: nothing of the caller's was done.
        let freed = freed.map_err(|failed| error::of(failed, Phase::Nothing))?;
        Ok(freed.rows_affected() > 0)
    }

    fn insert<'q>(&self, record: &'q Record) -> Statement<'q> {
        sql(&self.statements.insert)
            .bind(&record.sid.as_bytes()[..])
            .bind(i64::from(FORMAT))
            .bind(&record.hash.as_bytes()[..])
            .bind(record.previous.as_ref().map(|previous| previous.to_bytes()))
            .bind(number(record.version))
            .bind(at(record.created_at))
            .bind(at(record.last_seen))
            .bind(at(record.idle_deadline))
            .bind(at(record.absolute_deadline))
            .bind(record.subject.as_deref().map(str::as_bytes))
            .bind(record.data.to_json().into_bytes())
    }
}

fn sql<'q>(statement: &Arc<str>) -> Statement<'q> {
    sqlx::query(AssertSqlSafe(statement.clone()))
}

fn columns(row: &MySqlRow) -> Result<Columns> {
    Columns::from_row(row).map_err(|error| error::of(error, Phase::Nothing))
}

fn kept(row: &MySqlRow) -> Result<Kept> {
    columns(row)?.kept()
}
