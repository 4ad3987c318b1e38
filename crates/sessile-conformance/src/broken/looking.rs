//! How a look at what is kept goes wrong, and a sweep.

use std::sync::Arc;
use std::time::Duration;

use sessile_core::{Candidate, Loaded, Record, SessionId, Timestamp, VerifierHash};

use super::{BrokenStore, Flaw};
use crate::model::{Slot, candidate};

pub(super) fn load(store: &BrokenStore, sid: &SessionId, now: Timestamp) -> Loaded {
    let mut slots = store.slots();
    let loaded = slots.load(sid, now);
    match (store.flaw, loaded) {
        (Flaw::LivesAtItsDeadline, Loaded::Expired) => {
            slots.load(sid, Timestamp::from_millis(now.as_millis() - 1))
        }
        (Flaw::SaysAbsentForExpired, Loaded::Expired) => Loaded::Absent,
        (Flaw::SaysAbsentForEnded, Loaded::Ended) => Loaded::Absent,
        (Flaw::ForgetsTheAbsoluteDeadline, Loaded::Expired) => match slots.record(sid) {
            Some(record) if now < record.idle_deadline => Loaded::Live(record),
            _ => Loaded::Expired,
        },
        (Flaw::ForgetsTheIdleDeadline, Loaded::Expired) => match slots.record(sid) {
            Some(record) if now < record.absolute_deadline => Loaded::Live(record),
            _ => Loaded::Expired,
        },
        (Flaw::AdoptsUnknownIds, Loaded::Absent) => {
            let mut record = Record::blank(*sid, VerifierHash::from_bytes([0; 32]));
            record.version = 1;
            record.created_at = now;
            record.last_seen = now;
            record.idle_deadline = now.after(Duration::from_secs(60));
            record.absolute_deadline = record.idle_deadline;
            slots.insert(Arc::new(record));
            Loaded::Absent
        }
        (_, loaded) => loaded,
    }
}

pub(super) fn list(store: &BrokenStore, subject: &str, now: Timestamp) -> Vec<Candidate> {
    let slots = store.slots();
    let mut sessions = slots.of(subject, now);
    // Of all that was ever kept.
    let more = |is_one: &dyn Fn(&Record) -> bool| -> Vec<Arc<Record>> {
        let records = slots
            .kept
            .keys()
            .filter_map(|sid| slots.record(sid).or_else(|| store.newest(sid)));
        records.filter(|record| is_one(record)).collect()
    };
    let theirs = |record: &Record| record.subject.as_deref() == Some(subject);
    match store.flaw {
        Flaw::ListsNoRenewedSession => sessions.retain(|record| record.previous.is_none()),
        Flaw::ListsTheFirstState => {
            let first = |record: Arc<Record>| store.as_of(&record.sid, 1).unwrap_or(record);
            sessions = sessions.into_iter().map(first).collect();
        }
        Flaw::ListsEverybodys => {
            sessions = more(&|record| record.subject.is_some() && record.is_live(now));
            sessions.retain(|record| slots.record(&record.sid).is_some());
        }
        Flaw::FoldsSubjects => {
            let fold = |subject: &str| subject.trim().to_lowercase();
            let alike = |record: &Record| {
                let other = record.subject.as_deref();
                other.is_some_and(|other| fold(other) == fold(subject)) && record.is_live(now)
            };
            sessions = more(&alike);
            sessions.retain(|record| slots.record(&record.sid).is_some());
        }
        Flaw::ListsWhatEnded => {
            let ended = more(&|record| theirs(record) && slots.record(&record.sid).is_none());
            sessions.extend(ended);
        }
        Flaw::ListsWhatExpired => {
            let expired = |record: &Record| theirs(record) && !record.is_live(now);
            let mut expired = more(&expired);
            expired.retain(|record| slots.record(&record.sid).is_some());
            sessions.extend(expired);
        }
        _ => {}
    }
    let known: Vec<_> = sessions.iter().map(|record| record.sid).collect();
    let mut candidates: Vec<_> = sessions.into_iter().map(candidate).collect();
    if store.flaw != Flaw::ListsByItsOwnClock {
        let mut expired = slots.expired(subject, now);
        expired.retain(|expired| !known.contains(&expired.sid));
        candidates.append(&mut expired);
    }
    let unlisted = &store.memory().unlisted;
    candidates.retain(|candidate| !unlisted.contains(&candidate.sid));
    candidates
}

pub(super) fn sweep(store: &BrokenStore, now: Timestamp, limit: usize) -> usize {
    let mut slots = store.slots();
    match store.flaw {
        Flaw::SweepsWhatWasUsedSince => slots.sweep(limit, |slot| match slot {
            Slot::Record { record, .. } => {
                let first = store.as_of(&record.sid, 1);
                first.is_some_and(|first| !first.is_live(now))
            }
            Slot::Tombstone { .. } => slot.is_over(now),
        }),
        Flaw::SweepsTombstones => slots.sweep(limit, |slot| {
            matches!(slot, Slot::Tombstone { .. }) || slot.is_over(now)
        }),
        Flaw::SweepsBeyondItsLimit => slots.sweep(usize::MAX, |slot| slot.is_over(now)),
        _ => slots.sweep(limit, |slot| slot.is_over(now)),
    }
}
