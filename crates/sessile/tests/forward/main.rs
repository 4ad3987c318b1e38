//! Requests that come to the wrong node: several nodes in one process, over real sockets.

#![allow(clippy::unwrap_used)] // in a test, a panic is the report

mod cluster;
mod labelled;
mod wire;

mod failures;
mod heads;
mod hops;
mod nodes;
mod streams;
mod tower_law;
mod upgrades;
