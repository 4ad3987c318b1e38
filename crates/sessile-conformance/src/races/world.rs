//! What the requests of one schedule share: a store, a clock, a client's jar, and a journal of
//! what was acknowledged.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use sessile_core::{
    Clock, ManualClock, Record, SessionId, Store, Timestamp, Verifier, VerifierHash,
};

use crate::stage::{Draft, Stage};

/// What the requests of one schedule share.
pub(super) struct World {
    pub(super) stage: Stage,
    pub(super) clock: ManualClock,
    pub(super) sid: SessionId,
    /// How far the clock moves when the session is to expire.
    pub(super) life: Duration,
    pub(super) first: Verifier,
    state: Mutex<State>,
}

struct State {
    jar: Verifier,
    journal: Vec<Event>,
}

/// What a request was answered, in the order in which that was.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// A load found the session live.
    Found,
    /// A plain write of this key was acknowledged.
    Wrote(String),
    /// An increment was acknowledged.
    Updated,
    /// A note of use was acknowledged.
    Noted,
    /// A rotation from this verifier was acknowledged.
    Rotated(VerifierHash),
    /// The session was ended, and this was its last state.
    Ended(Option<Arc<Record>>),
    /// A login made this session, to whom the session was left by the end that came next.
    LoggedIn(SessionId),
    /// Both deadlines passed.
    Expired,
    /// What no store may answer to a request.
    Wrong(&'static str),
}

impl World {
    pub(super) fn new(
        store: Arc<dyn Store>,
        session: &Draft,
        now: Timestamp,
        life: Duration,
    ) -> Self {
        World {
            stage: Stage { store },
            clock: ManualClock::new(now),
            sid: session.sid(),
            life,
            first: session.verifier.clone(),
            state: Mutex::new(State {
                jar: session.verifier.clone(),
                journal: Vec::new(),
            }),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What the client presents now.
    pub(super) fn jar(&self) -> Verifier {
        self.state().jar.clone()
    }

    /// The client is given a verifier.
    pub(super) fn give(&self, verifier: &Verifier) {
        self.state().jar = verifier.clone();
    }

    pub(super) fn note(&self, event: Event) {
        self.state().journal.push(event);
    }

    pub(super) fn journal(&self) -> Vec<Event> {
        self.state().journal.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Holds a request before each of its calls until it is its turn.
#[derive(Debug, Default)]
pub(super) struct Turn {
    granted: AtomicBool,
    waiting: AtomicBool,
}

impl Turn {
    /// Waits for a turn. Called before each call, and before anything else that others may see.
    pub(super) async fn take(&self) {
        poll_fn(|_| {
            let granted = self.granted.swap(false, Ordering::SeqCst);
            self.waiting.store(!granted, Ordering::SeqCst);
            // Nobody is woken: the schedule polls whose turn it is.
            if granted {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    pub(super) fn grant(&self) {
        self.waiting.store(false, Ordering::SeqCst);
        self.granted.store(true, Ordering::SeqCst);
    }

    /// Whether the request has made its call and waits for the next turn.
    pub(super) fn is_over(&self) -> bool {
        self.waiting.load(Ordering::SeqCst)
    }
}
