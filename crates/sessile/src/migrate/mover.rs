//! The mover: takes a session from one strategy's place to another's, once.
//!
//! 1. The new record is made, under the derived id, with a verifier that no client has. Whoever
//!    else is moving the session finds it taken.
//! 2. The old session is ended, which returns its last state: from then on nothing is written
//!    there.
//! 3. What had been written between the two is added, and the verifier is replaced by the derived
//!    one, without a grace: from then on the session is used here.
//!
//! Whoever comes between 1 and 3 waits, and after the deadline does the rest itself: a node that
//! stops half-way keeps nobody out.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use sessile_core::{
    Arrival, Claim, Created, Credential, Data, Found, GRACE, Held, Lifetime, Loaded, MasterKey,
    Opened, Outcome, Patch, Presented, Record, Result, Rotation, SessionId, Store, Strategy,
    TOMBSTONE, Timestamp, VerifierHash, Writes,
};
use sessile_memory::Calls;
use tokio::time::sleep;

use super::derived::{Derived, Keys};
use crate::telemetry;

/// More than the leeway that any token is given.
const LEEWAY: Duration = Duration::from_secs(300);
/// How long whoever waits for a move waits before it looks again.
const PAUSE: Duration = Duration::from_millis(10);
/// What a token's text may have at the most to be sure to fit into a cookie.
const COOKIE: usize = 3840;

#[derive(Debug)]
pub(super) struct Mover {
    pub(super) from: Arc<dyn Strategy>,
    pub(super) to: Arc<dyn Strategy>,
    /// The old state is with the client: it can't be ended where it is.
    pub(super) from_travels: bool,
    pub(super) to_travels: bool,
    pub(super) keys: Keys,
    pub(super) moved: AtomicU64,
    lifetime: OnceLock<Lifetime>,
    ledger: Calls,
}

/// What stands under a derived id.
enum Seen {
    Nothing,
    /// It is being moved here.
    Pending(Arc<Record>),
    Opened(Opened),
}

/// An old credential, to be looked up later on.
pub(super) struct Old {
    pub(super) text: Box<[u8]>,
    pub(super) carrier: Box<str>,
    pub(super) arrived: Timestamp,
    pub(super) claim: Claim,
}

impl Old {
    fn presented(&self) -> Presented<'_> {
        Presented {
            text: &self.text,
            carrier: &self.carrier,
            arrived: self.arrived,
        }
    }
}

impl Mover {
    pub(super) fn new(
        from: Arc<dyn Strategy>,
        to: Arc<dyn Strategy>,
        ledger: Arc<dyn Store>,
        key: MasterKey,
    ) -> Self {
        let travels = |it: &Arc<dyn Strategy>| it.guarantees().writes == Writes::LastResponseWins;
        let mut ledger = Calls::new(ledger);
        ledger.set_deadline(to.deadline());
        Mover {
            from_travels: travels(&from),
            to_travels: travels(&to),
            keys: Keys::new(key),
            moved: AtomicU64::new(0),
            lifetime: OnceLock::new(),
            ledger,
            from,
            to,
        }
    }

    pub(super) fn attach(&self, lifetime: &Lifetime) {
        self.lifetime.get_or_init(|| *lifetime);
    }

    fn lifetime(&self) -> Lifetime {
        self.lifetime.get().copied().unwrap_or_default()
    }

    /// Until when an end is to be known: where the old state is with the client, for as long as
    /// that could be good.
    pub(super) fn until(&self, now: Timestamp, until: Timestamp) -> Timestamp {
        match self.from_travels {
            true => until.max(now.after(self.lifetime().absolute()).after(LEEWAY)),
            false => until,
        }
    }

    /// The session of an old credential. It is looked for in the new place first; where it has not
    /// moved, it is moved if `moves`, and served where it is if not.
    pub(super) async fn open(&self, old: &Old, moves: bool, now: Timestamp) -> Result<Opened> {
        let derived = self.keys.derive(&old.claim);
        let mut waited = Duration::ZERO;
        let mut last = None;
        loop {
            match self.look(&old.claim, &derived, old.arrived, now).await? {
                Seen::Opened(opened) => return Ok(opened),
                Seen::Pending(record) if waited >= self.ledger.deadline() => {
                    self.finish(&old.claim.sid, &derived, &record, now).await?;
                    continue;
                }
                Seen::Pending(_) => {
                    sleep(PAUSE).await;
                    waited += PAUSE;
                    continue;
                }
                Seen::Nothing => {}
            }
            // Between two looks somebody may have moved it; not more than once.
            if let Some(opened) = last {
                return Ok(opened);
            }
            let opened = self.from.open(&old.presented(), now).await?;
            let to_be_moved = |held: &Held| -> Result<bool> {
                Ok(moves && opened.arrival == Arrival::Resumed && self.fits(held, &old.carrier)?)
            };
            match &opened.found {
                Found::Session(held) if to_be_moved(held)? => {
                    self.begin(&old.claim.sid, &derived, held, now).await?;
                }
                Found::Session(_) | Found::Reuse(_) => return Ok(opened),
                Found::Nothing => {}
            }
            last = Some(opened);
        }
    }

    async fn look(
        &self,
        claim: &Claim,
        derived: &Derived,
        arrived: Timestamp,
        now: Timestamp,
    ) -> Result<Seen> {
        let nothing = |arrival| Ok(Seen::Opened(Opened::nothing(arrival)));
        let record = match self.ledger.load(&derived.sid, now).await? {
            Loaded::Live(record) if record.hash == derived.pending.hash() => {
                return Ok(Seen::Pending(record));
            }
            Loaded::Live(record) => record,
            Loaded::Expired => return nothing(Arrival::Expired),
            Loaded::Ended => return nothing(Arrival::Ended),
            Loaded::Absent => {
                // What can't be ended where it is was written down here.
                let is_ended = self.from_travels
                    && matches!(self.ledger.load(&claim.sid, now).await?, Loaded::Ended);
                return match is_ended {
                    true => nothing(Arrival::Ended),
                    false => Ok(Seen::Nothing),
                };
            }
        };
        let credential = Credential {
            sid: derived.sid,
            verifier: derived.verifier.clone(),
        };
        let mut opened = Opened::judged(record, credential, arrived);
        if let Found::Session(held) = &mut opened.found {
            if self.to_travels && now >= held.record.last_seen.after(GRACE) {
                return nothing(Arrival::Expired);
            }
            held.record = self.adopt(&held.record, now).await?;
            (held.renewed, held.reissue) = (false, true);
        }
        Ok(Seen::Opened(opened))
    }

    /// A session that was moved, as the new strategy knows it.
    async fn adopt(&self, record: &Arc<Record>, now: Timestamp) -> Result<Arc<Record>> {
        if !self.to_travels {
            return Ok(record.clone());
        }
        let mut record = Record::clone(record);
        record.last_seen = now;
        record.idle_deadline = now.after(self.lifetime().idle());
        Ok(Arc::new(self.to.adopt(record, now).await?))
    }

    /// Whether the new place has room for the session.
    fn fits(&self, held: &Held, carrier: &str) -> Result<bool> {
        let (subject, data) = (held.record.subject.as_deref(), &held.record.data);
        let room = self.to.room(subject, data, carrier, COOKIE)?;
        Ok(room.is_none_or(|room| room >= 0))
    }

    async fn begin(
        &self,
        sid: &SessionId,
        derived: &Derived,
        held: &Held,
        now: Timestamp,
    ) -> Result<()> {
        let old = &held.record;
        let idle = match self.from_travels {
            true => self.lifetime().idle(),
            false => old.idle(),
        };
        let mut record = Record::blank(derived.sid, derived.pending.hash());
        record.version = old.version.max(1);
        record.created_at = old.created_at;
        record.last_seen = now;
        record.absolute_deadline = old.absolute_deadline;
        record.idle_deadline = match self.to_travels {
            true => old.absolute_deadline,
            false => now.after(idle),
        };
        record.subject = old.subject.clone();
        record.data = old.data.clone();
        let record = Arc::new(record);
        match self.ledger.create(record.clone(), None, now).await? {
            Created::Created => self.finish(sid, derived, &record, now).await,
            Created::Taken | Created::Full => Ok(()),
        }
    }

    /// Ends the old session, and lets the new one be used, which is here already as `pending`.
    async fn finish(
        &self,
        sid: &SessionId,
        derived: &Derived,
        pending: &Arc<Record>,
        now: Timestamp,
    ) -> Result<()> {
        let last = self.from.end(*sid, now, now.after(TOMBSTONE)).await?;
        if self.from_travels {
            let until = pending.absolute_deadline.after(LEEWAY);
            self.ledger.end(sid, now, until).await?;
        }
        let mut patch = Patch::new(pending.version);
        if let Some(last) = last.filter(|_| !self.from_travels) {
            add(&mut patch, &pending.data, &last.data);
            patch.raise_base(last.version);
            patch.accept_older();
        }
        let mut rotating = patch.clone();
        rotating.rotate(Some(Rotation {
            expect: derived.pending.hash(),
            new: derived.verifier.hash(),
            wrapped: derived.pending.wrap(&derived.sid, &derived.verifier),
        }));
        match self.ledger.apply(pending, &rotating, None, now).await? {
            Outcome::Applied(moved) => {
                // Else a renew would have to wait until nobody can hold the one before it.
                let mut note = Patch::new(moved.version);
                note.confirm(now);
                self.ledger.apply(&moved, &note, None, now).await?;
                self.moved.fetch_add(1, Ordering::Relaxed);
                telemetry::moved(sid, &derived.sid);
            }
            // Somebody waited too long for us. What was written last is added all the same.
            Outcome::Conflict(_) | Outcome::Retry(..) if patch.is_write() => {
                self.ledger.apply(pending, &patch, None, now).await?;
            }
            Outcome::Conflict(_) | Outcome::Retry(..) | Outcome::Gone => {}
        }
        Ok(())
    }

    /// Applies a patch for the old session to the one that it has become, if it has.
    pub(super) async fn follow(
        &self,
        old: &Arc<Record>,
        patch: &Patch,
        now: Timestamp,
    ) -> Result<Option<Outcome>> {
        let Some(moved) = self.moved_to(old, now).await? else {
            return Ok(None);
        };
        let mut patch = patch.clone();
        if let Some(rotation) = patch.rotation().cloned() {
            let derived = |hash: Option<&VerifierHash>| self.keys.verifier(&moved.sid, hash);
            let old = derived((!self.from_travels).then_some(&rotation.expect));
            let new = derived(Some(&rotation.new));
            patch.rotate(Some(Rotation {
                // A token has no verifier, and what stands in its place is as it is.
                expect: match self.to_travels {
                    true => moved.hash,
                    false => old.hash(),
                },
                new: new.hash(),
                wrapped: old.wrap(&moved.sid, &new),
            }));
        }
        Ok(Some(self.to.apply(&moved, &patch, None, now).await?))
    }

    /// What an old session has become, for who had opened it where it was.
    pub(super) async fn moved_to(
        &self,
        old: &Arc<Record>,
        now: Timestamp,
    ) -> Result<Option<Arc<Record>>> {
        let claim = Claim {
            sid: old.sid,
            hash: (!self.from_travels).then_some(old.hash),
        };
        let derived = self.keys.derive(&claim);
        let mut waited = Duration::ZERO;
        loop {
            match self.look(&claim, &derived, now, now).await? {
                Seen::Pending(_) if waited < self.ledger.deadline() => {
                    sleep(PAUSE).await;
                    waited += PAUSE;
                }
                Seen::Opened(opened) => return Ok(opened.into_held().map(|held| held.record)),
                Seen::Nothing | Seen::Pending(_) => return Ok(None),
            }
        }
    }
}

/// Adds what makes of `copied` what was there at the end.
fn add(patch: &mut Patch, copied: &Data, last: &Data) {
    for (name, text) in last.iter() {
        if copied.get(name.as_str()) != Some(text) {
            patch.set(name.clone(), text.clone());
        }
    }
    for (name, _) in copied.iter() {
        if last.get(name.as_str()).is_none() {
            patch.remove(name.clone());
        }
    }
}
