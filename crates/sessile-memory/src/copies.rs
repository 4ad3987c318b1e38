//! Copies: what a node keeps in memory of sessions whose truth is in a store.
//!
//! A copy is a state that the store has acknowledged, and when. It may be forgotten at any time.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use sessile_core::{Record, SessionId, Timestamp};

use crate::Capacity;
use crate::capacity::weight;
use crate::sync::{Mutex, MutexGuard, lock};
use crate::tombstones::Tombstones;

#[derive(Debug)]
pub(crate) struct Copies {
    shards: Box<[Mutex<Shard>]>,
}

/// A state that the store has acknowledged.
#[derive(Clone, Debug)]
pub(crate) struct Confirmed {
    pub(crate) record: Arc<Record>,
    /// When the store was asked for it.
    pub(crate) at: Timestamp,
}

/// The copies of one shard. When there are too many, those go first that were not used since they
/// were last looked at.
#[derive(Debug)]
struct Shard {
    copies: HashMap<SessionId, Kept, BuildHasherDefault<OwnBits>>,
    /// Whom to look at next. One that is no copy any more is passed over.
    queue: VecDeque<SessionId>,
    /// Who ended here a moment ago: what was in flight then must not become a copy.
    ended: Tombstones,
    bytes: usize,
    capacity: Capacity,
}

#[derive(Debug)]
struct Kept {
    confirmed: Confirmed,
    used: bool,
}

/// The last bits of what is hashed. An id is random to begin with, and only ids of our own making
/// are ever kept: its bits are as good as any hash of them, whoever asks for what.
#[derive(Default)]
struct OwnBits(u64);

impl Hasher for OwnBits {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(last) = bytes.last_chunk() {
            self.0 = u64::from_le_bytes(*last);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// How many tombstones past their time one write frees on the side.
const ERRANDS: usize = 16;

impl Copies {
    pub(crate) fn new(capacity: Capacity) -> Self {
        let shards = capacity.shards();
        let share = capacity.share(shards);
        let shard = |_| {
            Mutex::new(Shard {
                copies: HashMap::default(),
                queue: VecDeque::new(),
                ended: Tombstones::new(share.tombstones()),
                bytes: 0,
                capacity: share,
            })
        };
        Copies {
            shards: (0..shards).map(shard).collect(),
        }
    }

    pub(crate) fn get(&self, sid: &SessionId) -> Option<Confirmed> {
        let mut shard = self.shard(sid);
        let kept = shard.copies.get_mut(sid)?;
        kept.used = true;
        Some(kept.confirmed.clone())
    }

    /// Keeps what the store said when it was asked at `at`, unless a newer state has come since
    /// `before` was there, or the session has ended here meanwhile. Returns what is newest.
    pub(crate) fn put(
        &self,
        record: Arc<Record>,
        before: Option<&Arc<Record>>,
        at: Timestamp,
    ) -> Arc<Record> {
        let mut shard = self.shard(&record.sid);
        shard.ended.forget_due(at, ERRANDS);
        if shard.has_ended(&record.sid) {
            return record;
        }
        if let Some(kept) = shard.copies.get(&record.sid) {
            let kept = &kept.confirmed.record;
            // What was there before is not set against what the store says now.
            if !before.is_some_and(|before| Arc::ptr_eq(before, kept)) && age(kept) > age(&record) {
                return kept.clone();
            }
        }
        shard.keep(record.clone(), at);
        record
    }

    /// The store has gone back to this state from one that is not beyond version `known`: keeps
    /// it, unless what is there is beyond that.
    pub(crate) fn revert(&self, known: u64, record: Arc<Record>, at: Timestamp) {
        let mut shard = self.shard(&record.sid);
        let kept = shard.copies.get(&record.sid);
        if kept.is_some_and(|kept| kept.confirmed.record.version <= known) {
            shard.keep(record, at);
        }
    }

    pub(crate) fn forget(&self, sid: &SessionId) {
        self.shard(sid).remove(sid);
    }

    /// The session has ended, and what was in flight is not to be kept until `until`.
    pub(crate) fn end(&self, sid: SessionId, until: Timestamp) {
        let mut shard = self.shard(&sid);
        shard.remove(&sid);
        shard.ended.add(sid, until);
    }

    /// Whether the session ended here a moment ago.
    pub(crate) fn has_ended(&self, sid: &SessionId) -> bool {
        self.shard(sid).has_ended(sid)
    }

    /// Forgets what is past its time.
    pub(crate) fn sweep(&self, now: Timestamp) {
        for shard in &self.shards {
            let mut shard = lock(shard);
            shard.ended.forget_due(now, usize::MAX);
            shard.ended.shrink();
            let mut freed = 0;
            shard.copies.retain(|_, kept| {
                let record = &kept.confirmed.record;
                let live = record.is_live(now);
                freed += if live { 0 } else { weight(record) };
                live
            });
            shard.bytes -= freed;
            shard.tidy();
        }
    }

    /// How many copies there are.
    pub(crate) fn count(&self) -> usize {
        self.shards
            .iter()
            .map(|shard| lock(shard).copies.len())
            .sum()
    }

    fn shard(&self, sid: &SessionId) -> MutexGuard<'_, Shard> {
        lock(&self.shards[usize::from(sid.as_bytes()[0]) & (self.shards.len() - 1)])
    }
}

impl Shard {
    /// No id is given out twice, so how long ago does not matter.
    fn has_ended(&self, sid: &SessionId) -> bool {
        self.ended.holds(sid, Timestamp::default())
    }

    fn keep(&mut self, record: Arc<Record>, at: Timestamp) {
        let (sid, size) = (record.sid, weight(&record));
        let confirmed = Confirmed { record, at };
        match self.copies.get_mut(&sid) {
            Some(kept) => {
                self.bytes -= weight(&kept.confirmed.record);
                kept.confirmed = confirmed;
                kept.used = true;
            }
            None => {
                let used = false;
                self.copies.insert(sid, Kept { confirmed, used });
                self.queue.push_back(sid);
            }
        }
        self.bytes += size;
        self.evict(&sid);
        self.tidy();
    }

    fn evict(&mut self, keep: &SessionId) {
        while self.copies.len() > 1 && self.capacity.is_exceeded(self.copies.len(), self.bytes) {
            let Some(sid) = self.queue.pop_front() else {
                break;
            };
            match self.copies.get_mut(&sid) {
                None => {}
                Some(kept) if kept.used || sid == *keep => {
                    kept.used = false;
                    self.queue.push_back(sid);
                }
                Some(_) => self.remove(&sid),
            }
        }
    }

    fn remove(&mut self, sid: &SessionId) {
        if let Some(kept) = self.copies.remove(sid) {
            self.bytes -= weight(&kept.confirmed.record);
        }
    }

    /// Drops the places in the queue of what is no copy any more, once they are the most.
    fn tidy(&mut self) {
        if self.queue.len() <= 2 * self.copies.len() + 64 {
            return;
        }
        let (copies, mut seen) = (&self.copies, HashSet::new());
        self.queue
            .retain(|sid| copies.contains_key(sid) && seen.insert(*sid));
        if self.copies.capacity() > 64 && self.copies.len() < self.copies.capacity() / 8 {
            self.copies.shrink_to_fit();
            self.queue.shrink_to_fit();
        }
    }
}

/// Of two states of one session, which is newer: a use that was noted does not raise the version.
fn age(record: &Record) -> (u64, Timestamp) {
    (record.version, record.last_seen)
}

#[cfg(test)]
mod tests {
    use sessile_core::{Credential, Lifetime};

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn record(id: u8) -> Arc<Record> {
        let mut record = Record::new(&Credential::random(), NOW, &Lifetime::default());
        record.sid = SessionId::from_bytes([id; 16]);
        Arc::new(record)
    }

    fn small() -> Copies {
        Copies::new(Capacity::sessions(3))
    }

    #[test]
    fn beyond_the_capacity_those_go_that_were_not_used() {
        let copies = small();
        for id in 1..=3 {
            copies.put(record(id), None, NOW);
        }
        assert!(copies.get(&record(1).sid).is_some());
        copies.put(record(4), None, NOW);
        let kept = [1, 2, 3, 4].map(|id| copies.get(&record(id).sid).is_some());
        assert_eq!(kept, [true, false, true, true]);
        // One larger than all the room there is stays alone, until the next one comes.
        let mut large = Record::clone(&record(5));
        large.subject = Some("x".repeat(10_000).into());
        copies.put(Arc::new(large), None, NOW);
        assert_eq!(copies.count(), 1);
        copies.put(record(6), None, NOW);
        assert_eq!(copies.count(), 1);
    }

    #[test]
    fn what_comes_late_replaces_nothing_newer_and_nothing_that_ended() {
        let copies = small();
        let (old, mut new) = (record(1), Record::clone(&record(1)));
        new.version = 2;
        let new = Arc::new(new);
        copies.put(new.clone(), None, NOW);
        assert_eq!(copies.put(old.clone(), None, NOW).version, 2);
        assert_eq!(
            copies.get(&old.sid).map(|kept| kept.record.version),
            Some(2)
        );
        assert_eq!(copies.put(old.clone(), Some(&new), NOW).version, 1);
        copies.end(old.sid, NOW);
        copies.put(new, None, NOW);
        assert!(copies.get(&old.sid).is_none() && copies.has_ended(&old.sid));
    }

    #[test]
    fn what_was_forgotten_leaves_nothing_behind() {
        let copies = small();
        for _ in 0..1000 {
            copies.put(record(1), None, NOW);
            copies.forget(&record(1).sid);
        }
        let shard = copies.shard(&record(1).sid);
        assert!(shard.bytes == 0 && shard.queue.len() <= 66);
        drop(shard);
        copies.put(record(2), None, NOW);
        copies.sweep(record(2).expires_at());
        assert_eq!((copies.count(), copies.shard(&record(2).sid).bytes), (0, 0));
    }
}
