//! A store that fails when it is told to.

use std::future::{Future, pending};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use sessile_core::{
    Applied, Candidate, Created, Error, ErrorKind, Guarantees, Loaded, Patch, Record, Result,
    SessionId, Store, SubjectCap, Text, Timestamp,
};

use crate::Operation;

/// Fails as a script says: to see what a program makes of a store that is away, slow, or answers
/// nonsense. Cheap to clone; the clones share store and script.
///
/// ```
/// use sessile_conformance::{Fault, FaultyStore, ModelStore, Operation};
/// use sessile_core::{ErrorKind, SessionId, Store as _, Timestamp};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let store = FaultyStore::new(ModelStore::new());
/// store.fail_nth(Operation::Load, 2, Fault::Unavailable);
/// let load = || async { store.load(&SessionId::random(), Timestamp::default()).await };
/// assert!(load().await.is_ok());
/// assert_eq!(load().await.unwrap_err().kind(), ErrorKind::Unavailable);
/// assert!(load().await.is_ok());
/// # });
/// ```
#[derive(Debug)]
pub struct FaultyStore<S> {
    inner: Arc<S>,
    script: Arc<Mutex<Vec<Entry>>>,
}

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It is made so much later, by the runtime's clock.
    Delay(Duration),
    /// It is not made, and fails with [`ErrorKind::Unavailable`].
    Unavailable,
    /// It is made, and its answer lost: it fails with [`ErrorKind::Unknown`].
    AnswerLost,
    /// It is made, and never answered.
    NeverAnswered,
    /// It is not made, and never answered.
    NeverMade,
    /// What is kept can't be read: it fails with [`ErrorKind::Corrupt`]. An end is made all the
    /// same; nothing else is.
    Corrupt,
    /// It is made, and the values of every record in its answer decode into nothing.
    Garbled,
}

/// A line of the script.
#[derive(Debug)]
struct Entry {
    operation: Operation,
    /// How many calls go well before; none is left when it is used up.
    after: Option<u64>,
    forever: bool,
    fault: Fault,
}

impl<S> FaultyStore<S> {
    /// This store, without a fault so far.
    pub fn new(inner: S) -> Self {
        FaultyStore {
            inner: Arc::new(inner),
            script: Arc::default(),
        }
    }

    /// The store behind it.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    /// The next call of this operation fails so, once.
    pub fn fail_next(&self, operation: Operation, fault: Fault) {
        self.fail_nth(operation, 1, fault);
    }

    /// The `nth` call of this operation from now on fails so, once; the next one is the first.
    pub fn fail_nth(&self, operation: Operation, nth: u64, fault: Fault) {
        self.add(operation, nth.saturating_sub(1), false, fault);
    }

    /// Every call of this operation fails so, until [`heal`](Self::heal).
    pub fn fail_all(&self, operation: Operation, fault: Fault) {
        self.add(operation, 0, true, fault);
    }

    /// Forgets the script: nothing fails any more.
    pub fn heal(&self) {
        self.lock(Vec::clear);
    }

    fn add(&self, operation: Operation, after: u64, forever: bool, fault: Fault) {
        let entry = Entry {
            operation,
            after: Some(after),
            forever,
            fault,
        };
        self.lock(|script| script.push(entry));
    }

    fn lock<T>(&self, work: impl FnOnce(&mut Vec<Entry>) -> T) -> T {
        work(&mut self.script.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What is to go wrong with this call. Of several lines that say so, the first counts.
    fn fault(&self, operation: Operation) -> Option<Fault> {
        self.lock(|script| {
            let mut fault = None;
            for entry in script
                .iter_mut()
                .filter(|entry| entry.operation == operation)
            {
                match entry.after {
                    Some(0) => {
                        fault = fault.or(Some(entry.fault));
                        entry.after = entry.forever.then_some(0);
                    }
                    Some(left) => entry.after = Some(left - 1),
                    None => {}
                }
            }
            script.retain(|entry| entry.after.is_some());
            fault
        })
    }

    async fn call<T: Answer>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let error = |kind, message| Err(Error::new(kind, message));
        match self.fault(operation) {
            None => call.await,
            Some(Fault::Delay(by)) => {
                tokio::time::sleep(by).await;
                call.await
            }
            Some(Fault::Unavailable) => error(ErrorKind::Unavailable, "the store is away"),
            Some(Fault::AnswerLost) => {
                call.await?;
                error(ErrorKind::Unknown, "the store's answer was lost")
            }
            Some(Fault::NeverAnswered) => {
                call.await?;
                pending().await
            }
            Some(Fault::NeverMade) => pending().await,
            Some(Fault::Corrupt) => {
                if operation == Operation::End {
                    call.await?;
                }
                error(ErrorKind::Corrupt, "what is kept can't be read")
            }
            Some(Fault::Garbled) => Ok(call.await?.garbled()),
        }
    }
}

impl<S> Clone for FaultyStore<S> {
    fn clone(&self) -> Self {
        FaultyStore {
            inner: self.inner.clone(),
            script: self.script.clone(),
        }
    }
}

#[async_trait]
impl<S: Store> Store for FaultyStore<S> {
    async fn create(
        &self,
        record: Arc<Record>,
        cap: Option<SubjectCap>,
        now: Timestamp,
    ) -> Result<Created> {
        let call = self.inner.create(record, cap, now);
        self.call(Operation::Create, call).await
    }

    async fn load(&self, sid: &SessionId, now: Timestamp) -> Result<Loaded> {
        self.call(Operation::Load, self.inner.load(sid, now)).await
    }

    async fn apply(&self, sid: &SessionId, now: Timestamp, patch: &Patch) -> Result<Applied> {
        let call = self.inner.apply(sid, now, patch);
        self.call(Operation::Apply, call).await
    }

    async fn end(
        &self,
        sid: &SessionId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Arc<Record>>> {
        let call = self.inner.end(sid, now, until);
        self.call(Operation::End, call).await
    }

    async fn list(&self, subject: &str, now: Timestamp) -> Result<Vec<Candidate>> {
        let call = self.inner.list(subject, now);
        self.call(Operation::List, call).await
    }

    async fn count(&self, now: Timestamp) -> Result<Option<u64>> {
        self.call(Operation::Count, self.inner.count(now)).await
    }

    async fn sweep(&self, now: Timestamp, limit: usize) -> Result<usize> {
        let call = self.inner.sweep(now, limit);
        self.call(Operation::Sweep, call).await
    }

    async fn ping(&self) -> Result<()> {
        self.call(Operation::Ping, self.inner.ping()).await
    }

    fn guarantees(&self) -> Guarantees {
        self.inner.guarantees()
    }
}

/// An answer of a store, whose records can be garbled.
trait Answer: Sized {
    fn garbled(self) -> Self {
        self
    }
}

impl Answer for () {}
impl Answer for usize {}
impl Answer for Option<u64> {}
impl Answer for Created {}

impl Answer for Arc<Record> {
    fn garbled(self) -> Self {
        let mut record = (*self).clone();
        let garbled = |name: &sessile_core::Name| (name.clone(), Text::from_encoded("\u{fffd}"));
        record.data = self.data.iter().map(|(name, _)| garbled(name)).collect();
        record.into()
    }
}

impl Answer for Option<Arc<Record>> {
    fn garbled(self) -> Self {
        self.map(Answer::garbled)
    }
}

impl Answer for Loaded {
    fn garbled(self) -> Self {
        match self {
            Loaded::Live(record) => Loaded::Live(record.garbled()),
            other => other,
        }
    }
}

impl Answer for Applied {
    fn garbled(self) -> Self {
        match self {
            Applied::Applied { version, record } => Applied::Applied {
                version,
                record: record.garbled(),
            },
            Applied::Conflict(record) => Applied::Conflict(record.garbled()),
            Applied::Gone => Applied::Gone,
        }
    }
}

impl Answer for Vec<Candidate> {
    fn garbled(mut self) -> Self {
        for candidate in &mut self {
            candidate.record = candidate.record.take().garbled();
        }
        self
    }
}
