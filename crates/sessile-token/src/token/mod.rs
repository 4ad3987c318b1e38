//! The strategy `token`: the session is in the credential.

mod builder;
mod own;
mod strategy;

use std::sync::Arc;
use std::time::Duration;

pub use builder::TokenBuilder;
use sessile_core::{Arrival, Held, Presented, Record, Result, Timestamp, Verifier};

use crate::base64::{self, Scratch};
use crate::claims::{Claims, Limits, Parties, Terms, Time};
use crate::jwe::Place;
use crate::keys::{LiveKeys, SealingKeys, TokenKeys};
use crate::revocation::Revocations;
use crate::{compact, jwe, jws};
pub(crate) use own::Own;

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
}

#[derive(Debug)]
enum Format {
    Signed(LiveKeys<TokenKeys>),
    Sealed(LiveKeys<SealingKeys>),
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

    /// What a token says whose signature or seal is good.
    fn read(&self, presented: &Presented<'_>, now: Timestamp) -> Option<Claims> {
        if presented.text.len() > compact::longest(presented.carrier) {
            return None;
        }
        let mut scratch = Scratch::new();
        let bytes = match &self.format {
            Format::Signed(keys) => {
                let usual = &self.parties.encoded;
                jws::open(&keys.current(), presented.text, usual, now, &mut scratch)
            }
            Format::Sealed(keys) => {
                let place = self.place(presented.carrier);
                jwe::open(&keys.current(), presented.text, place, now, &mut scratch)
            }
        };
        Claims::parse(bytes?, &self.parties)
    }

    /// The session of a presented token, or in which state it is that there is none.
    fn find(&self, presented: &Presented<'_>, now: Timestamp) -> Result<Held, Arrival> {
        let mut claims = self.read(presented, now).ok_or(Arrival::Unknown)?;
        let terms = &mut claims.terms;
        if let Some(revocations) = &self.revocations {
            terms.ends = terms.ends.min(revocations.end_of(terms.created));
        }
        match terms.judge(now, &self.limits) {
            Time::Good => Ok(self.held(claims, now)),
            Time::Expired => Err(Arrival::Expired),
            Time::Impossible => Err(Arrival::Unknown),
        }
    }

    fn held(&self, claims: Claims, now: Timestamp) -> Held {
        let terms = &claims.terms;
        let own = Own {
            epoch: terms.epoch,
            idle: terms.expires.since(terms.issued),
        };
        let renewed = now.after(own.idle.min(self.life)).min(terms.ends);
        let is_past_half = now.since(terms.issued) * 2 >= own.idle;
        let reissue = is_past_half && renewed > terms.expires;

        let mut record = Record::blank(terms.sid, own.to_hash());
        record.version = terms.version;
        record.created_at = terms.created;
        // Of now, so that no touch is due: a token notes its use by being made anew.
        record.last_seen = now;
        record.idle_deadline = if reissue { renewed } else { terms.expires };
        record.absolute_deadline = terms.ends;
        record.subject = claims.subject;
        record.data = claims.data;
        Held {
            known: record.version,
            record: Arc::new(record),
            // The token itself is the secret, and it is known to be the client's.
            verifier: Verifier::from_bytes([0; 16]),
            renewed: false,
            reissue,
        }
    }

    /// The terms of the token that a record becomes; it is made at the record's last use.
    fn terms(&self, record: &Record) -> Result<Terms> {
        let own = self.own(record)?;
        let issued = record.last_seen;
        let life = own.idle.min(self.life);
        Ok(Terms {
            sid: record.sid,
            issued,
            expires: issued.after(life).min(record.absolute_deadline),
            created: record.created_at,
            ends: record.absolute_deadline,
            version: record.version,
            epoch: own.epoch,
        })
    }

    /// What a token says and a record has no room for.
    fn own(&self, record: &Record) -> Result<Own> {
        if let Some(own) = Own::of_hash(&record.hash) {
            return Ok(own);
        }
        // It was made in this request, and was in no token yet.
        let epoch = match (&self.revocations, &record.subject) {
            (Some(revocations), Some(_)) => Some(revocations.login(&record.sid)?),
            _ => None,
        };
        Ok(Own {
            epoch,
            idle: record.idle(),
        })
    }

    fn write(&self, record: &Record, carrier: &str) -> Result<String> {
        let (subject, token_id) = (record.subject.as_deref(), rand::random());
        let claims = self
            .terms(record)?
            .write(&self.parties, subject, &record.data, token_id)?;
        match &self.format {
            Format::Signed(keys) => {
                let usual = &self.parties.encoded;
                jws::sign(&keys.current(), &claims, usual, record.last_seen)
            }
            Format::Sealed(keys) => {
                let place = self.place(carrier);
                jwe::seal(&keys.current(), claims, place, record.last_seen)
            }
        }
    }

    /// How many bytes of claims fit into a token of so many bytes.
    fn capacity(&self, limit: usize, carrier: &str) -> usize {
        // Of the keys that make tokens now or some day, the one that makes the longest.
        let without_claims = match &self.format {
            Format::Signed(keys) => keys
                .current()
                .signers()
                .map(|key| jws::length(key, 0))
                .max(),
            Format::Sealed(keys) => {
                let place = self.place(carrier);
                keys.current()
                    .sealers()
                    .map(|key| jwe::length(key, 0, place))
                    .max()
            }
        };
        base64::decoded_len(limit.saturating_sub(without_claims.unwrap_or_default()))
    }

    fn place<'a>(&'a self, carrier: &'a str) -> Place<'a> {
        Place {
            audience: &self.parties.audience,
            carrier,
        }
    }
}
