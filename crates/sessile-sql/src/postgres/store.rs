//! The operations: what is bound, and what an answer means.

use std::sync::Arc;

use async_trait::async_trait;
use sessile_core::encoding::{FORMAT, corrupt};
use sessile_core::{
    Applied, Candidate, Created, Durability, Error, ErrorKind, Guarantees, Loaded, OnFull, Patch,
    RECORD_LIMIT, Record, Result, SessionId, Store, SubjectCap, TOMBSTONE, Timestamp,
};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, FromRow as _, Postgres, Row as _};

use super::PostgresStore;
use crate::columns::{Columns, Kept, by_a_slower_clock, check_new};
use crate::connections::{ATTEMPTS, Verdict};
use crate::error::{self, Phase};
use crate::parts::{Parts, at, number};

type Statement<'q> = Query<'q, Postgres, PgArguments>;

#[async_trait]
impl Store for PostgresStore {
    async fn create(
        &self,
        record: Arc<Record>,
        cap: Option<SubjectCap>,
        now: Timestamp,
    ) -> Result<Created> {
        check_new(&record)?;
        if let (Some(cap), Some(_)) = (cap, &record.subject) {
            return self.create_capped(&record, cap, now).await;
        }
        let data = record.data.to_json();
        let rows = self
            .write(|| bind_record(sql(&self.statements.create), &record, &data).bind(at(now)))
            .await?;
        Ok(if rows.is_empty() {
            Created::Taken
        } else {
            Created::Created
        })
    }

    async fn load(&self, sid: &SessionId, now: Timestamp) -> Result<Loaded> {
        let rows = self
            .read(|| sql(&self.statements.load).bind(&sid.as_bytes()[..]))
            .await?;
        let kept = rows.first().map(kept).transpose()?;
        Ok(Kept::loaded(kept, now))
    }

    async fn apply(&self, sid: &SessionId, now: Timestamp, patch: &Patch) -> Result<Applied> {
        let parts = Parts::new(patch)?;
        let remove: Vec<_> = patch.removes().iter().map(|name| name.as_str()).collect();
        let rows = self
            .write(|| bind_patch(sql(&self.statements.apply), sid, now, &parts, &remove))
            .await?;
        let Some(row) = rows.first() else {
            return Ok(Applied::Gone);
        };
        let outcome: String = row
            .try_get(12)
            .map_err(|error| error::of(error, Phase::Sent))?;
        match outcome.as_str() {
            "applied" => applied(row),
            "conflict" => match kept(row)? {
                Kept::Record(record) => Ok(Applied::Conflict(record)),
                Kept::Tombstone(_) => Ok(Applied::Gone),
            },
            "gone" => Ok(Applied::Gone),
            "too_large" => Err(Error::new(
                ErrorKind::TooLarge,
                format!("the session would hold more than {RECORD_LIMIT} bytes"),
            )),
            "spent" => Err(corrupt("the session's version can grow no more")),
            // Says why, where the record was locked.
            _ => Err(corrupt("what is kept of the session can't be read")),
        }
    }

    async fn end(
        &self,
        sid: &SessionId,
        _now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Arc<Record>>> {
        for _ in 0..ATTEMPTS {
            let rows = self
                .write(|| {
                    sql(&self.statements.end)
                        .bind(&sid.as_bytes()[..])
                        .bind(i64::from(FORMAT))
                        .bind(at(until))
                })
                .await?;
            let Some(row) = rows.first() else { continue };
            let left = row
                .try_get::<bool, _>(12)
                .map_err(|error| error::of(error, Phase::Sent))?;
            if left {
                let was_there = row.try_get_unchecked::<Option<&[u8]>, _>(0);
                let was_there = was_there.map_err(|error| error::of(error, Phase::Sent))?;
                return if was_there.is_some() {
                    Ok(kept(row)?.record())
                } else {
                    Ok(None)
                };
            }
            // Created between the look and the insertion: it is there now.
        }
        Err(error::unavailable(
            "others kept creating and freeing the session",
        ))
    }

    async fn list(&self, subject: &str, now: Timestamp) -> Result<Vec<Candidate>> {
        let earlier = by_a_slower_clock(now);
        let rows = self
            .read(|| {
                sql(&self.statements.list)
                    .bind(subject.as_bytes())
                    .bind(at(earlier))
                    .bind(i64::from(FORMAT))
            })
            .await?;
        rows.iter()
            .map(|row| columns(row)?.candidate(now))
            .collect()
    }

    async fn count(&self, now: Timestamp) -> Result<Option<u64>> {
        let rows = self
            .read(|| sql(&self.statements.count).bind(at(now)))
            .await?;
        let count = rows.first().map(|row| row.try_get::<i64, _>(0)).transpose();
        let count = count.map_err(|error| error::of(error, Phase::Nothing))?;
        Ok(count.and_then(|count| u64::try_from(count).ok()))
    }

    async fn sweep(&self, now: Timestamp, limit: usize) -> Result<usize> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut lease = self.connections.lease().await?;
        let result = sql(&self.statements.sweep)
            .bind(at(now))
            .bind(limit)
            .bind(i64::from(FORMAT))
            .execute(lease.connection())
            .await;
        lease.settle(&result);
        let freed = result
            .map_err(|error| error::of(error, Phase::Sent))?
            .rows_affected();
        Ok(usize::try_from(freed).unwrap_or(usize::MAX))
    }

    async fn ping(&self) -> Result<()> {
        self.read(|| sqlx::query("SELECT 1")).await.map(|_| ())
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees::shared(Durability::Acknowledged)
    }
}

impl PostgresStore {
    /// A login under a cap: in a transaction that has the subject's lock, so that the count of its
    /// sessions is exact.
    async fn create_capped(
        &self,
        record: &Record,
        cap: SubjectCap,
        now: Timestamp,
    ) -> Result<Created> {
        let data = record.data.to_json();
        for _ in 0..ATTEMPTS {
            let mut lease = self.connections.lease().await?;
            let verdict = async {
                let connection = lease.connection();
                let begin = "BEGIN ISOLATION LEVEL READ COMMITTED";
                sqlx::raw_sql(begin).execute(&mut *connection).await?;
                sql(&self.statements.lock_subject)
                    .bind(record.subject.as_deref().map(str::as_bytes))
                    .execute(&mut *connection)
                    .await?;
                let row = bind_record(sql(&self.statements.create_capped), record, &data)
                    .bind(at(now))
                    .bind(i64::from(cap.max.get()))
                    .bind(cap.on_full == OnFull::EvictOldest)
                    .bind(at(now.after(TOMBSTONE)))
                    .fetch_one(&mut *connection)
                    .await?;
                Ok(match (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?) {
                    (true, _, _) => Verdict::Commit(Ok(Created::Created)),
                    (_, false, false) => Verdict::Rollback(Ok(Created::Full)),
                    // Or there was room and the id was free, but somebody was faster.
                    _ => Verdict::Rollback(Ok(Created::Taken)),
                })
            };
            let verdict = verdict.await;
            if let Some(created) = lease.conclude(verdict).await? {
                return Ok(created);
            }
        }
        Err(error::unavailable(
            "others kept changing the subject's sessions",
        ))
    }

    async fn read<'q>(&self, statement: impl Fn() -> Statement<'q> + Send) -> Result<Vec<PgRow>> {
        self.connections.read(statement).await
    }

    async fn write<'q>(&self, statement: impl Fn() -> Statement<'q> + Send) -> Result<Vec<PgRow>> {
        self.connections.write(statement).await
    }
}

fn sql<'q>(statement: &Arc<str>) -> Statement<'q> {
    sqlx::query(AssertSqlSafe(statement.clone()))
}

/// $1 to $11.
fn bind_record<'q>(statement: Statement<'q>, record: &'q Record, data: &'q str) -> Statement<'q> {
    statement
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
        .bind(data)
}

/// $1 to $18.
fn bind_patch<'q>(
    statement: Statement<'q>,
    sid: &'q SessionId,
    now: Timestamp,
    parts: &'q Parts,
    remove: &'q [&'q str],
) -> Statement<'q> {
    let rotation = parts.rotation.as_ref();
    statement
        .bind(&sid.as_bytes()[..])
        .bind(at(now))
        .bind(parts.base)
        .bind(parts.accept_older)
        .bind(parts.clear)
        .bind(&parts.set)
        .bind(remove)
        .bind(&parts.expect)
        .bind(rotation.map(|rotation| &rotation.expect))
        .bind(rotation.map(|rotation| &rotation.new))
        .bind(rotation.map(|rotation| &rotation.wrapped))
        .bind(parts.confirm)
        .bind(parts.absolute)
        .bind(parts.idle)
        .bind(parts.touch)
        .bind(parts.is_write)
        .bind(i64::from(FORMAT))
        .bind(i64::try_from(RECORD_LIMIT).unwrap_or(i64::MAX))
}

fn columns(row: &PgRow) -> Result<Columns> {
    Columns::from_row(row).map_err(|error| error::of(error, Phase::Nothing))
}

fn kept(row: &PgRow) -> Result<Kept> {
    columns(row)?.kept()
}

/// What a patch made of the record: without data, whoever made the patch knows it.
fn applied(row: &PgRow) -> Result<Applied> {
    let columns = columns(row)?;
    Ok(Applied::Applied {
        version: columns.version()?,
        record: if columns.has_data() {
            columns.kept()?.record()
        } else {
            None
        },
    })
}
