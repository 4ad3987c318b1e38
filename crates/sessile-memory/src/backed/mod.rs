//! A node in front of a store: the truth is in the store, and memory is a cache of it.
//!
//! A copy only ever says yes: what it can't confirm is asked of the store. Versions are the fence.
//! The credential's is a lower bound of what its client has seen, a copy's one of what the store
//! has acknowledged to this node; a state older than either is never served without saying so,
//! and never written on.

mod builder;
mod protocol;
mod strategy;

pub use builder::Backing;
pub use strategy::BackedSticky;
