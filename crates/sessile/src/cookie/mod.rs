//! The cookie: its configuration, how it is read, and how it is written.

mod config;
mod read;
mod write;

pub use config::{Checked, CookieConfig, SameSite, Unchecked};
pub(crate) use read::{Found, read};
pub(crate) use write::{carry_over, removal, room, set, write};
