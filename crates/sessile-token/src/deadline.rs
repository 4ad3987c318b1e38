//! A store each of whose calls has a deadline: nobody waits for one that hangs.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sessile_core::{
    Applied, Candidate, Created, Error, ErrorKind, Guarantees, Loaded, Patch, Record, Result,
    SessionId, Store, SubjectCap, Timestamp,
};
use tokio::time::timeout;

/// A read that took too long did nothing, so it is [`Unavailable`](ErrorKind::Unavailable); a
/// write may have been done, so it is [`Unknown`](ErrorKind::Unknown).
#[derive(Clone, Debug)]
pub(crate) struct Timely {
    store: Arc<dyn Store>,
    pub(crate) deadline: Duration,
}

impl Timely {
    /// What every call gets unless another deadline is asked for.
    pub(crate) const DEADLINE: Duration = Duration::from_secs(2);

    pub(crate) fn new(store: impl Store) -> Self {
        Timely {
            store: Arc::new(store),
            deadline: Timely::DEADLINE,
        }
    }

    async fn read<T>(&self, call: impl Future<Output = Result<T>>) -> Result<T> {
        self.within(ErrorKind::Unavailable, call).await
    }

    async fn write<T>(&self, call: impl Future<Output = Result<T>>) -> Result<T> {
        self.within(ErrorKind::Unknown, call).await
    }

    async fn within<T>(&self, late: ErrorKind, call: impl Future<Output = Result<T>>) -> Result<T> {
        timeout(self.deadline, call).await.unwrap_or_else(|_| {
            let message = format!("the store did not answer within {:?}", self.deadline);
            Err(Error::new(late, message))
        })
    }
}

#[async_trait]
impl Store for Timely {
    async fn create(
        &self,
        record: Arc<Record>,
        cap: Option<SubjectCap>,
        now: Timestamp,
    ) -> Result<Created> {
        self.write(self.store.create(record, cap, now)).await
    }

    async fn load(&self, sid: &SessionId, now: Timestamp) -> Result<Loaded> {
        self.read(self.store.load(sid, now)).await
    }

    async fn apply(&self, sid: &SessionId, now: Timestamp, patch: &Patch) -> Result<Applied> {
        self.write(self.store.apply(sid, now, patch)).await
    }

    async fn end(
        &self,
        sid: &SessionId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Arc<Record>>> {
        self.write(self.store.end(sid, now, until)).await
    }

    async fn list(&self, subject: &str, now: Timestamp) -> Result<Vec<Candidate>> {
        self.read(self.store.list(subject, now)).await
    }

    async fn count(&self, now: Timestamp) -> Result<Option<u64>> {
        self.read(self.store.count(now)).await
    }

    async fn sweep(&self, now: Timestamp, limit: usize) -> Result<usize> {
        self.write(self.store.sweep(now, limit)).await
    }

    async fn ping(&self) -> Result<()> {
        self.read(self.store.ping()).await
    }

    fn guarantees(&self) -> Guarantees {
        self.store.guarantees()
    }
}
