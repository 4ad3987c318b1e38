//! A strategy that delegates to the one in memory, counts what it is asked, and can be told to
//! wait, to fail, or to do something in between.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use sessile::{ErrorKind, Guarantees, Lifetime, SessionId, Strategy, Timestamp};
use sessile_core::{
    Candidate, Created, Error, Opened, Outcome, Patch, Presented, Record, Result, Step, Turn,
    Verifier,
};

use crate::Home;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Open,
    Create,
    Apply,
    End,
    Reload,
    Sweep,
}

type Hook = Box<dyn FnMut(Call) + Send>;

/// Shared with the test. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Probe(Arc<State>);

struct State {
    inner: Home,
    calls: AtomicU64,
    waits: AtomicBool,
    fault: Mutex<Option<(u64, Call, ErrorKind)>>,
    hook: Mutex<Option<Hook>>,
    conflicts: AtomicBool,
    alters_open: Mutex<Option<fn(&mut Opened)>>,
}

impl Probe {
    pub(crate) fn new() -> Self {
        Probe(Arc::new(State {
            inner: crate::home(),
            calls: AtomicU64::default(),
            waits: AtomicBool::default(),
            fault: Mutex::default(),
            hook: Mutex::default(),
            conflicts: AtomicBool::default(),
            alters_open: Mutex::default(),
        }))
    }

    /// Every step is really pending once, before and after the operation.
    pub(crate) fn waiting() -> Self {
        let probe = Probe::new();
        probe.0.waits.store(true, Ordering::SeqCst);
        probe
    }

    /// How many calls there were since this was last asked.
    pub(crate) fn calls(&self) -> u64 {
        self.0.calls.swap(0, Ordering::SeqCst)
    }

    /// Every such call fails so, unapplied, until [`heal`](Self::heal).
    pub(crate) fn fail(&self, call: Call, kind: ErrorKind) {
        self.fail_times(u64::MAX, call, kind);
    }

    /// So many such calls fail so. They are unapplied, but for the end of what can't be read.
    pub(crate) fn fail_times(&self, times: u64, call: Call, kind: ErrorKind) {
        *self.0.fault.lock().unwrap() = Some((times, call, kind));
    }

    pub(crate) fn heal(&self) {
        *self.0.fault.lock().unwrap() = None;
    }

    /// Runs before each operation.
    pub(crate) fn before(&self, hook: impl FnMut(Call) + Send + 'static) {
        *self.0.hook.lock().unwrap() = Some(Box::new(hook));
    }

    /// Every patch meets a conflict.
    pub(crate) fn always_conflicts(&self) {
        self.0.conflicts.store(true, Ordering::SeqCst);
    }

    /// Changes what is found.
    pub(crate) fn alters_open(&self, alter: fn(&mut Opened)) {
        *self.0.alters_open.lock().unwrap() = Some(alter);
    }

    fn run<T: Send + 'static>(
        &self,
        call: Call,
        operation: impl FnOnce(&Home) -> Step<Result<T>> + Send + 'static,
    ) -> Step<Result<T>> {
        let state = self.0.clone();
        let waits = state.waits.load(Ordering::SeqCst);
        let work = async move {
            if waits {
                tokio::task::yield_now().await;
            }
            state.calls.fetch_add(1, Ordering::SeqCst);
            let hooks = || state.hook.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(hook) = hooks().as_mut() {
                hook(call);
            }
            let fault = match &mut *state.fault.lock().unwrap() {
                Some((left, at, kind)) if *at == call && *left > 0 => {
                    *left -= 1;
                    Some(*kind)
                }
                _ => None,
            };
            if let Some(kind) = fault {
                if (call, kind) == (Call::End, ErrorKind::Corrupt) {
                    operation(&state.inner).await?;
                }
                return Err(Error::new(kind, "the store was told to fail"));
            }
            let done = operation(&state.inner).await;
            if waits {
                tokio::task::yield_now().await;
            }
            done
        };
        if waits {
            return Step::wait(work);
        }
        let mut work = Box::pin(work);
        let context = &mut std::task::Context::from_waker(std::task::Waker::noop());
        match work.as_mut().poll(context) {
            std::task::Poll::Ready(done) => Step::ready(done),
            std::task::Poll::Pending => unreachable!("nothing waits"),
        }
    }
}

impl Strategy for Probe {
    fn attach(&self, lifetime: &Lifetime, now: Timestamp) {
        self.0.inner.attach(lifetime, now);
    }

    fn open(&self, presented: &Presented<'_>, now: Timestamp) -> Step<Result<Opened>> {
        let (text, carrier) = (presented.text.to_owned(), presented.carrier.to_owned());
        let (arrived, alter) = (presented.arrived, *self.0.alters_open.lock().unwrap());
        self.run(Call::Open, move |inner| {
            let presented = Presented {
                text: &text,
                carrier: &carrier,
                arrived,
            };
            let step = inner.open(&presented, now);
            let Some(alter) = alter else { return step };
            Step::wait(async move {
                let mut opened = step.await?;
                alter(&mut opened);
                Ok(opened)
            })
        })
    }

    fn create(&self, record: Arc<Record>, now: Timestamp) -> Step<Result<Created>> {
        self.run(Call::Create, move |inner| inner.create(record, now))
    }

    fn apply(
        &self,
        record: &Arc<Record>,
        patch: &Patch,
        turn: Option<Turn>,
        now: Timestamp,
    ) -> Step<Result<Outcome>> {
        let (record, patch) = (record.clone(), patch.clone());
        let conflicts = self.0.conflicts.load(Ordering::SeqCst);
        self.run(Call::Apply, move |inner| {
            if conflicts {
                return Step::ready(Ok(Outcome::Conflict(record)));
            }
            inner.apply(&record, &patch, turn, now)
        })
    }

    fn end(
        &self,
        sid: SessionId,
        now: Timestamp,
        until: Timestamp,
    ) -> Step<Result<Option<Arc<Record>>>> {
        self.run(Call::End, move |inner| inner.end(sid, now, until))
    }

    fn reload(&self, record: &Arc<Record>, now: Timestamp) -> Step<Result<Option<Arc<Record>>>> {
        let record = record.clone();
        self.run(Call::Reload, move |inner| inner.reload(&record, now))
    }

    fn issue(&self, record: &Record, verifier: &Verifier, carrier: &str) -> Result<String> {
        self.0.inner.issue(record, verifier, carrier)
    }

    fn guarantees(&self) -> Guarantees {
        self.0.inner.guarantees()
    }

    fn list(&self, subject: &str, now: Timestamp) -> Step<Result<Vec<Candidate>>> {
        self.0.inner.list(subject, now)
    }

    fn count(&self, now: Timestamp) -> Step<Result<Option<u64>>> {
        self.0.inner.count(now)
    }

    fn ping(&self) -> Step<Result<()>> {
        self.0.inner.ping()
    }

    fn sweep(&self, now: Timestamp) -> Step<Result<u64>> {
        self.run(Call::Sweep, move |inner| inner.sweep(now))
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe").finish_non_exhaustive()
    }
}
