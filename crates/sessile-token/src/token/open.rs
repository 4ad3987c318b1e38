//! From a token that is presented to its session.

use std::sync::Arc;

use sessile_core::{Arrival, Held, Presented, Record, Result, Timestamp, Verifier};

use super::remembered::Verified;
use super::{Format, Own, Token};
use crate::base64::Scratch;
use crate::claims::{Claims, Terms, Time};
use crate::{compact, jwe, jws};

impl Token {
    /// The session of a presented token, or in which state it is that there is none.
    pub(super) fn find(&self, presented: &Presented<'_>, now: Timestamp) -> Result<Held, Arrival> {
        let edition = self.format.edition();
        let remembered = self.remembered.as_ref();
        let known = remembered.and_then(|tokens| tokens.get(presented, edition, now));
        let is_new = known.is_none();
        let mut verified = match known {
            Some(verified) => verified,
            None => self
                .verify(presented, edition, now)
                .ok_or(Arrival::Unknown)?,
        };
        let mut terms = verified.terms;
        if let Some(revocations) = &self.revocations {
            terms.ends = terms.ends.min(revocations.end_of(terms.created));
        }
        match terms.judge(now, &self.limits) {
            Time::Good => {}
            Time::Expired => return Err(Arrival::Expired),
            Time::Impossible => return Err(Arrival::Unknown),
        }
        // Its last use is of a moment ago, and never of later than now, whatever the clock does: a
        // token notes its use by being made anew, at the time of that use, and no touch is due.
        let record = &verified.record;
        let is_due = record.is_touch_due(now) || now < record.last_seen;
        if is_due || verified.record.absolute_deadline != terms.ends {
            let record = Arc::make_mut(&mut verified.record);
            record.last_seen = now;
            record.absolute_deadline = terms.ends;
        }
        if let Some(tokens) = remembered.filter(|_| is_new || is_due) {
            tokens.put(presented, verified.clone());
        }
        Ok(self.held(verified.record, &terms, now))
    }

    /// The session, and whether its client is to be given a new token.
    fn held(&self, mut record: Arc<Record>, terms: &Terms, now: Timestamp) -> Held {
        let idle = terms.life();
        let renewed = now.after(idle.min(self.life)).min(terms.ends);
        let is_past_half = now.since(terms.issued) * 2 >= idle;
        let reissue = is_past_half && renewed > terms.expires;
        if reissue {
            let record = Arc::make_mut(&mut record);
            record.last_seen = now;
            record.idle_deadline = renewed;
        }
        Held {
            known: record.version,
            record,
            // The token itself is the secret, and it is known to be the client's.
            verifier: Verifier::from_bytes([0; 16]),
            renewed: false,
            reissue,
        }
    }

    /// What a token says whose signature or seal is good, and until when its key verifies.
    fn read(
        &self,
        presented: &Presented<'_>,
        now: Timestamp,
    ) -> Option<(Claims, Option<Timestamp>)> {
        if presented.text.len() > compact::longest(presented.carrier) {
            return None;
        }
        let mut scratch = Scratch::new();
        let (bytes, retired_at) = match &self.format {
            Format::Signed(keys) => {
                let usual = &self.parties.encoded;
                jws::open(&keys.current(), presented.text, usual, now, &mut scratch)?
            }
            Format::Sealed(keys) => {
                let place = self.place(presented.carrier);
                jwe::open(&keys.current(), presented.text, place, now, &mut scratch)?
            }
        };
        Some((Claims::parse(bytes, &self.parties)?, retired_at))
    }

    /// A token whose signature or seal is good, verified now. Not inlined: it takes 6 kB of the
    /// stack, and whoever finds a remembered token needs none of them.
    #[inline(never)]
    fn verify(&self, presented: &Presented<'_>, edition: u64, now: Timestamp) -> Option<Verified> {
        let (claims, retired_at) = self.read(presented, now)?;
        let terms = claims.terms;
        let own = Own {
            epoch: terms.epoch,
            idle: terms.life(),
        };
        let mut record = Record::blank(terms.sid, own.to_hash());
        record.version = terms.version;
        record.created_at = terms.created;
        record.last_seen = now;
        record.idle_deadline = terms.expires;
        record.absolute_deadline = terms.ends;
        record.subject = claims.subject;
        record.data = claims.data;
        Some(Verified {
            terms,
            record: Arc::new(record),
            edition,
            retired_at,
        })
    }
}
