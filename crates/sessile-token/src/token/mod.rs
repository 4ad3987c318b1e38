//! The strategy `token`: the session is in the credential.

mod builder;
mod issue;
mod open;
mod own;
mod remembered;
mod strategy;

use std::sync::Arc;
use std::time::Duration;

pub use builder::TokenBuilder;

use crate::claims::{Limits, Parties};
use crate::jwe::Place;
use crate::keys::{LiveKeys, SealingKeys, TokenKeys};
use crate::revocation::Revocations;
pub(crate) use own::Own;
use remembered::Remembered;

/// Sessions that the client holds, in a token: signed ([`signed`](Token::signed), a JWT that
/// everybody can read and nobody change), or sealed ([`sealed`](Token::sealed), a JWE that nobody
/// else can read either).
///
/// **Promises**: no state on the server, so any node serves any session. **Costs**: of two
/// responses that write, the one that reaches the client last wins, as a whole; a session's data
/// fits into a cookie, and `insert` says at once when it does not; and without
/// [`revocation`](TokenBuilder::revocation) a logout is the client's alone: a copy of the token
/// stays good until it expires, and an older token of a session brings its older state back.
///
/// A token lives for a quarter of an hour ([`life`](TokenBuilder::life)) and is made anew when
/// the session changed, or was used past half of that. A session that is not used ends between
/// half a life and a whole one later, and the leeway.
///
/// Tokens that were verified are remembered ([`remember`](TokenBuilder::remember)), so that a client
/// that comes again with the same one costs no signature check; in nothing else can that be seen.
///
/// ```
/// use sessile_token::{Algorithm, HmacKey, Token, TokenKeys};
///
/// # let secret: [u8; 32] = std::array::from_fn(|i| i as u8);
/// let keys = TokenKeys::new(HmacKey::new(Algorithm::HS256, secret)?.named("2026-11")?);
/// let strategy = Token::signed(keys)
///     .issuer("https://app.example")
///     .audience("https://app.example")
///     .build()?;
/// # Ok::<(), sessile_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Token {
    format: Format,
    parties: Parties,
    life: Duration,
    deadline: Duration,
    limits: Limits,
    revocations: Option<Arc<Revocations>>,
    remembered: Option<Remembered>,
}

#[derive(Debug)]
enum Format {
    Signed(LiveKeys<TokenKeys>),
    Sealed(LiveKeys<SealingKeys>),
}

impl Format {
    /// Another number when the keys were replaced.
    fn edition(&self) -> u64 {
        match self {
            Format::Signed(keys) => keys.edition(),
            Format::Sealed(keys) => keys.edition(),
        }
    }
}

impl Token {
    /// Sessions in a signed token: a JWT. Whoever has it can read what is in it.
    pub fn signed(keys: impl Into<LiveKeys<TokenKeys>>) -> TokenBuilder {
        TokenBuilder::new(Format::Signed(keys.into()))
    }

    /// Sessions in a sealed token: a JWE, `dir` with A256GCM. It opens under the same cookie's
    /// name, for the same audience, and nowhere else.
    pub fn sealed(keys: impl Into<LiveKeys<SealingKeys>>) -> TokenBuilder {
        TokenBuilder::new(Format::Sealed(keys.into()))
    }

    fn place<'a>(&'a self, carrier: &'a str) -> Place<'a> {
        Place {
            audience: &self.parties.audience,
            carrier,
        }
    }
}
