//! The strategy: every operation has an effect and an answer, and the schedule says when.

use super::*;

#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    /// Not applied, and says so.
    Unavailable,
    /// Not applied, and nobody knows.
    Lost,
    /// Applied, and nobody knows.
    Unheard,
}

/// The strategy, with every operation in the hands of the schedule.
#[derive(Clone)]
pub(super) struct Gated(pub(super) Arc<Mutex<World>>, pub(super) Arc<crate::Home>);

#[derive(Default)]
pub(super) struct World {
    pub(super) ops: Vec<Op>,
    /// Whose future is being polled.
    pub(super) polled: usize,
    pub(super) created: HashMap<SessionId, Arc<Record>>,
    pub(super) issued: HashSet<SessionId>,
    /// Which ones were ended, and by whom.
    pub(super) ended: Vec<(SessionId, usize)>,
    /// The last state of a session, which an end gives back once, was seen by nobody.
    pub(super) unheard_end: bool,
}

/// An operation under way.
pub(super) struct Op {
    pub(super) effect: Option<Box<dyn FnOnce(Option<Fault>) + Send>>,
    pub(super) answer: Box<dyn FnOnce() + Send>,
    pub(super) is_dropped: Arc<AtomicBool>,
    pub(super) name: &'static str,
}

pub(super) struct Slot<T> {
    pub(super) result: Option<Result<T>>,
    pub(super) answered: bool,
    pub(super) waker: Option<Waker>,
}

pub(super) struct Answer<T>(pub(super) Arc<Mutex<Slot<T>>>, pub(super) Arc<AtomicBool>);

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

impl<T> Drop for Answer<T> {
    fn drop(&mut self) {
        self.1.store(true, Ordering::SeqCst);
    }
}

impl Gated {
    pub(super) fn new() -> Self {
        Gated(Arc::default(), Arc::new(crate::home()))
    }

    pub(super) fn world<R>(&self, look: impl FnOnce(&mut World) -> R) -> R {
        look(&mut self.0.lock().unwrap())
    }

    pub(super) fn gate<T: Send + 'static>(
        &self,
        name: &'static str,
        operation: impl FnOnce(&Gated, usize) -> Step<Result<T>> + Send + 'static,
    ) -> Step<Result<T>> {
        let slot = Arc::new(Mutex::new(Slot {
            result: None,
            answered: false,
            waker: None,
        }));
        let is_dropped = Arc::new(AtomicBool::new(false));
        let (done, told, this) = (slot.clone(), slot.clone(), self.clone());
        let by = self.world(|world| world.polled);
        let effect = move |fault: Option<Fault>| {
            let mut result = None;
            if !matches!(fault, Some(Fault::Unavailable | Fault::Lost)) {
                let Step::Ready(ready) = operation(&this, by) else {
                    unreachable!("memory does not wait")
                };
                result = Some(ready.into_inner());
            }
            let kind = match fault {
                None => None,
                Some(Fault::Unavailable) => Some(ErrorKind::Unavailable),
                Some(Fault::Lost | Fault::Unheard) => Some(ErrorKind::Unknown),
            };
            if let Some(kind) = kind {
                result = Some(Err(Error::new(kind, "the schedule says so")));
            }
            done.lock().unwrap().result = result;
        };
        let answer = move || {
            let mut slot = told.lock().unwrap();
            slot.answered = true;
            let waker = slot.waker.take();
            drop(slot);
            if let Some(waker) = waker {
                waker.wake();
            }
        };
        let op = Op {
            effect: Some(Box::new(effect)),
            answer: Box::new(answer),
            is_dropped: is_dropped.clone(),
            name,
        };
        self.world(|world| world.ops.push(op));
        Step::wait(Answer(slot, is_dropped))
    }

    /// The record as it is, if it is live.
    pub(super) fn stored(&self, record: &Arc<Record>, now: Timestamp) -> Option<Arc<Record>> {
        let Step::Ready(ready) = self.1.reload(record, now) else {
            unreachable!("memory does not wait")
        };
        ready.into_inner().unwrap()
    }

    pub(super) fn live(&self, now: Timestamp) -> Vec<Arc<Record>> {
        let created = self.world(|world| world.created.clone());
        let live = created
            .values()
            .filter_map(|record| self.stored(record, now));
        live.collect()
    }

    pub(super) fn check_ended(&self, now: Timestamp) {
        let (created, ended) = self.world(|world| (world.created.clone(), world.ended.clone()));
        for (sid, _) in ended {
            if let Some(record) = created.get(&sid) {
                assert!(self.stored(record, now).is_none(), "an ended one is back");
            }
        }
    }
}

impl Strategy for Gated {
    fn attach(&self, lifetime: &Lifetime, now: Timestamp) {
        self.1.attach(lifetime, now);
    }

    fn open(&self, presented: &Presented<'_>, now: Timestamp) -> Step<Result<Opened>> {
        let (text, carrier) = (presented.text.to_owned(), presented.carrier.to_owned());
        let arrived = presented.arrived;
        self.gate("open", move |this, _| {
            let (text, carrier) = (&*text, &*carrier);
            let presented = Presented {
                text,
                carrier,
                arrived,
            };
            this.1.open(&presented, now)
        })
    }

    fn create(&self, record: Arc<Record>, now: Timestamp) -> Step<Result<Created>> {
        self.gate("create", move |this, _| {
            let kept = record.clone();
            this.world(|world| world.created.insert(kept.sid, kept));
            this.1.create(record, now)
        })
    }

    fn apply(
        &self,
        record: &Arc<Record>,
        patch: &Patch,
        turn: Option<Turn>,
        now: Timestamp,
    ) -> Step<Result<Outcome>> {
        let (record, patch) = (record.clone(), patch.clone());
        self.gate("apply", move |this, _| {
            this.1.apply(&record, &patch, turn, now)
        })
    }

    fn end(
        &self,
        sid: SessionId,
        now: Timestamp,
        until: Timestamp,
    ) -> Step<Result<Option<Arc<Record>>>> {
        self.gate("end", move |this, by| {
            this.world(|world| world.ended.push((sid, by)));
            this.1.end(sid, now, until)
        })
    }

    fn reload(&self, record: &Arc<Record>, now: Timestamp) -> Step<Result<Option<Arc<Record>>>> {
        let record = record.clone();
        self.gate("reload", move |this, _| this.1.reload(&record, now))
    }

    fn issue(&self, record: &Record, verifier: &Verifier, carrier: &str) -> Result<String> {
        self.world(|world| world.issued.insert(record.sid));
        self.1.issue(record, verifier, carrier)
    }

    fn guarantees(&self) -> Guarantees {
        self.1.guarantees()
    }
}

impl fmt::Debug for Gated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gated").finish_non_exhaustive()
    }
}
