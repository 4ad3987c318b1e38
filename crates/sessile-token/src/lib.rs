//! Sessions in a token that the client holds.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod token;

mod revocation;

mod claims;
mod compact;
mod header;
mod jwe;
mod jws;

mod keys;

mod base64;
mod json;

pub use keys::{
    Algorithm, HmacKey, KeySource, LiveKeys, PrivateKey, PublicKey, SealingKey, SealingKeys,
    SigningKey, TokenKeys, VerifyingKey,
};
pub use revocation::WhenAway;
pub use token::{Token, TokenBuilder};
