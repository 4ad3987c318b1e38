//! What an operation's outcome makes of the draft.

use std::sync::Arc;
use std::task::Waker;

use sessile_core::{Arrival, Change, Created, Data, Held, Log, Outcome, Plan, Record};

use super::{Draft, Issue, Left, Mode, Running, fresh_plan};
use crate::{Error, ErrorKind, Result};

/// What is to be done before the next operation. Replays run the application's closures, so they
/// are made outside of the lock that guards the draft.
#[derive(Debug)]
pub(crate) enum After {
    Nothing,
    /// Changes were made meanwhile: they are to be replayed on the record as it is now.
    Replay,
    /// The same, because the record was another one than the log had seen. So many of its changes
    /// are those of the commit that meets this.
    Retry(usize),
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
            (Some(_), _) => self.forget(0),
            (None, last) => {
                self.held = None;
                self.confirm = false;
                self.mode = Mode::Open;
                // Where another request was first, the jar may hold a newer login by now.
                self.issue = match last {
                    Some(_) => Issue::Removal,
                    None => Issue::Nothing,
                };
                // What came before the end is settled with it.
                let is_end = |change: &Change| matches!(change, Change::Destroy);
                let settled = self.log.iter().rposition(is_end).map_or(0, |at| at + 1);
                self.forget(settled)
            }
        }
    }

    /// The new session was created, or not.
    pub(crate) fn settle_create(&mut self, record: Arc<Record>, created: Created) -> Result<After> {
        let Some(Running {
            changes,
            verifier: Some(verifier),
            ..
        }) = self.done()
        else {
            return Ok(After::Nothing);
        };
        let failed = |kind, message| Err(Error::new(kind, message));
        match created {
            Created::Created => {}
            // Whoever asked for this session is told so, once.
            Created::Full => {
                self.forget(changes);
                return failed(
                    ErrorKind::LimitReached,
                    "this subject has as many sessions as it may: end another one first",
                );
            }
            Created::Taken => {
                self.forget(changes);
                return failed(ErrorKind::Gone, "the session was revoked while it was made");
            }
        }
        if let Some(old) = self.held.take() {
            let log = self.log[..changes].to_vec();
            self.left = Some(Left {
                sid: old.record.sid,
                seen: old.record.version,
                log,
            });
        }
        self.next_sid = None;
        let known = record.version;
        self.held = Some(Held {
            record,
            verifier,
            known,
            reissue: false,
            renewed: false,
        });
        self.mode = Mode::Open;
        self.confirm = false;
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
                if running.verifier.is_some() || running.moves_deadline {
                    self.issue = Issue::Credential;
                }
                if let Some(verifier) = running.verifier {
                    held.verifier = verifier;
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
                self.follow(record, running.changes)?;
                Ok(After::Retry(running.changes))
            }
            Outcome::Gone => {
                let error = self.lose(
                    running.changes,
                    "the session ended before its changes were saved",
                );
                if running.is_note {
                    return Ok(After::Nothing);
                }
                Err(error)
            }
        }
    }

    /// The session is no more, and what was done to it goes with it. The caller answers for the
    /// first `told` changes.
    fn lose(&mut self, told: usize, message: &'static str) -> Error {
        let error = Error::new(ErrorKind::Gone, message);
        self.held = None;
        self.mode = Mode::Ended;
        self.confirm = false;
        self.issue = Issue::Nothing;
        self.drop_changes(told, &error);
        error
    }

    /// Takes over a newer record. If another request has renewed meanwhile, this one follows: the
    /// successor is wrapped under the verifier that this client presented.
    fn follow(&mut self, record: Arc<Record>, told: usize) -> Result<()> {
        let Some(held) = &mut self.held else {
            return Ok(());
        };
        if record.hash != held.record.hash {
            let old = &held.verifier;
            let hash = old.hash();
            let mut previous = record
                .previous
                .iter()
                .filter(|previous| previous.hash == hash);
            let Some(previous) = previous.next() else {
                return Err(self.lose(
                    told,
                    "the session's credential was replaced twice meanwhile",
                ));
            };
            held.verifier = old.unwrap(&record.sid, &previous.wrapped);
            self.confirm = false;
            self.issue = Issue::Credential;
        }
        held.known = held.known.max(record.version);
        held.record = record;
        self.behind = true;
        Ok(())
    }

    /// Takes over what a reload found, unless the session is another one by now. Changes that were
    /// not committed are to be replayed.
    pub(crate) fn refresh(&mut self, seen: &Arc<Record>, newer: Option<Arc<Record>>) -> Result<()> {
        if self
            .record()
            .is_none_or(|record| !Arc::ptr_eq(record, seen))
        {
            return Ok(());
        }
        match newer {
            Some(record) => self.follow(record, usize::MAX),
            None => Err(self.lose(usize::MAX, "the session has ended")),
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

    /// What a replay starts from: the log, the record below it, and the version known of.
    pub(crate) fn replayed(&self) -> (Log, Option<Arc<Record>>, u64) {
        let known = self.held.as_ref().map_or(0, |held| held.known);
        (self.log.clone(), self.record().cloned(), known)
    }

    /// Takes the plan that so many changes came to on this record. What was done since is to be
    /// added first, and is returned; `None` if all of it is to be replayed once more.
    pub(crate) fn resume(
        &mut self,
        changes: usize,
        record: Option<&Arc<Record>>,
        plan: &Plan,
    ) -> Option<Log> {
        let same = self.record().map(Arc::as_ptr) == record.map(Arc::as_ptr);
        let more = self.log.get(changes..).filter(|_| same)?.to_vec();
        if more.is_empty() {
            self.plan = plan.clone();
            self.behind = false;
            if self.accepted {
                self.plan.accept_older();
            }
        }
        Some(more)
    }

    /// The changes are dropped, because of this error. The caller answers for the first `told` of
    /// them; whoever commits next is told for the others.
    pub(crate) fn drop_changes(&mut self, told: usize, error: &Error) {
        self.done();
        if self.log.len() > told {
            self.lost = Some(error.clone());
        }
        self.forget(usize::MAX);
    }

    /// What was running failed, or will never be answered: its changes are dropped, unless they
    /// can be tried again. An end always can, twice is as good as once.
    pub(crate) fn fail(&mut self, error: &Error) {
        if let Some(running) = self.done()
            && error.kind() != ErrorKind::Unavailable
            && !running.is_end
        {
            self.drop_changes(running.changes, error);
        }
    }

    /// Drops the first changes of the log, which are settled. With none left the work is done.
    pub(super) fn forget(&mut self, changes: usize) -> After {
        self.log.drain(..changes.min(self.log.len()));
        self.behind = !self.log.is_empty();
        if self.behind {
            return After::Replay;
        }
        self.plan = fresh_plan(self.held.as_ref(), self.accepted);
        After::Nothing
    }

    /// What was running is answered; who waited for that may go on.
    fn done(&mut self) -> Option<Running> {
        self.waiting.drain(..).for_each(Waker::wake);
        self.running.take()
    }
}
