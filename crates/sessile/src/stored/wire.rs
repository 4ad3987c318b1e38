//! The credential as it travels: 43 characters of base64url and, where there are keys, a dot and
//! the 22 of a tag, `sessile/stored/1` over the 43.
//!
//! The tag proves nothing that the verifier does not. It keeps what nobody here has made from
//! reaching the store.

use base64_simd::{Out, URL_SAFE_NO_PAD as BASE64};
use sessile_core::{Credential, KeyRing, Macs, Tag, Timestamp};

const PURPOSE: &str = "sessile/stored/1";
const CREDENTIAL: usize = 43;
const TAG: usize = 22;

#[derive(Debug, Default)]
pub(super) struct Wire {
    macs: Option<Macs>,
    /// Credentials without a tag are read although there are keys.
    untagged_too: bool,
}

impl Wire {
    /// Credentials that carry a tag by these keys.
    pub(super) fn tag(&mut self, ring: KeyRing) {
        self.macs = Some(Macs::new(ring, PURPOSE, ""));
    }

    /// Reads those without a tag, too.
    pub(super) fn untagged_too(&mut self) {
        self.untagged_too = true;
    }

    /// What a client sent, if it can be one of ours.
    pub(super) fn read(&self, text: &[u8], carrier: &str, now: Timestamp) -> Option<Credential> {
        let (text, rest) = text.split_at_checked(CREDENTIAL)?;
        match (&self.macs, rest) {
            (None, []) => {}
            (Some(_), []) if self.untagged_too => {}
            // The length first: the decoder wants to be given room enough.
            (Some(macs), [b'.', tag @ ..]) if tag.len() == TAG => {
                let mut sent = Tag::default();
                BASE64.decode(tag, Out::from_slice(&mut sent)).ok()?;
                if !macs.verify(carrier, text, &sent, now) {
                    return None;
                }
            }
            _ => return None,
        }
        Credential::decode(std::str::from_utf8(text).ok()?)
    }

    pub(super) fn write(&self, credential: &Credential, carrier: &str) -> String {
        let mut text = credential.encode();
        if let Some(macs) = &self.macs {
            let tag = macs.tag(carrier, text.as_bytes());
            text.push('.');
            BASE64.encode_append(tag, &mut text);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use sessile_core::{MasterKey, SessionId, Verifier};

    use super::*;

    fn keys() -> KeyRing {
        let secret: Vec<u8> = (0..32).collect();
        KeyRing::new(MasterKey::new("k", secret).unwrap())
    }

    fn tagged(ring: KeyRing) -> Wire {
        let mut wire = Wire::default();
        wire.tag(ring);
        wire
    }

    fn credential() -> Credential {
        Credential {
            sid: SessionId::from_bytes([1; 16]),
            verifier: Verifier::from_bytes([2; 16]),
        }
    }

    /// Computed with Python's `hmac`, `hashlib` and `base64`.
    #[test]
    fn the_wire_format_has_golden_vectors() {
        let bare = "AQEBAQEBAQEBAQEBAQEBAQICAgICAgICAgICAgICAgI";
        let text = Wire::default().write(&credential(), "__Host-sid");
        assert_eq!(text, bare);
        let text = tagged(keys()).write(&credential(), "__Host-sid");
        assert_eq!(text, format!("{bare}.{GOLDEN_TAG}"));
    }

    const GOLDEN_TAG: &str = "ghGxe3NaYhHDFwpEe71iCQ";

    #[test]
    fn every_changed_character_of_a_tagged_credential_is_refused() {
        let wire = tagged(keys());
        let good = wire.write(&credential(), "sid");
        let read = |text: &str, carrier| {
            let now = Timestamp::default();
            wire.read(text.as_bytes(), carrier, now).is_some()
        };
        assert!(read(&good, "sid") && !read(&good, "other"));
        for at in 0..good.len() {
            for with in ["A", "b", ".", "=", "é", "", "AA"] {
                let forged = [&good[..at], with, &good[at + 1..]].concat();
                assert!(!read(&forged, "sid") || forged == good, "{forged:?}");
            }
        }
    }

    #[test]
    fn with_keys_a_credential_needs_its_tag_and_without_keys_none_is_read() {
        let (bare, tagged) = (Wire::default(), tagged(keys()));
        let now = Timestamp::default();
        let text = bare.write(&credential(), "sid");
        assert!(bare.read(text.as_bytes(), "sid", now).is_some());
        assert!(tagged.read(text.as_bytes(), "sid", now).is_none());
        let text = tagged.write(&credential(), "sid");
        assert!(bare.read(text.as_bytes(), "sid", now).is_none());
    }

    #[test]
    fn credentials_of_before_there_were_keys_are_read_where_that_is_asked_for() {
        let text = Wire::default().write(&credential(), "sid");
        let mut both = tagged(keys());
        both.untagged_too();
        let now = Timestamp::default();
        assert!(both.read(text.as_bytes(), "sid", now).is_some());
        assert_eq!(both.write(&credential(), "sid").len(), 66);
        let forged = format!("{text}.{}", "A".repeat(22));
        assert!(both.read(forged.as_bytes(), "sid", now).is_none());
    }
}
