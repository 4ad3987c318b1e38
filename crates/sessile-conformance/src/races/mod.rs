//! Requests in every order of their calls.

mod law;
mod outcome;
mod program;
mod schedule;
mod world;

pub(crate) use law::*;
