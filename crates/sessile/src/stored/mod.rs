//! The strategy `stored`: the session is in a store that every node reaches.

mod connect;
mod policy;
mod strategy;
mod wire;

pub use connect::connect;
pub use policy::ErrorPolicy;
pub use strategy::Stored;

#[cfg(feature = "config")]
pub(crate) use connect::{check_scheme, schemes};
