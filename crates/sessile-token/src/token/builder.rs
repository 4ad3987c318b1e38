//! What a token is to be like, checked before there is one.

use std::sync::Arc;
use std::time::Duration;

use sessile_core::{Error, ErrorKind, Result, Store};

use super::{Format, Remembered, Token};
use crate::claims::{Limits, Parties};
use crate::deadline::Timely;
use crate::revocation::{Bounds, Revocations, WhenAway};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// A [`Token`] that is being described.
#[derive(Debug)]
pub struct TokenBuilder {
    format: Format,
    issuer: String,
    audience: String,
    life: Duration,
    leeway: Duration,
    remembered: usize,
    store: Option<Timely>,
    deadline: Duration,
    bounds: Bounds,
    when_away: WhenAway,
}

impl TokenBuilder {
    pub(super) fn new(format: Format) -> Self {
        TokenBuilder {
            format,
            issuer: String::new(),
            audience: String::new(),
            life: 15 * MINUTE,
            leeway: MINUTE,
            remembered: 1024,
            store: None,
            deadline: Timely::DEADLINE,
            bounds: Bounds::default(),
            when_away: WhenAway::default(),
        }
    }

    /// Who makes the tokens: the claim `iss`, such as `https://app.example`. Needed.
    #[must_use]
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = issuer.into();
        self
    }

    /// Whom they are for: the claim `aud`. Needed. Two services that share keys and not sessions
    /// have two audiences.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = audience.into();
        self
    }

    /// How long a token is good. Default: 15 minutes; at most a day. It bounds how long a copy
    /// outlives a logout without [`revocation`](Self::revocation), and how long a session lives
    /// without being used.
    #[must_use]
    pub fn life(mut self, life: Duration) -> Self {
        self.life = life;
        self
    }

    /// How far the clocks of two nodes may be apart. Default: a minute; at most two.
    #[must_use]
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// About how many of the tokens that were verified are remembered, so that whoever presents one
    /// again costs no signature check. Default: 1024. Some more than there are clients at work on a
    /// node are enough; a kilobyte each is usual, and 20 where a session fills its cookie with
    /// hundreds of keys. Zero verifies with every request.
    ///
    /// What changes is asked with every request all the same: the time, the keys, revocations. A
    /// remembered token, with what it holds, stays in this process's memory until others take its
    /// place, also where it is sealed.
    #[must_use]
    pub fn remember(mut self, tokens: usize) -> Self {
        self.remembered = tokens;
        self
    }

    /// Makes logouts and revocations hold for copies of a token, too, by way of a store that all
    /// nodes share: it keeps what was revoked, and who is logged in.
    #[must_use]
    pub fn revocation(mut self, store: impl Store) -> Self {
        self.store = Some(Timely::new(store));
        self
    }

    /// How long each call to that store may take. Default: 2 seconds. It needs a Tokio runtime
    /// with its timer; a token without [`revocation`](Self::revocation) needs none.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// For how long a node may go by what it has read of a session in the store: within this time
    /// a revocation made elsewhere holds here. Default: 5 seconds. Zero reads with every request
    /// that uses its session.
    #[must_use]
    pub fn within(mut self, bound: Duration) -> Self {
        self.bounds.within = bound;
        self
    }

    /// The longest absolute lifetime that a session may ask for, where there is revocation: a
    /// revocation is kept for that long after its session was made, and no token is good for
    /// longer, whatever it says. Default: 12 hours, or the layer's lifetime if that is more. A
    /// session that asks for more fails with [`ErrorKind::Invalid`] when it is committed.
    #[must_use]
    pub fn longest(mut self, longest: Duration) -> Self {
        self.bounds.longest = longest;
        self
    }

    /// What happens to requests while the store is away. Default: they are refused.
    #[must_use]
    pub fn when_away(mut self, when_away: WhenAway) -> Self {
        self.when_away = when_away;
        self
    }

    /// The strategy.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if issuer or audience is missing, or a time is out of its range; the
    /// message names all that is wrong.
    pub fn build(self) -> Result<Token> {
        let mut wrong = Vec::new();
        if self.issuer.is_empty() {
            wrong.push("the issuer is missing: call issuer(\"https://app.example\")");
        }
        if self.audience.is_empty() {
            wrong.push("the audience is missing: call audience(\"https://app.example\")");
        }
        if self.issuer.len() > 512 || self.audience.len() > 512 {
            wrong.push("issuer and audience are at most 512 bytes long");
        }
        if !(Duration::from_secs(1)..=DAY).contains(&self.life) {
            wrong.push("the life of a token is between a second and a day: write 15 minutes");
        }
        if self.leeway > 2 * MINUTE {
            wrong.push("the leeway is at most two minutes: set the nodes' clocks right instead");
        }
        if !wrong.is_empty() {
            return Err(Error::new(ErrorKind::Invalid, wrong.join("; ")));
        }
        let parties = Parties::new(&self.issuer, &self.audience);
        let revocations = self.store.map(|mut store| {
            store.deadline = self.deadline;
            let bounds = Bounds {
                leeway: self.leeway,
                ..self.bounds
            };
            Arc::new(Revocations::new(
                Arc::new(store),
                &parties,
                bounds,
                self.when_away,
            ))
        });
        Ok(Token {
            format: self.format,
            parties,
            life: self.life,
            deadline: self.deadline,
            limits: Limits {
                leeway: self.leeway,
                cap: DAY,
            },
            revocations,
            remembered: (self.remembered > 0).then(|| Remembered::new(self.remembered)),
        })
    }
}
