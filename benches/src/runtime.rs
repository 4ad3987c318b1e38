//! The runtime that every contestant is polled on.

use std::future::Future;

use tokio::runtime::{Builder, Runtime};

/// A current-thread runtime with timers, which deadlines and clean-up tasks need.
pub fn new() -> Runtime {
    Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime")
}

/// Polls on the calling thread, without spawning.
///
/// A batch is many requests in one future, which would run out of tokio's budget per task and be made to yield,
/// as no single request would be; hence `unconstrained`.
pub fn block_on<F: Future>(runtime: &Runtime, future: F) -> F::Output {
    runtime.block_on(tokio::task::unconstrained(future))
}
