//! Revocation: what a store remembers of sessions that it does not hold.
//!
//! - A session that ended is a tombstone under its id, kept for as long as a token of it could be
//!   good: [`Store::end`] and [`Loaded::Ended`], which every store has.
//! - A subject has an *epoch*, a number that only grows, in a small record of its own. A token
//!   carries the epoch of its login; one from before the subject's epoch is over, but for the
//!   sessions that were excepted. So all sessions of a subject end with one write, those that
//!   nobody knows of as well.
//! - Who is logged in has a record with no data, so that the sessions of a subject can be listed.
//!
//! Whoever is given a new token is looked up for that, in the same request. Reads may go by what
//! was read within a stated time.

mod epoch;
mod memory;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sessile_core::{
    Created, Error, ErrorKind, Lifetime, Loaded, Record, Result, SessionId, Store, Timestamp,
    VerifierHash,
};

use crate::claims::Parties;
use crate::token::Own;
use epoch::Epochs;
use memory::Memory;

/// What happens to a request that presents a token while nobody can say whether it was revoked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenAway {
    /// It is refused, with [`ErrorKind::Unavailable`]: no revoked token is ever taken.
    #[default]
    Refuse,
    /// It reads its session, and a revoked token is taken until it expires. Nothing is written and
    /// no token is made anew.
    Trust,
}

/// How long things hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) within: Duration,
    pub(crate) longest: Duration,
    pub(crate) leeway: Duration,
}

#[derive(Debug)]
pub(crate) struct Revocations {
    store: Arc<dyn Store>,
    bounds: Bounds,
    when_away: WhenAway,
    /// The longest absolute lifetime, in milliseconds.
    longest: AtomicU64,
    epochs: Epochs,
    memory: Memory,
    /// The epochs of logins whose first token is not made yet: it is made where nothing can be
    /// waited for.
    logins: Mutex<HashMap<SessionId, (u64, Timestamp)>>,
}

/// Whom to look up.
#[derive(Clone, Debug)]
pub(crate) struct Who {
    sid: SessionId,
    created: Timestamp,
    subject: Option<Arc<str>>,
    epoch: u64,
}

impl Who {
    pub(crate) fn of(record: &Record) -> Self {
        let own = Own::of_hash(&record.hash);
        Who {
            sid: record.sid,
            created: record.created_at,
            subject: record.subject.clone(),
            // A token from before revocation was switched on is older than any epoch. One that was
            // made in this request has read its own a moment ago.
            epoch: own.map_or(u64::MAX, |own| own.epoch.unwrap_or(0)),
        }
    }
}

/// Whether a session goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Good,
    Ended,
}

/// For how long the epoch of a login waits for its token to be made.
const LOGIN: Duration = Duration::from_secs(600);

impl Revocations {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        parties: &Parties,
        bounds: Bounds,
        when_away: WhenAway,
    ) -> Self {
        let revocations = Revocations {
            epochs: Epochs::new(parties),
            memory: Memory::new(bounds.within),
            longest: AtomicU64::new(0),
            logins: Mutex::default(),
            store,
            bounds,
            when_away,
        };
        revocations.keep_at_least(bounds.longest);
        revocations
    }

    pub(crate) fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    pub(crate) fn within(&self) -> Duration {
        self.bounds.within
    }

    /// Sessions live for so long, absolutely.
    pub(crate) fn keep_at_least(&self, absolute: Duration) {
        let millis = u64::try_from(absolute.as_millis()).unwrap_or(u64::MAX);
        self.longest.fetch_max(millis, Ordering::Relaxed);
    }

    /// When a session that was made then is over in any case. No token is taken from then on,
    /// whatever it says of itself, and so a revocation has to be kept no longer.
    pub(crate) fn end_of(&self, created: Timestamp) -> Timestamp {
        created.after(Duration::from_millis(self.longest.load(Ordering::Relaxed)))
    }

    /// Refuses a session that would outlive its own revocation.
    pub(crate) fn check_lifetime(&self, record: &Record) -> Result<()> {
        if record.absolute_deadline <= self.end_of(record.created_at) {
            return Ok(());
        }
        let message =
            "the session would live longer than revocations are kept: raise TokenBuilder::longest";
        Err(Error::new(ErrorKind::Invalid, message))
    }

    /// Whether a session goes on, by what was read a moment ago.
    pub(crate) fn remembered(&self, who: &Who, now: Timestamp) -> Option<Standing> {
        if self.memory.is_ended(&who.sid, now)? {
            return Some(Standing::Ended);
        }
        let Some(subject) = &who.subject else {
            return Some(Standing::Good);
        };
        let epoch = self.memory.epoch(&self.epochs.id(subject), now)?;
        Some(epoch.judge(who.epoch, &who.sid))
    }

    /// Whether a session goes on, by the store.
    pub(crate) async fn look_up(&self, who: &Who, now: Timestamp) -> Result<Standing> {
        // What is not there was not revoked, and what is past a deadline is not known better here.
        let is_ended = matches!(self.store.load(&who.sid, now).await?, Loaded::Ended);
        self.memory.note(who.sid, who.created, is_ended, now);
        if is_ended {
            return Ok(Standing::Ended);
        }
        let Some(subject) = &who.subject else {
            return Ok(Standing::Good);
        };
        let epoch = self.epochs.read(&*self.store, subject, now).await?;
        let standing = epoch.judge(who.epoch, &who.sid);
        self.memory.note_epoch(self.epochs.id(subject), epoch, now);
        Ok(standing)
    }

    /// A session begins with a login: it is written down for lists, and gets the subject's epoch,
    /// which is read first, so that whoever ends all sessions meanwhile ends this one.
    pub(crate) async fn begin(&self, record: &Record, now: Timestamp) -> Result<Created> {
        let Some(subject) = &record.subject else {
            return Ok(Created::Created);
        };
        let epoch = self.epochs.read(&*self.store, subject, now).await?;
        let mut entry = Record::blank(record.sid, VerifierHash::from_bytes([0; 32]));
        entry.version = 1;
        entry.created_at = record.created_at;
        entry.last_seen = record.created_at;
        entry.idle_deadline = record.absolute_deadline.after(self.bounds.leeway);
        entry.absolute_deadline = entry.idle_deadline;
        entry.subject = record.subject.clone();
        let created = self.store.create(Arc::new(entry), None, now).await?;
        if created == Created::Created {
            let mut logins = self.logins();
            if logins.len() > 1024 {
                logins.retain(|_, (_, at)| now.since(*at) < LOGIN);
            }
            logins.insert(record.sid, (epoch.least, now));
        }
        Ok(created)
    }

    /// What a session that begins now has to carry, so that it ends with the others of its subject.
    pub(crate) async fn epoch(&self, subject: &str, now: Timestamp) -> Result<u64> {
        Ok(self.epochs.read(&*self.store, subject, now).await?.least)
    }

    /// The epoch that a login of this process got.
    pub(crate) fn login(&self, sid: &SessionId) -> Result<u64> {
        let login = self.logins().get(sid).copied();
        login.map(|(epoch, _)| epoch).ok_or_else(|| {
            let message = "the login took too long: its token can't be made any more";
            Error::new(ErrorKind::Unavailable, message)
        })
    }

    /// Ends a session, for as long as a token of it could be good. `None` if somebody else has
    /// ended it before; its last state where it was written down.
    pub(crate) async fn end(
        &self,
        sid: SessionId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Option<Arc<Record>>>> {
        let loaded = self.store.load(&sid, now).await?;
        let created = match &loaded {
            Loaded::Live(record) => Some(record.created_at),
            _ => self.memory.created(&sid),
        };
        // Whoever does not know when the session was made takes it to be new.
        let end = self.end_of(created.unwrap_or(now));
        let until = until.max(end.after(self.bounds.leeway));
        let last = self.store.end(&sid, now, until).await?;
        self.memory.note(sid, created.unwrap_or(now), true, now);
        Ok(match loaded {
            Loaded::Ended => None,
            _ => Some(last),
        })
    }

    /// Ends all sessions of a subject that logged in before, but for these.
    pub(crate) async fn raise(
        &self,
        subject: &str,
        except: &[SessionId],
        now: Timestamp,
    ) -> Result<()> {
        let epoch = self
            .epochs
            .raise(&*self.store, subject, except, now)
            .await?;
        self.memory.note_epoch(self.epochs.id(subject), epoch, now);
        Ok(())
    }

    /// Whether a request goes on although the store is away.
    pub(crate) fn trusts(&self, error: Error) -> Result<()> {
        match (self.when_away, error.kind()) {
            (WhenAway::Trust, ErrorKind::Unavailable | ErrorKind::Unknown) => Ok(()),
            _ => Err(error),
        }
    }

    fn logins(&self) -> std::sync::MutexGuard<'_, HashMap<SessionId, (u64, Timestamp)>> {
        self.logins.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds {
            within: Duration::from_secs(5),
            longest: Lifetime::default().absolute(),
            leeway: Duration::from_secs(60),
        }
    }
}
