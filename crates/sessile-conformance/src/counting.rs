//! A store that counts what is asked of it.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use sessile_core::{
    Applied, Candidate, Created, Guarantees, Loaded, Patch, Record, Result, SessionId, Store,
    SubjectCap, Timestamp,
};

use crate::Operation;

/// Counts the calls to a store: to hold a program to its budget. Cheap to clone; the clones count
/// together, so that one is given away and another one asked.
///
/// ```
/// use sessile_conformance::{CountingStore, ModelStore, Operation};
/// use sessile_core::{SessionId, Store as _, Timestamp};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let store = CountingStore::new(ModelStore::new());
/// let given_away = store.clone();
/// given_away.load(&SessionId::random(), Timestamp::default()).await?;
/// assert_eq!(store.calls(Operation::Load), 1);
/// assert_eq!(store.total(), 1);
/// # Ok::<(), sessile_core::Error>(()) }).unwrap();
/// ```
#[derive(Debug)]
pub struct CountingStore<S> {
    inner: Arc<S>,
    calls: Arc<[AtomicU64; Operation::ALL.len()]>,
}

impl<S> CountingStore<S> {
    /// Counts the calls to this store, which begin at 0.
    pub fn new(inner: S) -> Self {
        CountingStore {
            inner: Arc::new(inner),
            calls: Arc::default(),
        }
    }

    /// The store behind it.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    /// How often an operation was called, whatever became of it.
    pub fn calls(&self, operation: Operation) -> u64 {
        self.calls[operation as usize].load(Ordering::SeqCst)
    }

    /// How many calls there were altogether.
    pub fn total(&self) -> u64 {
        Operation::ALL
            .map(|operation| self.calls(operation))
            .iter()
            .sum()
    }

    /// Begins at 0 again.
    pub fn reset(&self) {
        for calls in self.calls.iter() {
            calls.store(0, Ordering::SeqCst);
        }
    }

    async fn counted<T>(&self, operation: Operation, call: impl Future<Output = T>) -> T {
        self.calls[operation as usize].fetch_add(1, Ordering::SeqCst);
        call.await
    }
}

impl<S> Clone for CountingStore<S> {
    fn clone(&self) -> Self {
        CountingStore {
            inner: self.inner.clone(),
            calls: self.calls.clone(),
        }
    }
}

#[async_trait]
impl<S: Store> Store for CountingStore<S> {
    async fn create(
        &self,
        record: Arc<Record>,
        cap: Option<SubjectCap>,
        now: Timestamp,
    ) -> Result<Created> {
        let call = self.inner.create(record, cap, now);
        self.counted(Operation::Create, call).await
    }

    async fn load(&self, sid: &SessionId, now: Timestamp) -> Result<Loaded> {
        let call = self.inner.load(sid, now);
        self.counted(Operation::Load, call).await
    }

    async fn apply(&self, sid: &SessionId, now: Timestamp, patch: &Patch) -> Result<Applied> {
        let call = self.inner.apply(sid, now, patch);
        self.counted(Operation::Apply, call).await
    }

    async fn end(
        &self,
        sid: &SessionId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Arc<Record>>> {
        let call = self.inner.end(sid, now, until);
        self.counted(Operation::End, call).await
    }

    async fn list(&self, subject: &str, now: Timestamp) -> Result<Vec<Candidate>> {
        let call = self.inner.list(subject, now);
        self.counted(Operation::List, call).await
    }

    async fn count(&self, now: Timestamp) -> Result<Option<u64>> {
        self.counted(Operation::Count, self.inner.count(now)).await
    }

    async fn sweep(&self, now: Timestamp, limit: usize) -> Result<usize> {
        let call = self.inner.sweep(now, limit);
        self.counted(Operation::Sweep, call).await
    }

    async fn ping(&self) -> Result<()> {
        self.counted(Operation::Ping, self.inner.ping()).await
    }

    fn guarantees(&self) -> Guarantees {
        self.inner.guarantees()
    }
}
