//! The strategy: one call to the store for each operation, each within its deadline.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use sessile_core::{
    Applied, Arrival, Candidate, Created, Credential, Error, ErrorKind, Found, Guarantees, KeyRing,
    Loaded, OnReuse, Opened, Outcome, Patch, Patched, Presented, Record, Result, SessionId, Step,
    Store, Strategy, SubjectCap, TOMBSTONE, Timestamp, Turn, Verifier,
};
use tokio::time::timeout;

use super::ErrorPolicy;
use super::turns::{Place, Turns};
use super::wire::Wire;

/// Sessions in a store: Redis, PostgreSQL, MySQL, SQLite, or yours.
///
/// **Promises**: a logout or revocation holds from the next request on, on every node; writes are
/// merged by key and updates are exact, whichever node makes them; a restart ends no session.
/// **Costs**: a call to the store for a request that reads its session, and one more if it writes.
/// What an acknowledged write survives is the store's to say:
/// [`Sessions::guarantees`](crate::Sessions::guarantees).
///
/// Every call has a [deadline](Stored::deadline). It needs a Tokio runtime with its timer, as the
/// stores do.
///
/// ```
/// use sessile::{MemoryStore, SessionLayer, Stored};
///
/// let layer = SessionLayer::new(Stored::new(MemoryStore::default()));
/// # let _ = layer;
/// ```
#[derive(Debug)]
pub struct Stored {
    calls: Calls,
    wire: Wire,
    cap: Option<SubjectCap>,
    turns: Arc<Turns>,
}

impl Stored {
    /// Sessions in this store.
    pub fn new(store: impl Store) -> Self {
        Stored {
            calls: Calls {
                store: Arc::new(store),
                deadline: Duration::from_secs(2),
                errors: ErrorPolicy::default(),
                on_reuse: OnReuse::default(),
            },
            wire: Wire::default(),
            cap: None,
            turns: Arc::default(),
        }
    }

    /// Tags credentials with these keys, so that what nobody here has made is refused without a
    /// call to the store. All nodes need the same. Credentials made without keys are not accepted
    /// any more.
    #[must_use]
    pub fn keys(mut self, ring: KeyRing) -> Self {
        self.wire = Wire::tagged(ring);
        self
    }

    /// How long the store may take to answer, and how long a commit starts over while others
    /// change what its updates had read. Beyond the first a read is `Unavailable` and a write
    /// `Unknown`, beyond the second an update is a `Conflict`. Default: 2 seconds.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.calls.deadline = deadline;
        self
    }

    /// What becomes of a request while the store is away. Default: it fails.
    #[must_use]
    pub fn errors(mut self, policy: ErrorPolicy) -> Self {
        self.calls.errors = policy;
        self
    }

    /// How many live sessions one subject may have. Default: any number.
    #[must_use]
    pub fn sessions_per_subject(mut self, cap: SubjectCap) -> Self {
        self.cap = Some(cap);
        self
    }

    /// What happens when a renewed credential is used after its grace. Default: the session ends.
    #[must_use]
    pub fn on_reuse(mut self, on_reuse: OnReuse) -> Self {
        self.calls.on_reuse = on_reuse;
        self
    }
}

impl Strategy for Stored {
    fn open(&self, presented: &Presented<'_>, now: Timestamp) -> Step<Result<Opened>> {
        let credential = self.wire.read(presented.text, presented.carrier, now);
        let Some(credential) = credential else {
            return Step::ready(Ok(Opened::nothing(Arrival::Unknown)));
        };
        let (calls, arrived) = (self.calls.clone(), presented.arrived);
        Step::wait(async move { calls.open(credential, arrived, now).await })
    }

    fn create(&self, record: Arc<Record>, now: Timestamp) -> Step<Result<Created>> {
        let (calls, cap) = (self.calls.clone(), self.cap);
        Step::wait(async move { calls.write(calls.store.create(record, cap, now)).await })
    }

    fn apply(
        &self,
        record: &Arc<Record>,
        patch: &Patch,
        turn: Option<Turn>,
        now: Timestamp,
    ) -> Step<Result<Outcome>> {
        let (calls, record, patch) = (self.calls.clone(), record.clone(), patch.clone());
        if patch.expects().is_empty() {
            return Step::wait(async move { calls.apply(&record, &patch, now).await });
        }
        let (turns, place) = (self.turns.clone(), turn.and_then(Turn::into_inner));
        Step::wait(async move {
            let place = match place {
                Some(place) => place,
                None => calls.wait(turns, record.sid).await?,
            };
            calls.apply_in_turn(place, &record, &patch, now).await
        })
    }

    fn end(
        &self,
        sid: SessionId,
        now: Timestamp,
        until: Timestamp,
    ) -> Step<Result<Option<Arc<Record>>>> {
        let calls = self.calls.clone();
        Step::wait(async move { calls.write(calls.store.end(&sid, now, until)).await })
    }

    fn reload(&self, record: &Arc<Record>, now: Timestamp) -> Step<Result<Option<Arc<Record>>>> {
        let (calls, sid) = (self.calls.clone(), record.sid);
        Step::wait(async move {
            Ok(match calls.read(calls.store.load(&sid, now)).await? {
                Loaded::Live(record) => Some(record),
                _ => None,
            })
        })
    }

    fn issue(&self, record: &Record, verifier: &Verifier, carrier: &str) -> Result<String> {
        let (sid, verifier) = (record.sid, verifier.clone());
        Ok(self.wire.write(&Credential { sid, verifier }, carrier))
    }

    fn guarantees(&self) -> Guarantees {
        self.calls.store.guarantees()
    }

    fn deadline(&self) -> Duration {
        self.calls.deadline
    }

    fn list(&self, subject: &str, now: Timestamp) -> Step<Result<Vec<Candidate>>> {
        let (calls, subject) = (self.calls.clone(), subject.to_owned());
        Step::wait(async move { calls.read(calls.store.list(&subject, now)).await })
    }

    fn count(&self, now: Timestamp) -> Step<Result<Option<u64>>> {
        let calls = self.calls.clone();
        Step::wait(async move { calls.read(calls.store.count(now)).await })
    }

    fn ping(&self) -> Step<Result<()>> {
        let calls = self.calls.clone();
        Step::wait(async move { calls.read(calls.store.ping()).await })
    }

    fn sweep(&self, now: Timestamp) -> Step<Result<u64>> {
        let calls = self.calls.clone();
        Step::wait(async move { calls.sweep(now).await })
    }
}

/// The store, and how it is asked.
#[derive(Clone, Debug)]
struct Calls {
    store: Arc<dyn Store>,
    deadline: Duration,
    errors: ErrorPolicy,
    on_reuse: OnReuse,
}

impl Calls {
    async fn open(
        &self,
        credential: Credential,
        arrived: Timestamp,
        now: Timestamp,
    ) -> Result<Opened> {
        let record = match self.read(self.store.load(&credential.sid, now)).await {
            Ok(Loaded::Live(record)) => record,
            Ok(Loaded::Expired) => return Ok(Opened::nothing(Arrival::Expired)),
            Ok(Loaded::Ended) => return Ok(Opened::nothing(Arrival::Ended)),
            Ok(Loaded::Absent) => return Ok(Opened::nothing(Arrival::Unknown)),
            Err(error) if self.forgives(&error) => {
                return Ok(Opened::nothing(Arrival::Unavailable));
            }
            Err(error) => return Err(error),
        };
        let mut opened = Opened::judged(record, credential, arrived);
        if let (Found::Reuse(sid), OnReuse::End) = (&opened.found, self.on_reuse) {
            self.write(self.store.end(sid, now, now.after(TOMBSTONE)))
                .await?;
            opened.arrival = Arrival::Ended;
        }
        Ok(opened)
    }

    async fn apply(&self, record: &Arc<Record>, patch: &Patch, now: Timestamp) -> Result<Outcome> {
        let applied = match self.write(self.store.apply(&record.sid, now, patch)).await {
            // Nothing of the handler's is lost with it, and the next request notes its use. In this
            // one's view it is noted, or the commit would not come to an end.
            Err(error) if patch.is_note() && self.forgives(&error) => {
                return Ok(match patch.apply_to(record, now)? {
                    Patched::Applied(noted) => Outcome::Applied(Arc::new(noted)),
                    Patched::Conflict | Patched::Gone => Outcome::Gone,
                });
            }
            applied => applied?,
        };
        Ok(match applied {
            Applied::Applied {
                record: Some(record),
                ..
            } => Outcome::Applied(record),
            Applied::Applied { version, .. } => self.own_view(record, patch, version, now).await?,
            Applied::Conflict(record) => Outcome::Conflict(record),
            Applied::Gone => Outcome::Gone,
        })
    }

    /// The record after a patch that met its base: what was read, with the patch.
    async fn own_view(
        &self,
        record: &Arc<Record>,
        patch: &Patch,
        version: u64,
        now: Timestamp,
    ) -> Result<Outcome> {
        if record.version == patch.base()
            && let Patched::Applied(next) = patch.apply_to(record, now)?
            && next.version == version
        {
            return Ok(Outcome::Applied(Arc::new(next)));
        }
        // It was read at another version than the patch is based on, so this is not it.
        Ok(match self.read(self.store.load(&record.sid, now)).await? {
            Loaded::Live(record) => Outcome::Applied(record),
            _ => Outcome::Gone,
        })
    }

    async fn wait(&self, turns: Arc<Turns>, sid: SessionId) -> Result<Place> {
        timeout(self.deadline, turns.wait(sid)).await.map_err(|_| {
            let message = "others kept changing this session until the deadline";
            Error::new(ErrorKind::Conflict, message)
        })
    }

    /// Applies a patch that rests on what it read, after those that came before it. Refused, it
    /// keeps its place.
    async fn apply_in_turn(
        &self,
        mut place: Place,
        record: &Arc<Record>,
        patch: &Patch,
        now: Timestamp,
    ) -> Result<Outcome> {
        // The store would say the same, a round trip later.
        if let Some(left) = place.left().filter(|left| left.version > record.version)
            && matches!(patch.apply_to(left, now), Ok(Patched::Conflict))
        {
            return Ok(Outcome::Retry(left.clone(), Turn::new(place)));
        }
        match self.apply(record, patch, now).await? {
            Outcome::Conflict(record) => {
                place.leave(&record);
                Ok(Outcome::Retry(record, Turn::new(place)))
            }
            outcome => {
                if let Outcome::Applied(record) = &outcome {
                    place.leave(record);
                }
                Ok(outcome)
            }
        }
    }

    async fn sweep(&self, now: Timestamp) -> Result<u64> {
        /// Few enough that a batch takes milliseconds and nobody waits behind it.
        const BATCH: usize = 1000;
        let mut swept = 0;
        loop {
            let batch = self.write(self.store.sweep(now, BATCH)).await?;
            swept += batch as u64;
            if batch < BATCH {
                return Ok(swept);
            }
        }
    }

    /// A read that took too long did nothing.
    async fn read<T>(&self, call: impl Future<Output = Result<T>>) -> Result<T> {
        self.within(ErrorKind::Unavailable, call).await
    }

    /// A write that took too long may have been done.
    async fn write<T>(&self, call: impl Future<Output = Result<T>>) -> Result<T> {
        self.within(ErrorKind::Unknown, call).await
    }

    async fn within<T>(&self, late: ErrorKind, call: impl Future<Output = Result<T>>) -> Result<T> {
        timeout(self.deadline, call).await.unwrap_or_else(|_| {
            let message = format!("the store did not answer within {:?}", self.deadline);
            Err(Error::new(late, message))
        })
    }

    /// Whether the request goes on all the same.
    fn forgives(&self, error: &Error) -> bool {
        self.errors == ErrorPolicy::AnonymousReads
            && matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Unknown)
    }
}
