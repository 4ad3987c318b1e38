//! The strategy: each operation goes to whichever of the two keeps the session.
//!
//! [`Record::away`] says which, on the copies that requests work on: it is set on those of the
//! strategy that makes no new sessions in this phase.

use std::sync::Arc;
use std::time::Duration;

use sessile_core::{
    Arrival, Candidate, Created, Data, ErrorKind, Forwards, Found, Guarantees, Held, Lifetime,
    Opened, Outcome, Patch, Presented, Record, Result, Revocation, Route, SessionId, Step,
    Strategy, Timestamp, Turn, Verifier,
};

use super::mover::{Mover, Old};
use super::{Migration, Phase};

impl Migration {
    /// The strategy that makes new sessions.
    fn home(&self) -> &Arc<dyn Strategy> {
        match self.phase {
            Phase::Accept => &self.mover.from,
            Phase::Issue => &self.mover.to,
        }
    }

    /// The strategy that keeps this session.
    fn keeper(&self, record: &Record) -> &Arc<dyn Strategy> {
        match (self.phase, record.away) {
            (Phase::Accept, true) | (Phase::Issue, false) => &self.mover.to,
            (Phase::Accept, false) | (Phase::Issue, true) => &self.mover.from,
        }
    }

    /// Whether the session is where it is left, and may be moved while a request works on it.
    fn may_move(&self, record: &Record) -> bool {
        record.away != self.is_to_away()
    }

    fn is_to_away(&self) -> bool {
        self.phase == Phase::Accept
    }
}

impl Strategy for Migration {
    fn open(&self, presented: &Presented<'_>, now: Timestamp) -> Step<Result<Opened>> {
        let (to, to_away) = (self.mover.to.open(presented, now), self.is_to_away());
        let claim = self.mover.from.claim(presented, now);
        let from = match claim {
            // It is none of theirs, or past its time: that costs no I/O to say.
            None => Err(self.mover.from.open(presented, now)),
            Some(claim) => Ok(Old {
                text: presented.text.into(),
                carrier: presented.carrier.into(),
                arrived: presented.arrived,
                claim,
            }),
        };
        let mover = self.mover.clone();
        Step::wait(async move {
            let opened = to.await?;
            // Two strategies of one kind read each other's credentials, and find nothing.
            let is_final = !matches!(opened.found, Found::Nothing)
                || opened.arrival == Arrival::Unavailable
                || (from.is_err() && opened.arrival != Arrival::Unknown);
            if is_final {
                return Ok(marked(opened, to_away));
            }
            let old = match from {
                Err(step) => return step.await,
                Ok(old) => old,
            };
            let told = opened.arrival;
            let mut opened = mover.open(&old, !to_away, now).await?;
            // Where both read each other's credentials, the one that it is of knows what became
            // of it.
            if matches!(opened.found, Found::Nothing) && opened.arrival == Arrival::Unknown {
                opened.arrival = told;
            }
            let is_from = opened
                .held()
                .is_some_and(|held| held.record.sid == old.claim.sid);
            Ok(marked(opened, is_from != to_away))
        })
    }

    fn create(&self, record: Arc<Record>, now: Timestamp) -> Step<Result<Created>> {
        self.home().create(record, now)
    }

    fn apply(
        &self,
        record: &Arc<Record>,
        patch: &Patch,
        turn: Option<Turn>,
        now: Timestamp,
    ) -> Step<Result<Outcome>> {
        let away = record.away;
        if !self.may_move(record) {
            let step = self.keeper(record).apply(record, patch, turn, now);
            return match away {
                false => step,
                true => Step::wait(async move { Ok(outcome(step.await?, away)) }),
            };
        }
        let (mover, to_away) = (self.mover.clone(), self.is_to_away());
        let (record, patch) = (record.clone(), patch.clone());
        Step::wait(async move {
            // A token says yes to whatever is written on it.
            if mover.from_travels
                && let Some(followed) = mover.follow(&record, &patch, now).await?
            {
                return Ok(outcome(followed, to_away));
            }
            let applied = mover.from.apply(&record, &patch, turn, now).await?;
            if let Outcome::Gone = applied
                && let Some(followed) = mover.follow(&record, &patch, now).await?
            {
                return Ok(outcome(followed, to_away));
            }
            Ok(outcome(applied, away))
        })
    }

    fn end(
        &self,
        sid: SessionId,
        now: Timestamp,
        until: Timestamp,
    ) -> Step<Result<Option<Arc<Record>>>> {
        let (mover, phase) = (self.mover.clone(), self.phase);
        Step::wait(async move { end(&mover, phase, sid, now, until).await })
    }

    fn reload(&self, record: &Arc<Record>, now: Timestamp) -> Step<Result<Option<Arc<Record>>>> {
        let (step, away) = (self.keeper(record).reload(record, now), record.away);
        let (mover, may_move) = (self.mover.clone(), self.may_move(record));
        let to_away = self.is_to_away();
        let record = record.clone();
        Step::wait(async move {
            Ok(match step.await? {
                Some(newer) => Some(mark(newer, away)),
                None if may_move => {
                    let moved = mover.moved_to(&record, now).await?;
                    moved.map(|moved| mark(moved, to_away))
                }
                None => None,
            })
        })
    }

    fn issue(&self, record: &Record, verifier: &Verifier, carrier: &str) -> Result<String> {
        self.keeper(record).issue(record, verifier, carrier)
    }

    fn follow(&self, moved: &Record, verifier: &Verifier) -> Option<Verifier> {
        if self.mover.to_travels {
            return Some(verifier.clone());
        }
        let derived = |hash: Option<_>| self.mover.keys.verifier(&moved.sid, hash);
        [derived(Some(&verifier.hash())), derived(None)]
            .into_iter()
            .find_map(|derived| match derived.hash() == moved.hash {
                true => Some(derived),
                false => moved.successor(&derived),
            })
    }

    /// In a browser the credential of a session that has ended would overwrite that of the login
    /// which ended it.
    fn reissues(&self, presented: &Presented<'_>, held: &Held) -> bool {
        self.keeper(&held.record).reissues(presented, held)
            && !self.mover.ended.has(&held.record.sid)
    }

    fn forwards(&self) -> Option<Forwards<'_>> {
        let from = || self.mover.from.forwards();
        self.mover.to.forwards().or_else(from)
    }

    fn route<'a>(&self, presented: &Presented<'a>, now: Timestamp) -> Route<'a> {
        let forwarding = [&self.mover.to, &self.mover.from]
            .into_iter()
            .filter(|strategy| strategy.forwards().is_some());
        forwarding
            .map(|strategy| strategy.route(presented, now))
            .find(|route| *route != Route::Own)
            .unwrap_or(Route::Own)
    }

    /// In the phase [`Accept`](Phase::Accept) a session may be in either place. An end is written
    /// down in the new one, which every node asks.
    fn guarantees(&self) -> Guarantees {
        let (from, to) = (self.mover.from.guarantees(), self.mover.to.guarantees());
        match self.phase {
            Phase::Accept => {
                let mut weaker = from.weaker(&to);
                if from.revocation == Revocation::AtExpiry {
                    weaker.revocation = to.revocation;
                }
                weaker
            }
            Phase::Issue => to,
        }
    }

    fn deadline(&self) -> Duration {
        self.mover.from.deadline().max(self.mover.to.deadline())
    }

    fn room(
        &self,
        record: Option<&Record>,
        subject: Option<&str>,
        data: &Data,
        carrier: &str,
        limit: usize,
    ) -> Result<Option<isize>> {
        let keeper = record.map_or(self.home(), |record| self.keeper(record));
        keeper.room(record, subject, data, carrier, limit)
    }

    fn attach(&self, lifetime: &Lifetime, now: Timestamp) {
        self.mover.attach(lifetime);
        self.mover.from.attach(lifetime, now);
        self.mover.to.attach(lifetime, now);
    }

    /// The old place first: what is moved between the two looks is then in the new one.
    fn list(&self, subject: &str, now: Timestamp) -> Step<Result<Vec<Candidate>>> {
        let (mover, subject) = (self.mover.clone(), subject.to_owned());
        Step::wait(async move {
            let mut list = mover.from.list(&subject, now).await?;
            for candidate in mover.to.list(&subject, now).await? {
                if !list.iter().any(|known| known.sid == candidate.sid) {
                    list.push(candidate);
                }
            }
            Ok(list)
        })
    }

    fn revoke_all(&self, subject: &str, except: &[SessionId], now: Timestamp) -> Step<Result<()>> {
        let (mover, subject, except) = (self.mover.clone(), subject.to_owned(), except.to_vec());
        Step::wait(async move {
            mover.from.revoke_all(&subject, &except, now).await?;
            mover.to.revoke_all(&subject, &except, now).await
        })
    }

    fn count(&self, now: Timestamp) -> Step<Result<Option<u64>>> {
        let mover = self.mover.clone();
        Step::wait(async move {
            let (from, to) = (mover.from.count(now).await?, mover.to.count(now).await?);
            Ok(from.zip(to).map(|(from, to)| from + to))
        })
    }

    fn sweep(&self, now: Timestamp) -> Step<Result<u64>> {
        let mover = self.mover.clone();
        Step::wait(async move { Ok(mover.from.sweep(now).await? + mover.to.sweep(now).await?) })
    }

    fn ping(&self) -> Step<Result<()>> {
        let mover = self.mover.clone();
        Step::wait(async move {
            mover.from.ping().await?;
            mover.to.ping().await
        })
    }

    /// Whichever has something to hand over.
    fn drain(&self, now: Timestamp, until: Timestamp) -> Step<Result<()>> {
        let mover = self.mover.clone();
        Step::wait(async move {
            let to = mover.to.drain(now, until).await;
            let from = mover.from.drain(now, until).await;
            match (to, from) {
                (Err(error), other) | (other, Err(error))
                    if error.kind() == ErrorKind::Unsupported =>
                {
                    other
                }
                (to, from) => to.and(from),
            }
        })
    }

    fn moved_sid(&self, sid: &SessionId) -> Option<SessionId> {
        Some(self.mover.keys.sid(sid))
    }

    fn left(&self, now: Timestamp) -> Step<Result<Option<u64>>> {
        self.mover.from.count(now)
    }
}

/// Ends a session wherever it is: where it was, where it is moved to, and what it becomes if
/// somebody is moving it. All are told, whatever one of them answers.
async fn end(
    mover: &Mover,
    phase: Phase,
    sid: SessionId,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<Arc<Record>>> {
    let longer = mover.until(now, until);
    let derived = mover.keys.sid(&sid);
    mover.ended.note(sid, now);
    mover.ended.note(derived, now);
    let from = mover.from.end(sid, now, until).await;
    let to = mover.to.end(sid, now, longer).await;
    let moved = mover.to.end(derived, now, longer).await;
    let (from, to, moved) = (from?, to?, moved?);
    // Where every session has moved, a token's word that it was there is nobody's.
    let from = from.filter(|_| phase == Phase::Accept || !mover.from_travels);
    // A token's word says nothing, where a record does.
    let all = [from, moved, to].into_iter().flatten();
    Ok(all.max_by_key(|last| last.version))
}

fn marked(mut opened: Opened, away: bool) -> Opened {
    if let Found::Session(held) = &mut opened.found {
        held.record = mark(held.record.clone(), away);
    }
    opened
}

fn outcome(outcome: Outcome, away: bool) -> Outcome {
    match outcome {
        Outcome::Applied(record) => Outcome::Applied(mark(record, away)),
        Outcome::Conflict(record) => Outcome::Conflict(mark(record, away)),
        Outcome::Retry(record, turn) => Outcome::Retry(mark(record, away), turn),
        Outcome::Gone => Outcome::Gone,
    }
}

fn mark(record: Arc<Record>, away: bool) -> Arc<Record> {
    if record.away == away {
        return record;
    }
    let mut record = Arc::unwrap_or_clone(record);
    record.away = away;
    Arc::new(record)
}
