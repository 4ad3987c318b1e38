//! One suite for every strategy, over HTTP: the laws, the traps that others fell into, and a random
//! walk against a plain model. A strategy is let off only what its `Guarantees` exclude.

#![allow(clippy::unwrap_used)] // in a test, a panic is the report

mod beds;
mod law;
mod laws;
mod matrix;
mod model;
mod walk;
