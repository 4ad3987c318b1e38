//! How an end goes wrong.

use std::sync::Arc;

use sessile_core::{Record, SessionId, Timestamp};

use super::{BrokenStore, Flaw, others};
use crate::model::Slot;

pub(super) async fn end(
    store: &BrokenStore,
    sid: &SessionId,
    now: Timestamp,
    until: Timestamp,
) -> Option<Arc<Record>> {
    match store.flaw {
        Flaw::LeavesNoTombstone => {
            let mut slots = store.slots();
            let last = slots.record(sid)?;
            slots.kept.remove(sid);
            return Some(last);
        }
        Flaw::LeavesNoTombstoneForNothing => {
            let slots = store.slots();
            if !slots.kept.contains_key(sid) {
                return None;
            }
        }
        Flaw::EndsNothingWithoutTime if until <= now => return None,
        Flaw::ShortensTombstones => {
            let mut slots = store.slots();
            let last = slots.record(sid);
            slots.kept.insert(*sid, Slot::Tombstone { until });
            return last;
        }
        Flaw::KeepsTheFirstTombstone => {
            let slots = store.slots();
            if let Some(Slot::Tombstone { .. }) = slots.kept.get(sid) {
                return None;
            }
        }
        Flaw::ReturnsTheLastStateTwice => {
            store.slots().end(sid, until);
            return store.newest(sid);
        }
        Flaw::ReturnsNoLastState => {
            store.slots().end(sid, until);
            return None;
        }
        Flaw::ReturnsTheFirstState => {
            store.slots().end(sid, until)?;
            return store.as_of(sid, 1);
        }
        Flaw::ReturnsNothingExpired => {
            return store
                .slots()
                .end(sid, until)
                .filter(|last| last.is_live(now));
        }
        Flaw::EndsInTwoSteps => {
            let last = store.slots().record(sid);
            others().await;
            store.slots().end(sid, until);
            return last;
        }
        Flaw::NeverEndsWhatIsEnding => {
            if !store.memory().ending.insert(*sid) {
                return None;
            }
            others().await;
            let last = store.slots().end(sid, until);
            // Done, for those who come later.
            store.memory().ending.remove(sid);
            return last;
        }
        _ => {}
    }
    store.slots().end(sid, until)
}
