//! The laws of sessions, over HTTP requests to a service.

#![allow(clippy::unwrap_used)] // in a test, a panic is the report

mod basics;
mod client;
