//! From a session to the token that holds it.

use sessile_core::{Record, Result};

use super::{Format, Own, Token};
use crate::claims::Terms;
use crate::{base64, jwe, jws};

impl Token {
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
    pub(super) fn own(&self, record: &Record) -> Result<Own> {
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

    pub(super) fn write(&self, record: &Record, carrier: &str) -> Result<String> {
        let subject = record.subject.as_deref();
        let token_id = rand::random::<u128>().to_ne_bytes(); // one draw, not sixteen
        let mut claims =
            self.terms(record)?
                .write(&self.parties, subject, &record.data, token_id)?;
        match &self.format {
            Format::Signed(keys) => {
                let usual = &self.parties.encoded;
                jws::sign(&keys.current(), &claims, usual, record.last_seen)
            }
            Format::Sealed(keys) => {
                let place = self.place(carrier);
                jwe::seal(&keys.current(), &mut claims, place, record.last_seen)
            }
        }
    }

    /// How many bytes of claims fit into a token of so many bytes.
    pub(super) fn capacity(&self, limit: usize, carrier: &str) -> usize {
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
}
