//! The laws, tried on stores that keep them and on stores that break them.

#![allow(clippy::unwrap_used)] // in a test, a panic is the report

mod broken;
mod model;
mod tools;
