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
    /// Until it is dropped.
    line: Option<Arc<Line<Left>>>,
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
            line: Some(line.clone()),
            left: None,
        };
        place.left = Some(line.lock_owned().await);
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
        // Under the lock, so that of two that leave at once the second one sees that it is the last.
        self.line = None;
        // The map's own: nobody else stands in this line, and nobody comes meanwhile.
        if lines
            .get(&self.sid)
            .is_some_and(|line| Arc::strong_count(line) == 1)
        {
            lines.remove(&self.sid);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Waker};

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

    #[test]
    fn places_that_are_left_at_the_same_moment_leave_nothing_behind() {
        let turns = Arc::new(Turns::default());
        let sids: Vec<_> = (0..30_000).map(|_| SessionId::random()).collect();
        let arrived = AtomicUsize::new(0);
        let run = |turns: &Arc<Turns>, pause: usize| {
            let mut context = Context::from_waker(Waker::noop());
            for (at, sid) in sids.iter().enumerate() {
                arrived.fetch_add(1, Ordering::SeqCst);
                while arrived.load(Ordering::SeqCst) < 2 * (at + 1) {
                    std::hint::spin_loop();
                }
                for _ in 0..at * pause % 37 {
                    std::hint::spin_loop();
                }
                // It has the turn, or gives up waiting for it.
                let _ = pin!(turns.clone().wait(*sid)).poll(&mut context);
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(|| run(&turns, 1));
            scope.spawn(|| run(&turns, 2));
        });
        assert_eq!(turns.lines().len(), 0);
    }
}
