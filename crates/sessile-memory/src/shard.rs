//! One shard: records, tombstones and the agenda of what to forget next. Everything here happens
//! under the shard's lock.

use std::sync::Arc;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry as Place;
use sessile_core::{
    Created, Loaded, Outcome, Patch, Patched, Record, Result, SessionId, Timestamp,
};

use crate::Capacity;
use crate::agenda::{Agenda, Tick, tick_of};
use crate::capacity::weight;
use crate::tombstones::Tombstones;

#[derive(Debug)]
pub(crate) struct Shard {
    live: HashTable<Live>,
    ended: Tombstones,
    anonymous: Agenda,
    bound: Agenda,
    bytes: usize,
    capacity: Capacity,
}

/// A record and the tick at which the agenda will look at it. An agenda's entry with another tick
/// is an old one and no longer counts.
#[derive(Debug)]
struct Live {
    record: Arc<Record>,
    tick: Tick,
}

/// How much overdue work one write does on the side. Two would keep up with any steady load; more
/// catches up after a pause, and bounds how long the lock is held.
const ERRANDS: usize = 16;

impl Shard {
    pub(crate) fn new(capacity: Capacity) -> Self {
        Shard {
            live: HashTable::new(),
            ended: Tombstones::new(capacity.tombstones()),
            anonymous: Agenda::default(),
            bound: Agenda::default(),
            bytes: 0,
            capacity,
        }
    }

    pub(crate) fn load(&self, sid: &SessionId, now: Timestamp) -> Loaded {
        match self.live.find(hash(sid), |live| live.record.sid == *sid) {
            Some(live) if live.record.is_live(now) => Loaded::Live(live.record.clone()),
            Some(_) => Loaded::Expired,
            None if self.ended.holds(sid, now) => Loaded::Ended,
            None => Loaded::Absent,
        }
    }

    /// Keeps a new record. `gone` receives the records that had to go.
    pub(crate) fn create(
        &mut self,
        record: Arc<Record>,
        now: Timestamp,
        gone: &mut Vec<Arc<Record>>,
    ) -> Created {
        self.forget_overdue(now, ERRANDS, gone);
        let sid = record.sid;
        if self.ended.holds(&sid, now) {
            return Created::Taken;
        }
        let tick = tick_of(record.expires_at());
        let bound = record.subject.is_some();
        let size = weight(&record);
        match self
            .live
            .entry(hash(&sid), |live| live.record.sid == sid, rehash)
        {
            Place::Occupied(_) => return Created::Taken,
            Place::Vacant(place) => place.insert(Live { record, tick }),
        };
        self.bytes += size;
        self.agenda(bound).add(tick, sid);
        self.tidy();
        Created::Created
    }

    /// Evicts one session, if there are too many or too large ones; never `keep`. Overdue ones go
    /// first, to `gone`.
    pub(crate) fn evict(
        &mut self,
        keep: &SessionId,
        now: Timestamp,
        gone: &mut Vec<Arc<Record>>,
    ) -> Option<Arc<Record>> {
        while self.capacity.is_exceeded(self.live.len(), self.bytes) {
            if !self.anonymous.is_due(now) && !self.bound.is_due(now) {
                return self
                    .evict_from(false, keep)
                    .or_else(|| self.evict_from(true, keep));
            }
            self.forget_overdue(now, 1, gone);
        }
        None
    }

    fn evict_from(&mut self, bound: bool, keep: &SessionId) -> Option<Arc<Record>> {
        let mut kept = None;
        let evicted = loop {
            let Some((tick, sid)) = self.agenda(bound).take_first() else {
                break None;
            };
            let Some(record) = self.record_at(&sid, tick) else {
                continue;
            };
            let moved = tick_of(record.expires_at());
            if sid == *keep {
                kept = Some(tick);
            } else if moved > tick {
                self.reschedule(&sid, bound, moved);
            } else {
                break self.remove(&sid);
            }
        };
        if let Some(tick) = kept {
            self.agenda(bound).add(tick, *keep);
        }
        evicted
    }

    pub(crate) fn apply(
        &mut self,
        sid: &SessionId,
        now: Timestamp,
        patch: &Patch,
        gone: &mut Vec<Arc<Record>>,
    ) -> Result<Outcome> {
        self.forget_overdue(now, ERRANDS, gone);
        let Some(live) = self
            .live
            .find_mut(hash(sid), |live| live.record.sid == *sid)
        else {
            return Ok(Outcome::Gone);
        };
        let record = match patch.apply_to(&live.record, now)? {
            Patched::Applied(record) => Arc::new(record),
            Patched::Conflict => return Ok(Outcome::Conflict(live.record.clone())),
            Patched::Gone => return Ok(Outcome::Gone),
        };
        let before = weight(&live.record);
        live.record = record.clone();
        // A deadline that moved forward is found when the old tick comes; one that moved back
        // would be found too late.
        let tick = tick_of(record.expires_at());
        let sooner = tick < live.tick;
        self.bytes = self.bytes - before + weight(&record);
        if sooner {
            self.reschedule(sid, record.subject.is_some(), tick);
        }
        Ok(Outcome::Applied(record))
    }

    pub(crate) fn end(&mut self, sid: &SessionId, until: Timestamp) -> Option<Arc<Record>> {
        self.ended.add(*sid, until);
        self.remove(sid)
    }

    /// Does at most `limit` pieces of overdue work and says how many records and tombstones went.
    pub(crate) fn forget_overdue(
        &mut self,
        now: Timestamp,
        limit: usize,
        gone: &mut Vec<Arc<Record>>,
    ) -> usize {
        let (mut forgotten, mut left) = (0, limit);
        for bound in [false, true] {
            while left > 0 {
                let Some((tick, sid)) = self.agenda(bound).take_due(now) else {
                    break;
                };
                left -= 1;
                let Some(record) = self.record_at(&sid, tick) else {
                    continue;
                };
                if record.is_live(now) {
                    let tick = tick_of(record.expires_at());
                    self.reschedule(&sid, bound, tick);
                } else {
                    gone.extend(self.remove(&sid));
                    forgotten += 1;
                }
            }
        }
        forgotten += self.ended.forget_due(now, left);
        if forgotten > 0 {
            self.shrink();
        }
        forgotten
    }

    /// How many sessions are live, exactly.
    pub(crate) fn count(&mut self, now: Timestamp, gone: &mut Vec<Arc<Record>>) -> usize {
        self.forget_overdue(now, usize::MAX, gone);
        // Those past their deadline whose tick has not come yet.
        let tick = tick_of(now);
        let late = [&self.anonymous, &self.bound]
            .into_iter()
            .flat_map(|agenda| agenda.at(tick))
            .filter(|sid| {
                self.record_at(sid, tick)
                    .is_some_and(|record| !record.is_live(now))
            });
        self.live.len() - late.count()
    }

    fn agenda(&mut self, bound: bool) -> &mut Agenda {
        if bound {
            &mut self.bound
        } else {
            &mut self.anonymous
        }
    }

    /// The record that an agenda's entry stands for, if the entry still counts.
    fn record_at(&self, sid: &SessionId, tick: Tick) -> Option<&Arc<Record>> {
        let live = self.live.find(hash(sid), |live| live.record.sid == *sid)?;
        (live.tick == tick).then_some(&live.record)
    }

    fn reschedule(&mut self, sid: &SessionId, bound: bool, tick: Tick) {
        if let Some(live) = self
            .live
            .find_mut(hash(sid), |live| live.record.sid == *sid)
        {
            live.tick = tick;
            self.agenda(bound).add(tick, *sid);
        }
    }

    fn remove(&mut self, sid: &SessionId) -> Option<Arc<Record>> {
        let place = self
            .live
            .find_entry(hash(sid), |live| live.record.sid == *sid)
            .ok()?;
        let (live, _) = place.remove();
        self.bytes -= weight(&live.record);
        Some(live.record)
    }

    /// Drops the agenda's old entries once they are the most: those of sessions that ended long
    /// before their deadline would else stay until then.
    fn tidy(&mut self) {
        if self.anonymous.len() + self.bound.len() <= 2 * self.live.len() + 64 {
            return;
        }
        let live = &self.live;
        let counts = |tick, sid: &SessionId| {
            live.find(hash(sid), |live| live.record.sid == *sid)
                .is_some_and(|live| live.tick == tick)
        };
        self.anonymous.tidy(counts);
        self.bound.tidy(counts);
    }

    /// Gives memory back once most of it is unused.
    fn shrink(&mut self) {
        if self.live.capacity() > 64 && self.live.len() < self.live.capacity() / 8 {
            self.live.shrink_to(self.live.len() * 2, rehash);
        }
        self.ended.shrink();
    }
}

/// An id is random to begin with, and only records of our own making are ever kept: its bits are as
/// good as any hash of them, whoever asks for what.
fn hash(sid: &SessionId) -> u64 {
    let [.., a, b, c, d, e, f, g, h] = *sid.as_bytes();
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

fn rehash(live: &Live) -> u64 {
    hash(&live.record.sid)
}
