//! The draft: a session as one request sees it, what was done to it, and what is left to do.
//!
//! Plain data and no I/O. [`Draft::next`] says which operation the strategy should run, one of the
//! `settle_…` methods takes its outcome, and the session is committed when nothing is next.

mod next;
mod settle;

use std::sync::Arc;
use std::task::Waker;

pub(crate) use next::Act;
use sessile_core::{
    Arrival, Change, Credential, Data, Held, Log, Name, Opened, Plan, Record, Rerun, SessionId,
    Target, Text,
};
pub(crate) use settle::After;

use crate::{Error, ErrorKind, Result};

pub(crate) struct Draft {
    arrival: Arrival,
    mode: Mode,
    /// A state older than the client has seen was accepted.
    accepted: bool,
    held: Option<Held>,
    plan: Plan,
    log: Log,
    max_bytes: usize,
    /// The id that a new session will have.
    next_sid: Option<SessionId>,
    /// The current verifier was presented and the one before it is open-ended.
    confirm: bool,
    issue: Issue,
    /// The session that a login moved on from, to be ended once the new one is there.
    left: Option<Left>,
    running: Option<Running>,
    waiting: Vec<Waker>,
}

/// Whether the session can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Open,
    /// It ended; a write would go nowhere, and in a browser would overwrite a newer login.
    Ended,
    /// It is older than the client has seen, and was not accepted so.
    Stale,
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
    seen: u64,
    log: Log,
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

/// What was handed to the strategy and not answered yet.
struct Running {
    /// So many changes of the log are in it.
    changes: usize,
    /// The credential that it makes current.
    credential: Option<Credential>,
    /// Without it nothing of the handler's is lost: notes of use only.
    is_note: bool,
}

impl Draft {
    pub(crate) fn new(opened: Opened, max_bytes: usize) -> Self {
        let held = opened.held;
        let record = held.as_ref().map(|held| &*held.record);
        let open_ended = |record: &Record| {
            record
                .previous
                .as_ref()
                .is_some_and(|previous| previous.until.is_none())
        };
        Draft {
            mode: match opened.arrival {
                Arrival::Ended => Mode::Ended,
                Arrival::Stale => Mode::Stale,
                _ => Mode::Open,
            },
            arrival: opened.arrival,
            accepted: false,
            plan: Plan::new(record, held.as_ref().map_or(0, |held| held.known)),
            log: Log::new(),
            max_bytes,
            next_sid: None,
            confirm: held
                .as_ref()
                .is_some_and(|held| !held.renewed && open_ended(&held.record)),
            issue: match &held {
                Some(held) if held.reissue || held.renewed => Issue::Credential,
                _ => Issue::Nothing,
            },
            held,
            left: None,
            running: None,
            waiting: Vec::new(),
        }
    }

    // === what the handler sees ===

    pub(crate) fn arrival(&self) -> Arrival {
        self.arrival
    }

    pub(crate) fn record(&self) -> Option<&Record> {
        self.held.as_ref().map(|held| &*held.record)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Text> {
        self.plan.get(self.record(), name)
    }

    pub(crate) fn data(&self) -> Data {
        self.plan.data(self.record())
    }

    pub(crate) fn target(&self) -> &Target {
        self.plan.target()
    }

    pub(crate) fn subject(&self) -> Option<Arc<str>> {
        match self.plan.target() {
            Target::Same => self.record().and_then(|record| record.subject.clone()),
            Target::New { subject } => subject.clone(),
            Target::Nobody => None,
        }
    }

    /// The session's id, or the one that it will have.
    pub(crate) fn sid(&mut self) -> SessionId {
        match (self.plan.target(), &self.held) {
            (Target::Same, Some(held)) => held.record.sid,
            _ => *self.next_sid.get_or_insert_with(SessionId::random),
        }
    }

    /// The session, if it holds changes that nobody committed.
    pub(crate) fn uncommitted(&self) -> Option<SessionId> {
        let sid = self.record().map(|record| record.sid)?;
        (!self.plan.is_idle()).then_some(sid)
    }

    // === what the handler does ===

    /// Whether the session can be changed so; `closed` once the response head has left.
    pub(crate) fn check(&self, access: Access, closed: bool) -> Result<()> {
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
        let needs_credential = match access {
            Access::Write => *target != Target::Same,
            Access::Renew | Access::Move => true,
            Access::End => false,
        };
        if closed && needs_credential {
            return failed(
                ErrorKind::TooLate,
                "the response head has left, and this needs a new credential in it: do it before the handler returns",
            );
        }
        Ok(())
    }

    pub(crate) fn accept_stale(&mut self) {
        if self.mode == Mode::Stale {
            self.mode = Mode::Open;
            self.accepted = true;
            self.plan.accept_older();
        }
    }

    pub(crate) fn set(&mut self, name: Name, text: Text) -> Result<()> {
        self.check_size(&name, &text)?;
        self.push(Change::Set(name, text))
    }

    pub(crate) fn push(&mut self, change: Change) -> Result<()> {
        let record = self.held.as_ref().map(|held| &*held.record);
        self.plan.fold(&change, record)?;
        if matches!(change, Change::Login(_) | Change::Destroy) {
            self.next_sid = None;
        }
        self.log.push(change);
        Ok(())
    }

    /// An update whose closure was run on `read` and gave `new`; `false` if the view has changed
    /// meanwhile, and nothing was done.
    pub(crate) fn update(
        &mut self,
        name: &Name,
        read: Option<&Text>,
        new: Option<Text>,
        rerun: Rerun,
    ) -> Result<bool> {
        if self.get(name.as_str()) != read {
            return Ok(false);
        }
        if let Some(text) = &new {
            self.check_size(name, text)?;
        }
        let record = self.held.as_ref().map(|held| &*held.record);
        self.plan.update(record, name, new);
        self.log.push(Change::Update(name.clone(), rerun));
        Ok(true)
    }

    fn check_size(&self, name: &Name, text: &Text) -> Result<()> {
        let size = name.as_str().len() + text.as_str().len();
        // The common case needs no sum.
        if size <= 256 && self.log.is_empty() && self.record().is_none() {
            return Ok(());
        }
        let old = self
            .get(name.as_str())
            .map_or(0, |old| name.as_str().len() + old.as_str().len());
        let rest = self.plan.bytes(self.record()) - old;
        if size > old && rest + size > self.max_bytes {
            let left = self.max_bytes.saturating_sub(rest + name.as_str().len());
            return Err(Error::new(
                ErrorKind::TooLarge,
                format!(
                    "the value has {} bytes as JSON; {left} are left in this session",
                    text.as_str().len()
                ),
            ));
        }
        Ok(())
    }

    /// The record that was found, for a reload.
    pub(crate) fn held_record(&self) -> Option<Arc<Record>> {
        self.held.as_ref().map(|held| held.record.clone())
    }

    /// The session's record, if the changes so far leave it the same session.
    pub(crate) fn stored(&self) -> Option<&Record> {
        self.record()
            .filter(|_| *self.plan.target() == Target::Same)
    }

    // === what the client is told ===

    /// Whether data, and data alone, is to be written to the session the request came with.
    pub(crate) fn is_data_only(&self) -> bool {
        *self.plan.target() == Target::Same && !self.plan.renews() && self.plan.lifetime().is_none()
    }

    /// What the response has to tell, with the session it is about.
    pub(crate) fn issue(&self) -> (Issue, Option<&Held>) {
        (self.issue, self.held.as_ref())
    }
}
