//! Turns: in this process, changes that rest on what they read go one after the other, a session
//! at a time, first come first served.
//!
//! Otherwise all of them would read the same value and race for it, and of many the slowest would
//! never win. So only processes contend.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sessile_core::{Record, SessionId};
use tokio::sync::{Mutex as Line, OwnedMutexGuard};

/// The record that the last one left.
type Left = Option<Arc<Record>>;

#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<HashMap<SessionId, Arc<Line<Left>>>>);

/// A place in the line of one session. Dropped, the next one has the turn.
#[derive(Debug)]
pub(crate) struct Place {
    turns: Arc<Turns>,
    sid: SessionId,
    line: Arc<Line<Left>>,
    left: Option<OwnedMutexGuard<Left>>,
}

impl Turns {
    /// Waits for a turn on this session.
    pub(crate) async fn wait(self: Arc<Self>, sid: SessionId) -> Place {
        let line = self.lines().entry(sid).or_default().clone();
        // It is in the line before it waits: given up meanwhile, it still tidies up.
        let mut place = Place {
            turns: self,
            sid,
            line,
            left: None,
        };
        place.left = Some(place.line.clone().lock_owned().await);
        place
    }

    /// Every change under this lock is whole, so a poisoned one is still good.
    fn lines(&self) -> MutexGuard<'_, HashMap<SessionId, Arc<Line<Left>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// The record that the one before left, if somebody was right before.
    pub(crate) fn left(&self) -> Option<&Arc<Record>> {
        self.left.as_ref()?.as_ref()
    }

    /// What this one leaves to the next.
    pub(crate) fn leave(&mut self, record: &Arc<Record>) {
        if let Some(left) = &mut self.left {
            **left = Some(record.clone());
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.left = None;
        let mut lines = self.turns.lines();
        // The map's own and ours: nobody else stands in this line, and nobody comes meanwhile.
        if Arc::strong_count(&self.line) == 2 {
            lines.remove(&self.sid);
        }
    }
}

#[cfg(test)]
mod tests {
    use sessile_core::{Credential, Lifetime, Timestamp};

    use super::*;

    fn record() -> Arc<Record> {
        let (now, lifetime) = (Timestamp::default(), Lifetime::default());
        Arc::new(Record::new(&Credential::random(), now, &lifetime))
    }

    #[tokio::test]
    async fn who_comes_first_goes_first_and_leaves_its_record_to_the_next() {
        let (turns, record) = (Arc::new(Turns::default()), record());
        let mut first = turns.clone().wait(record.sid).await;
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for at in 0..10 {
            let (turns, sid, order) = (turns.clone(), record.sid, order.clone());
            tasks.push(tokio::spawn(async move {
                let turn = turns.wait(sid).await;
                assert!(turn.left().is_some());
                order.lock().unwrap().push(at);
            }));
            tokio::task::yield_now().await;
        }
        let other = turns.clone().wait(SessionId::random()).await;
        assert!(other.left().is_none(), "another session has its own line");
        first.leave(&record);
        drop((first, other));
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*order.lock().unwrap(), (0..10).collect::<Vec<_>>());
        assert!(turns.lines().is_empty());
    }

    #[tokio::test]
    async fn who_gives_up_waiting_leaves_nothing_behind() {
        let turns = Arc::new(Turns::default());
        let sid = SessionId::random();
        let first = turns.clone().wait(sid).await;
        let second = tokio::spawn(turns.clone().wait(sid));
        tokio::task::yield_now().await;
        // The turn is its own when it is dropped, but it never learns so.
        drop(first);
        second.abort();
        let _ = second.await;
        assert!(turns.lines().is_empty());
    }
}
