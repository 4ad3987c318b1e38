//! What a session is: plain data, and the two traits that others implement.
//!
//! This crate knows nothing of HTTP, Tower or a runtime, and does no I/O. Applications use the
//! crate `sessile`; whoever writes a store implements [`Store`] from here.
//!
//! In the order in which a request meets them:
//!
//! - a client presents a [`Credential`]: a public [`SessionId`] and a secret [`Verifier`];
//! - a [`Strategy`] opens it, mostly by way of a [`Store`], and finds a [`Record`];
//! - the handler's [`Change`]s are folded into a [`Plan`], whose plain normal form is a [`Patch`];
//! - the store applies the patch: all of it, on the record as it is *then*, or none of it.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod credential;
mod keyring;
mod macs;

mod data;
pub mod encoding;
mod record;
mod text;

mod change;
mod patch;
mod plan;

mod clock;
mod lifetime;

mod arrival;
mod guarantees;
mod store;
mod strategy;

mod error;

pub use arrival::Arrival;
pub use change::{Change, Log, Rerun};
pub use clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use credential::{Credential, SessionId, Verifier, VerifierHash, Wrapped};
pub use data::{Data, RECORD_LIMIT};
pub use error::{Error, ErrorKind, Result};
pub use guarantees::{Durability, Guarantees, Revocation, Scope, Writes};
pub use keyring::{KeyRing, MasterKey};
pub use lifetime::Lifetime;
pub use macs::{Macs, Tag};
pub use patch::{Patch, Patched, Rotation, VERSION_LIMIT};
pub use plan::{Plan, Target};
pub use record::{GRACE, Previous, Record, SUBJECT_LIMIT, TOMBSTONE, Verdict};
pub use store::{Applied, Candidate, Created, Loaded, OnFull, Store, SubjectCap};
pub use strategy::{
    Claim, Forwards, Found, Held, OnReuse, Opened, Outcome, Presented, Route, Step, Strategy, Turn,
};
pub use text::{Name, Text};
