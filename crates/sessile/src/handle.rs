//! The handle: what one request knows of one session, shared by everything that works on it.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{Method, Request};
use sessile_core::{Arrival, Found, Held, Log, Opened, Plan, Presented, Step, Timestamp};

use crate::carrier::{self, Carrier};
use crate::draft::{self, Draft, Issue, View};
use crate::layer::Shared;
use crate::{ErrorKind, LazySession, Result, telemetry};

/// One per request and cookie name. Until somebody asks for the session it holds only what the
/// client sent; until something is done to it, what was found.
pub(crate) struct Handle {
    pub(crate) shared: Arc<Shared>,
    /// The session of the layer around this one, under another name.
    pub(crate) outer: Option<LazySession>,
    sent: Sent,
    /// The carrier that brought it, by its place in the list; the first, if none did.
    carrier: usize,
    /// When the head arrived, if the client sent something.
    arrived: Timestamp,
    /// The request only reads: `GET` or `HEAD`.
    pub(crate) reads: bool,
    doing: Mutex<Doing>,
}

/// How far this request has got with the session.
struct Doing {
    stage: Stage,
    /// Somebody asked for the session, and be it in vain: the response depends on the cookie.
    asked: bool,
    /// The response head has left, and no new credential with it.
    closed: bool,
}

enum Stage {
    /// Nobody asked for it.
    Unused,
    /// It was looked for. Most requests that use a session only read it.
    Found(Opened),
    /// Something was done to it.
    Draft(Box<Draft>),
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
    /// Several cookies, none of them believed.
    Several,
    /// What can't be answered at all.
    Ambiguous,
    Short(u8, [u8; INLINE]),
    Long(Box<[u8]>),
}

impl Sent {
    /// Keeps a credential, in place: it is copied once.
    fn set(&mut self, text: &[u8]) {
        match u8::try_from(text.len()) {
            Ok(length) if text.len() <= INLINE => {
                *self = Sent::Short(length, [0; INLINE]);
                if let Sent::Short(_, bytes) = self {
                    bytes[..text.len()].copy_from_slice(text);
                }
            }
            _ => *self = Sent::Long(text.into()),
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
        // Made empty and filled where it lies: a handle is large, and mostly nothing was sent.
        let mut handle = Arc::new(Handle {
            shared: shared.clone(),
            outer,
            sent: Sent::Nothing,
            carrier: 0,
            arrived: Timestamp::default(),
            reads: matches!(*request.method(), Method::GET | Method::HEAD),
            doing: Mutex::new(Doing {
                stage: Stage::Unused,
                asked: false,
                closed: false,
            }),
        });
        let found = carrier::read(request.headers(), &shared.carriers, name);
        if found != carrier::Found::Nothing {
            let handle = Arc::get_mut(&mut handle).expect("nobody else has it yet");
            handle.arrived = shared.clock.now();
            match found {
                carrier::Found::One(at, text) => {
                    handle.carrier = at;
                    handle.sent.set(text);
                }
                carrier::Found::Several => handle.sent = Sent::Several,
                _ => handle.sent = Sent::Ambiguous,
            }
        }
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

    /// The carrier that the answer goes out by.
    pub(crate) fn carrier(&self) -> &Carrier {
        &self.shared.carriers[self.carrier]
    }

    /// Whether the client sent something under our name.
    pub(crate) fn has_credential(&self) -> bool {
        !matches!(self.sent, Sent::Nothing)
    }

    /// Finds the session, the first time. A failure is not kept: the next call tries again.
    pub(crate) async fn load(&self) -> Result<()> {
        if self.lock().ask() {
            return Ok(());
        }
        let opened = match self.open().into_ready() {
            Ok(opened) => opened,
            Err(step) => step.await,
        };
        let opened = match opened {
            Ok(opened) => opened,
            Err(error) => {
                telemetry::failed(error.kind());
                return Err(error.into());
            }
        };
        if let Found::Reuse(sid) = &opened.found {
            telemetry::reuse(sid);
        }
        let mut doing = self.lock();
        // Two may have looked at the same time; the first one's finding stays.
        if matches!(doing.stage, Stage::Unused) {
            doing.stage = Stage::Found(opened);
        }
        Ok(())
    }

    fn open(&self) -> Step<sessile_core::Result<Opened>> {
        if let Some(presented) = self.presented() {
            return self.shared.strategy.open(&presented, self.now());
        }
        Step::ready(match self.sent {
            Sent::Nothing => Ok(Opened::nothing(Arrival::New)),
            Sent::Ambiguous => Err(sessile_core::Error::new(
                ErrorKind::Ambiguous,
                "the request brings two credentials, or a malformed bearer token: send one",
            )),
            _ => {
                telemetry::ambiguous_cookies();
                Ok(Opened::nothing(Arrival::Unknown))
            }
        })
    }

    /// The credential that the client sent, if it sent one.
    fn presented(&self) -> Option<Presented<'_>> {
        let text = match &self.sent {
            Sent::Nothing | Sent::Several | Sent::Ambiguous => return None,
            Sent::Short(length, bytes) => &bytes[..usize::from(*length)],
            Sent::Long(text) => text,
        };
        Some(Presented {
            text,
            carrier: self.carrier().name(&self.shared.cookie),
            arrived: self.arrived,
        })
    }

    /// Whether the client is to be given its credential anew though nothing was done that asks
    /// for it.
    pub(crate) fn reissues(&self, held: &Held) -> bool {
        self.presented()
            .is_some_and(|presented| self.shared.strategy.reissues(&presented, held))
    }

    /// No closure of the application runs under this lock, and every change is made whole, so a
    /// poisoned one is still good.
    fn lock(&self) -> MutexGuard<'_, Doing> {
        self.doing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a handler sees of the session.
    pub(crate) fn view<R>(&self, look: impl FnOnce(View<'_>) -> R) -> R {
        look(self.lock().view())
    }

    /// The draft, locked; begun if need be.
    pub(crate) fn draft(&self) -> DraftGuard<'_> {
        let mut doing = self.lock();
        doing.begin(&self.shared);
        DraftGuard(doing)
    }

    /// The head of the response is about to leave.
    pub(crate) fn leave(&self) -> Leave {
        let mut doing = self.lock();
        let leave = doing.leave(self.arrived);
        if leave != Leave::Unsettled {
            doing.close();
        }
        leave
    }

    /// No credential will leave any more.
    pub(crate) fn close(&self) {
        self.lock().close();
    }

    /// No head will leave: cancelled, or the service failed. What was not committed is dropped;
    /// outside of the lock, since it may hold handles of this session.
    pub(crate) fn abandon(&self) {
        let mut doing = self.lock();
        doing.close();
        let dropped = match &mut doing.stage {
            Stage::Draft(draft) => draft.abandon(),
            Stage::Unused | Stage::Found(_) => Log::new(),
        };
        drop(doing);
        drop(dropped);
    }

    /// What the response has to tell the client, with the session it is about.
    pub(crate) fn issue<R>(&self, tell: impl FnOnce(Issue, Option<&Held>) -> R) -> R {
        let doing = self.lock();
        let (issue, held) = match &doing.stage {
            Stage::Unused => (Issue::Nothing, None),
            Stage::Found(opened) => {
                let held = opened.held();
                (held.map_or(Issue::Nothing, Issue::of), held)
            }
            Stage::Draft(draft) => draft.issue(),
        };
        tell(issue, held)
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
    /// Notes that the session was asked for; whether it has been looked for already.
    fn ask(&mut self) -> bool {
        self.asked = true;
        !matches!(self.stage, Stage::Unused)
    }

    fn view(&self) -> View<'_> {
        match &self.stage {
            Stage::Unused => View::default(),
            Stage::Found(opened) => View::of(opened),
            Stage::Draft(draft) => draft.view(),
        }
    }

    fn begin(&mut self, shared: &Shared) {
        let opened = match std::mem::replace(&mut self.stage, Stage::Unused) {
            Stage::Unused => Opened::nothing(Arrival::New),
            Stage::Found(opened) => opened,
            draft @ Stage::Draft(_) => return self.stage = draft,
        };
        self.stage = Stage::Draft(Box::new(Draft::new(opened, self.closed, shared)));
    }

    fn leave(&self, now: Timestamp) -> Leave {
        let settled = match &self.stage {
            Stage::Unused if !self.asked => return Leave::Unused,
            Stage::Unused => true,
            Stage::Found(opened) => !opened
                .held()
                .is_some_and(|held| draft::is_use_due(held, now)),
            Stage::Draft(draft) => draft.is_settled(now),
        };
        if settled {
            Leave::Settled
        } else {
            Leave::Unsettled
        }
    }

    fn close(&mut self) {
        self.closed = true;
        if let Stage::Draft(draft) = &mut self.stage {
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
        match &self.0.stage {
            Stage::Draft(draft) => draft,
            _ => unreachable!("begun when it was locked"),
        }
    }
}

impl DerefMut for DraftGuard<'_> {
    fn deref_mut(&mut self) -> &mut Draft {
        match &mut self.0.stage {
            Stage::Draft(draft) => draft,
            _ => unreachable!("begun when it was locked"),
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let doing = self.doing.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Doing {
            stage: Stage::Draft(draft),
            closed: true,
            ..
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
            .finish_non_exhaustive()
    }
}
