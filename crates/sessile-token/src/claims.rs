//! The claims of a session: what stands in a token, read strictly and written to the letter.

use std::sync::Arc;
use std::time::Duration;

use sessile_core::{Data, Error, ErrorKind, Name, Result, SessionId, Text, Timestamp};

use crate::json;

/// The latest date: the end of the year 9999, in seconds. What is beyond it is in milliseconds, or
/// an attack on somebody's arithmetic.
const LATEST: u64 = 253_402_300_799;

/// Whom a token is from and for.
#[derive(Clone, Debug)]
pub(crate) struct Parties {
    pub(crate) issuer: Box<str>,
    pub(crate) audience: Box<str>,
}

/// What a token says of its session. Times are whole seconds, as JWTs have them.
#[derive(Debug)]
pub(crate) struct Claims {
    pub(crate) sid: SessionId,
    pub(crate) subject: Option<Arc<str>>,
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
    pub(crate) data: Data,
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

impl Claims {
    /// Reads claims that were signed or sealed by us; anything that we would not have written is
    /// refused.
    pub(crate) fn parse(bytes: &[u8], parties: &Parties) -> Option<Self> {
        let (mut iss, mut aud, mut subject, mut sid, mut jti) = (false, false, None, None, false);
        let (mut issued, mut not_before, mut expires) = (None, None, None);
        let (mut created, mut ends, mut version, mut epoch) = (None, None, None, None);
        let mut data = None;
        json::object(std::str::from_utf8(bytes).ok()?, |name, value| {
            match name {
                "iss" => iss = *json::string(value)? == *parties.issuer,
                "aud" => aud = *json::string(value)? == *parties.audience,
                "sub" => {
                    let text = json::string(value)?;
                    (!text.is_empty()).then_some(())?;
                    subject = Some(Arc::from(&*text));
                }
                "sid" => sid = Some(json::string(value)?.parse().ok()?),
                "jti" => jti = !json::string(value)?.is_empty(),
                "iat" => issued = Some(date(value)?),
                "nbf" => not_before = Some(date(value)?),
                "exp" => expires = Some(date(value)?),
                "sct" => created = Some(date(value)?),
                "sxp" => ends = Some(date(value)?),
                "ver" => version = Some(json::integer(value)?),
                "sep" => epoch = Some(json::integer(value)?),
                "data" => data = Some(read_data(value)?),
                _ => {}
            }
            Some(())
        })?;
        (iss && aud && jti).then_some(())?;
        let claims = Claims {
            sid: sid?,
            subject,
            issued: issued?,
            expires: expires?,
            created: created?,
            ends: ends?,
            version: version?,
            epoch,
            data: data?,
        };
        let is_possible = not_before? <= claims.expires
            && claims.issued <= claims.expires
            && claims.expires <= claims.ends
            && claims.created <= claims.ends
            && (1..=Timestamp::MAX.as_millis()).contains(&claims.version)
            && epoch.is_none_or(|epoch| epoch <= Timestamp::MAX.as_millis());
        // A token is good from when it was made, and never made for later.
        (is_possible && not_before? <= claims.issued).then_some(claims)
    }

    /// Holds the times against the clock. `exp` is exclusive: at it, the token is over (RFC 7519,
    /// section 4.1.4).
    pub(crate) fn judge(&self, now: Timestamp, limits: &Limits) -> Time {
        if self.issued > now.after(limits.leeway) || self.expires.since(self.issued) > limits.cap {
            Time::Impossible
        } else if now >= self.expires.after(limits.leeway) || now >= self.ends {
            Time::Expired
        } else {
            Time::Good
        }
    }

    /// Writes the claims down.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Encode`] if a value is no JSON, or nested too deeply to be read back: what is
    /// not one value could add claims of its own.
    pub(crate) fn write(&self, parties: &Parties, token_id: &str) -> Result<Vec<u8>> {
        let mut json = Vec::with_capacity(256 + self.data.bytes() * 2);
        json.push(b'{');
        let text = |json: &mut Vec<u8>, name: &str, value: &str| {
            json::write_name(json, name);
            json::write_string(json, value);
        };
        text(&mut json, "iss", &parties.issuer);
        text(&mut json, "aud", &parties.audience);
        if let Some(subject) = &self.subject {
            text(&mut json, "sub", subject);
        }
        text(&mut json, "sid", &self.sid.to_string());
        text(&mut json, "jti", token_id);
        let mut number = |name: &str, value: u64| {
            json::write_name(&mut json, name);
            json.extend_from_slice(value.to_string().as_bytes());
        };
        number("iat", seconds(self.issued));
        number("nbf", seconds(self.issued));
        number("exp", seconds(self.expires));
        number("sct", seconds(self.created));
        number("sxp", seconds(self.ends));
        number("ver", self.version);
        if let Some(epoch) = self.epoch {
            number("sep", epoch);
        }
        json::write_name(&mut json, "data");
        json.push(b'{');
        for (name, text) in self.data.iter() {
            if !json::is_value(text.as_str(), 2) {
                let message = format!(
                    "the value of {name:?} is no JSON, or nested deeper than {} levels, and can't be in a token",
                    json::DEEPEST - 2
                );
                return Err(Error::new(ErrorKind::Encode, message));
            }
            json::write_name(&mut json, name.as_str());
            json.extend_from_slice(text.as_str().as_bytes());
        }
        json.extend_from_slice(b"}}");
        Ok(json)
    }
}

/// Each value as the text that it is; a name that is there twice, or could be none, is refused.
fn read_data(value: &str) -> Option<Data> {
    let mut entries: Vec<(Name, Text)> = Vec::new();
    json::members(value, |name, value| {
        entries.push((Name::new(&name).ok()?, Text::from_encoded(value)));
        Some(())
    })?;
    let count = entries.len();
    let data: Data = entries.into_iter().collect();
    (data.len() == count).then_some(data)
}

/// `NumericDate` in whole seconds, in a sensible range.
fn date(value: &str) -> Option<Timestamp> {
    let seconds = json::integer(value)?;
    (seconds <= LATEST).then(|| Timestamp::from_millis(seconds * 1000))
}

pub(crate) fn seconds(at: Timestamp) -> u64 {
    (at.as_millis() / 1000).min(LATEST)
}
