//! Migrations, between every ordered pair of strategies that keep the sessions of several nodes.

#![allow(clippy::unwrap_used)] // in a test, a panic is the report
#![cfg(all(feature = "stored", feature = "token"))]

mod calls;
mod holes;
mod interrupted;
mod limits;
mod phases;
mod races;
mod replays;
mod rolling;
mod world;

#[path = "../it/client.rs"]
#[allow(dead_code, reason = "shared with other tests, which need more of it")]
mod client;

/// Where sessions live in tests that don't say.
fn home() -> sessile::Sticky {
    sessile::Sticky::new()
}
