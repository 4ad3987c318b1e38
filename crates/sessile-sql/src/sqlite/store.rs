//! The operations: what is bound, and what an answer means.

use std::sync::Arc;

use async_trait::async_trait;
use sessile_core::encoding::{FORMAT, to_json};
use sessile_core::{
    Applied, Candidate, Created, Durability, Guarantees, Loaded, OnFull, Patch, Patched,
    RECORD_LIMIT, Record, Result, SessionId, Store, SubjectCap, TOMBSTONE, Timestamp,
};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{AssertSqlSafe, Connection as _, FromRow as _, Row as _, Sqlite};

use super::SqliteStore;
use crate::columns::{Columns, Kept, by_a_slower_clock, check_new};
use crate::connections::ATTEMPTS;
use crate::error::{self, Phase};
use crate::parts::{Parts, at, number};

type Statement<'q> = Query<'q, Sqlite, SqliteArguments>;

/// Takes the right to write at once: a transaction that begins with reading may find that it
/// can't write any more.
const BEGIN: &str = "BEGIN IMMEDIATE";

#[async_trait]
impl Store for SqliteStore {
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
        let rows = self.connections.write(|| self.insert(&record, now)).await?;
        Ok(if rows.is_empty() {
            Created::Taken
        } else {
            Created::Created
        })
    }

    async fn load(&self, sid: &SessionId, now: Timestamp) -> Result<Loaded> {
        Ok(Kept::loaded(self.kept(sid).await?, now))
    }

    async fn apply(&self, sid: &SessionId, now: Timestamp, patch: &Patch) -> Result<Applied> {
        let parts = Parts::new(patch)?;
        let remove = to_json(patch.removes().iter().map(|name| (name, None)));
        for _ in 0..ATTEMPTS {
            let rows = self
                .connections
                .write(|| bind_patch(sql(&self.statements.apply), sid, now, &parts, &remove))
                .await?;
            if let Some(row) = rows.first() {
                let record = kept(row)?.record();
                let version = record.as_ref().map_or(0, |record| record.version);
                return Ok(Applied::Applied { version, record });
            }
            // It does not apply. The core says why, of the record as it is now; if it would apply
            // now, there was another one then.
            let Some(Kept::Record(record)) = self.kept(sid).await? else {
                return Ok(Applied::Gone);
            };
            match patch.apply_to(&record, now)? {
                Patched::Applied(_) => {}
                Patched::Conflict => return Ok(Applied::Conflict(record)),
                Patched::Gone => return Ok(Applied::Gone),
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
        let mut lease = self.connections.lease().await?;
        let ended = async {
            let mut transaction = lease.connection().begin_with(BEGIN).await?;
            let was = sql(&self.statements.load)
                .bind(&sid.as_bytes()[..])
                .fetch_optional(&mut *transaction)
                .await?;
            self.bury(sid, until).execute(&mut *transaction).await?;
            Ok((transaction, was))
        };
        let (transaction, was) = ended
            .await
            .map_err(|failed| error::of(failed, Phase::Nothing))?;
        let committed = transaction.commit().await;
        committed.map_err(|failed| error::of(failed, Phase::Sent))?;
        Ok(was.as_ref().map(kept).transpose()?.and_then(Kept::record))
    }

    async fn list(&self, subject: &str, now: Timestamp) -> Result<Vec<Candidate>> {
        let earlier = by_a_slower_clock(now);
        let rows = self
            .connections
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
            .connections
            .read(|| sql(&self.statements.count).bind(at(now)))
            .await?;
        let count = rows.first().map(|row| row.try_get::<i64, _>(0)).transpose();
        let count = count.map_err(|error| error::of(error, Phase::Nothing))?;
        Ok(count.and_then(|count| u64::try_from(count).ok()))
    }

    async fn sweep(&self, now: Timestamp, limit: usize) -> Result<usize> {
        let mut lease = self.connections.lease().await?;
        let result = sql(&self.statements.sweep)
            .bind(at(now))
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
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
        self.connections
            .read(|| sqlx::query("SELECT 1"))
            .await
            .map(|_| ())
    }

    /// Those of a shared store: of a file, to the processes of one machine. Those of memory, if it
    /// is in memory.
    fn guarantees(&self) -> Guarantees {
        if self.in_memory {
            Guarantees::volatile(RECORD_LIMIT)
        } else {
            Guarantees::shared(Durability::Acknowledged)
        }
    }
}

impl SqliteStore {
    async fn kept(&self, sid: &SessionId) -> Result<Option<Kept>> {
        let rows = self
            .connections
            .read(|| sql(&self.statements.load).bind(&sid.as_bytes()[..]))
            .await?;
        rows.first().map(kept).transpose()
    }

    /// A login under a cap: in a transaction that may write from its beginning, so that the count
    /// of the subject's sessions is exact.
    async fn create_capped(
        &self,
        record: &Record,
        subject: &[u8],
        cap: SubjectCap,
        now: Timestamp,
    ) -> Result<Created> {
        let mut lease = self.connections.lease().await?;
        let max = usize::try_from(cap.max.get()).unwrap_or(usize::MAX);
        let created = async {
            let mut transaction = lease.connection().begin_with(BEGIN).await?;
            let live = sql(&self.statements.live)
                .bind(subject)
                .bind(at(now))
                .fetch_all(&mut *transaction)
                .await?;
            let excess = live.get(max - 1..).unwrap_or_default();
            let made = self
                .insert(record, now)
                .fetch_optional(&mut *transaction)
                .await?;
            let created = match made {
                None => Created::Taken,
                Some(_) if !excess.is_empty() && cap.on_full == OnFull::Reject => Created::Full,
                Some(_) => Created::Created,
            };
            if created == Created::Created {
                for row in excess {
                    let sid: Vec<u8> = row.try_get(0)?;
                    sql(&self.statements.end)
                        .bind(sid)
                        .bind(i64::from(FORMAT))
                        .bind(at(now.after(TOMBSTONE)))
                        .execute(&mut *transaction)
                        .await?;
                }
            }
            Ok((transaction, created))
        };
        let (transaction, created) = created
            .await
            .map_err(|failed| error::of(failed, Phase::Nothing))?;
        if created == Created::Created {
            let committed = transaction.commit().await;
            committed.map_err(|failed| error::of(failed, Phase::Sent))?;
        }
        // Otherwise it is rolled back as it is dropped.
        Ok(created)
    }

    fn insert<'q>(&self, record: &'q Record, now: Timestamp) -> Statement<'q> {
        sql(&self.statements.create)
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
            .bind(record.data.to_json())
            .bind(at(now))
    }

    fn bury<'q>(&self, sid: &'q SessionId, until: Timestamp) -> Statement<'q> {
        sql(&self.statements.end)
            .bind(&sid.as_bytes()[..])
            .bind(i64::from(FORMAT))
            .bind(at(until))
    }
}

fn sql<'q>(statement: &Arc<str>) -> Statement<'q> {
    sqlx::query(AssertSqlSafe(statement.clone()))
}

/// ?1 to ?18.
fn bind_patch<'q>(
    statement: Statement<'q>,
    sid: &'q SessionId,
    now: Timestamp,
    parts: &'q Parts,
    remove: &'q str,
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
        // The hash that is replaced is the expected one.
        .bind(rotation.map(|rotation| [&rotation.expect[..], &rotation.wrapped].concat()))
        .bind(parts.confirm.map(|until| until.to_be_bytes().to_vec()))
        .bind(parts.absolute)
        .bind(parts.idle)
        .bind(parts.touch)
        .bind(parts.is_write)
        .bind(i64::from(FORMAT))
        .bind(i64::try_from(RECORD_LIMIT).unwrap_or(i64::MAX))
}

fn columns(row: &SqliteRow) -> Result<Columns> {
    Columns::from_row(row).map_err(|error| error::of(error, Phase::Nothing))
}

fn kept(row: &SqliteRow) -> Result<Kept> {
    columns(row)?.kept()
}
