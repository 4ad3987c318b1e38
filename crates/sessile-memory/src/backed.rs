//! A node in front of a store: the truth is in the store, and memory is a cache of it.
//!
//! A copy only ever says yes: what it can't confirm is asked of the store. Versions are the fence.
//! The credential's is a lower bound of what its client has seen, a copy's one of what the store
//! has acknowledged to this node; a state older than either is never served without saying so,
//! and never written on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use sessile_core::{
    Arrival, Candidate, Created, Credential, Error, ErrorKind, Found, Guarantees, Loaded, OnReuse,
    Opened, Outcome, Patch, Presented, Record, Result, Revocation, Route, SessionId, Step, Store,
    Strategy, SubjectCap, TOMBSTONE, Timestamp, Turn, Verifier,
};
use tokio::time::{sleep, timeout};

use crate::Calls;
use crate::copies::{Confirmed, Copies};
use crate::misrouted::{Chain, Misrouted, route};
use crate::node::StickyBuilder;
use crate::wire::{NOBODY, Signer, Wire};

/// A store behind a node, and how it is used: [`StickyBuilder::backing`].
#[derive(Debug)]
pub struct Backing {
    calls: Calls,
    revalidate: Duration,
    quiet: Duration,
}

impl StickyBuilder {
    /// Keeps the sessions in this store, and copies of them in memory. All nodes need the same
    /// store.
    #[must_use]
    pub fn backing(self, store: impl Store) -> StickyBuilder<Backing> {
        self.in_front_of(Backing {
            calls: Calls::new(store),
            revalidate: Duration::from_secs(5),
            quiet: Duration::from_secs(2),
        })
    }
}

impl StickyBuilder<Backing> {
    /// How long a copy is served without asking the store again. It bounds for how long a logout
    /// or a write by way of another node can go unseen here. With zero, every request that uses
    /// its session asks. Default: 5 seconds.
    #[must_use]
    pub fn revalidate(mut self, revalidate: Duration) -> Self {
        self.behind().revalidate = revalidate;
        self
    }

    /// How long the store may take to answer, and how long a commit starts over while others
    /// change what its updates had read. Beyond the first a read is `Unavailable` and a write
    /// `Unknown`, beyond the second an update is a `Conflict`. Default: 2 seconds.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.behind().calls.set_deadline(deadline);
        self
    }

    /// A node that is drained is done when for so long nobody came with its label. Default: 2
    /// seconds.
    #[must_use]
    pub fn quiet(mut self, quiet: Duration) -> Self {
        self.behind().quiet = quiet;
        self
    }

    /// A node whose sessions are in the store.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for a label that is none, without keys, or if a misrouted session
    /// is to be given up: the store has it.
    pub fn build(self) -> Result<BackedSticky> {
        let (parts, behind) = self.parts(&[Misrouted::Adopt], |chain| {
            chain
                .gives_up()
                .then_some("Lost gives up what the backing store has: write Adopt or Fail")
        })?;
        Ok(BackedSticky(Arc::new(Node {
            calls: behind.calls,
            copies: Copies::new(parts.capacity),
            signer: parts.signer,
            chain: parts.chain,
            cap: parts.cap,
            on_reuse: parts.on_reuse,
            revalidate: behind.revalidate,
            quiet: behind.quiet,
            draining: AtomicBool::new(false),
            stragglers: AtomicU64::new(0),
        })))
    }
}

/// Sessions in a store, with copies in the memory of this node.
///
/// **Promises**: what was acknowledged is in the store; any node that adopts can go on with it. No
/// client reads a state older than its own credential speaks of without arriving as
/// [`Arrival::Stale`]. What happened by way of another node is seen after
/// [`revalidate`](StickyBuilder::revalidate) at the latest. **Costs**: a write is a call to the
/// store; a read is none while the copy is fresh.
#[derive(Debug)]
pub struct BackedSticky(Arc<Node>);

impl BackedSticky {
    /// How many copies are in memory.
    pub fn copies(&self) -> usize {
        self.0.copies.count()
    }
}

impl Strategy for BackedSticky {
    fn open(&self, presented: &Presented<'_>, now: Timestamp) -> Step<Result<Opened>> {
        let node = &self.0;
        // The version and the label count only where the tag holds; and what was forged reaches
        // no store.
        let wire = Wire::parse_any(presented.text)
            .filter(|wire| node.signer.verify(wire, presented.carrier, now));
        let Some(wire) = wire else {
            return Step::ready(Ok(Opened::nothing(Arrival::Unknown)));
        };
        let own = wire.label == node.signer.node();
        if !own && wire.label != NOBODY && !node.chain.adopts() {
            return Step::ready(node.chain.refuse(&wire, now));
        }
        let draining = node.is_draining();
        if own && draining {
            node.stragglers.fetch_add(1, Ordering::Relaxed);
        }
        let copy = node.copies.get(&wire.credential.sid);
        let seen = copy.as_ref().map_or(0, |copy| copy.record.version);
        if own
            && !draining
            && let Some(copy) = copy.filter(|copy| node.is_fresh(copy, wire.version, now))
        {
            let credential = wire.credential.clone();
            let opened = Opened::judged(copy.record, credential, presented.arrived);
            if opened.held().is_some() {
                return Step::ready(Ok(opened));
            }
        }
        let asked = Asked {
            known: wire.version.max(seen),
            credential: wire.credential,
            arrived: presented.arrived,
            now,
        };
        let node = node.clone();
        Step::wait(async move { node.load(asked).await })
    }

    fn create(&self, record: Arc<Record>, now: Timestamp) -> Step<Result<Created>> {
        let node = self.0.clone();
        Step::wait(async move {
            let created = node.calls.create(record.clone(), node.cap, now).await?;
            if created == Created::Created {
                node.keep(record, now);
            }
            Ok(created)
        })
    }

    fn apply(
        &self,
        record: &Arc<Record>,
        patch: &Patch,
        turn: Option<Turn>,
        now: Timestamp,
    ) -> Step<Result<Outcome>> {
        let (node, record, patch) = (self.0.clone(), record.clone(), patch.clone());
        Step::wait(async move { node.apply(record, patch, turn, now).await })
    }

    fn end(
        &self,
        sid: SessionId,
        now: Timestamp,
        until: Timestamp,
    ) -> Step<Result<Option<Arc<Record>>>> {
        let node = self.0.clone();
        Step::wait(async move { node.end(sid, now, until).await })
    }

    fn reload(&self, record: &Arc<Record>, now: Timestamp) -> Step<Result<Option<Arc<Record>>>> {
        let (node, record) = (self.0.clone(), record.clone());
        Step::wait(async move { node.reload(&record, now).await })
    }

    fn issue(&self, record: &Record, verifier: &Verifier, carrier: &str) -> Result<String> {
        let signer = &self.0.signer;
        Ok(if self.0.is_draining() {
            signer.issue_for_nobody(record, verifier, carrier)
        } else {
            signer.issue(record, verifier, carrier)
        })
    }

    fn reissues(&self, presented: &Presented<'_>, held: &sessile_core::Held) -> bool {
        let node = &self.0;
        let label = if node.is_draining() {
            NOBODY
        } else {
            node.signer.node()
        };
        let says_less = |wire: &Wire<'_>| wire.label != label || wire.version < held.record.version;
        // In a browser the credential of a session that has ended would overwrite that of the
        // login which ended it.
        (held.reissue
            || Wire::parse_any(presented.text)
                .as_ref()
                .is_some_and(says_less))
            && !node.copies.has_ended(&held.record.sid)
    }

    fn forwards(&self) -> bool {
        self.0.chain.forwards
    }

    fn route<'a>(&self, presented: &Presented<'a>, now: Timestamp) -> Route<'a> {
        route(&self.0.signer, presented, now)
    }

    fn guarantees(&self) -> Guarantees {
        let mut guarantees = self.0.calls.guarantees();
        guarantees.any_node &= self.0.chain.adopts();
        if !self.0.revalidate.is_zero() {
            guarantees.revocation = match guarantees.revocation {
                Revocation::Immediate => Revocation::Within(self.0.revalidate),
                Revocation::Within(bound) => Revocation::Within(bound + self.0.revalidate),
                other => other,
            };
        }
        guarantees
    }

    fn deadline(&self) -> Duration {
        self.0.calls.deadline()
    }

    fn list(&self, subject: &str, now: Timestamp) -> Step<Result<Vec<Candidate>>> {
        let (calls, subject) = (self.0.calls.clone(), subject.to_owned());
        Step::wait(async move { calls.list(&subject, now).await })
    }

    fn count(&self, now: Timestamp) -> Step<Result<Option<u64>>> {
        let calls = self.0.calls.clone();
        Step::wait(async move { calls.count(now).await })
    }

    fn sweep(&self, now: Timestamp) -> Step<Result<u64>> {
        self.0.copies.sweep(now);
        let calls = self.0.calls.clone();
        Step::wait(async move { calls.sweep(now).await })
    }

    fn ping(&self) -> Step<Result<()>> {
        let calls = self.0.calls.clone();
        Step::wait(async move { calls.ping().await })
    }

    /// From now on every session that is used or made is nobody's. Done when for a while nobody
    /// came with this node's label, or the time is over: whoever comes later is served by the
    /// nodes that are left.
    fn drain(&self, now: Timestamp, until: Timestamp) -> Step<Result<()>> {
        self.0.draining.store(true, Ordering::Relaxed);
        let (node, limit) = (self.0.clone(), until.since(now));
        Step::wait(async move {
            let _ = timeout(limit, node.quiet()).await;
            Ok(())
        })
    }
}

#[derive(Debug)]
struct Node {
    calls: Calls,
    copies: Copies,
    signer: Signer,
    chain: Chain,
    cap: Option<SubjectCap>,
    on_reuse: OnReuse,
    revalidate: Duration,
    quiet: Duration,
    draining: AtomicBool,
    /// How many came with this node's label since it is drained.
    stragglers: AtomicU64,
}

/// What the store is asked for.
struct Asked {
    credential: Credential,
    /// The highest version that the client or this node knew of before the store was asked.
    known: u64,
    arrived: Timestamp,
    now: Timestamp,
}

impl Node {
    fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Whether a copy may answer a client that has seen this version.
    fn is_fresh(&self, copy: &Confirmed, version: u64, now: Timestamp) -> bool {
        copy.record.version >= version
            && now.since(copy.at) < self.revalidate
            && copy.record.is_live(now)
    }

    /// Keeps what the store said when it was asked at `at`; the newest that is known.
    fn keep(&self, record: Arc<Record>, at: Timestamp) -> Arc<Record> {
        if self.is_draining() {
            return record;
        }
        self.copies.put(record, at)
    }

    async fn load(&self, asked: Asked) -> Result<Opened> {
        let Asked {
            credential,
            known,
            arrived,
            now,
        } = asked;
        let record = match self.calls.load(&credential.sid, now).await? {
            Loaded::Live(record) => record,
            other => {
                self.copies.forget(&credential.sid);
                return Ok(Opened::nothing(match other {
                    Loaded::Ended => Arrival::Ended,
                    // We made it. It was swept after its time, or its tombstone was.
                    _ => Arrival::Expired,
                }));
            }
        };
        let is_older = record.version < known;
        let record = if is_older {
            // It is told once: the client is given a credential that fits, and copies follow.
            self.copies.revert(known, record.clone(), now);
            record
        } else {
            self.keep(record, now)
        };
        let mut opened = Opened::judged(record, credential, arrived);
        match &mut opened.found {
            Found::Session(held) if is_older => {
                (held.known, held.reissue) = (known, true);
                opened.arrival = Arrival::Stale;
            }
            Found::Session(_) => {}
            // The credential is ours, and the store has forgotten how it came to be.
            Found::Nothing if is_older => opened.arrival = Arrival::Lost,
            Found::Nothing => {}
            Found::Reuse(sid) => {
                if self.on_reuse == OnReuse::End {
                    self.end(*sid, now, now.after(TOMBSTONE)).await?;
                    opened.arrival = Arrival::Ended;
                }
            }
        }
        Ok(opened)
    }

    async fn apply(
        &self,
        mut record: Arc<Record>,
        mut patch: Patch,
        turn: Option<Turn>,
        now: Timestamp,
    ) -> Result<Outcome> {
        let base = patch.base();
        // What this node knows by now counts too, whoever it was that brought it here.
        if let Some(copy) = self.copies.get(&record.sid)
            && copy.record.version > record.version
        {
            patch.raise_base(copy.record.version);
            record = copy.record;
        }
        let mut writing = Writing::new(self, record.sid);
        let applied = self.calls.apply(&record, &patch, turn, now).await;
        writing.is_known = match &applied {
            Ok(_) => true,
            Err(error) => is_known(error),
        };
        drop(writing);
        match applied? {
            Outcome::Applied(record) => {
                self.keep(record.clone(), now);
                Ok(Outcome::Applied(record))
            }
            Outcome::Conflict(record) | Outcome::Retry(record, _)
                if record.version < patch.base() && !patch.accepts_older() =>
            {
                self.copies.revert(patch.base(), record.clone(), now);
                if record.version < base {
                    return Ok(Outcome::Conflict(record));
                }
                // Only this node knows better. The next try starts from what there is.
                let message = "the store went back to a state older than this node has seen";
                Err(Error::new(ErrorKind::Stale, message))
            }
            Outcome::Conflict(record) => Ok(Outcome::Conflict(self.keep(record, now))),
            Outcome::Retry(record, turn) => Ok(Outcome::Retry(self.keep(record, now), turn)),
            Outcome::Gone => {
                self.copies.forget(&record.sid);
                Ok(Outcome::Gone)
            }
        }
    }

    async fn end(
        &self,
        sid: SessionId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Arc<Record>>> {
        let mut writing = Writing::new(self, sid);
        let last = self.calls.end(&sid, now, until).await;
        match &last {
            Ok(_) => self.copies.end(sid, until),
            Err(error) => writing.is_known = is_known(error),
        }
        last
    }

    async fn reload(&self, record: &Arc<Record>, now: Timestamp) -> Result<Option<Arc<Record>>> {
        let seen = self.copies.get(&record.sid);
        let seen = seen.map_or(0, |copy| copy.record.version);
        let known = record.version.max(seen);
        match self.calls.load(&record.sid, now).await? {
            Loaded::Live(loaded) if loaded.version < known => {
                self.copies.revert(known, loaded, now);
                let message = "the store went back to a state older than was seen of this session";
                Err(Error::new(ErrorKind::Stale, message))
            }
            Loaded::Live(loaded) => Ok(Some(self.keep(loaded, now))),
            _ => {
                self.copies.forget(&record.sid);
                Ok(None)
            }
        }
    }

    /// Waits until for a while nobody came with this node's label.
    async fn quiet(&self) {
        loop {
            let before = self.stragglers.load(Ordering::Relaxed);
            sleep(self.quiet).await;
            if self.stragglers.load(Ordering::Relaxed) == before {
                return;
            }
        }
    }
}

/// Whether a write that failed so surely left the record as it was.
fn is_known(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Unavailable | ErrorKind::TooLarge | ErrorKind::Conflict
    )
}

/// A write under way. Unless its outcome becomes known the copy is forgotten, and be it that
/// nobody waits for the answer any more.
struct Writing<'a> {
    node: &'a Node,
    sid: SessionId,
    is_known: bool,
}

impl<'a> Writing<'a> {
    fn new(node: &'a Node, sid: SessionId) -> Self {
        let is_known = false;
        Writing {
            node,
            sid,
            is_known,
        }
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        if !self.is_known {
            self.node.copies.forget(&self.sid);
        }
    }
}
