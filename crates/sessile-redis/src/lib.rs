//! A session store over Redis and Valkey.
//!
//! ```no_run
//! use sessile_core::Store as _;
//! use sessile_redis::RedisStore;
//!
//! # async fn run() -> sessile_core::Result<()> {
//! let store = RedisStore::connect("redis://127.0.0.1:6379")?;
//! store.ping().await?;
//! for warning in store.check().await? {
//!     eprintln!("{warning}");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Where the sessions are
//!
//! | URL | |
//! | --- | --- |
//! | `redis://host:6379/0` | one server |
//! | `redis+sentinel://host:26379,host:26379/name/0` | the primary that these sentinels call `name` |
//! | `redis+cluster://host:6379,host:6379` | a cluster, found by way of these nodes |
//!
//! A user and a password stand before the hosts, once: `redis://user:password@host`. With `rediss`
//! in place of `redis` all connections use TLS (feature `tls`). Redis 6.2 or later, or any Valkey.
//!
//! # What it promises
//!
//! - **A session is one hash, and each operation one round trip**: a load is a plain `HGETALL`,
//!   everything else one script, atomic, that does what
//!   [`Patch::apply_to`](sessile_core::Patch::apply_to) does. One more is needed when a server
//!   meets a script for the first time, and on a cluster for the index of a subject. Scripts are
//!   named by their content, so that two releases never run each other's; a library of functions
//!   would have to be installed, and replaced under the other release's feet.
//! - **Nothing is sent twice.** A write whose answer did not come is
//!   [`Unknown`](sessile_core::ErrorKind::Unknown); what was refused, or never sent, is
//!   [`Unavailable`](sessile_core::ErrorKind::Unavailable).
//! - **The server's clock frees space and decides nothing.** Keys expire an hour after the deadline
//!   that the caller's clock knows.
//! - **Memory that runs full refuses writes** if `maxmemory-policy` is `noeviction`. With any other
//!   policy the server may log people out; [`RedisStore::check`] says so.
//! - **On one server the scripts compute keys**: the index of a subject, and the sessions that a cap
//!   ends. A proxy that spreads keys over servers and is not a cluster will not do.
//! - Fail-over of Redis is asynchronous and can undo an acknowledged write: see
//!   [`RedisStore::guarantees`](sessile_core::Store::guarantees).
//!
//! The store needs a Tokio runtime. It connects when it is first used and again whenever that is
//! needed; what it has to wait for is bounded by [`RedisStoreBuilder`]'s timeouts.
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod store;

mod builder;
mod url;

mod fields;
mod index;
mod patch;
mod script;

mod call;
mod cluster;
mod failure;
mod link;
mod sentinel;
mod server;
mod slots;

pub use builder::RedisStoreBuilder;
pub use store::RedisStore;
