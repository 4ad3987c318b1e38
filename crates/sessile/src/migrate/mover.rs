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
//! stops half-way keeps nobody out. While a renewed session's previous credential is honoured it
//! stays where it is: the new place knows one of the two.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use sessile_core::{
    Arrival, Claim, Created, Credential, Data, ErrorKind, Found, GRACE, Held, Lifetime, Loaded,
    MasterKey, Opened, Outcome, Patch, Presented, Record, Result, Rotation, Store, Strategy,
    TOMBSTONE, Timestamp, Verifier, Writes,
};
use sessile_memory::Calls;
use tokio::time::{Instant, sleep};

use super::derived::{Derived, Keys};
use super::ended::Ended;
use crate::telemetry;

/// More than the leeway that any token is given.
const LEEWAY: Duration = Duration::from_secs(300);
/// No token is good for longer, whatever its session's own lifetime.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
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
    pub(super) ended: Ended,
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
            ended: Ended::default(),
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
            true => {
                let longest = self.lifetime().absolute().max(LONGEST);
                until.max(now.after(longest).after(LEEWAY))
            }
            false => until,
        }
    }

    /// The session of an old credential. It is looked for in the new place first; where it has not
    /// moved, it is moved if `moves`, and served where it is if not.
    pub(super) async fn open(&self, old: &Old, moves: bool, now: Timestamp) -> Result<Opened> {
        let derived = self.keys.derive(&old.claim);
        let mut since = None;
        let mut last = None;
        loop {
            match self.look(&old.claim, &derived, old.arrived, now).await? {
                Seen::Opened(opened) if matches!(opened.found, Found::Reuse(_)) => {
                    return self.reuse(old, &derived, now).await;
                }
                Seen::Opened(opened) => return Ok(opened),
                Seen::Pending(record) => {
                    let since = *since.get_or_insert_with(Instant::now);
                    if since.elapsed() >= self.ledger.deadline() {
                        self.take_over(&derived, &record, now).await?;
                    } else {
                        sleep(PAUSE).await;
                    }
                    continue;
                }
                Seen::Nothing => {}
            }
            // Between two looks somebody may have moved it; not more than once.
            if let Some(opened) = last {
                return Ok(opened);
            }
            let opened = self.from.open(&old.presented(), now).await?;
            match &opened.found {
                Found::Session(held) => {
                    let is_settled = opened.arrival == Arrival::Resumed && is_one(held, now);
                    if !(moves && is_settled && self.fits(held, &old.carrier, now).await?) {
                        return Ok(opened);
                    }
                    self.begin(&derived, held, now).await?;
                }
                Found::Reuse(_) => return Ok(opened),
                Found::Nothing => {}
            }
            last = Some(opened);
        }
    }

    /// A credential that was replaced, and is used by somebody all the same: presented to the
    /// new strategy, which knows what is to be done then.
    async fn reuse(&self, old: &Old, derived: &Derived, now: Timestamp) -> Result<Opened> {
        let record = Record::blank(derived.sid, derived.verifier.hash());
        let text = self.to.issue(&record, &derived.verifier, &old.carrier)?;
        let presented = Presented {
            text: text.as_bytes(),
            ..old.presented()
        };
        self.to.open(&presented, now).await
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
            Loaded::Live(record)
                if [&derived.pending, &derived.taken]
                    .map(Verifier::hash)
                    .contains(&record.hash) =>
            {
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
            held.reissue = true;
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
    async fn fits(&self, held: &Held, carrier: &str, now: Timestamp) -> Result<bool> {
        let old = &held.record;
        let room = self
            .to
            .room(None, old.subject.as_deref(), &old.data, carrier, COOKIE)?;
        if room.is_some_and(|room| room < 0) {
            return Ok(false);
        }
        // Of nobody, for which there is nothing to be looked up.
        let mut like = Record::blank(old.sid, old.hash);
        (like.created_at, like.last_seen) = (old.created_at, now);
        (like.idle_deadline, like.absolute_deadline) = (old.idle_deadline, old.absolute_deadline);
        match self.to.adopt(like, now).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::Invalid => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn begin(&self, derived: &Derived, held: &Held, now: Timestamp) -> Result<()> {
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
            Created::Created => self.finish(derived, &record, true, now).await,
            Created::Taken | Created::Full => Ok(()),
        }
    }

    /// Does the rest for whoever began, and tells them so, should they still be there.
    async fn take_over(
        &self,
        derived: &Derived,
        pending: &Arc<Record>,
        now: Timestamp,
    ) -> Result<()> {
        let mut taking = Patch::new(pending.version);
        taking.rotate(Some(rotation(derived, &derived.pending, &derived.taken)));
        match self.ledger.apply(pending, &taking, None, now).await? {
            Outcome::Applied(taken) => self.finish(derived, &taken, false, now).await,
            // It was taken over before.
            Outcome::Conflict(taken) | Outcome::Retry(taken, _)
                if taken.hash == derived.taken.hash() =>
            {
                self.finish(derived, &taken, false, now).await
            }
            Outcome::Conflict(_) | Outcome::Retry(..) | Outcome::Gone => Ok(()),
        }
    }

    /// Ends the old session, and lets the new one be used, which is here already as `pending`.
    async fn finish(
        &self,
        derived: &Derived,
        pending: &Arc<Record>,
        is_first: bool,
        now: Timestamp,
    ) -> Result<()> {
        let sid = derived.old.sid;
        let last = self.from.end(sid, now, now.after(TOMBSTONE)).await?;
        if self.from_travels {
            let until = self.until(now, pending.absolute_deadline.after(LEEWAY));
            self.ledger.end(&sid, now, until).await?;
        } else if is_first && last.is_none() {
            return self.give_up(derived, pending, now).await;
        }
        let renewed = match (&last, derived.old.hash) {
            (Some(last), Some(hash)) if last.hash != hash => Some(last.hash),
            _ => None,
        };
        let mut patch = Patch::new(pending.version);
        if let Some(last) = last.filter(|_| !self.from_travels) {
            add(&mut patch, &pending.data, &last.data);
            patch.raise_base(last.version);
            patch.accept_older();
        }
        let nobodys = match is_first {
            true => &derived.pending,
            false => &derived.taken,
        };
        let mut rotating = patch.clone();
        rotating.rotate(Some(rotation(derived, nobodys, &derived.verifier)));
        match self.ledger.apply(pending, &rotating, None, now).await? {
            Outcome::Applied(moved) => {
                let mut next = Patch::new(moved.version);
                match renewed {
                    // Its client holds the renewed credential, or the one that was copied.
                    Some(hash) => {
                        let verifier = self.keys.verifier(&derived.sid, Some(&hash));
                        next.rotate(Some(rotation(derived, &derived.verifier, &verifier)));
                    }
                    // Else a renew would have to wait until nobody can hold the one before it.
                    None => next.confirm(now),
                }
                self.ledger.apply(&moved, &next, None, now).await?;
                telemetry::moved(&sid, &derived.sid);
            }
            // Somebody waited too long for us. What was written last is added all the same.
            Outcome::Conflict(_) | Outcome::Retry(..) if patch.is_write() => {
                self.ledger.apply(pending, &patch, None, now).await?;
            }
            Outcome::Conflict(_) | Outcome::Retry(..) | Outcome::Gone => {}
        }
        Ok(())
    }

    /// Somebody has ended the old session since it was opened, and not to move it: so ends what it
    /// was to become, unless another one has taken over, who knows better.
    async fn give_up(
        &self,
        derived: &Derived,
        pending: &Arc<Record>,
        now: Timestamp,
    ) -> Result<()> {
        let mut closing = Patch::new(pending.version);
        let nobodys = Verifier::random();
        closing.rotate(Some(rotation(derived, &derived.pending, &nobodys)));
        if let Outcome::Applied(_) = self.ledger.apply(pending, &closing, None, now).await? {
            let until = now.after(TOMBSTONE);
            self.ledger.end(&derived.sid, now, until).await?;
        }
        Ok(())
    }

    /// Applies a patch for the old session to the one that it has become, if it has. A renew is a
    /// conflict there, and is made anew by who then knows what the session has become.
    pub(super) async fn follow(
        &self,
        old: &Arc<Record>,
        patch: &Patch,
        now: Timestamp,
    ) -> Result<Option<Outcome>> {
        let Some(moved) = self.moved_to(old, now).await? else {
            return Ok(None);
        };
        Ok(Some(self.to.apply(&moved, patch, None, now).await?))
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
        let since = Instant::now();
        loop {
            match self.look(&claim, &derived, now, now).await? {
                Seen::Pending(_) if since.elapsed() < self.ledger.deadline() => {
                    sleep(PAUSE).await;
                }
                Seen::Opened(opened) => return Ok(opened.into_held().map(|held| held.record)),
                Seen::Nothing | Seen::Pending(_) => return Ok(None),
            }
        }
    }
}

fn rotation(derived: &Derived, old: &Verifier, new: &Verifier) -> Rotation {
    Rotation {
        expect: old.hash(),
        new: new.hash(),
        wrapped: old.wrap(&derived.sid, new),
    }
}

/// Whether its client holds the verifier that is current, and nobody may use another one.
fn is_one(held: &Held, now: Timestamp) -> bool {
    let previous = held.record.previous.as_ref();
    !held.renewed && !previous.is_some_and(|previous| previous.is_honoured(now))
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
