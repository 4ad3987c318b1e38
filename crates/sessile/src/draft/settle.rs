//! What an operation's outcome makes of the draft.

use std::sync::Arc;
use std::task::Waker;

use sessile_core::{Arrival, Change, Created, Data, Held, Log, Outcome, Plan, Record};

use super::{Draft, Issue, Left, Mode, Running};
use crate::{Error, ErrorKind, Result};

/// What is to be done before the next operation. Replays run the application's closures, so they
/// are made outside of the lock that guards the draft.
#[derive(Debug)]
pub(crate) enum After {
    Nothing,
    /// Changes were made meanwhile: they are to be replayed on the record as it is now.
    Replay,
    /// The same, because the record was another one than the log had seen.
    Retry,
    /// The log is to be replayed on this last state, and the new session gets the result.
    Inherit(Arc<Record>, Log),
}

impl Draft {
    /// The session was ended: the one that was destroyed, or the one that a login left.
    pub(crate) fn settle_end(&mut self, last: Option<Arc<Record>>) -> After {
        self.done();
        match (self.left.take(), last) {
            // It was written after the view was taken, and nothing acknowledged may be lost.
            (Some(left), Some(last)) if last.version > left.seen => After::Inherit(last, left.log),
            (Some(_), _) => After::Nothing,
            (None, _) => {
                self.held = None;
                self.confirm = false;
                self.mode = Mode::Open;
                self.issue = Issue::Removal;
                // What came before the end is settled with it.
                let at = self
                    .log
                    .iter()
                    .rposition(|change| matches!(change, Change::Destroy));
                self.forget(at.map_or(0, |at| at + 1))
            }
        }
    }

    /// The new session was created, or not.
    pub(crate) fn settle_create(&mut self, record: Arc<Record>, created: Created) -> Result<After> {
        let running = self.done();
        let failed = |kind, message| Err(Error::new(kind, message));
        match created {
            Created::Created => {}
            // Somebody ended this session before it was there.
            Created::Taken => {
                return failed(ErrorKind::Gone, "the session was revoked while it was made");
            }
            Created::Full => {
                return failed(
                    ErrorKind::LimitReached,
                    "this subject has as many sessions as it may: end another one first",
                );
            }
        }
        let Some((changes, credential)) =
            running.and_then(|running| Some((running.changes, running.credential?)))
        else {
            return Ok(After::Nothing);
        };
        if let Some(old) = self.held.take() {
            let log = self.log[..changes].to_vec();
            self.left = Some(Left {
                sid: old.record.sid,
                seen: old.record.version,
                log,
            });
        }
        let known = record.version;
        self.held = Some(Held {
            record,
            credential,
            known,
            reissue: false,
            renewed: false,
        });
        self.mode = Mode::Open;
        self.confirm = false;
        self.next_sid = None;
        self.issue = Issue::Credential;
        Ok(self.forget(changes))
    }

    /// The patch was applied, or not.
    pub(crate) fn settle_apply(&mut self, outcome: Outcome) -> Result<After> {
        let (Some(running), Some(held)) = (self.done(), &mut self.held) else {
            return Ok(After::Nothing);
        };
        match outcome {
            Outcome::Applied(record) => {
                held.known = record.version;
                held.record = record;
                if let Some(credential) = running.credential {
                    held.credential = credential;
                    self.issue = Issue::Credential;
                }
                self.confirm = false;
                Ok(self.forget(running.changes))
            }
            Outcome::Conflict(record) if record.version < held.known && !self.accepted => {
                self.mode = Mode::Stale;
                self.arrival = Arrival::Stale;
                self.issue = Issue::Credential;
                held.record = record;
                self.forget(running.changes);
                Err(Error::new(
                    ErrorKind::Stale,
                    "the session's state is older than this client has seen",
                ))
            }
            Outcome::Conflict(record) => {
                self.follow(record)?;
                Ok(After::Retry)
            }
            Outcome::Gone => {
                self.held = None;
                self.mode = Mode::Ended;
                self.issue = Issue::Nothing;
                self.log.clear();
                self.restart(Plan::new(None, 0));
                if running.is_note {
                    return Ok(After::Nothing);
                }
                Err(Error::new(
                    ErrorKind::Gone,
                    "the session ended before its changes were saved",
                ))
            }
        }
    }

    /// Takes over a newer record. If another request has renewed meanwhile, this one follows: the
    /// successor is wrapped under the verifier that this client presented.
    fn follow(&mut self, record: Arc<Record>) -> Result<()> {
        let Some(held) = &mut self.held else {
            return Ok(());
        };
        if record.hash != held.record.hash {
            let old = &held.credential.verifier;
            let hash = old.hash();
            let Some(previous) = record
                .previous
                .as_ref()
                .filter(|previous| previous.hash == hash)
            else {
                return Err(Error::new(
                    ErrorKind::Gone,
                    "the session's credential was replaced meanwhile",
                ));
            };
            held.credential.verifier = old.unwrap(&record.sid, &previous.wrapped);
            self.confirm = false;
            self.issue = Issue::Credential;
        }
        held.known = held.known.max(record.version);
        held.record = record;
        Ok(())
    }

    /// Takes over what a reload found, unless the session is another one by now.
    pub(crate) fn refresh(&mut self, seen: &Arc<Record>, newer: Option<Arc<Record>>) -> Result<()> {
        if self
            .held
            .as_ref()
            .is_none_or(|held| !Arc::ptr_eq(&held.record, seen))
        {
            return Ok(());
        }
        match newer {
            Some(record) => self.follow(record),
            None => {
                self.held = None;
                self.mode = Mode::Ended;
                Err(Error::new(ErrorKind::Gone, "the session has ended"))
            }
        }
    }

    /// The new session is to hold what the left one held at its end.
    pub(crate) fn inherit(&mut self, data: &Data) {
        let mut log = Log::from([Change::Clear]);
        log.extend(
            data.iter()
                .map(|(name, text)| Change::Set(name.clone(), text.clone())),
        );
        log.append(&mut self.log);
        self.log = log;
    }

    /// What a replay starts from: the log, and the record below it.
    pub(crate) fn replayed(&self) -> (Log, Option<Arc<Record>>, u64) {
        let record = self.held.as_ref().map(|held| held.record.clone());
        (
            self.log.clone(),
            record,
            self.held.as_ref().map_or(0, |held| held.known),
        )
    }

    /// Takes the plan that a log of so many changes came to; `false` if there are more by now.
    pub(crate) fn resume(&mut self, changes: usize, plan: Plan) -> bool {
        let complete = self.log.len() == changes;
        if complete {
            self.restart(plan);
        }
        complete
    }

    fn restart(&mut self, plan: Plan) {
        self.plan = plan;
        if self.accepted {
            self.plan.accept_older();
        }
    }

    /// Drops so many changes, which are settled.
    pub(super) fn forget(&mut self, changes: usize) -> After {
        self.log.drain(..changes.min(self.log.len()));
        if !self.log.is_empty() {
            return After::Replay;
        }
        let held = self.held.as_ref();
        self.restart(Plan::new(
            held.map(|held| &*held.record),
            held.map_or(0, |held| held.known),
        ));
        After::Nothing
    }

    /// What is running will not be answered, or with an error: its changes are dropped, unless
    /// they can be tried again.
    pub(crate) fn fail(&mut self, again: bool) {
        if let (Some(running), false) = (self.done(), again) {
            self.left = None;
            self.forget(running.changes.max(self.log.len()));
        }
    }

    /// The log can't be replayed: what it holds is dropped, as a whole.
    pub(crate) fn drop_changes(&mut self) {
        let changes = self.log.len();
        self.forget(changes);
    }

    fn done(&mut self) -> Option<Running> {
        self.waiting.drain(..).for_each(Waker::wake);
        self.running.take()
    }
}
