//! Both ways over the bridge, with both versions of tower-sessions.

#![cfg(all(feature = "v0_14", feature = "v0_15"))]
#![allow(clippy::unwrap_used)] // in a test, a panic is the report

mod bridged;
mod halting;
mod laws;
mod layer;
mod limits;
mod listed;
