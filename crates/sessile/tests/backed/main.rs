//! The laws of sessions, over HTTP requests to a service whose sessions are in a store, with copies
//! in its memory; and what several such services are to their clients.

#![allow(clippy::unwrap_used)] // in a test, a panic is the report

use sessile::{BackedSticky, KeyRing, MemoryStore, Sticky};

/// Where the sessions of these tests live. The same tests run on the other strategies.
type Home = BackedSticky;

fn home() -> Home {
    let node = Sticky::node("n1").keys(KeyRing::random());
    node.backing(MemoryStore::default()).build().unwrap()
}

/// Whether a credential says which version of the session its client has seen.
const RETOLD: bool = true;

/// What a credential starts with.
const LABEL: &str = "n1.";

mod calls;
mod nodes;

#[path = "../it/axum.rs"]
mod axum;
#[path = "../it/budgets.rs"]
mod budgets;
#[path = "../it/caches.rs"]
mod caches;

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
#[path = "../it/outcomes.rs"]
mod outcomes;
#[path = "../it/peers.rs"]
mod peers;
#[path = "../it/probe.rs"]
mod probe;
#[path = "../it/races.rs"]
mod races;
#[path = "../it/sockets.rs"]
mod sockets;
#[path = "../it/stack.rs"]
mod stack;
#[path = "../it/traps.rs"]
mod traps;
#[path = "../it/values.rs"]
mod values;
