//! The table: shards, and the index of subjects beside them.

use std::sync::Arc;

use sessile_core::{
    Candidate, Created, Loaded, OnFull, Outcome, Patch, Record, Result, SessionId, SubjectCap,
    TOMBSTONE, Timestamp,
};

use crate::Capacity;
use crate::index::{Index, Subjects};
use crate::shard::Shard;
use crate::sync::{AtomicU64, Mutex, MutexGuard, Ordering, lock};

/// Sessions in memory: sharded, bounded, forgetting on time. Every operation is atomic.
#[derive(Debug)]
pub struct Table {
    shards: Box<[Mutex<Shard>]>,
    index: Index,
    evicted: AtomicU64,
    last_eviction: AtomicU64,
}

impl Table {
    /// An empty table of this capacity.
    pub fn new(capacity: Capacity) -> Self {
        let shards = capacity.shards();
        let share = capacity.share(shards);
        Table {
            shards: (0..shards).map(|_| Mutex::new(Shard::new(share))).collect(),
            index: Index::new(shards),
            evicted: AtomicU64::new(0),
            last_eviction: AtomicU64::new(0),
        }
    }

    /// See [`Store::create`](sessile_core::Store::create).
    pub fn create(&self, record: Arc<Record>, cap: Option<SubjectCap>, now: Timestamp) -> Created {
        let mut gone = Vec::new();
        let created = match record.subject.clone() {
            None => self.insert(record, now, &mut gone),
            Some(subject) => {
                // Under the lock of the subject, so that the cap is exact, and so that a revocation
                // of the subject comes before this session or ends it.
                let mut subjects = self.index.lock(&subject);
                if cap.is_some() && !matches!(self.load(&record.sid, now), Loaded::Absent) {
                    return Created::Taken; // before anybody ends to make room for it
                }
                if !self.make_room(&subjects, &subject, cap, now, &mut gone) {
                    return Created::Full;
                }
                let sid = record.sid;
                let created = self.insert(record, now, &mut gone);
                if created == Created::Created {
                    subjects.add(subject, sid);
                }
                created
            }
        };
        self.unlist(&gone);
        created
    }

    /// Whether the subject may have one more session, its oldest ones ended if need be.
    fn make_room(
        &self,
        subjects: &Subjects,
        subject: &str,
        cap: Option<SubjectCap>,
        now: Timestamp,
        gone: &mut Vec<Arc<Record>>,
    ) -> bool {
        let Some(cap) = cap else { return true };
        let mut ids = subjects.ids(subject);
        ids.retain(|sid| matches!(self.load(sid, now), Loaded::Live(_)));
        let Some(excess) = (ids.len() + 1).checked_sub(cap.max.get() as usize) else {
            return true;
        };
        if excess > 0 && cap.on_full == OnFull::Reject {
            return false;
        }
        for sid in &ids[..excess] {
            gone.extend(self.shard(sid).end(sid, now.after(TOMBSTONE)));
        }
        true
    }

    fn insert(&self, record: Arc<Record>, now: Timestamp, gone: &mut Vec<Arc<Record>>) -> Created {
        let sid = record.sid;
        let mut shard = self.shard(&sid);
        let created = shard.create(record, now, gone);
        if created == Created::Created {
            self.evict(&mut shard, &sid, now, gone);
        }
        created
    }

    fn evict(
        &self,
        shard: &mut Shard,
        keep: &SessionId,
        now: Timestamp,
        gone: &mut Vec<Arc<Record>>,
    ) {
        while let Some(record) = shard.evict(keep, now, gone) {
            gone.push(record);
            self.evicted.fetch_add(1, Ordering::Relaxed);
            self.last_eviction.store(now.as_millis(), Ordering::Relaxed);
        }
    }

    /// See [`Store::load`](sessile_core::Store::load).
    pub fn load(&self, sid: &SessionId, now: Timestamp) -> Loaded {
        self.shard(sid).load(sid, now)
    }

    /// See [`Store::apply`](sessile_core::Store::apply); the record comes back in every case.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TooLarge`](sessile_core::ErrorKind::TooLarge), and nothing is changed.
    pub fn apply(&self, sid: &SessionId, now: Timestamp, patch: &Patch) -> Result<Outcome> {
        let mut gone = Vec::new();
        let mut shard = self.shard(sid);
        let applied = shard.apply(sid, now, patch, &mut gone);
        if patch.is_write() {
            self.evict(&mut shard, sid, now, &mut gone);
        }
        drop(shard);
        self.unlist(&gone);
        applied
    }

    /// See [`Store::end`](sessile_core::Store::end).
    pub fn end(&self, sid: &SessionId, until: Timestamp) -> Option<Arc<Record>> {
        let record = self.shard(sid).end(sid, until);
        self.unlist(record.as_slice());
        record
    }

    /// See [`Store::list`](sessile_core::Store::list).
    pub fn list(&self, subject: &str, now: Timestamp) -> Vec<Candidate> {
        let ids = self.index.lock(subject).ids(subject);
        let candidate = |sid| Candidate {
            sid,
            record: match self.load(&sid, now) {
                Loaded::Live(record) => Some(record),
                _ => None,
            },
        };
        ids.into_iter().map(candidate).collect()
    }

    /// How many sessions are live.
    pub fn count(&self, now: Timestamp) -> u64 {
        let mut gone = Vec::new();
        let live = self
            .shards
            .iter()
            .map(|shard| lock(shard).count(now, &mut gone))
            .sum::<usize>();
        self.unlist(&gone);
        live as u64
    }

    /// Forgets at most `limit` records and tombstones that are past their time, and says how many
    /// went.
    pub fn sweep(&self, now: Timestamp, limit: usize) -> usize {
        let mut forgotten = 0;
        for shard in &self.shards {
            let mut gone = Vec::new();
            forgotten += lock(shard).forget_overdue(now, limit - forgotten, &mut gone);
            self.unlist(&gone);
        }
        self.index.shrink();
        forgotten
    }

    /// How many sessions were evicted since the table was made.
    pub fn evicted(&self) -> u64 {
        self.evicted.load(Ordering::Relaxed)
    }

    /// When a session was last evicted.
    pub fn last_eviction(&self) -> Option<Timestamp> {
        let at = self.last_eviction.load(Ordering::Relaxed);
        (at > 0).then(|| Timestamp::from_millis(at))
    }

    fn shard(&self, sid: &SessionId) -> MutexGuard<'_, Shard> {
        // The first byte chooses the shard, the last ones the place in it.
        lock(&self.shards[usize::from(sid.as_bytes()[0]) & (self.shards.len() - 1)])
    }

    /// Takes sessions that are no more out of the index. No lock may be held.
    fn unlist(&self, gone: &[Arc<Record>]) {
        for record in gone {
            if let Some(subject) = &record.subject {
                self.index.lock(subject).remove(subject, &record.sid);
            }
        }
    }
}
