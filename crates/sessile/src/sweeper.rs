//! The sweeper: frees what has expired, again and again, whatever the store says.

use std::time::Duration;

use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

use crate::{Sessions, telemetry};

const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

/// A task that frees the space of what has expired. It ends with this handle.
#[derive(Debug)]
#[must_use = "the sweeper ends when its handle is dropped"]
pub struct Sweeper(JoinHandle<()>);

impl Sessions {
    /// Starts a task that [sweeps](Sessions::sweep) about every `interval`. Each pause is up to a
    /// fifth shorter or longer, so that nodes that were started together do not sweep together. An
    /// error of the store is an event, and so is a panic; it is tried again after the next pause.
    ///
    /// The interval is at least a millisecond and at most 30 days. One node of a service is enough, all of them are harmless. Redis needs none.
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime.
    pub fn sweep_every(&self, interval: Duration) -> Sweeper {
        let interval = interval.clamp(SHORTEST, LONGEST);
        let sessions = self.clone();
        Sweeper(tokio::spawn(async move {
            loop {
                sleep(interval.mul_f64(jitter())).await;
                let sessions = sessions.clone();
                // A task of its own: a panic in a store ends this sweep, and no other.
                let mut sweep = JoinSet::new();
                sweep.spawn(async move { sessions.sweep().await });
                match sweep.join_next().await {
                    Some(Ok(Ok(freed))) => telemetry::swept(freed),
                    Some(Ok(Err(error))) => telemetry::sweep_failed(error.kind()),
                    Some(Err(_)) | None => telemetry::sweep_panicked(),
                }
            }
        }))
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Between 0.8 and 1.2.
fn jitter() -> f64 {
    let byte = sessile_core::SessionId::random().as_bytes()[0];
    0.8 + 0.4 * f64::from(byte) / 255.0
}
