//! The model: a store that is right because it is plain.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use sessile_core::{
    Applied, Candidate, Created, Guarantees, Loaded, OnFull, Patch, Patched, RECORD_LIMIT, Record,
    Result, SessionId, Store, SubjectCap, TOMBSTONE, Timestamp,
};

/// A store that keeps every law because it is plain: one map under one lock. For tests; it forgets
/// nothing but in a sweep, and walks all that it holds.
#[derive(Debug, Default)]
pub struct ModelStore {
    slots: Mutex<Slots>,
}

impl ModelStore {
    /// An empty store.
    pub fn new() -> Self {
        ModelStore::default()
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is kept under each id.
#[derive(Default)]
pub(crate) struct Slots {
    pub(crate) kept: BTreeMap<SessionId, Slot>,
    /// How many records were ever made: tells the order.
    made: u64,
}

#[derive(Clone)]
pub(crate) enum Slot {
    Record { record: Arc<Record>, made: u64 },
    Tombstone { until: Timestamp },
}

impl Slots {
    pub(crate) fn record(&self, sid: &SessionId) -> Option<Arc<Record>> {
        match self.kept.get(sid) {
            Some(Slot::Record { record, .. }) => Some(record.clone()),
            _ => None,
        }
    }

    /// The record that was made last.
    pub(crate) fn newest(&self) -> Option<Arc<Record>> {
        let records = self.kept.values().filter_map(|slot| match slot {
            Slot::Record { record, made } => Some((made, record)),
            Slot::Tombstone { .. } => None,
        });
        records
            .max_by_key(|(made, _)| *made)
            .map(|(_, record)| record.clone())
    }

    pub(crate) fn insert(&mut self, record: Arc<Record>) {
        self.made += 1;
        let made = self.made;
        self.kept.insert(record.sid, Slot::Record { record, made });
    }

    /// Replaces a record that is there.
    pub(crate) fn replace(&mut self, record: Arc<Record>) {
        if let Some(Slot::Record { record: kept, .. }) = self.kept.get_mut(&record.sid) {
            *kept = record;
        }
    }

    /// The live sessions of a subject, the oldest first.
    pub(crate) fn of(&self, subject: &str, now: Timestamp) -> Vec<Arc<Record>> {
        let mut sessions: Vec<_> = self
            .kept
            .values()
            .filter_map(|slot| match slot {
                Slot::Record { record, made } => Some((*made, record)),
                Slot::Tombstone { .. } => None,
            })
            .filter(|(_, record)| record.subject.as_deref() == Some(subject))
            .filter(|(_, record)| record.is_live(now))
            .map(|(made, record)| (made, record.clone()))
            .collect();
        sessions.sort_by_key(|(made, _)| *made);
        sessions.into_iter().map(|(_, record)| record).collect()
    }

    /// The sessions of a subject that have expired by this clock, and may be live by another one.
    pub(crate) fn expired(&self, subject: &str, now: Timestamp) -> Vec<Candidate> {
        let expired = self.kept.iter().filter(|(_, slot)| match slot {
            Slot::Record { record, .. } => {
                record.subject.as_deref() == Some(subject) && !record.is_live(now)
            }
            Slot::Tombstone { .. } => false,
        });
        let unread = |(sid, _): (&SessionId, _)| Candidate {
            sid: *sid,
            record: None,
        };
        expired.map(unread).collect()
    }

    pub(crate) fn create(
        &mut self,
        record: Arc<Record>,
        cap: Option<SubjectCap>,
        now: Timestamp,
    ) -> Result<Created> {
        record.data.check_limit()?;
        if self.is_taken(&record.sid, now) {
            return Ok(Created::Taken);
        }
        if let (Some(cap), Some(subject)) = (cap, record.subject.as_deref())
            && !self.make_room(subject, cap, now)
        {
            return Ok(Created::Full);
        }
        self.insert(record);
        Ok(Created::Created)
    }

    pub(crate) fn is_taken(&self, sid: &SessionId, now: Timestamp) -> bool {
        match self.kept.get(sid) {
            Some(Slot::Record { .. }) => true,
            Some(Slot::Tombstone { until }) => now < *until,
            None => false,
        }
    }

    /// Whether the subject may have one more session, its oldest ones ended if need be.
    pub(crate) fn make_room(&mut self, subject: &str, cap: SubjectCap, now: Timestamp) -> bool {
        let sessions = self.of(subject, now);
        let excess = (sessions.len() + 1).saturating_sub(cap.max.get() as usize);
        if excess > 0 && cap.on_full == OnFull::Reject {
            return false;
        }
        for record in &sessions[..excess] {
            self.end(&record.sid, now.after(TOMBSTONE));
        }
        true
    }

    pub(crate) fn load(&self, sid: &SessionId, now: Timestamp) -> Loaded {
        match self.kept.get(sid) {
            Some(Slot::Record { record, .. }) if record.is_live(now) => {
                Loaded::Live(record.clone())
            }
            Some(Slot::Record { .. }) => Loaded::Expired,
            Some(Slot::Tombstone { until }) if now < *until => Loaded::Ended,
            _ => Loaded::Absent,
        }
    }

    pub(crate) fn apply(
        &mut self,
        sid: &SessionId,
        now: Timestamp,
        patch: &Patch,
    ) -> Result<Applied> {
        let Some(record) = self.record(sid) else {
            return Ok(Applied::Gone);
        };
        Ok(match patch.apply_to(&record, now)? {
            Patched::Applied(next) => {
                let next = Arc::new(next);
                self.replace(next.clone());
                Applied::Applied {
                    version: next.version,
                    record: (record.version != patch.base()).then_some(next),
                }
            }
            Patched::Conflict => Applied::Conflict(record),
            Patched::Gone => Applied::Gone,
        })
    }

    pub(crate) fn end(&mut self, sid: &SessionId, until: Timestamp) -> Option<Arc<Record>> {
        let until = match self.kept.get(sid) {
            Some(Slot::Tombstone { until: earlier }) => until.max(*earlier),
            _ => until,
        };
        match self.kept.insert(*sid, Slot::Tombstone { until }) {
            Some(Slot::Record { record, .. }) => Some(record),
            _ => None,
        }
    }

    /// Frees at most `limit` of what `is_over` says.
    pub(crate) fn sweep(&mut self, limit: usize, is_over: impl Fn(&Slot) -> bool) -> usize {
        let over = self.kept.iter().filter(|(_, slot)| is_over(slot));
        let over: Vec<SessionId> = over.map(|(sid, _)| *sid).take(limit).collect();
        for sid in &over {
            self.kept.remove(sid);
        }
        over.len()
    }
}

impl Slot {
    /// Whether it is past its time.
    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        match self {
            Slot::Record { record, .. } => !record.is_live(now),
            Slot::Tombstone { until } => *until <= now,
        }
    }
}

impl fmt::Debug for Slots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slots")
            .field("kept", &self.kept.len())
            .finish()
    }
}

/// A candidate for a list.
pub(crate) fn candidate(record: Arc<Record>) -> Candidate {
    Candidate {
        sid: record.sid,
        record: Some(record),
    }
}

#[async_trait]
impl Store for ModelStore {
    async fn create(
        &self,
        record: Arc<Record>,
        cap: Option<SubjectCap>,
        now: Timestamp,
    ) -> Result<Created> {
        self.lock().create(record, cap, now)
    }

    async fn load(&self, sid: &SessionId, now: Timestamp) -> Result<Loaded> {
        Ok(self.lock().load(sid, now))
    }

    async fn apply(&self, sid: &SessionId, now: Timestamp, patch: &Patch) -> Result<Applied> {
        self.lock().apply(sid, now, patch)
    }

    async fn end(
        &self,
        sid: &SessionId,
        _now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Arc<Record>>> {
        Ok(self.lock().end(sid, until))
    }

    async fn list(&self, subject: &str, now: Timestamp) -> Result<Vec<Candidate>> {
        let slots = self.lock();
        let mut candidates: Vec<_> = slots.of(subject, now).into_iter().map(candidate).collect();
        candidates.append(&mut slots.expired(subject, now));
        Ok(candidates)
    }

    async fn count(&self, now: Timestamp) -> Result<Option<u64>> {
        let slots = self.lock();
        let live = slots.kept.values().filter(|slot| match slot {
            Slot::Record { record, .. } => record.is_live(now),
            Slot::Tombstone { .. } => false,
        });
        Ok(Some(live.count() as u64))
    }

    async fn sweep(&self, now: Timestamp, limit: usize) -> Result<usize> {
        Ok(self.lock().sweep(limit, |slot| slot.is_over(now)))
    }

    async fn ping(&self) -> Result<()> {
        Ok(())
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees::volatile(RECORD_LIMIT)
    }
}
