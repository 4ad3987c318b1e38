//! The laws of sessions, over HTTP requests to a service whose sessions are in a store.

#![allow(clippy::unwrap_used)] // in a test, a panic is the report

use sessile::{MemoryStore, Stored};

/// Where the sessions of these tests live. The same tests run on the other strategies.
type Home = Stored;

fn home() -> Home {
    Stored::new(MemoryStore::default())
}
/// Whether a credential says which version of the session its client has seen.
const RETOLD: bool = false;

/// What a credential starts with.
const LABEL: &str = "";

#[path = "../it/axum.rs"]
mod axum;
#[path = "../it/budgets.rs"]
mod budgets;
#[path = "../it/caches.rs"]
mod caches;
mod calls;

#[path = "../it/carriers.rs"]
mod carriers;
#[path = "../it/client.rs"]
mod client;
#[path = "../it/cookies.rs"]
mod cookies;
#[path = "../it/counters.rs"]
mod counters;
#[path = "../it/counting.rs"]
mod counting;
#[path = "../it/failures.rs"]
mod failures;
#[path = "../it/handle.rs"]
mod handle;
#[path = "../it/late.rs"]
mod late;
#[path = "../it/lifetimes.rs"]
mod lifetimes;
#[path = "../it/operators.rs"]
mod operators;
#[path = "../it/outcomes.rs"]
mod outcomes;
#[path = "../it/peers.rs"]
mod peers;
#[path = "../it/probe.rs"]
mod probe;
#[path = "../it/races.rs"]
mod races;
#[path = "../it/secrets.rs"]
mod secrets;
#[path = "../it/sockets.rs"]
mod sockets;
#[path = "../it/stack.rs"]
mod stack;
#[path = "../it/traps.rs"]
mod traps;
#[path = "../it/values.rs"]
mod values;
