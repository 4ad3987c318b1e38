//! Keys, and rings of them. A secret, a private and a public key are different types, so that
//! none can be taken for another.

mod algorithm;
mod hmac;
mod mac;
mod private;
mod public;
mod seal;

mod ring;
mod signing;

mod live;
mod set;
mod source;

mod der;
mod jwk;
mod pem;
mod point;

pub use algorithm::Algorithm;
pub(crate) use algorithm::Family;
pub use hmac::HmacKey;
pub use live::LiveKeys;
pub use private::PrivateKey;
pub use public::PublicKey;
pub(crate) use ring::Keyed;
use ring::Use;
pub(crate) use seal::{NONCE, TAG};
pub use seal::{SealingKey, SealingKeys};
pub(crate) use signing::Entry;
pub use signing::{SigningKey, TokenKeys, VerifyingKey};
pub use source::KeySource;

use jwk::Jwk;
use sessile_core::{Error, ErrorKind, Result};

/// The longest name of a key, in bytes.
pub(crate) const LONGEST_KID: usize = 128;

fn invalid(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Invalid, message)
}

fn check_kid(kid: &str) -> Result<Box<str>> {
    if (1..=LONGEST_KID).contains(&kid.len()) {
        return Ok(kid.into());
    }
    Err(invalid(
        "a key's id is 1 to 128 bytes long, such as \"2026-11\"",
    ))
}

/// The algorithm that caller and key agree on.
fn agreed(algorithm: Option<Algorithm>, jwk: &Jwk) -> Result<Algorithm> {
    match (algorithm, jwk.algorithm()?) {
        (Some(wanted), Some(named)) if wanted != named => Err(invalid(format!(
            "the JWK is for {named}, not for {wanted}: one key has one algorithm"
        ))),
        (Some(algorithm), _) | (None, Some(algorithm)) => Ok(algorithm),
        (None, None) => Err(invalid(
            "the JWK has no \"alg\": write into it what it is for, such as \"ES256\"",
        )),
    }
}
