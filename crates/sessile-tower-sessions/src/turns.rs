//! Who comes first: of several writes to one session one is made at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sessile_core::SessionId;
use tokio::sync::OwnedMutexGuard;

/// A lock for each session that is being written to, first come, first served. A session that
/// nobody writes to has none.
#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<Locks>);

type Locks = HashMap<SessionId, Arc<tokio::sync::Mutex<()>>>;

impl Turns {
    /// Waits until nobody else writes to this session. It is the caller's turn until what this
    /// returns is dropped.
    pub(crate) async fn take(&self, sid: &SessionId) -> Turn<'_> {
        let place = Place {
            lock: Arc::clone(self.locks().entry(*sid).or_default()),
            turns: self,
            sid: *sid,
        };
        let guard = Arc::clone(&place.lock).lock_owned().await;
        Turn {
            _guard: guard,
            _place: place,
        }
    }

    fn locks(&self) -> MutexGuard<'_, Locks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to write to a session.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    // Given back in this order: whoever is the last one finds nobody holding the lock.
    _guard: OwnedMutexGuard<()>,
    _place: Place<'a>,
}

/// A place in the queue, held while waiting too.
#[derive(Debug)]
struct Place<'a> {
    lock: Arc<tokio::sync::Mutex<()>>,
    turns: &'a Turns,
    sid: SessionId,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        // Places are taken under this lock, so nobody comes in between: the map and this one.
        let mut locks = self.turns.locks();
        if Arc::strong_count(&self.lock) == 2 {
            locks.remove(&self.sid);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use super::*;

    #[tokio::test]
    async fn one_session_has_one_turn_at_a_time_and_others_do_not_wait() {
        let turns = Turns::default();
        let (one, other) = (SessionId::random(), SessionId::random());
        let first = turns.take(&one).await;
        let mut second = Box::pin(turns.take(&one));
        let mut context = Context::from_waker(Waker::noop());
        assert!(second.as_mut().poll(&mut context).is_pending());
        drop(turns.take(&other).await);
        drop(first);
        assert!(second.as_mut().poll(&mut context).is_ready());
    }

    #[tokio::test]
    async fn a_session_that_nobody_writes_to_leaves_nothing() {
        let turns = Turns::default();
        let sid = SessionId::random();
        let first = turns.take(&sid).await;
        let mut given_up = Box::pin(turns.take(&sid));
        let mut context = Context::from_waker(Waker::noop());
        assert!(given_up.as_mut().poll(&mut context).is_pending());
        drop(first);
        assert_eq!(turns.locks().len(), 1);
        drop(given_up);
        assert_eq!(turns.locks().len(), 0);
    }
}
