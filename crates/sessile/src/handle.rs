//! The handle: what one request knows of one session, shared by everything that works on it.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use http::{Method, Request};
use sessile_core::{Arrival, Found, Held, Opened, Plan, Presented, Timestamp};

use crate::cookie;
use crate::draft::{self, Draft, Issue, View};
use crate::layer::Shared;
use crate::{LazySession, Result, telemetry};

/// One per request and cookie name. Until somebody asks for the session it holds only what the
/// client sent; until something is done to it, what was found.
pub(crate) struct Handle {
    pub(crate) shared: Arc<Shared>,
    /// The session of the layer around this one, under another name.
    pub(crate) outer: Option<LazySession>,
    sent: Sent,
    /// When the head arrived, if the client sent something.
    arrived: Timestamp,
    /// The request only reads: `GET` or `HEAD`.
    pub(crate) reads: bool,
    opened: OnceLock<Opened>,
    /// Something was done: before that, reading needs no lock.
    drafted: AtomicBool,
    doing: Mutex<Doing>,
}

/// What is being done to the session.
#[derive(Default)]
struct Doing {
    draft: Option<Box<Draft>>,
    /// The response head has left, and no new credential with it.
    closed: bool,
}

/// How a response leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leave {
    /// Nobody asked for the session.
    Unused,
    /// There is nothing to commit.
    Settled,
    /// There is something to commit.
    Unsettled,
}

/// Credentials are short but for tokens: those of up to this many bytes need no allocation.
const INLINE: usize = 103;

/// What the client sent. Secret.
enum Sent {
    Nothing,
    /// Several credentials, none of them believed.
    Several,
    Short(u8, [u8; INLINE]),
    Long(Box<[u8]>),
}

impl Sent {
    fn new(text: &[u8]) -> Self {
        match u8::try_from(text.len()) {
            Ok(length) if text.len() <= INLINE => {
                let mut bytes = [0; INLINE];
                bytes[..text.len()].copy_from_slice(text);
                Sent::Short(length, bytes)
            }
            _ => Sent::Long(text.into()),
        }
    }
}

impl Handle {
    /// Puts a handle into the request, unless a layer around this one has put one of this name.
    pub(crate) fn attach<B>(shared: &Arc<Shared>, request: &mut Request<B>) -> Option<Arc<Handle>> {
        let outer = request.extensions().get::<LazySession>().cloned();
        let name = shared.cookie.as_name();
        if outer
            .as_ref()
            .is_some_and(|outer| outer.find(name).is_some())
        {
            return None;
        }
        let sent = match cookie::read(request.headers(), name) {
            cookie::Found::Nothing => Sent::Nothing,
            cookie::Found::One(text) => Sent::new(text),
            cookie::Found::Several => Sent::Several,
        };
        let arrived = match sent {
            Sent::Nothing => Timestamp::default(),
            _ => shared.clock.now(),
        };
        let handle = Arc::new(Handle {
            shared: shared.clone(),
            outer,
            sent,
            arrived,
            reads: matches!(*request.method(), Method::GET | Method::HEAD),
            opened: OnceLock::new(),
            drafted: AtomicBool::new(false),
            doing: Mutex::default(),
        });
        request
            .extensions_mut()
            .insert(LazySession::new(handle.clone()));
        Some(handle)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    pub(crate) fn name(&self) -> &str {
        self.shared.cookie.as_name()
    }

    /// Whether the client sent something under our name.
    pub(crate) fn has_credential(&self) -> bool {
        !matches!(self.sent, Sent::Nothing)
    }

    /// Finds the session, the first time. A failure is not kept: the next call tries again.
    pub(crate) async fn load(&self) -> Result<&Opened> {
        if let Some(opened) = self.opened.get() {
            return Ok(opened);
        }
        let opened = self
            .open()
            .await
            .inspect_err(|error| telemetry::failed(error.kind()))?;
        if let Found::Reuse(sid) = &opened.found {
            telemetry::reuse(sid);
        }
        // Two may have looked at the same time; the first one's finding stays.
        Ok(self.opened.get_or_init(|| opened))
    }

    async fn open(&self) -> Result<Opened> {
        let text = match &self.sent {
            Sent::Nothing => return Ok(Opened::nothing(Arrival::New)),
            Sent::Several => {
                telemetry::ambiguous_cookies();
                return Ok(Opened::nothing(Arrival::Unknown));
            }
            Sent::Short(length, bytes) => &bytes[..usize::from(*length)],
            Sent::Long(text) => text,
        };
        let presented = Presented {
            text,
            carrier: self.name(),
            arrived: self.arrived,
        };
        let step = self.shared.strategy.open(&presented, self.arrived);
        Ok(step.await?)
    }

    /// What a handler sees of the session.
    pub(crate) fn view<R>(&self, look: impl FnOnce(View<'_>) -> R) -> R {
        if self.drafted.load(Ordering::Acquire) {
            return look(self.draft().view());
        }
        let opened = self.opened.get();
        look(View {
            arrival: opened.map_or(Arrival::New, |opened| opened.arrival),
            record: opened.and_then(Opened::held).map(|held| &held.record),
            plan: None,
        })
    }

    /// Locks what is being done. No closure of the application runs under this lock, and every
    /// change is made whole, so a poisoned one is still good.
    pub(crate) fn draft(&self) -> DraftGuard<'_> {
        let mut doing = self.doing.lock().unwrap_or_else(PoisonError::into_inner);
        if doing.draft.is_none() {
            let draft = Draft::new(self.opened.get(), doing.closed);
            doing.draft = Some(Box::new(draft));
            self.drafted.store(true, Ordering::Release);
        }
        DraftGuard(doing)
    }

    /// The head of the response is about to leave.
    pub(crate) fn leave(self: &mut Arc<Self>) -> Leave {
        // Mostly the request is gone, and with it everybody else who could use the session.
        if Arc::strong_count(self) == 1 {
            fence(Ordering::Acquire);
            if self.opened.get().is_none() {
                return Leave::Unused;
            }
        }
        if let Some(handle) = Arc::get_mut(self) {
            let doing = handle
                .doing
                .get_mut()
                .unwrap_or_else(PoisonError::into_inner);
            return doing.leave(handle.opened.get(), handle.arrived);
        }
        let mut doing = self.doing.lock().unwrap_or_else(PoisonError::into_inner);
        let leave = doing.leave(self.opened.get(), self.arrived);
        if leave != Leave::Unsettled {
            doing.close();
        }
        leave
    }

    /// No credential will leave any more.
    pub(crate) fn close(&self) {
        self.doing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .close();
    }

    /// What the response has to tell the client, with the session it is about.
    pub(crate) fn issue<R>(&self, tell: impl FnOnce(Issue, Option<&Held>) -> R) -> R {
        if self.drafted.load(Ordering::Acquire) {
            let draft = self.draft();
            let (issue, held) = draft.issue();
            return tell(issue, held);
        }
        let held = self.opened.get().and_then(Opened::held);
        tell(held.map_or(Issue::Nothing, Issue::of), held)
    }

    /// Replays the log on the record that is held now. The closures in it are the application's
    /// own: they run outside of the lock, and may call the session. What that adds to the log is
    /// added to the plan, and does not start the replay over.
    ///
    /// Should one fail, all changes are dropped; the caller answers for the first `told` of them.
    pub(crate) fn replay(&self, told: usize) -> Result<()> {
        loop {
            let (mut changes, record, known) = self.draft().replayed();
            let mut plan = Plan::new(record.as_deref(), known);
            let mut replayed = 0;
            loop {
                for change in &changes {
                    if let Err(error) = plan.fold(change, record.as_deref()) {
                        let error = error.into();
                        self.draft().drop_changes(told, &error);
                        return Err(error);
                    }
                }
                replayed += changes.len();
                match self.draft().resume(replayed, record.as_ref(), &plan) {
                    None => break,
                    Some(more) if more.is_empty() => return Ok(()),
                    Some(more) => changes = more,
                }
            }
        }
    }
}

impl Doing {
    fn leave(&self, opened: Option<&Opened>, now: Timestamp) -> Leave {
        let settled = match (&self.draft, opened) {
            (Some(draft), _) => draft.is_settled(now),
            (None, Some(opened)) => opened
                .held()
                .is_none_or(|held| !draft::is_use_due(held, now)),
            (None, None) => return Leave::Unused,
        };
        if settled {
            Leave::Settled
        } else {
            Leave::Unsettled
        }
    }

    fn close(&mut self) {
        self.closed = true;
        if let Some(draft) = &mut self.draft {
            draft.close();
        }
    }
}

/// The draft, locked.
pub(crate) struct DraftGuard<'a>(MutexGuard<'a, Doing>);

impl DraftGuard<'_> {
    /// The head leaves, and no new credential after it.
    pub(crate) fn close(&mut self) {
        self.0.close();
    }
}

impl Deref for DraftGuard<'_> {
    type Target = Draft;

    fn deref(&self) -> &Draft {
        self.0.draft.as_ref().expect("made when it was locked")
    }
}

impl DerefMut for DraftGuard<'_> {
    fn deref_mut(&mut self) -> &mut Draft {
        self.0.draft.as_mut().expect("made when it was locked")
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let doing = self.doing.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Doing {
            draft: Some(draft),
            closed: true,
        } = doing
            && let Some(sid) = draft.uncommitted()
        {
            telemetry::dropped_changes(&sid);
        }
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("name", &self.name())
            .field("used", &self.opened.get().is_some())
            .finish_non_exhaustive()
    }
}
