//! How the façade drives a token: open, create, apply, end, issue.

use std::sync::Arc;
use std::time::Duration;

use sessile_core::{
    Arrival, Candidate, Claim, Created, Data, Durability, Error, ErrorKind, Guarantees, Lifetime,
    Opened, Outcome, Patch, Patched, Presented, Record, Result, Revocation, Scope, SessionId, Step,
    Store, Strategy, Timestamp, Turn, Verifier, VerifierHash, Writes,
};

use super::{Own, Token};
use crate::revocation::{Standing, Who};
use crate::{claims, compact};

/// What a cookie takes besides its value: a name and attributes as they mostly are.
const COOKIE: usize = 128;

impl Strategy for Token {
    fn attach(&self, lifetime: &Lifetime, _now: Timestamp) {
        if let Some(revocations) = &self.revocations {
            revocations.keep_at_least(lifetime.absolute());
        }
    }

    fn open(&self, presented: &Presented<'_>, now: Timestamp) -> Step<Result<Opened>> {
        let mut held = match self.find(presented, now) {
            Ok(held) => held,
            Err(arrival) => return Step::ready(Ok(Opened::nothing(arrival))),
        };
        let Some(revocations) = &self.revocations else {
            return Step::ready(Ok(Opened::resumed(held)));
        };
        let who = Who::of(&held.record);
        // What is made anew is looked up anew: else a token could be renewed by a node that has
        // not heard of its revocation, again and again.
        if !held.reissue
            && let Some(standing) = revocations.remembered(&who, now)
        {
            return Step::ready(Ok(opened(held, standing)));
        }
        let revocations = revocations.clone();
        Step::wait(async move {
            match revocations.look_up(&who, now).await {
                Ok(standing) => Ok(opened(held, standing)),
                Err(error) => {
                    revocations.trusts(error)?;
                    held.reissue = false;
                    Ok(Opened::resumed(held))
                }
            }
        })
    }

    fn create(&self, record: Arc<Record>, now: Timestamp) -> Step<Result<Created>> {
        let Some(revocations) = &self.revocations else {
            return Step::ready(Ok(Created::Created));
        };
        if let Err(error) = revocations.check_lifetime(&record) {
            return Step::ready(Err(error));
        }
        if record.subject.is_none() {
            return Step::ready(Ok(Created::Created));
        }
        let revocations = revocations.clone();
        Step::wait(async move { revocations.begin(&record, now).await })
    }

    fn apply(
        &self,
        record: &Arc<Record>,
        patch: &Patch,
        _turn: Option<Turn>,
        now: Timestamp,
    ) -> Step<Result<Outcome>> {
        if patch.is_note() {
            // Nothing is written down anywhere, but whoever asks again is not told to ask once more.
            let mut noted = Record::clone(record);
            noted.last_seen = now.max(record.last_seen);
            if Own::of_hash(&record.hash).is_none() {
                // Made in this request: its token will be good from this use on.
                noted.idle_deadline = noted.last_seen.after(record.idle());
            }
            return Step::ready(Ok(Outcome::Applied(Arc::new(noted))));
        }
        let outcome = match self.patched(record, patch, now) {
            Ok(outcome) => outcome,
            Err(error) => return Step::ready(Err(error)),
        };
        let Some(revocations) = &self.revocations else {
            return Step::ready(Ok(outcome));
        };
        // The client gets a new token for this: whether it may is read now.
        let (revocations, who) = (revocations.clone(), Who::of(record));
        Step::wait(async move {
            Ok(match revocations.look_up(&who, now).await? {
                Standing::Good => outcome,
                Standing::Ended => Outcome::Gone,
            })
        })
    }

    fn end(
        &self,
        sid: SessionId,
        now: Timestamp,
        until: Timestamp,
    ) -> Step<Result<Option<Arc<Record>>>> {
        let Some(revocations) = &self.revocations else {
            return Step::ready(Ok(Some(blank(sid))));
        };
        let revocations = revocations.clone();
        Step::wait(async move {
            let first = revocations.end(sid, now, until).await?;
            Ok(first.map(|last| last.unwrap_or_else(|| blank(sid))))
        })
    }

    fn reload(&self, record: &Arc<Record>, now: Timestamp) -> Step<Result<Option<Arc<Record>>>> {
        let record = record.clone();
        let Some(revocations) = &self.revocations else {
            return Step::ready(Ok(Some(record)));
        };
        let revocations = revocations.clone();
        Step::wait(async move {
            let standing = revocations.look_up(&Who::of(&record), now).await?;
            Ok((standing == Standing::Good).then_some(record))
        })
    }

    fn issue(&self, record: &Record, _verifier: &Verifier, carrier: &str) -> Result<String> {
        let text = self.write(record, carrier)?;
        let longest = compact::longest(carrier);
        if text.len() > longest {
            let message = format!(
                "the token would be {} bytes long; {longest} is the limit",
                text.len()
            );
            return Err(Error::new(ErrorKind::TooLarge, message));
        }
        Ok(text)
    }

    fn room(
        &self,
        _record: Option<&Record>,
        subject: Option<&str>,
        data: &Data,
        carrier: &str,
        limit: usize,
    ) -> Result<Option<isize>> {
        let limit = limit.min(compact::longest(carrier));
        let capacity = self.capacity(limit, carrier);
        let size = claims::size(&self.parties, subject, data, self.revocations.is_some())?;
        let signed = |bytes: usize| isize::try_from(bytes).unwrap_or(isize::MAX);
        Ok(Some(signed(capacity) - signed(size)))
    }

    fn deadline(&self) -> Duration {
        self.deadline
    }

    fn guarantees(&self) -> Guarantees {
        let limit = compact::LONGEST_COOKIE - COOKIE;
        let room = self.room(None, None, &Data::new(), "__Host-sid", limit);
        let room = room.ok().flatten().unwrap_or_default();
        let mut guarantees = Guarantees::shared(Durability::Acknowledged);
        guarantees.max_bytes = usize::try_from(room).unwrap_or_default();
        guarantees.writes = Writes::LastResponseWins;
        guarantees.revocation = Revocation::AtExpiry;
        if let Some(revocations) = &self.revocations {
            let store = revocations.store().guarantees();
            // A revocation reaches as far, and survives as much, as the store that keeps it.
            guarantees.scope = store.scope;
            guarantees.durability = store.durability;
            guarantees.revocation = match revocations.within() {
                Duration::ZERO => Revocation::Immediate,
                bound => Revocation::Within(bound),
            };
        } else {
            guarantees.scope = Scope::AllNodes;
        }
        guarantees
    }

    fn list(&self, subject: &str, now: Timestamp) -> Step<Result<Vec<Candidate>>> {
        let Some(revocations) = &self.revocations else {
            let message =
                "tokens know nothing of one another: give the strategy a revocation store";
            return Step::ready(Err(Error::new(ErrorKind::Unsupported, message)));
        };
        let (store, subject) = (revocations.store().clone(), subject.to_owned());
        Step::wait(async move { store.list(&subject, now).await })
    }

    fn revoke_all(&self, subject: &str, except: &[SessionId], now: Timestamp) -> Step<Result<()>> {
        let Some(revocations) = &self.revocations else {
            return Step::ready(Ok(())); // `list` says that it can't be done
        };
        let (revocations, subject, except) =
            (revocations.clone(), subject.to_owned(), except.to_vec());
        Step::wait(async move { revocations.raise(&subject, &except, now).await })
    }

    fn sweep(&self, now: Timestamp) -> Step<Result<u64>> {
        const LIMIT: usize = 10_000;
        let Some(revocations) = &self.revocations else {
            return Step::ready(Ok(0));
        };
        let store = revocations.store().clone();
        Step::wait(async move { Ok(store.sweep(now, LIMIT).await? as u64) })
    }

    fn claim(&self, presented: &Presented<'_>, now: Timestamp) -> Option<Claim> {
        let held = self.find(presented, now).ok()?;
        Some(Claim {
            sid: held.record.sid,
            hash: None,
        })
    }

    fn ledger(&self) -> Option<Arc<dyn Store>> {
        Some(self.revocations.as_ref()?.store().clone())
    }

    /// As a login: it gets its subject's epoch, so that whoever ends all sessions ends this one.
    fn adopt(&self, mut record: Record, now: Timestamp) -> Step<Result<Record>> {
        let Some(revocations) = self.revocations.clone() else {
            return Step::ready(Ok(record));
        };
        if let Err(error) = revocations.check_lifetime(&record) {
            return Step::ready(Err(error));
        }
        Step::wait(async move {
            let epoch = match &record.subject {
                Some(subject) => Some(revocations.epoch(subject, now).await?),
                None => None,
            };
            let idle = record.idle();
            record.hash = Own { epoch, idle }.to_hash();
            record.previous = None;
            Ok(record)
        })
    }
}

impl Token {
    /// The record after the patch; nobody else can have changed it, since the client holds it.
    fn patched(&self, record: &Arc<Record>, patch: &Patch, now: Timestamp) -> Result<Outcome> {
        let mut own = self.own(record)?;
        let mut next = match patch.apply_to(record, now)? {
            Patched::Applied(next) => next,
            Patched::Conflict => return Ok(Outcome::Conflict(record.clone())),
            Patched::Gone => return Ok(Outcome::Gone),
        };
        if let Some(lifetime) = patch.new_lifetime() {
            own.idle = lifetime.idle();
            if let Some(revocations) = &self.revocations {
                revocations.check_lifetime(&next)?;
            }
        }
        // A new verifier, where one was asked for, is the new token itself.
        next.previous = None;
        next.hash = own.to_hash();
        next.last_seen = now.max(record.last_seen);
        next.idle_deadline = next.last_seen.after(own.idle.min(self.life));
        Ok(Outcome::Applied(Arc::new(next)))
    }
}

fn opened(held: sessile_core::Held, standing: Standing) -> Opened {
    match standing {
        Standing::Good => Opened::resumed(held),
        Standing::Ended => Opened::nothing(Arrival::Ended),
    }
}

/// The last state of a session that only its client knows.
fn blank(sid: SessionId) -> Arc<Record> {
    Arc::new(Record::blank(sid, VerifierHash::from_bytes([0; 32])))
}
