//! Sessions in the memory of this process.
//!
//! [`Sticky`] is the strategy: the client's credential names a session of this process's
//! [`Table`]. [`MemoryStore`] is the same table as a store, for tests and for one process. Of
//! several processes each is a [node](Sticky::node), with a label that balancers route on; with a
//! store behind them, memory is a cache of what the store has acknowledged.
//!
//! The table is cut into shards, each under a lock of its own that is held for a lookup or a
//! replacement and never while a closure of the application runs. It is bounded in count and
//! bytes ([`Capacity`] states the rule of eviction), and expiry costs as much as there is to
//! expire: no background task is needed, and a sweep is only ever about space.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod capacity;
mod sticky;

#[cfg(feature = "backing")]
mod backed;
#[cfg(feature = "backing")]
mod calls;
#[cfg(feature = "backing")]
mod copies;
mod misrouted;
mod node;
#[cfg(feature = "backing")]
mod turns;

mod store;
mod wire;

mod table;

mod agenda;
mod index;
mod shard;
mod sync;
mod tombstones;

#[cfg(feature = "backing")]
pub use backed::{BackedSticky, Backing};
#[cfg(feature = "backing")]
pub use calls::Calls;
pub use capacity::Capacity;
pub use misrouted::Misrouted;
pub use node::{Alone, StickyBuilder, StickyNode};
pub use sticky::Sticky;
pub use store::MemoryStore;
pub use table::Table;
