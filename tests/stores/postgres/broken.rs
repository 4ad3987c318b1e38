//! Two stores over PostgreSQL that are wrong, so that the tests show that they would see it.
//!
//! Both put the patch's expectation into the `WHERE` of the `UPDATE`, which is how one would write
//! it. Everything else is the right store's, and so are patches that do more than to write data on
//! an expectation.

use std::sync::Arc;

use async_trait::async_trait;
use sessile_core::encoding::to_json;
use sessile_core::{
    Applied, Candidate, Created, Data, Error, ErrorKind, Guarantees, Loaded, Patch, Record, Result,
    SessionId, Store, SubjectCap, Timestamp,
};
use sessile_sql::PostgresStore;
use sqlx::{AssertSqlSafe, Row as _};

/// How the expectation is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expectation {
    /// As `NOT EXISTS`, which is planned as an anti-join: when the row was changed while the
    /// statement waited for it, the expectation is checked again with the row as it was before.
    /// Loses acknowledged writes.
    AntiJoin,
    /// As a sub-plan, which is checked with the new row. But why nothing was updated is then asked
    /// of the state from before the wait: the conflict that it returns is old, and a session that
    /// ended is a conflict too.
    SubPlan,
}

/// A store whose `apply` is wrong.
#[derive(Debug)]
pub(super) struct BrokenPostgres {
    store: PostgresStore,
    apply: String,
}

impl BrokenPostgres {
    /// On the tables of a right one, with this prefix.
    pub(super) fn new(store: PostgresStore, prefix: &str, expectation: Expectation) -> Self {
        let met = match expectation {
            Expectation::AntiJoin => {
                "NOT EXISTS (SELECT 1 FROM jsonb_each_text($3::text::jsonb) e
                  WHERE s.data ->> e.key IS DISTINCT FROM e.value)"
            }
            Expectation::SubPlan => {
                "(SELECT coalesce(bool_and(s.data ->> e.key IS NOT DISTINCT FROM e.value), true)
                  FROM jsonb_each_text($3::text::jsonb) e)"
            }
        };
        let live =
            "sid = $1 AND ended_until IS NULL AND idle_deadline > $2 AND absolute_deadline > $2";
        let apply = format!(
            "WITH upd AS (
              UPDATE {prefix}sessions s SET
                data = ((CASE WHEN $4 THEN '{{}}'::jsonb ELSE s.data END) - $5::text[]) || $6::text::jsonb,
                version = version + $7
              WHERE {live} AND version >= $8 AND {met}
              RETURNING 'applied'::text, version, data::text)
            SELECT * FROM upd
            UNION ALL
            SELECT 'conflict', version, data::text FROM {prefix}sessions
            WHERE {live} AND NOT EXISTS (SELECT 1 FROM upd)"
        );
        BrokenPostgres { store, apply }
    }
}

#[async_trait]
impl Store for BrokenPostgres {
    async fn apply(&self, sid: &SessionId, now: Timestamp, patch: &Patch) -> Result<Applied> {
        if !is_plain(patch) {
            return self.store.apply(sid, now, patch).await;
        }
        let removes: Vec<_> = patch.removes().iter().map(|name| name.as_str()).collect();
        let row = sqlx::query(AssertSqlSafe(self.apply.clone()))
            .bind(&sid.as_bytes()[..])
            .bind(now.as_millis() as i64)
            .bind(to_json(
                patch
                    .expects()
                    .iter()
                    .map(|(name, text)| (name, text.as_ref())),
            ))
            .bind(patch.clears())
            .bind(removes)
            .bind(to_json(
                patch.sets().iter().map(|(name, text)| (name, Some(text))),
            ))
            .bind(i64::from(patch.is_write()))
            .bind(patch.base() as i64)
            .fetch_optional(self.store.pool())
            .await
            .map_err(|error| Error::new(ErrorKind::Unknown, "broken").with_source(error))?;
        let Some(row) = row else {
            return Ok(Applied::Gone);
        };
        let version = row.get::<i64, _>(1) as u64;
        if row.get::<&str, _>(0) == "applied" {
            // The rest is as it was, or somebody else's.
            return Ok(match self.store.load(sid, now).await? {
                Loaded::Live(record) => {
                    let mut record = (*record).clone();
                    record.version = version;
                    record.data = Data::from_json(row.get(2))?;
                    Applied::Applied {
                        version,
                        record: Some(Arc::new(record)),
                    }
                }
                _ => Applied::Gone,
            });
        }
        // With what the statement saw. It did not see the rest, which is not what is wrong.
        let mut record = match self.store.load(sid, now).await? {
            Loaded::Live(record) => (*record).clone(),
            _ => Record::blank(*sid, sessile_core::VerifierHash::from_bytes([0; 32])),
        };
        record.version = version;
        record.data = Data::from_json(row.get(2))?;
        Ok(Applied::Conflict(Arc::new(record)))
    }

    async fn create(
        &self,
        record: Arc<Record>,
        cap: Option<SubjectCap>,
        now: Timestamp,
    ) -> Result<Created> {
        self.store.create(record, cap, now).await
    }

    async fn load(&self, sid: &SessionId, now: Timestamp) -> Result<Loaded> {
        self.store.load(sid, now).await
    }

    async fn end(
        &self,
        sid: &SessionId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Arc<Record>>> {
        self.store.end(sid, now, until).await
    }

    async fn list(&self, subject: &str, now: Timestamp) -> Result<Vec<Candidate>> {
        self.store.list(subject, now).await
    }

    async fn count(&self, now: Timestamp) -> Result<Option<u64>> {
        self.store.count(now).await
    }

    async fn sweep(&self, now: Timestamp, limit: usize) -> Result<usize> {
        self.store.sweep(now, limit).await
    }

    async fn ping(&self) -> Result<()> {
        self.store.ping().await
    }

    fn guarantees(&self) -> Guarantees {
        self.store.guarantees()
    }
}

/// Whether it writes data on an expectation, and small data, and does nothing else.
fn is_plain(patch: &Patch) -> bool {
    !patch.expects().is_empty()
        && !patch.accepts_older()
        && patch.rotation().is_none()
        && patch.new_lifetime().is_none()
        && patch.touched().is_none()
        && patch.confirmed().is_none()
        && patch
            .sets()
            .iter()
            .all(|(_, text)| text.as_str().len() < 1000)
}
