//! Every interleaving of two or three operations on a small table, by the model checker:
//! `RUSTFLAGS="--cfg loom" cargo test -p sessile-memory --release --test loom`.
//!
//! A law has a control: over an operation made in two steps it must fail, or the model would not
//! see the interleaving that it is about. Where none can be made from the table's operations,
//! every outcome that the law allows must be seen.

#![cfg(loom)]
#![allow(clippy::unwrap_used)] // in a test, a panic is the report

mod sessions;
mod subjects;
mod support;
