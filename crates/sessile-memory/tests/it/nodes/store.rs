//! A store plain enough to be obviously right, whose every call can be counted, failed or held.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use sessile_core::{
    Applied, Candidate, Created, Durability, Error, ErrorKind, Guarantees, Loaded, Patch, Patched,
    Record, Result, SessionId, Store, SubjectCap, Timestamp,
};

/// What befalls a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Not done, and says so.
    Unavailable,
    /// Not done, and nobody knows.
    Lost,
    /// Done, and nobody knows.
    Unheard,
}

/// The clones share what is kept.
#[derive(Clone, Default)]
pub(crate) struct Model(Arc<Mutex<World>>);

#[derive(Default)]
struct World {
    kept: Kept,
    /// What was kept after each write.
    history: Vec<Kept>,
    calls: u64,
    faults: VecDeque<Fault>,
    /// Calls wait for [`Model::effect`] and [`Model::answer`].
    held: bool,
    pending: Vec<Pending>,
    /// The control: a store that lets anybody write on anything.
    ignores_base: bool,
}

#[derive(Clone, Default)]
struct Kept {
    records: HashMap<SessionId, Arc<Record>>,
    ended: HashMap<SessionId, Timestamp>,
}

/// A call under way.
struct Pending {
    effect: Option<Effect>,
    answer: Box<dyn FnOnce() + Send>,
}

type Effect = Box<dyn FnOnce(&mut World, Option<Fault>) + Send>;

struct Slot<T> {
    result: Option<Result<T>>,
    answered: bool,
    waker: Option<Waker>,
}

struct Answer<T>(Arc<Mutex<Slot<T>>>);

impl<T> Future for Answer<T> {
    type Output = Result<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T>> {
        let mut slot = self.0.lock().unwrap();
        if slot.answered {
            return Poll::Ready(slot.result.take().unwrap());
        }
        slot.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

impl Model {
    /// How many calls there were since this was asked last.
    pub(crate) fn calls(&self) -> u64 {
        std::mem::take(&mut self.world().calls)
    }

    /// What befalls the next calls.
    pub(crate) fn fail(&self, fault: Fault) {
        self.world().faults.push_back(fault);
    }

    pub(crate) fn ignore_base(&self) {
        self.world().ignores_base = true;
    }

    pub(crate) fn record(&self, sid: &SessionId) -> Option<Arc<Record>> {
        self.world().kept.records.get(sid).cloned()
    }

    /// Goes back by so many writes, as a store that failed over to a replica does.
    pub(crate) fn revert(&self, by: usize) {
        let world = &mut *self.world();
        let left = world.history.len().saturating_sub(by);
        world.history.truncate(left);
        world.kept = world.history.last().cloned().unwrap_or_default();
    }

    /// Calls from now on wait until they are told to go on; or they don't any more, and those that
    /// waited are done.
    pub(crate) fn hold(&self, held: bool) {
        self.world().held = held;
        while !held && self.pending() > 0 {
            self.effect(0, None);
            self.answer(0);
        }
    }

    pub(crate) fn pending(&self) -> usize {
        self.world().pending.len()
    }

    /// A call that waits is done, or not, in the store.
    pub(crate) fn effect(&self, at: usize, fault: Option<Fault>) {
        let world = &mut *self.world();
        if let Some(effect) = world.pending[at].effect.take() {
            effect(world, fault);
        }
    }

    /// A call that waits is answered; undone, it fails.
    pub(crate) fn answer(&self, at: usize) {
        self.effect(at, Some(Fault::Lost));
        let pending = self.world().pending.remove(at);
        (pending.answer)();
    }

    fn world(&self) -> std::sync::MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }

    fn call<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&mut World) -> Result<T> + Send + 'static,
    ) -> Answer<T> {
        let slot = Arc::new(Mutex::new(Slot {
            result: None,
            answered: false,
            waker: None,
        }));
        let (done, told) = (slot.clone(), slot.clone());
        let effect = move |world: &mut World, fault: Option<Fault>| {
            let result = match fault {
                None => operation(world),
                Some(Fault::Unheard) => operation(world).and(Err(failed(ErrorKind::Unknown))),
                Some(Fault::Lost) => Err(failed(ErrorKind::Unknown)),
                Some(Fault::Unavailable) => Err(failed(ErrorKind::Unavailable)),
            };
            done.lock().unwrap().result = Some(result);
        };
        let answer = move || {
            let mut slot = told.lock().unwrap();
            slot.answered = true;
            if let Some(waker) = slot.waker.take() {
                waker.wake();
            }
        };
        let world = &mut *self.world();
        world.calls += 1;
        if world.held {
            world.pending.push(Pending {
                effect: Some(Box::new(effect)),
                answer: Box::new(answer),
            });
        } else {
            let fault = world.faults.pop_front();
            effect(world, fault);
            answer();
        }
        Answer(slot)
    }
}

fn failed(kind: ErrorKind) -> Error {
    Error::new(kind, "the test says so")
}

impl World {
    fn wrote<T>(&mut self, answer: T) -> Result<T> {
        self.history.push(self.kept.clone());
        Ok(answer)
    }

    fn has_ended(&self, sid: &SessionId, now: Timestamp) -> bool {
        self.kept.ended.get(sid).is_some_and(|until| now < *until)
    }

    fn load(&self, sid: &SessionId, now: Timestamp) -> Loaded {
        match self.kept.records.get(sid) {
            Some(record) if record.is_live(now) => Loaded::Live(record.clone()),
            Some(_) => Loaded::Expired,
            None if self.has_ended(sid, now) => Loaded::Ended,
            None => Loaded::Absent,
        }
    }

    fn apply(&mut self, sid: &SessionId, now: Timestamp, patch: &Patch) -> Result<Applied> {
        let Some(record) = self.kept.records.get(sid).cloned() else {
            return Ok(Applied::Gone);
        };
        let mut patch = patch.clone();
        if self.ignores_base {
            patch.accept_older();
        }
        let next = match patch.apply_to(&record, now)? {
            Patched::Applied(next) => Arc::new(next),
            Patched::Conflict => return Ok(Applied::Conflict(record)),
            Patched::Gone => return Ok(Applied::Gone),
        };
        self.kept.records.insert(*sid, next.clone());
        self.wrote(Applied::Applied {
            version: next.version,
            // Left out wherever it may be.
            record: (record.version != patch.base()).then_some(next),
        })
    }
}

#[async_trait]
impl Store for Model {
    async fn create(
        &self,
        record: Arc<Record>,
        _cap: Option<SubjectCap>,
        now: Timestamp,
    ) -> Result<Created> {
        self.call(move |world| {
            let sid = record.sid;
            if world.has_ended(&sid, now) || world.kept.records.contains_key(&sid) {
                return Ok(Created::Taken);
            }
            world.kept.records.insert(sid, record);
            world.wrote(Created::Created)
        })
        .await
    }

    async fn load(&self, sid: &SessionId, now: Timestamp) -> Result<Loaded> {
        let sid = *sid;
        self.call(move |world| Ok(world.load(&sid, now))).await
    }

    async fn apply(&self, sid: &SessionId, now: Timestamp, patch: &Patch) -> Result<Applied> {
        let (sid, patch) = (*sid, patch.clone());
        self.call(move |world| world.apply(&sid, now, &patch)).await
    }

    async fn end(
        &self,
        sid: &SessionId,
        _now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Arc<Record>>> {
        let sid = *sid;
        self.call(move |world| {
            let last = world.kept.records.remove(&sid);
            let ended = world.kept.ended.entry(sid).or_default();
            *ended = until.max(*ended);
            world.wrote(last)
        })
        .await
    }

    async fn list(&self, subject: &str, now: Timestamp) -> Result<Vec<Candidate>> {
        let subject = subject.to_owned();
        self.call(move |world| {
            let records = world.kept.records.values();
            let of = |record: &&Arc<Record>| record.subject.as_deref() == Some(&*subject);
            let candidate = |record: &Arc<Record>| Candidate {
                sid: record.sid,
                record: record.is_live(now).then(|| record.clone()),
            };
            Ok(records.filter(of).map(candidate).collect())
        })
        .await
    }

    async fn count(&self, now: Timestamp) -> Result<Option<u64>> {
        self.call(move |world| {
            let live = |record: &&Arc<Record>| record.is_live(now);
            Ok(Some(world.kept.records.values().filter(live).count() as u64))
        })
        .await
    }

    async fn sweep(&self, now: Timestamp, _limit: usize) -> Result<usize> {
        self.call(move |world| {
            let before = world.kept.records.len();
            world.kept.records.retain(|_, record| record.is_live(now));
            Ok(before - world.kept.records.len())
        })
        .await
    }

    async fn ping(&self) -> Result<()> {
        self.call(|_| Ok(())).await
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees::shared(Durability::Acknowledged)
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model").finish_non_exhaustive()
    }
}
