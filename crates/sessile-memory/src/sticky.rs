//! The strategy `sticky`: the session is in this process.

use std::sync::Arc;

use sessile_core::{
    Arrival, Candidate, Created, Credential, Error, ErrorKind, Found, Guarantees, KeyRing,
    Lifetime, Loaded, OnReuse, Opened, Outcome, Patch, Presented, RECORD_LIMIT, Record, Result,
    SessionId, Step, Strategy, SubjectCap, TOMBSTONE, Timestamp, Turn, Verifier,
};

use crate::sync::{AtomicU64, Ordering};
use crate::wire::{NO_NODE, Signer, Wire};
use crate::{Capacity, StickyBuilder, Table};

/// Sessions in the memory of this process.
///
/// **Promises**: a logout or revocation holds from the next request on; writes are merged by key
/// and updates are exact, across all clones of the layer in this process. **Costs**: sessions end
/// with the process, and only this process can serve them.
///
/// ```
/// use sessile_memory::{Capacity, Sticky};
///
/// let strategy = Sticky::new().capacity(Capacity::sessions(200_000));
/// ```
#[derive(Debug)]
pub struct Sticky {
    table: Arc<Table>,
    signer: Signer,
    cap: Option<SubjectCap>,
    on_reuse: OnReuse,
    // When the first layer was built over this strategy, and the idle time it was told.
    started: AtomicU64,
    idle: AtomicU64,
}

impl Sticky {
    /// Sessions of one process, with a random key: no credential outlives it.
    pub fn new() -> Self {
        Sticky {
            table: Arc::new(Table::new(Capacity::default())),
            signer: Signer::new(KeyRing::random(), NO_NODE),
            cap: None,
            on_reuse: OnReuse::default(),
            started: AtomicU64::new(0),
            idle: AtomicU64::new(0),
        }
    }

    /// Sessions of one of several nodes. The label is what balancers route on: 1 to 16 of `a-z`
    /// and `0-9`, and not `0`, which is nobody's.
    pub fn node(label: impl Into<String>) -> StickyBuilder {
        StickyBuilder::new(label)
    }

    /// How much the table holds. Default: a million sessions, 1 GiB.
    #[must_use]
    pub fn capacity(mut self, capacity: Capacity) -> Self {
        self.table = Arc::new(Table::new(capacity));
        self
    }

    /// Signs credentials with these keys. After a restart with the same keys, a client whose
    /// session went with the old process arrives as `Lost` and not as a stranger.
    #[must_use]
    pub fn keys(mut self, ring: KeyRing) -> Self {
        self.signer = Signer::new(ring, NO_NODE);
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
        self.on_reuse = on_reuse;
        self
    }

    /// The sessions, for figures such as [`Table::evicted`].
    pub fn table(&self) -> Arc<Table> {
        self.table.clone()
    }

    pub(crate) fn with(self, signer: Signer, cap: Option<SubjectCap>, on_reuse: OnReuse) -> Self {
        Sticky {
            signer,
            cap,
            on_reuse,
            ..self
        }
    }

    pub(crate) fn signer(&self) -> &Signer {
        &self.signer
    }

    fn find(&self, presented: &Presented<'_>, now: Timestamp) -> Opened {
        let Some(wire) = Wire::parse(presented.text, self.signer.node()) else {
            return Opened::nothing(Arrival::Unknown);
        };
        // The tag is only worth its price where nothing else decides: a verifier that matches a
        // live record's hash was made by us.
        let ours = || self.signer.verify(&wire, presented.carrier, now);
        let arrival = match self.table.load(&wire.credential.sid, now) {
            Loaded::Live(record) => {
                return self.judge(record, wire.credential, presented.arrived, now);
            }
            Loaded::Expired if ours() => Arrival::Expired,
            Loaded::Ended if ours() => Arrival::Ended,
            Loaded::Absent if ours() => self.why_absent(&wire, now),
            _ => Arrival::Unknown,
        };
        Opened::nothing(arrival)
    }

    fn judge(
        &self,
        record: Arc<Record>,
        credential: Credential,
        arrived: Timestamp,
        now: Timestamp,
    ) -> Opened {
        let mut opened = Opened::judged(record, credential, arrived);
        if let (Found::Reuse(sid), OnReuse::End) = (&opened.found, self.on_reuse) {
            self.table.end(sid, now.after(TOMBSTONE));
            opened.arrival = Arrival::Ended;
        }
        opened
    }

    /// Why a session that we signed for is not here: past its absolute deadline; or this process
    /// has not been here, or has not kept everything, for as long as a session may idle; or it
    /// idled away.
    fn why_absent(&self, wire: &Wire<'_>, now: Timestamp) -> Arrival {
        if now >= wire.deadline {
            return Arrival::Expired;
        }
        let idle = self.idle.load(Ordering::Relaxed);
        let recent = |at: u64| now.as_millis().saturating_sub(at) < idle;
        let evicted = self
            .table
            .last_eviction()
            .is_some_and(|at| recent(at.as_millis()));
        if evicted || recent(self.started.load(Ordering::Relaxed)) {
            Arrival::Lost
        } else {
            Arrival::Expired
        }
    }
}

impl Default for Sticky {
    fn default() -> Self {
        Sticky::new()
    }
}

impl Strategy for Sticky {
    fn attach(&self, lifetime: &Lifetime, now: Timestamp) {
        let idle = u64::try_from(lifetime.idle().as_millis()).unwrap_or(u64::MAX);
        self.idle.fetch_max(idle, Ordering::Relaxed);
        // The first layer counts: another one does not make the process younger.
        let _ =
            self.started
                .compare_exchange(0, now.as_millis(), Ordering::Relaxed, Ordering::Relaxed);
    }

    fn open(&self, presented: &Presented<'_>, now: Timestamp) -> Step<Result<Opened>> {
        Step::ready(Ok(self.find(presented, now)))
    }

    fn create(&self, record: Arc<Record>, now: Timestamp) -> Step<Result<Created>> {
        Step::ready(Ok(self.table.create(record, self.cap, now)))
    }

    fn apply(
        &self,
        record: &Arc<Record>,
        patch: &Patch,
        _turn: Option<Turn>,
        now: Timestamp,
    ) -> Step<Result<Outcome>> {
        Step::ready(self.table.apply(&record.sid, now, patch))
    }

    fn end(
        &self,
        sid: SessionId,
        _now: Timestamp,
        until: Timestamp,
    ) -> Step<Result<Option<Arc<Record>>>> {
        Step::ready(Ok(self.table.end(&sid, until)))
    }

    fn reload(&self, record: &Arc<Record>, now: Timestamp) -> Step<Result<Option<Arc<Record>>>> {
        Step::ready(Ok(match self.table.load(&record.sid, now) {
            Loaded::Live(record) => Some(record),
            _ => None,
        }))
    }

    fn issue(&self, record: &Record, verifier: &Verifier, carrier: &str) -> Result<String> {
        Ok(self.signer.issue(record, verifier, carrier))
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees::volatile(RECORD_LIMIT)
    }

    fn list(&self, subject: &str, now: Timestamp) -> Step<Result<Vec<Candidate>>> {
        Step::ready(Ok(self.table.list(subject, now)))
    }

    fn count(&self, now: Timestamp) -> Step<Result<Option<u64>>> {
        Step::ready(Ok(Some(self.table.count(now))))
    }

    fn sweep(&self, now: Timestamp) -> Step<Result<u64>> {
        Step::ready(Ok(self.table.sweep(now, usize::MAX) as u64))
    }

    fn drain(&self, now: Timestamp, _until: Timestamp) -> Step<Result<()>> {
        let message = format!(
            "{} sessions end with this process: without a backing store there is nowhere to hand them over to",
            self.table.count(now)
        );
        Step::ready(Err(Error::new(ErrorKind::Unsupported, message)))
    }
}
