//! Tombstones: the sessions of one shard that ended a moment ago.

use std::hash::{BuildHasher as _, RandomState};

use hashbrown::HashTable;
use hashbrown::hash_table::Entry as Place;
use sessile_core::{SessionId, Timestamp};

use crate::agenda::{Agenda, Tick, tick_of};

/// Who ended, and until when that is to be known. Bounded: beyond its limit the one that is
/// nearest to its time goes, and its client arrives as a stranger instead of as `Ended`. No session
/// comes back by that, because writing never makes one.
#[derive(Debug)]
pub(crate) struct Tombstones {
    table: HashTable<Tombstone>,
    agenda: Agenda,
    // Whoever may revoke chooses ids: unlike those of records, these need a keyed hash.
    hasher: RandomState,
    most: usize,
}

#[derive(Debug)]
struct Tombstone {
    sid: SessionId,
    until: Timestamp,
    /// The tick at which the agenda will look at it.
    tick: Tick,
}

impl Tombstones {
    pub(crate) fn new(most: usize) -> Self {
        Tombstones {
            table: HashTable::new(),
            agenda: Agenda::default(),
            hasher: RandomState::new(),
            most,
        }
    }

    pub(crate) fn holds(&self, sid: &SessionId, now: Timestamp) -> bool {
        if self.table.is_empty() {
            return false;
        }
        let found = self
            .table
            .find(self.hasher.hash_one(sid), |old| old.sid == *sid);
        found.is_some_and(|tombstone| now < tombstone.until)
    }

    /// Leaves a tombstone; an earlier one is never shortened.
    pub(crate) fn add(&mut self, sid: SessionId, until: Timestamp) {
        let tick = tick_of(until);
        let tombstone = Tombstone { sid, until, tick };
        let rehash = |old: &Tombstone| self.hasher.hash_one(old.sid);
        match self
            .table
            .entry(self.hasher.hash_one(sid), |old| old.sid == sid, rehash)
        {
            Place::Occupied(place) if place.get().until >= until => return,
            Place::Occupied(mut place) => *place.get_mut() = tombstone,
            Place::Vacant(place) => {
                place.insert(tombstone);
            }
        }
        self.agenda.add(tick, sid);
        while self.table.len() > self.most {
            let Some((tick, sid)) = self.agenda.take_first() else {
                break;
            };
            self.remove(&sid, tick);
        }
    }

    /// Forgets at most `limit` that are past their time, and says how many.
    pub(crate) fn forget_due(&mut self, now: Timestamp, limit: usize) -> usize {
        let mut forgotten = 0;
        for _ in 0..limit {
            let Some((tick, sid)) = self.agenda.take_due(now) else {
                break;
            };
            forgotten += usize::from(self.remove(&sid, tick));
        }
        forgotten
    }

    fn remove(&mut self, sid: &SessionId, tick: Tick) -> bool {
        let due = |old: &Tombstone| old.sid == *sid && old.tick == tick;
        let place = self.table.find_entry(self.hasher.hash_one(sid), due);
        place.map(|place| place.remove()).is_ok()
    }

    /// Gives memory back once most of it is unused.
    pub(crate) fn shrink(&mut self) {
        if self.table.capacity() > 64 && self.table.len() < self.table.capacity() / 8 {
            let hasher = &self.hasher;
            self.table
                .shrink_to(self.table.len() * 2, |old| hasher.hash_one(old.sid));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_limit_the_one_nearest_to_its_time_goes() {
        let mut tombstones = Tombstones::new(2);
        let (now, tick) = (Timestamp::from_millis(1), 5000);
        for (id, until) in [(1, 3 * tick), (2, tick), (3, 2 * tick)] {
            tombstones.add(
                SessionId::from_bytes([id; 16]),
                Timestamp::from_millis(until),
            );
        }
        let held = [1, 2, 3].map(|id| tombstones.holds(&SessionId::from_bytes([id; 16]), now));
        assert_eq!(held, [true, false, true]);
    }
}
