//! The laws of sessions, over HTTP requests to a service.

#![allow(clippy::unwrap_used)] // in a test, a panic is the report

use sessile::Sticky;

/// Where the sessions of these tests live. The same tests run on the other strategies.
type Home = Sticky;

fn home() -> Home {
    Sticky::new()
}

/// Whether a credential says which version of the session its client has seen.
const RETOLD: bool = false;

/// What a credential starts with.
const LABEL: &str = "s.";

mod client;
mod probe;

mod axum;
mod budgets;
mod caches;
mod carriers;
mod cookies;
mod counters;
mod failures;
mod handle;
mod late;
mod lifetimes;
mod operators;
mod outcomes;
mod peers;
mod races;
#[cfg(all(feature = "token", feature = "stored"))]
mod refresh;
mod schedules;
mod secrets;
mod sockets;
mod stack;
#[cfg(feature = "token")]
mod token;
mod traps;
mod types;
mod values;
