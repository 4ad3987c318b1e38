//! Many clients at once, over several processes that share one store, and stores that are killed
//! under them.

#![allow(clippy::unwrap_used)] // in a test, a panic is the report

mod counter;
mod dumps;
mod kills;
mod logouts;
mod migrations;
mod revocations;
mod rotation;
mod sharing;
mod sticky;
mod store;
