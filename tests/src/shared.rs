//! A server that tests which run at the same time share.

use std::sync::{Arc, Mutex, PoisonError, Weak};

/// A server that is started for the first who needs it, and stopped after the last. For a
/// `static`.
#[derive(Debug)]
pub struct Shared<T>(Mutex<Weak<T>>);

impl<T> Shared<T> {
    /// One that nobody needs yet.
    pub const fn new() -> Self {
        Shared(Mutex::new(Weak::new()))
    }

    /// The server, which runs at least as long as this is kept.
    pub fn get(&self, start: impl FnOnce() -> T) -> Arc<T> {
        let mut server = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        server.upgrade().unwrap_or_else(|| {
            let started = Arc::new(start());
            *server = Arc::downgrade(&started);
            started
        })
    }
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Shared::new()
    }
}
