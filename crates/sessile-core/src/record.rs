//! The record: what a store keeps of a session.

use std::sync::Arc;
use std::time::Duration;

use crate::lifetime::touch_interval;
use crate::{Credential, Data, Lifetime, SessionId, Timestamp, Verifier, VerifierHash, Wrapped};

/// How long the previous verifier is honoured after its successor was first presented.
pub const GRACE: Duration = Duration::from_secs(60);

/// How long an ended session leaves a tombstone, so that what was in flight is told so.
pub const TOMBSTONE: Duration = Duration::from_secs(60);

/// The longest subject, in bytes: what every store can keep in an index.
pub const SUBJECT_LIMIT: usize = 512;

/// What a store keeps of a session. Plain data; it holds nothing that opens the session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// The session's public id, and the store's key.
    pub sid: SessionId,
    /// Hash of the verifier that the client should hold.
    pub hash: VerifierHash,
    /// The verifier before that one, after a renew.
    pub previous: Option<Box<Previous>>,
    /// Grows with every change of data; below 2^53.
    pub version: u64,
    /// When the session was made.
    pub created_at: Timestamp,
    /// When its use was last written down. Only grows.
    pub last_seen: Timestamp,
    /// Not used until here: expired. Always `last_seen` plus the session's idle time.
    pub idle_deadline: Timestamp,
    /// Expired from here on, used or not.
    pub absolute_deadline: Timestamp,
    /// Who is logged in.
    pub subject: Option<Arc<str>>,
    /// The session's keys.
    pub data: Data,
    /// During a migration: it is kept by the strategy that makes no new sessions. No store keeps
    /// this; it says to which of two strategies a copy in memory belongs.
    pub away: bool,
}

/// A verifier that was replaced, still honoured for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Previous {
    /// Hash of the replaced verifier.
    pub hash: VerifierHash,
    /// Its successor, readable only with the replaced verifier itself.
    pub wrapped: Wrapped,
    /// Honoured until here; `None` until the successor was first presented.
    pub until: Option<Timestamp>,
}

impl Previous {
    /// Whether a request whose head arrived at `arrived` may still use this verifier.
    pub fn is_honoured(&self, arrived: Timestamp) -> bool {
        self.until.is_none_or(|until| arrived < until)
    }
}

/// What a verifier is to a record.
#[derive(Debug)]
pub enum Verdict {
    /// The current one.
    Current,
    /// The previous one, within its grace. The client is to be given this successor.
    Previous {
        /// The current verifier.
        successor: Verifier,
    },
    /// The previous one, after its grace: two parties hold this session's credentials.
    Reuse,
    /// None of ours.
    Wrong,
}

impl Record {
    /// A new record, made `now`.
    pub fn new(credential: &Credential, now: Timestamp, lifetime: &Lifetime) -> Self {
        Record {
            sid: credential.sid,
            hash: credential.verifier.hash(),
            previous: None,
            version: 1,
            created_at: now,
            last_seen: now,
            idle_deadline: now.after(lifetime.idle()),
            absolute_deadline: now.after(lifetime.absolute()),
            subject: None,
            data: Data::new(),
            away: false,
        }
    }

    /// Whether neither deadline has been reached. A deadline is exclusive: at it, the session is
    /// over.
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.expires_at()
    }

    /// The earlier one of both deadlines.
    pub fn expires_at(&self) -> Timestamp {
        self.idle_deadline.min(self.absolute_deadline)
    }

    /// The session's own idle time.
    pub fn idle(&self) -> Duration {
        self.idle_deadline.since(self.last_seen)
    }

    /// Whether a use at `now` must be written down (the touch rule): no sooner than
    /// `min(max(60 s, idle/10), idle/4)` after the last, and later than the last in any case: what
    /// is written down at `now` is not due at `now` again.
    pub fn is_touch_due(&self, now: Timestamp) -> bool {
        let last_seen = self.last_seen.as_millis();
        let idle = self.idle_deadline.as_millis().saturating_sub(last_seen);
        now.as_millis().saturating_sub(last_seen) >= touch_interval(idle).max(1)
    }

    /// The current verifier, for who holds the one before it.
    pub fn successor(&self, verifier: &Verifier) -> Option<Verifier> {
        let previous = self.previous.as_ref()?;
        (previous.hash == verifier.hash()).then(|| verifier.unwrap(&self.sid, &previous.wrapped))
    }

    /// Judges a verifier presented by a request whose head arrived at `arrived`.
    pub fn verify(&self, verifier: &Verifier, arrived: Timestamp) -> Verdict {
        let hash = verifier.hash();
        if hash == self.hash {
            return Verdict::Current;
        }
        match &self.previous {
            Some(previous) if hash == previous.hash => {
                if previous.is_honoured(arrived) {
                    Verdict::Previous {
                        successor: verifier.unwrap(&self.sid, &previous.wrapped),
                    }
                } else {
                    Verdict::Reuse
                }
            }
            _ => Verdict::Wrong,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_deadlines_hold_and_are_exclusive() {
        let start = Timestamp::from_millis(1000);
        let lifetime = Lifetime::new(Duration::from_millis(10), Duration::from_millis(25)).unwrap();
        let mut record = Record::new(&Credential::random(), start, &lifetime);
        assert!(record.is_live(Timestamp::from_millis(1009)));
        assert!(!record.is_live(Timestamp::from_millis(1010)));
        record.idle_deadline = Timestamp::from_millis(2000);
        assert!(record.is_live(Timestamp::from_millis(1024)));
        assert!(!record.is_live(Timestamp::from_millis(1025)));
    }

    #[test]
    fn a_use_that_was_just_written_down_is_not_due_however_short_the_idle_time() {
        let now = Timestamp::from_millis(1000);
        let lifetime = Lifetime::new(Duration::from_millis(3), Duration::from_millis(9)).unwrap();
        let record = Record::new(&Credential::random(), now, &lifetime);
        assert!(!record.is_touch_due(now));
        assert!(record.is_touch_due(Timestamp::from_millis(1001)));
    }

    #[test]
    fn the_previous_verifier_is_honoured_until_its_grace_ends_and_is_reuse_after() {
        let now = Timestamp::from_millis(1000);
        let (old, new) = (Credential::random(), Verifier::random());
        let mut record = Record::new(&old, now, &Lifetime::default());
        record.hash = new.hash();
        let mut previous = Previous {
            hash: old.verifier.hash(),
            wrapped: old.verifier.wrap(&old.sid, &new),
            until: None,
        };
        record.previous = Some(Box::new(previous.clone()));
        let far = now.after(Duration::from_secs(3600));
        match record.verify(&old.verifier, far) {
            Verdict::Previous { successor } => assert_eq!(successor.expose(), new.expose()),
            other => panic!("{other:?}"),
        }
        previous.until = Some(far);
        record.previous = Some(Box::new(previous));
        assert!(matches!(record.verify(&old.verifier, far), Verdict::Reuse));
        assert!(matches!(record.verify(&new, far), Verdict::Current));
        assert!(matches!(
            record.verify(&Verifier::random(), far),
            Verdict::Wrong
        ));
    }
}
