//! How a create goes wrong.

use std::sync::Arc;

use sessile_core::{Created, OnFull, Record, Result, SubjectCap, TOMBSTONE, Timestamp};

use super::{BrokenStore, Flaw, fourteen_digits, others};
use crate::model::{Slot, Slots};

pub(super) async fn create(
    store: &BrokenStore,
    record: Arc<Record>,
    cap: Option<SubjectCap>,
    now: Timestamp,
) -> Result<Created> {
    let sid = record.sid;
    match store.flaw {
        Flaw::CreatesOverRecords => {
            let mut slots = store.slots();
            if slots.record(&sid).is_some() {
                slots.kept.remove(&sid);
            }
        }
        Flaw::CreatesOverTombstones => {
            let mut slots = store.slots();
            if let Some(Slot::Tombstone { .. }) = slots.kept.get(&sid) {
                slots.kept.remove(&sid);
            }
        }
        Flaw::CreatesInTwoSteps if cap.is_none() => {
            let is_taken = store.slots().is_taken(&sid, now);
            others().await;
            if !is_taken {
                store.slots().insert(record);
                return Ok(Created::Created);
            }
        }
        Flaw::LosesWhatASessionWasMovedWith => {
            let mut record = (*record).clone();
            record.previous = None;
            return store.slots().create(record.into(), cap, now);
        }
        Flaw::RoundsDeadlines => {
            let mut record = (*record).clone();
            for deadline in [&mut record.idle_deadline, &mut record.absolute_deadline] {
                *deadline = Timestamp::from_millis(fourteen_digits(deadline.as_millis()));
            }
            return store.slots().create(record.into(), cap, now);
        }
        Flaw::NeverShrinks => {
            let mut slots = store.slots();
            if !slots.is_taken(&sid, now) && record.data.check_limit().is_err() {
                slots.insert(record);
                return Ok(Created::Created);
            }
        }
        Flaw::ListsWithADelay => {
            let unlisted = &mut store.memory().unlisted;
            unlisted.clear();
            unlisted.insert(sid);
        }
        Flaw::ListsAfterTheCreate => {
            store.memory().unlisted.insert(sid);
            let created = store.slots().create(record, cap, now);
            others().await;
            store.memory().unlisted.remove(&sid);
            return created;
        }
        _ => return capped(store, record, cap, now).await,
    }
    store.slots().create(record, cap, now)
}

/// How the cap of a subject goes wrong.
async fn capped(
    store: &BrokenStore,
    record: Arc<Record>,
    cap: Option<SubjectCap>,
    now: Timestamp,
) -> Result<Created> {
    let (Some(capped), Some(subject)) = (cap, record.subject.clone()) else {
        return store.slots().create(record, cap, now);
    };
    let most = capped.max.get() as usize;
    let evicts = capped.on_full == OnFull::EvictOldest;
    match store.flaw {
        Flaw::EvictsBeforeItLooks => {
            store.slots().make_room(&subject, capped, now);
        }
        Flaw::CountsThenCreates => {
            if store.slots().is_taken(&record.sid, now) {
                return Ok(Created::Taken);
            }
            let room = store.slots().make_room(&subject, capped, now);
            others().await;
            if room {
                return store.slots().create(record, None, now);
            }
        }
        Flaw::EvictsTheNewest if evicts => {
            let mut slots = store.slots();
            if slots.is_taken(&record.sid, now) {
                return Ok(Created::Taken);
            }
            let sessions = slots.of(&subject, now);
            let excess = (sessions.len() + 1).saturating_sub(most);
            evict(&mut slots, sessions.iter().rev().take(excess), now);
            return slots.create(record, None, now);
        }
        Flaw::EvictsOneAtMost if evicts => {
            let mut slots = store.slots();
            if slots.is_taken(&record.sid, now) {
                return Ok(Created::Taken);
            }
            let sessions = slots.of(&subject, now);
            let excess = (sessions.len() + 1).saturating_sub(most);
            evict(&mut slots, sessions.iter().take(excess.min(1)), now);
            return slots.create(record, None, now);
        }
        Flaw::CountsExpiredSessions if !evicts => {
            let mut slots = store.slots();
            let counted = slots.kept.values().filter(|slot| {
                matches!(slot, Slot::Record { record, .. } if record.subject == Some(subject.clone()))
            });
            if counted.count() >= most {
                return Ok(Created::Full);
            }
            return slots.create(record, None, now);
        }
        _ => {}
    }
    store.slots().create(record, cap, now)
}

fn evict<'a>(slots: &mut Slots, sessions: impl Iterator<Item = &'a Arc<Record>>, now: Timestamp) {
    for record in sessions {
        slots.end(&record.sid, now.after(TOMBSTONE));
    }
}
