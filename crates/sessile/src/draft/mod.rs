//! The draft: a session as one request sees it, what was done to it, and what is left to do.
//!
//! Plain data and no I/O. [`Draft::next`] says which operation the strategy should run, one of the
//! `settle_…` methods takes its outcome, and the session is committed when nothing is next.

mod next;
mod settle;
mod view;

use std::sync::Arc;
use std::task::Waker;

pub(crate) use next::Act;
use sessile_core::{
    Arrival, Change, Held, Log, Name, Opened, Plan, Record, Rerun, SessionId, Target, Text,
    Timestamp, Verifier,
};
pub(crate) use settle::After;
pub(crate) use view::View;

use crate::handle::Handle;
use crate::layer::Shared;
use crate::{Error, ErrorKind, Result};

pub(crate) struct Draft {
    arrival: Arrival,
    mode: Mode,
    /// A state older than the client has seen was accepted.
    accepted: bool,
    /// The response head has left.
    closed: bool,
    /// The state travels with the client: every write needs a new credential.
    travels: bool,
    /// An end needs the credential to be removed, and nothing else makes it one.
    ends_with_client: bool,
    /// The current verifier was presented and the one before it is open-ended.
    confirm: bool,
    issue: Issue,
    held: Option<Held>,
    plan: Plan,
    log: Log,
    /// The id that a new session will have.
    next_sid: Option<SessionId>,
    /// The session that a login moved on from, to be ended once the new one is there.
    left: Option<Left>,
    running: Option<Running>,
    waiting: Vec<Waker>,
    /// The plan is older than the record or the log: the log is to be replayed first.
    behind: bool,
    /// Why changes were dropped whose commit has not been told yet.
    lost: Option<Error>,
    /// How often everything done before was forgotten, by a logout or another subject's login.
    forgotten: u64,
    /// How often changes were dropped, and why the last time.
    failures: (u64, Option<Error>),
    /// Why the session that a login made is being ended again.
    doomed: Option<Error>,
    /// So many changes at the log's begin are what a login's session is to hold of the one it left.
    inherited: usize,
}

/// Whether the session can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Open,
    /// It ended; a write would go nowhere, and in a browser would overwrite a newer login.
    Ended,
    /// It is older than the client has seen, and was not accepted so.
    Stale,
    /// It could not be had. Nothing is written over what may be there.
    Unavailable,
}

/// What the response has to tell the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Issue {
    Nothing,
    Credential,
    Removal,
}

struct Left {
    sid: SessionId,
    subject: Option<Arc<str>>,
    seen: u64,
    log: Log,
}

/// What was handed to the strategy and not answered yet.
#[derive(Default)]
struct Running {
    /// So many changes of the log are in it.
    changes: usize,
    /// The verifier that it makes current.
    verifier: Option<Verifier>,
    /// Without it nothing of the handler's is lost: notes of use only.
    is_note: bool,
    /// It ends a session.
    is_end: bool,
    /// It moves a deadline that the client's credential or cookie repeats.
    moves_deadline: bool,
}

/// How a change reaches for the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Writes to the session, which stays.
    Write,
    /// Writes to the session and needs a new credential for it.
    Renew,
    /// Moves on to another session.
    Move,
    /// Ends it.
    End,
}

impl Draft {
    pub(crate) fn new(opened: Opened, closed: bool, shared: &Shared) -> Self {
        let arrival = opened.arrival;
        let held = opened.into_held();
        let record = held.as_ref().map(|held| &*held.record);
        Draft {
            arrival,
            mode: match arrival {
                Arrival::Ended => Mode::Ended,
                Arrival::Stale => Mode::Stale,
                Arrival::Unavailable => Mode::Unavailable,
                _ => Mode::Open,
            },
            accepted: false,
            closed,
            travels: shared.travels,
            ends_with_client: shared.ends_with_client,
            confirm: held.as_ref().is_some_and(is_confirming),
            issue: held.as_ref().map_or(Issue::Nothing, Issue::of),
            plan: Plan::new(record, held.as_ref().map_or(0, |held| held.known)),
            held,
            log: Log::new(),
            next_sid: None,
            left: None,
            running: None,
            waiting: Vec::new(),
            behind: false,
            lost: None,
            forgotten: 0,
            failures: (0, None),
            doomed: None,
            inherited: 0,
        }
    }

    // === what the handler sees ===

    pub(crate) fn view(&self) -> View<'_> {
        View {
            arrival: self.arrival,
            record: self.record(),
            plan: Some(&self.plan),
        }
    }

    pub(crate) fn record(&self) -> Option<&Arc<Record>> {
        self.held.as_ref().map(|held| &held.record)
    }

    /// The session's id, or the one that it will have.
    pub(crate) fn sid(&mut self) -> SessionId {
        match self.view().stored() {
            Some(record) => record.sid,
            None => *self.next_sid.get_or_insert_with(SessionId::random),
        }
    }

    /// The session, if it holds changes that nobody committed.
    pub(crate) fn uncommitted(&self) -> Option<SessionId> {
        if self.plan.is_idle() {
            None
        } else {
            self.record().map(|record| record.sid)
        }
    }

    // === what the handler does ===

    /// Whether the session can be changed so.
    pub(crate) fn check(&self, access: Access) -> Result<()> {
        let failed = |kind, message| Err(Error::new(kind, message));
        let target = self.plan.target();
        let needs_session = matches!(access, Access::Write | Access::Renew);
        if self.mode == Mode::Ended && needs_session && !matches!(target, Target::New { .. }) {
            return failed(
                ErrorKind::Gone,
                "the session has ended; only a login can follow",
            );
        }
        if self.mode == Mode::Stale && access != Access::End {
            return failed(
                ErrorKind::Stale,
                "the session's state is older than this client has seen: repeat the request, or call accept_stale() to write on it",
            );
        }
        if self.mode == Mode::Unavailable {
            return failed(
                ErrorKind::Unavailable,
                "the session could not be had, so it can't be changed: the store is away",
            );
        }
        let needs_credential = match access {
            Access::Write => self.travels || *target != Target::Same,
            Access::Renew | Access::Move => true,
            Access::End => self.ends_with_client && self.record().is_some(),
        };
        if self.closed && needs_credential {
            return failed(
                ErrorKind::TooLate,
                "the response head has left, and this needs a new credential in it, or none: do it before the handler returns",
            );
        }
        Ok(())
    }

    pub(crate) fn close(&mut self) {
        self.closed = true;
    }

    pub(crate) fn accept_stale(&mut self) {
        if self.mode == Mode::Stale {
            self.mode = Mode::Open;
            self.accepted = true;
            self.plan.accept_older();
        }
    }

    pub(crate) fn set(&mut self, name: Name, text: Text, handle: &Handle) -> Result<()> {
        self.check_size(&name, &text, handle)?;
        self.push(Change::Set(name, text))
    }

    pub(crate) fn push(&mut self, change: Change) -> Result<()> {
        let forgets = match &change {
            Change::Destroy => true,
            Change::Login(subject) => self.view().subject().is_some_and(|bound| bound != *subject),
            _ => false,
        };
        let record = self.held.as_ref().map(|held| &*held.record);
        self.plan.fold(&change, record)?;
        if matches!(change, Change::Login(_) | Change::Destroy) {
            self.next_sid = None;
        }
        self.forgotten += u64::from(forgets);
        self.log.push(change);
        Ok(())
    }

    /// An update whose closure was run on the view and gave `new`.
    pub(crate) fn update(
        &mut self,
        name: Name,
        new: Option<Text>,
        rerun: Rerun,
        handle: &Handle,
    ) -> Result<()> {
        if let Some(text) = &new {
            self.check_size(&name, text, handle)?;
        }
        let record = self.held.as_ref().map(|held| &*held.record);
        self.plan.update(record, &name, new);
        self.log.push(Change::Update(name, rerun));
        Ok(())
    }

    fn check_size(&self, name: &Name, text: &Text, handle: &Handle) -> Result<()> {
        let key = name.as_str().len();
        let size = |text: &Text| key + text.as_str().len();
        let old = self.view().get(name.as_str()).map_or(0, size);
        if size(text) <= old {
            return Ok(());
        }
        let has = text.as_str().len();
        let left = if self.travels {
            self.room(name, text, handle)?
        } else {
            let record = self.held.as_ref().map(|held| &*held.record);
            let rest = self.plan.bytes(record) - old;
            handle.shared.max_bytes.saturating_sub(rest + key)
        };
        if has > left {
            let message =
                format!("the value has {has} bytes as JSON; {left} are left in this session");
            return Err(sessile_core::Error::too_large(message, left).into());
        }
        Ok(())
    }

    /// How long this value may be, in a session that is in its credential.
    fn room(&self, name: &Name, text: &Text, handle: &Handle) -> Result<usize> {
        let view = self.view();
        let data = view.data();
        let entries = data.iter().map(|(name, text)| (name.clone(), text.clone()));
        let data = entries.chain([(name.clone(), text.clone())]).collect();
        let room = handle.shared.room(
            handle.carrier(),
            view.stored(),
            view.subject().as_deref(),
            &data,
        )?;
        Ok(room.map_or(usize::MAX, |room| {
            text.as_str().len().saturating_add_signed(room)
        }))
    }

    // === what the client is told ===

    /// Whether a commit at `now` would find nothing to do.
    pub(crate) fn is_settled(&self, now: Timestamp) -> bool {
        let is_used = |held: &Held| self.confirm || held.record.is_touch_due(now);
        self.plan.is_idle()
            && self.left.is_none()
            && self.running.is_none()
            && self.lost.is_none()
            && !self.behind
            && !self.held.as_ref().is_some_and(is_used)
    }

    /// Whether the session that the request came with is to be ended.
    pub(crate) fn is_ending(&self) -> bool {
        self.plan.ends_first()
    }

    /// Whether the log is to be replayed before anything else.
    pub(crate) fn is_behind(&self) -> bool {
        self.behind && self.running.is_none()
    }

    fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// How often everything done before was forgotten.
    pub(crate) fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// How often changes were dropped so far.
    pub(crate) fn failures(&self) -> u64 {
        self.failures.0
    }

    /// Why changes were dropped, if they were since then.
    pub(crate) fn failed_since(&self, failures: u64) -> Option<Error> {
        self.failures
            .1
            .clone()
            .filter(|_| self.failures.0 > failures)
    }

    /// Why changes were dropped that nobody has been told of yet.
    pub(crate) fn take_lost(&mut self) -> Option<Error> {
        self.lost.take()
    }

    /// Whether data, and data alone, is to be written to the session the request came with.
    pub(crate) fn is_data_only(&self) -> bool {
        *self.plan.target() == Target::Same && !self.plan.renews() && self.plan.lifetime().is_none()
    }

    /// What the response has to tell, with the session it is about.
    pub(crate) fn issue(&self) -> (Issue, Option<&Held>) {
        (self.issue, self.held.as_ref())
    }
}

impl Issue {
    /// What a response has to tell about a session that nothing was done to.
    pub(crate) fn of(held: &Held) -> Self {
        if held.renewed {
            Issue::Credential
        } else {
            Issue::Nothing
        }
    }
}

/// Whether this use of a session, at `now`, is to be written down.
pub(crate) fn is_use_due(held: &Held, now: Timestamp) -> bool {
    is_confirming(held) || held.record.is_touch_due(now)
}

/// Whether this request shows that the client got its renewed credential.
fn is_confirming(held: &Held) -> bool {
    let previous = held.record.previous.as_ref();
    !held.renewed && previous.is_some_and(|previous| previous.until.is_none())
}
