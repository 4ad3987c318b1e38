//! Tokens through their public face. The names begin with the rows of the security table that they
//! hold.

#![allow(clippy::unwrap_used)] // in a test, a panic is the report

mod json;
mod support;

mod claims;
mod form;
mod header;
mod keys;
mod remembered;
mod ring;
mod times;

mod sealed;
mod strategy;

mod deadline;
mod refresh;
mod revocation;

mod golden;
mod vectors;

#[cfg(feature = "jwks")]
mod jwks;
