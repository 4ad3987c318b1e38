//! What this process has read of sessions and subjects, for a stated time.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sessile_core::{SessionId, Timestamp};

use super::epoch::Epoch;

const SHARDS: usize = 16;
/// Entries in a shard; beyond it those that are past their time go, or all.
const MOST: usize = 8192;

/// A bounded memory. What is forgotten is read again.
#[derive(Debug)]
pub(crate) struct Memory {
    within: Duration,
    shards: [Mutex<HashMap<SessionId, Entry>>; SHARDS],
}

#[derive(Clone, Debug)]
struct Entry {
    /// When it was asked for, not when the answer came.
    at: Timestamp,
    known: Known,
}

#[derive(Clone, Debug)]
enum Known {
    Session { created: Timestamp, is_ended: bool },
    Epoch(Epoch),
}

impl Memory {
    pub(crate) fn new(within: Duration) -> Self {
        Memory {
            within,
            shards: Default::default(),
        }
    }

    pub(crate) fn is_ended(&self, sid: &SessionId, now: Timestamp) -> Option<bool> {
        match self.fresh(sid, now)? {
            Known::Session { is_ended, .. } => Some(is_ended),
            Known::Epoch(_) => None,
        }
    }

    pub(crate) fn epoch(&self, id: &SessionId, now: Timestamp) -> Option<Epoch> {
        match self.fresh(id, now)? {
            Known::Epoch(epoch) => Some(epoch),
            Known::Session { .. } => None,
        }
    }

    /// When a session was made; that never changes.
    pub(crate) fn created(&self, sid: &SessionId) -> Option<Timestamp> {
        match self.shard(sid).get(sid)?.known {
            Known::Session { created, .. } => Some(created),
            Known::Epoch(_) => None,
        }
    }

    pub(crate) fn note(&self, sid: SessionId, created: Timestamp, is_ended: bool, at: Timestamp) {
        self.put(sid, at, Known::Session { created, is_ended });
    }

    pub(crate) fn note_epoch(&self, id: SessionId, epoch: Epoch, at: Timestamp) {
        self.put(id, at, Known::Epoch(epoch));
    }

    fn fresh(&self, id: &SessionId, now: Timestamp) -> Option<Known> {
        let shard = self.shard(id);
        let entry = shard.get(id)?;
        // From the future: the clock was set back, and nobody knows how old it is.
        let is_fresh = entry.at <= now && now.since(entry.at) < self.within;
        is_fresh.then(|| entry.known.clone())
    }

    fn put(&self, id: SessionId, at: Timestamp, known: Known) {
        let mut shard = self.shard(&id);
        if let Some(entry) = shard.get(&id) {
            // An end stays one, and an older answer does not replace a newer one.
            let was_ended = matches!(entry.known, Known::Session { is_ended: true, .. });
            let is_older = match (&entry.known, &known) {
                (Known::Epoch(old), Known::Epoch(new)) => new.least < old.least,
                _ => at < entry.at,
            };
            let ends = matches!(known, Known::Session { is_ended: true, .. });
            if (was_ended || is_older) && !ends {
                return;
            }
        } else if shard.len() >= MOST {
            shard.retain(|_, entry| at.since(entry.at) < self.within);
            if shard.len() >= MOST {
                shard.clear();
            }
        }
        shard.insert(id, Entry { at, known });
    }

    fn shard(&self, id: &SessionId) -> MutexGuard<'_, HashMap<SessionId, Entry>> {
        let shard = usize::from(id.as_bytes()[0]) % SHARDS;
        self.shards[shard]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
