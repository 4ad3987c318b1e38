//! Every store against its real server: the laws, and what only this store can get wrong.

#![allow(clippy::unwrap_used)] // in a test, a panic is the report

mod redis;
mod samples;
