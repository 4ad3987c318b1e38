//! The laws of the table and of the strategy over it. A law says what holds; where its failing
//! would be easy to overlook, a control shows that the test can fail.

#![cfg(not(loom))] // the locks are the model checker's then: see tests/loom.rs
#![allow(clippy::unwrap_used)] // in a test, a panic is the report

mod capacity;
mod concurrency;
mod ending;
mod expiry;
mod index;
mod laws;
mod model;
mod sticky;
mod support;
