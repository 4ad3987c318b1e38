//! Reading claims: what we would not have written is refused.
//!
//! What stands there to the letter as this crate writes it is read on a short road ([`verbatim`]).
//! Whatever that does not know goes the long one, which takes what other versions may write: another
//! order, spaces, escapes, claims of which we know nothing.

use std::borrow::Cow;
use std::sync::Arc;

use sessile_core::{Data, SessionId, Timestamp};
use smallvec::SmallVec;

use super::{Claims, LATEST, Parties, Terms, verbatim};
use crate::{base64, json};

impl Claims {
    /// Reads claims that were signed or sealed by us; anything that we would not have written is
    /// refused.
    pub(crate) fn parse(bytes: &[u8], parties: &Parties) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let claims = verbatim::read(text, parties).or_else(|| read(text, parties))?;
        claims.terms.are_possible().then_some(claims)
    }
}

/// The long road.
pub(super) fn read(text: &str, parties: &Parties) -> Option<Claims> {
    let (mut iss, mut aud, mut subject, mut sid, mut jti) = (None, None, None, None, None);
    let (mut issued, mut not_before, mut expires) = (None, None, None);
    let (mut created, mut ends, mut version, mut epoch) = (None, None, None, None);
    let mut data = None;
    let mut others = json::Names::default();
    json::members(text, 1, |name, value| match &*name {
        "iss" => once(&mut iss, is(value, &parties.issuer)?),
        "aud" => once(&mut aud, is(value, &parties.audience)?),
        "sub" => once(&mut subject, filled(value)?),
        "sid" => once(&mut sid, session_id(value)?),
        "jti" => once(&mut jti, filled(value).map(drop)?),
        "iat" => once(&mut issued, date(value)?),
        "nbf" => once(&mut not_before, date(value)?),
        "exp" => once(&mut expires, date(value)?),
        "sct" => once(&mut created, date(value)?),
        "sxp" => once(&mut ends, date(value)?),
        "ver" => once(&mut version, json::integer(value)?),
        "sep" => once(&mut epoch, json::integer(value)?),
        "data" => once(&mut data, read_data(value)?),
        _ => others.add(name),
    })?;
    (iss.and(aud).and(jti))?;
    let terms = Terms {
        sid: sid?,
        issued: issued?,
        expires: expires?,
        created: created?,
        ends: ends?,
        version: version?,
        epoch,
    };
    // A token is good from when it was made, and never made for later.
    (not_before? <= terms.issued).then_some(())?;
    Some(Claims {
        terms,
        subject: subject.map(Arc::from),
        data: data?,
    })
}

impl Terms {
    /// Whether they do not contradict one another.
    fn are_possible(&self) -> bool {
        self.issued <= self.expires
            && self.expires <= self.ends
            && self.created <= self.ends
            && (1..=Timestamp::MAX.as_millis()).contains(&self.version)
            && (self.epoch).is_none_or(|epoch| epoch <= Timestamp::MAX.as_millis())
    }
}

/// What is there twice is refused: somebody else may have read the other one.
fn once<T>(place: &mut Option<T>, value: T) -> Option<()> {
    place.replace(value).is_none().then_some(())
}

fn is(value: &str, wanted: &str) -> Option<()> {
    (json::string(value)? == wanted).then_some(())
}

/// A string that is not empty.
fn filled(value: &str) -> Option<Cow<'_, str>> {
    json::string(value).filter(|text| !text.is_empty())
}

fn session_id(value: &str) -> Option<SessionId> {
    base64::decode_array(&*json::string(value)?).map(SessionId::from_bytes)
}

/// Each value as the text that it is; a name that is there twice, or could be none, is refused.
pub(super) fn read_data(value: &str) -> Option<Data> {
    let mut entries = SmallVec::<[(Cow<'_, str>, &str); 8]>::new();
    json::members(value, 2, |name, value| {
        entries.push((name, value));
        Some(())
    })?;
    Data::from_encoded(&entries).ok()
}

/// `NumericDate` in whole seconds, in a sensible range.
fn date(value: &str) -> Option<Timestamp> {
    json::integer(value).and_then(in_range)
}

pub(super) fn in_range(seconds: u64) -> Option<Timestamp> {
    (seconds <= LATEST).then(|| Timestamp::from_millis(seconds * 1000))
}
