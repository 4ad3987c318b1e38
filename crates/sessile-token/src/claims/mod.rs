//! The claims of a session: what stands in a token, read strictly and written to the letter.

mod read;
mod verbatim;
mod write;

use std::sync::Arc;
use std::time::Duration;

use sessile_core::{Data, SessionId, Timestamp};

use crate::{base64, json};
pub(crate) use write::size;

/// The latest date: the end of the year 9999, in seconds. What is beyond it is in milliseconds, or
/// an attack on somebody's arithmetic.
const LATEST: u64 = 253_402_300_799;

/// Whom a token is from and for.
#[derive(Clone, Debug)]
pub(crate) struct Parties {
    pub(crate) issuer: Box<str>,
    pub(crate) audience: Box<str>,
    /// How the claims of every token of theirs begin: written once.
    head: Box<str>,
    /// The same as it travels, as far as it stands by itself.
    pub(crate) encoded: Box<str>,
}

impl Parties {
    pub(crate) fn new(issuer: &str, audience: &str) -> Self {
        let mut head = vec![b'{'];
        for (name, value) in [("iss", issuer), ("aud", audience)] {
            json::write_name(&mut head, name);
            json::write_string(&mut head, value);
        }
        // Three bytes are four characters, whatever follows.
        let whole = head.len() / 3 * 3;
        Parties {
            encoded: base64::encode(&head[..whole]).into(),
            issuer: issuer.into(),
            audience: audience.into(),
            head: String::from_utf8_lossy(&head).into(),
        }
    }
}

/// What a token says.
#[derive(Debug)]
pub(crate) struct Claims {
    pub(crate) terms: Terms,
    pub(crate) subject: Option<Arc<str>>,
    pub(crate) data: Data,
}

/// What a token says of its session, whoever it is and whatever it holds. Times are whole seconds,
/// as JWTs have them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) sid: SessionId,
    /// When the token was made.
    pub(crate) issued: Timestamp,
    /// When it ends if it is not made anew.
    pub(crate) expires: Timestamp,
    /// When the session was made.
    pub(crate) created: Timestamp,
    /// When the session ends in any case.
    pub(crate) ends: Timestamp,
    pub(crate) version: u64,
    /// The subject's epoch when it logged in.
    pub(crate) epoch: Option<u64>,
}

/// How strictly a token's times are held against the clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// How far two clocks may be apart.
    pub(crate) leeway: Duration,
    /// The longest life of a token.
    pub(crate) cap: Duration,
}

/// What a token's times say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Time {
    Good,
    Expired,
    /// From the future, or of an impossible life: never made by us.
    Impossible,
}

impl Terms {
    /// How long the token is good, from when it was made.
    pub(crate) fn life(&self) -> Duration {
        self.expires.since(self.issued)
    }

    /// Holds the times against the clock. `exp` is exclusive: at it, the token is over (RFC 7519,
    /// section 4.1.4).
    pub(crate) fn judge(&self, now: Timestamp, limits: &Limits) -> Time {
        if self.issued > now.after(limits.leeway) || self.life() > limits.cap {
            Time::Impossible
        } else if now >= self.expires.after(limits.leeway) || now >= self.ends {
            Time::Expired
        } else {
            Time::Good
        }
    }
}
