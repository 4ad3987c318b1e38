//! What an operation's outcome makes of the draft.

use std::sync::Arc;
use std::task::Waker;

use sessile_core::{Arrival, Change, Created, Data, Held, Log, Outcome, Plan, Record, Strategy};

use super::{Draft, Issue, Left, Mode, Running};
use crate::{Error, ErrorKind, Result, telemetry};

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
    pub(crate) fn settle_end(&mut self, last: Option<Arc<Record>>) -> Result<After> {
        let Some(left) = self.left.take() else {
            self.done();
            self.settle_destroy(last.is_some());
            return Ok(self.forget(0));
        };
        match last {
            // It was written after the view was taken, and nothing acknowledged may be lost. Until
            // that is inherited the operation is not over.
            Some(last) if last.version > left.seen => return Ok(After::Inherit(last, left.log)),
            // Somebody ended it first. Had the same subject been logged in to it, that was a
            // revocation or a logout, and what comes after it in the same name must end too.
            None if left.subject.is_some() && left.subject == self.new_subject() => {
                self.done();
                self.doom();
            }
            _ => {
                self.done();
            }
        }
        match self.doomed.take() {
            Some(error) if self.left.is_none() => Err(error),
            doomed => {
                self.doomed = doomed;
                Ok(self.forget(0))
            }
        }
    }

    fn settle_destroy(&mut self, was_there: bool) {
        self.held = None;
        self.confirm = false;
        self.mode = Mode::Open;
        // Where another request was first, the jar may hold a newer login by now.
        self.issue = if was_there {
            Issue::Removal
        } else {
            Issue::Nothing
        };
        // What came before the end is settled with it.
        let is_end = |change: &Change| matches!(change, Change::Destroy);
        let settled = self.log.iter().rposition(is_end).map_or(0, |at| at + 1);
        self.forget(settled);
    }

    /// Who is logged in to the session that this login made, whatever was done since.
    fn new_subject(&self) -> Option<Arc<str>> {
        self.record().and_then(|record| record.subject.clone())
    }

    /// The session that this login made is to be ended at once.
    fn doom(&mut self) {
        let Some(new) = self.held.take() else { return };
        self.left = Some(Left {
            sid: new.record.sid,
            subject: None,
            seen: u64::MAX,
            log: Log::new(),
        });
        self.doomed = Some(self.lose(usize::MAX, "the session was ended while the login was made"));
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
        let failure = match created {
            Created::Created => None,
            Created::Full => Some((
                ErrorKind::LimitReached,
                "this subject has as many sessions as it may: end another one first",
            )),
            Created::Taken => Some((ErrorKind::Gone, "the session was revoked while it was made")),
        };
        if let Some((kind, message)) = failure {
            // Whoever asked for this session is told so, once.
            let error = Error::new(kind, message);
            self.drop_changes(changes, &error);
            return Err(error);
        }
        if let Some(old) = self.held.take() {
            let log = self.log[..changes].to_vec();
            self.left = Some(Left {
                sid: old.record.sid,
                subject: old.record.subject.clone(),
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
    pub(crate) fn settle_apply(
        &mut self,
        outcome: Outcome,
        strategy: &dyn Strategy,
    ) -> Result<After> {
        let (Some(running), Some(held)) = (self.done(), &mut self.held) else {
            return Ok(After::Nothing);
        };
        match outcome {
            Outcome::Applied(record) => {
                let written = self.travels && record.version != held.record.version;
                let has_moved = record.sid != held.record.sid;
                held.known = record.version;
                held.record = record;
                if running.verifier.is_some() || running.moves_deadline || written {
                    self.issue = Issue::Credential;
                }
                if let Some(verifier) = running.verifier {
                    held.verifier = verifier;
                }
                if has_moved {
                    match strategy.follow(&held.record, &held.verifier) {
                        Some(verifier) => held.verifier = verifier,
                        // Its client was given another credential by those who replaced it.
                        None => self.issue = Issue::Nothing,
                    }
                }
                self.confirm = false;
                Ok(self.forget(running.changes))
            }
            Outcome::Conflict(record) | Outcome::Retry(record, _)
                if record.version < held.known && !self.accepted =>
            {
                self.mode = Mode::Stale;
                self.arrival = Arrival::Stale;
                self.issue = Issue::Credential;
                held.record = record;
                let message = "the session's state is older than this client has seen";
                let error = Error::new(ErrorKind::Stale, message);
                self.note_failure(&error);
                self.forget(running.changes);
                Err(error)
            }
            Outcome::Conflict(record) | Outcome::Retry(record, _) => {
                self.follow(record, running.changes, strategy)?;
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
        self.inherited = 0;
        self.drop_changes(told, &error);
        error
    }

    /// Takes over a newer record. If another request has renewed meanwhile, this one follows: the
    /// successor is wrapped under the verifier that this client presented.
    fn follow(&mut self, record: Arc<Record>, told: usize, strategy: &dyn Strategy) -> Result<()> {
        let Some(held) = &mut self.held else {
            return Ok(());
        };
        if record.sid != held.record.sid || record.hash != held.record.hash {
            let old = &held.verifier;
            let successor = if record.sid == held.record.sid {
                record.successor(old)
            } else {
                strategy.follow(&record, old)
            };
            let Some(successor) = successor else {
                return Err(self.lose(
                    told,
                    "the session's credential was replaced twice meanwhile",
                ));
            };
            held.verifier = successor;
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
    pub(crate) fn refresh(
        &mut self,
        seen: &Arc<Record>,
        newer: Option<Arc<Record>>,
        strategy: &dyn Strategy,
    ) -> Result<()> {
        // What is running was made for the record that it has; its outcome brings a newer one.
        let same = |record| Arc::ptr_eq(record, seen);
        if self.is_running() || !self.record().is_some_and(same) {
            return Ok(());
        }
        match newer {
            Some(record) => self.follow(record, usize::MAX, strategy),
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
        self.inherited = log.len();
        log.append(&mut self.log);
        self.log = log;
        self.behind = true;
        self.done();
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
        self.note_failure(error);
        if self.log.len() > told {
            self.lost = Some(error.clone());
        }
        // With the session that a login left ended, what was acknowledged there is nowhere else.
        // It begins by clearing: twice is as good as once.
        self.log.truncate(self.inherited);
        self.forget(0);
    }

    /// Whoever waited for this operation to save their changes too is told of its failure.
    fn note_failure(&mut self, error: &Error) {
        self.failures = (self.failures.0 + 1, Some(error.clone()));
    }

    /// What was running failed: its changes are dropped, unless they can be tried again. An end
    /// always can, twice is as good as once.
    pub(crate) fn fail(&mut self, error: &Error) {
        if let Some(running) = self.done()
            && error.kind() != ErrorKind::Unavailable
            && !running.is_end
        {
            self.drop_changes(running.changes, error);
        }
    }

    /// What was running will never be answered, and whoever committed it can't be told any more.
    pub(crate) fn give_up(&mut self, error: &Error) {
        if let Some(running) = self.done()
            && !running.is_end
        {
            self.drop_changes(0, error);
        }
    }

    /// Gives up what nobody is committing, to be dropped by the caller.
    pub(crate) fn abandon(&mut self) -> Log {
        if self.is_running() {
            return Log::new();
        }
        if let Some(sid) = self.uncommitted() {
            telemetry::dropped_changes(&sid);
        }
        let log = std::mem::take(&mut self.log);
        self.inherited = 0;
        self.forget(0);
        log
    }

    /// Drops the first changes of the log, which are settled. With none left the work is done.
    pub(super) fn forget(&mut self, changes: usize) -> After {
        self.inherited = self.inherited.saturating_sub(changes);
        self.log.drain(..changes.min(self.log.len()));
        self.behind = !self.log.is_empty();
        if self.behind {
            return After::Replay;
        }
        let record = self.held.as_ref().map(|held| &*held.record);
        self.plan
            .reset(record, self.held.as_ref().map_or(0, |held| held.known));
        if self.accepted {
            self.plan.accept_older();
        }
        After::Nothing
    }

    /// What was running is answered; who waited for that may go on.
    fn done(&mut self) -> Option<Running> {
        self.waiting.drain(..).for_each(Waker::wake);
        self.running.take()
    }
}
