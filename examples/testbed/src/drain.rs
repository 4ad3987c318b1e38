//! Handing the sessions over to the other nodes before this one stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use sessile::{Result, Sessions};

/// How long the sessions may take to move.
const DEADLINE: Duration = Duration::from_secs(30);

/// The end of this node's work. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Drain {
    sessions: Sessions,
    is_over: Arc<AtomicBool>,
}

impl Drain {
    pub(crate) fn new(sessions: Sessions) -> Self {
        let is_over = Arc::default();
        Drain { sessions, is_over }
    }

    /// Whether clients have stopped coming with this node's label.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Begins, and refuses where there is nowhere to hand the sessions over to.
    pub(crate) fn begin(&self) -> Result<()> {
        let drain = self.clone();
        let mut drained = Box::pin(async move {
            drain.sessions.drain(DEADLINE).await?;
            drain.is_over.store(true, Ordering::Relaxed);
            Ok(())
        });
        match drained.as_mut().now_or_never() {
            Some(done) => done,
            None => {
                tokio::spawn(drained);
                Ok(())
            }
        }
    }

    /// Waits until the sessions are handed over. Without a store behind them there is nothing to
    /// wait for.
    pub(crate) async fn finish(&self) {
        // The refusal is not the operator's business: the process was asked to stop.
        let _ = self.sessions.drain(DEADLINE).await;
        self.is_over.store(true, Ordering::Relaxed);
    }
}
