//! The table as a store.

use std::sync::Arc;

use async_trait::async_trait;
use sessile_core::{
    Applied, Candidate, Created, Guarantees, Loaded, Outcome, Patch, RECORD_LIMIT, Record, Result,
    SessionId, Store, SubjectCap, Timestamp,
};

use crate::{Capacity, Table};

/// A [`Table`] as a [`Store`]: for tests, and for a service of one process. Cheap to clone; the
/// clones share the table.
#[derive(Clone, Debug)]
pub struct MemoryStore {
    table: Arc<Table>,
}

impl MemoryStore {
    /// An empty store of this capacity.
    pub fn new(capacity: Capacity) -> Self {
        MemoryStore {
            table: Arc::new(Table::new(capacity)),
        }
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        MemoryStore::new(Capacity::default())
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn create(
        &self,
        record: Arc<Record>,
        cap: Option<SubjectCap>,
        now: Timestamp,
    ) -> Result<Created> {
        Ok(self.table.create(record, cap, now))
    }

    async fn load(&self, sid: &SessionId, now: Timestamp) -> Result<Loaded> {
        Ok(self.table.load(sid, now))
    }

    async fn apply(&self, sid: &SessionId, now: Timestamp, patch: &Patch) -> Result<Applied> {
        Ok(match self.table.apply(sid, now, patch)? {
            Outcome::Applied(record) => Applied::Applied {
                version: record.version,
                record: Some(record),
            },
            Outcome::Conflict(record) | Outcome::Retry(record, _) => Applied::Conflict(record),
            Outcome::Gone => Applied::Gone,
        })
    }

    async fn end(
        &self,
        sid: &SessionId,
        _now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Arc<Record>>> {
        Ok(self.table.end(sid, until))
    }

    async fn list(&self, subject: &str, now: Timestamp) -> Result<Vec<Candidate>> {
        Ok(self.table.list(subject, now))
    }

    async fn count(&self, now: Timestamp) -> Result<Option<u64>> {
        Ok(Some(self.table.count(now)))
    }

    async fn sweep(&self, now: Timestamp, limit: usize) -> Result<usize> {
        Ok(self.table.sweep(now, limit))
    }

    async fn ping(&self) -> Result<()> {
        Ok(())
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees::volatile(RECORD_LIMIT)
    }
}
