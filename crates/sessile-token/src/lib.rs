//! Sessions in a token that the client holds: signed, a JWT, or sealed, a JWE.
//!
//! [`Token`] is the strategy. A request's token is taken apart strictly, its signature or seal is
//! checked by the key that it names, and what it says is a session's record; a response that
//! changes the session gets a new token. [`TokenKeys`] and [`SealingKeys`] are the rings of keys,
//! [`LiveKeys`] replaces one without a restart, and [`KeySource`] says where keys are written down.
//! With a store, [`TokenBuilder::revocation`] makes a logout hold for copies of a token, too, and
//! [`Refresh`] keeps the handles by which a client gets its next token after a short one.
//!
//! # What a token says
//!
//! Signed: the header `alg`, `kid` and `typ` (`session+jwt`), and the claims `iss`, `aud`, `sub` of
//! who is logged in, `sid`, `jti`, `iat`, `nbf`, `exp`, `sct` (the session was made), `sxp` (it ends
//! in any case), `ver`, `sep` (the subject's epoch, with revocation), and under `data` the session's
//! keys with their values. Sealed: the same claims, under a header of `alg` (`dir`), `enc`
//! (`A256GCM`), `kid`, `typ` (`session+jwe`), `aud`, `car` (the cookie's name), `pur` and `ver`.
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `jwks` | no | `JwksService`, the public keys over HTTP |
#![cfg_attr(docsrs, feature(doc_cfg))]

mod token;

mod claims;
mod compact;
mod deadline;
mod header;
mod jwe;
mod jws;

mod refresh;
mod revocation;

mod keys;

#[cfg(feature = "jwks")]
mod jwks;

mod base64;
mod json;

#[cfg(feature = "jwks")]
pub use jwks::JwksService;
pub use keys::{
    Algorithm, HmacKey, KeySource, LiveKeys, PrivateKey, PublicKey, SealingKey, SealingKeys,
    SigningKey, TokenKeys, VerifyingKey,
};
pub use refresh::{Redeemed, Refresh, Renewed};
pub use revocation::WhenAway;
pub use token::{Token, TokenBuilder};
