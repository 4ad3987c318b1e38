//! The strategy: one call to the store for each operation.

use std::sync::Arc;
use std::time::Duration;

use sessile_core::{
    Arrival, Candidate, Claim, Created, Credential, Error, ErrorKind, Found, Guarantees, KeyRing,
    Loaded, OnReuse, Opened, Outcome, Patch, Patched, Presented, Record, Result, SessionId, Step,
    Store, Strategy, SubjectCap, TOMBSTONE, Timestamp, Turn, Verifier,
};
use sessile_memory::Calls;

use super::ErrorPolicy;
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
    asked: Asked,
    wire: Wire,
    cap: Option<SubjectCap>,
}

impl Stored {
    /// Sessions in this store.
    pub fn new(store: impl Store) -> Self {
        Stored {
            asked: Asked {
                calls: Calls::new(store),
                errors: ErrorPolicy::default(),
                on_reuse: OnReuse::default(),
            },
            wire: Wire::default(),
            cap: None,
        }
    }

    /// Tags credentials with these keys, so that what nobody here has made is refused without a
    /// call to the store. All nodes need the same. Credentials made without keys are not accepted
    /// any more.
    #[must_use]
    pub fn keys(mut self, ring: KeyRing) -> Self {
        self.wire.tag(ring);
        self
    }

    /// Accepts credentials without a tag, too, as they were made before there were
    /// [`keys`](Self::keys): so that keys can be added and nobody is logged out. Until it is taken
    /// out again what nobody here has made may cost a call to the store.
    #[must_use]
    pub fn untagged_too(mut self) -> Self {
        self.wire.untagged_too();
        self
    }

    /// How long the store may take to answer one call, and how long an update waits for its turn
    /// among those of its session in this process. Beyond the first a read is `Unavailable` and a
    /// write `Unknown`, beyond the second an update is a `Conflict`. It bounds no whole request,
    /// which may make several calls, each with this deadline. Default: 2 seconds.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.asked.calls.set_deadline(deadline);
        self
    }

    /// What becomes of a request while the store is away. Default: it fails.
    #[must_use]
    pub fn errors(mut self, policy: ErrorPolicy) -> Self {
        self.asked.errors = policy;
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
        self.asked.on_reuse = on_reuse;
        self
    }
}

impl Strategy for Stored {
    fn open(&self, presented: &Presented<'_>, now: Timestamp) -> Step<Result<Opened>> {
        let credential = self.wire.read(presented.text, presented.carrier, now);
        let Some(credential) = credential else {
            return Step::ready(Ok(Opened::nothing(Arrival::Unknown)));
        };
        let (asked, arrived) = (self.asked.clone(), presented.arrived);
        Step::wait(async move { asked.open(credential, arrived, now).await })
    }

    fn create(&self, record: Arc<Record>, now: Timestamp) -> Step<Result<Created>> {
        let (calls, cap) = (self.asked.calls.clone(), self.cap);
        Step::wait(async move { calls.create(record, cap, now).await })
    }

    fn apply(
        &self,
        record: &Arc<Record>,
        patch: &Patch,
        turn: Option<Turn>,
        now: Timestamp,
    ) -> Step<Result<Outcome>> {
        let (asked, record, patch) = (self.asked.clone(), record.clone(), patch.clone());
        Step::wait(async move { asked.apply(record, &patch, turn, now).await })
    }

    fn end(
        &self,
        sid: SessionId,
        now: Timestamp,
        until: Timestamp,
    ) -> Step<Result<Option<Arc<Record>>>> {
        let calls = self.asked.calls.clone();
        Step::wait(async move { calls.end(&sid, now, until).await })
    }

    fn reload(&self, record: &Arc<Record>, now: Timestamp) -> Step<Result<Option<Arc<Record>>>> {
        let (calls, sid) = (self.asked.calls.clone(), record.sid);
        Step::wait(async move {
            Ok(match calls.load(&sid, now).await? {
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
        self.asked.calls.guarantees()
    }

    fn deadline(&self) -> Duration {
        self.asked.calls.deadline()
    }

    fn list(&self, subject: &str, now: Timestamp) -> Step<Result<Vec<Candidate>>> {
        let (calls, subject) = (self.asked.calls.clone(), subject.to_owned());
        Step::wait(async move { calls.list(&subject, now).await })
    }

    fn count(&self, now: Timestamp) -> Step<Result<Option<u64>>> {
        let calls = self.asked.calls.clone();
        Step::wait(async move { calls.count(now).await })
    }

    fn ping(&self) -> Step<Result<()>> {
        let calls = self.asked.calls.clone();
        Step::wait(async move { calls.ping().await })
    }

    fn sweep(&self, now: Timestamp) -> Step<Result<u64>> {
        let calls = self.asked.calls.clone();
        Step::wait(async move { calls.sweep(now).await })
    }

    fn claim(&self, presented: &Presented<'_>, now: Timestamp) -> Option<Claim> {
        let credential = self.wire.read(presented.text, presented.carrier, now)?;
        Some(Claim {
            sid: credential.sid,
            hash: Some(credential.verifier.hash()),
        })
    }

    fn ledger(&self) -> Option<Arc<dyn Store>> {
        Some(self.asked.calls.store().clone())
    }
}

/// The store, and what becomes of a request by what it answers.
#[derive(Clone, Debug)]
struct Asked {
    calls: Calls,
    errors: ErrorPolicy,
    on_reuse: OnReuse,
}

impl Asked {
    async fn open(
        &self,
        credential: Credential,
        arrived: Timestamp,
        now: Timestamp,
    ) -> Result<Opened> {
        let record = match self.calls.load(&credential.sid, now).await {
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
            self.calls.end(sid, now, now.after(TOMBSTONE)).await?;
            opened.arrival = Arrival::Ended;
        }
        Ok(opened)
    }

    async fn apply(
        &self,
        record: Arc<Record>,
        patch: &Patch,
        turn: Option<Turn>,
        now: Timestamp,
    ) -> Result<Outcome> {
        match self.calls.apply(&record, patch, turn, now).await {
            // Nothing of the handler's is lost with it, and the next request notes its use. In this
            // one's view it is noted, or the commit would not come to an end.
            Err(error) if patch.is_note() && self.forgives(&error) => {
                Ok(match patch.apply_to(&record, now)? {
                    Patched::Applied(noted) => Outcome::Applied(Arc::new(noted)),
                    Patched::Conflict | Patched::Gone => Outcome::Gone,
                })
            }
            applied => applied,
        }
    }

    /// Whether the request goes on all the same.
    fn forgives(&self, error: &Error) -> bool {
        self.errors == ErrorPolicy::AnonymousReads
            && matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Unknown)
    }
}
