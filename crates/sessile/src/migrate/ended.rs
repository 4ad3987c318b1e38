//! The sessions that this process has ended lately: a response that was under way gives out no
//! credential of theirs, which in a browser would overwrite that of the login that ended them.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use sessile_core::{SessionId, TOMBSTONE, Timestamp};

#[derive(Debug, Default)]
pub(super) struct Ended(Mutex<Lately>);

#[derive(Debug, Default)]
struct Lately {
    ids: HashSet<SessionId>,
    order: VecDeque<(Timestamp, SessionId)>,
}

impl Ended {
    pub(super) fn note(&self, sid: SessionId, now: Timestamp) {
        let mut lately = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((at, old)) = lately.order.front().copied()
            && now >= at.after(TOMBSTONE)
        {
            lately.order.pop_front();
            lately.ids.remove(&old);
        }
        if lately.ids.insert(sid) {
            lately.order.push_back((now, sid));
        }
    }

    pub(super) fn has(&self, sid: &SessionId) -> bool {
        let lately = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lately.ids.contains(sid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ended_is_known_for_as_long_as_a_tombstone_and_takes_no_space_after() {
        let (ended, now) = (Ended::default(), Timestamp::from_millis(1000));
        let ids = [1, 2, 3].map(|byte| SessionId::from_bytes([byte; 16]));
        ended.note(ids[0], now);
        ended.note(ids[0], now);
        ended.note(ids[1], now.after(TOMBSTONE / 2));
        assert!(ended.has(&ids[0]) && ended.has(&ids[1]) && !ended.has(&ids[2]));
        ended.note(ids[2], now.after(TOMBSTONE));
        assert!(!ended.has(&ids[0]) && ended.has(&ids[1]) && ended.has(&ids[2]));
        assert_eq!(ended.0.lock().unwrap().order.len(), 2);
    }
}
