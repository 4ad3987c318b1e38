//! How a credential travels: in a cookie, as a bearer token, or in a header of its own.

mod kind;
mod read;
mod write;

pub use kind::{Carrier, SessionHeader};
pub(crate) use read::{Found, read};
pub(crate) use write::{carry_over, challenge, vary, write};
