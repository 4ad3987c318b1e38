//! What becomes of requests when the store under [`Stored`](sessile::Stored) is slow, away, or
//! keeps nonsense, and when the client goes away.

#![allow(clippy::unwrap_used)] // in a test, a panic is the report

use sessile::{MemoryStore, Stored};

fn home() -> Stored {
    Stored::new(MemoryStore::default())
}

#[allow(dead_code)] // other tests ask it for more
#[path = "../it/client.rs"]
mod client;
mod shop;

mod deadlines;
mod lost_answers;

mod anonymous_reads;

mod corrupt;

mod hangups;
mod turns;

mod sweeper;
