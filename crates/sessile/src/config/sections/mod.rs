//! The sections of the configuration, read into what they stand for, and held against one another.

mod cookie;
mod keys;
mod migrate;
mod require;
mod sticky;
mod stored;
mod token;

pub(super) use cookie::cookie;
pub(super) use keys::Keys;
pub(super) use migrate::{Migrate, Phase};
pub(super) use require::Require;
pub(super) use sticky::{Misrouted, Sticky};
pub(super) use stored::Stored;
pub(super) use token::Token;
#[cfg(feature = "token")]
pub(super) use token::TokenKey;
