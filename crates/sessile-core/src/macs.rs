//! The tags that a ring's keys put on what travels: for one purpose, and no other.

use std::fmt;
use std::sync::OnceLock;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroize as _;

use crate::{KeyRing, MasterKey, Timestamp};

/// A tag: the first 16 bytes of HMAC-SHA256.
pub type Tag = [u8; 16];

/// The MAC keys of a ring for one purpose, prepared once.
///
/// The tag of a body is HMAC-SHA256, cut to 16 bytes, over
/// `<purpose> 00 <carrier> 00 <context> 00`, filled up with zero bytes to whole blocks of 64, and
/// the body. The key is HKDF-SHA256 of the master key, without salt, with the purpose as info.
/// What is in front of the body is the same for every request and is absorbed once.
pub struct Macs {
    ring: KeyRing,
    purpose: &'static str,
    context: Box<str>,
    keys: Vec<Hmac<Sha256>>,
    /// For the first carrier that was asked for; mostly there is no other.
    usual: OnceLock<(Box<str>, Vec<Hmac<Sha256>>)>,
}

impl Macs {
    /// The keys of `ring` for this purpose, such as `"sessile/sticky/1"`. Nothing that was tagged
    /// in one context verifies in another.
    pub fn new(ring: KeyRing, purpose: &'static str, context: &str) -> Self {
        let keys = ring.keys().map(|key| prepare(key, purpose)).collect();
        Macs {
            ring,
            purpose,
            context: context.into(),
            keys,
            usual: OnceLock::new(),
        }
    }

    /// The ring that the keys were derived from.
    pub fn ring(&self) -> &KeyRing {
        &self.ring
    }

    /// The current key's tag of a body that this carrier (a cookie's or a header's name) is to
    /// bring back.
    pub fn tag(&self, carrier: &str, body: &[u8]) -> Tag {
        tag(self.bound(carrier, 0), body)
    }

    /// Whether one of the keys that verify at `now` tagged this body for this carrier.
    pub fn verify(&self, carrier: &str, body: &[u8], sent: &Tag, now: Timestamp) -> bool {
        self.ring.keys().enumerate().any(|(at, key)| {
            let ours = || tag(self.bound(carrier, at), body);
            key.verifies_at(now) && bool::from(ours().ct_eq(sent))
        })
    }

    /// As [`tag`](Self::tag), in another context than that of these keys.
    pub fn tag_in(&self, context: &str, carrier: &str, body: &[u8]) -> Tag {
        tag(self.bind(&self.keys[0], carrier, context), body)
    }

    /// As [`verify`](Self::verify), in another context than that of these keys.
    pub fn verify_in(
        &self,
        context: &str,
        carrier: &str,
        body: &[u8],
        sent: &Tag,
        now: Timestamp,
    ) -> bool {
        self.ring.keys().zip(&self.keys).any(|(key, mac)| {
            let ours = || tag(self.bind(mac, carrier, context), body);
            key.verifies_at(now) && bool::from(ours().ct_eq(sent))
        })
    }

    /// A key's MAC that has absorbed everything but the body.
    fn bound(&self, carrier: &str, key: usize) -> Hmac<Sha256> {
        let bind = |mac: &Hmac<Sha256>| self.bind(mac, carrier, &self.context);
        let usual = self
            .usual
            .get_or_init(|| (carrier.into(), self.keys.iter().map(bind).collect()));
        if *usual.0 == *carrier {
            usual.1[key].clone()
        } else {
            bind(&self.keys[key])
        }
    }

    fn bind(&self, mac: &Hmac<Sha256>, carrier: &str, context: &str) -> Hmac<Sha256> {
        const BLOCK: usize = 64;
        let mut head = [self.purpose, "\0", carrier, "\0", context, "\0"]
            .concat()
            .into_bytes();
        head.resize(head.len().next_multiple_of(BLOCK), 0);
        let mut mac = mac.clone();
        mac.update(&head);
        mac
    }
}

fn prepare(key: &MasterKey, purpose: &str) -> Hmac<Sha256> {
    let mut derived = [0; 32];
    Hkdf::<Sha256>::new(None, key.expose())
        .expand(purpose.as_bytes(), &mut derived)
        .expect("32 bytes are within HKDF's limit of 255 blocks");
    let mac = Hmac::new_from_slice(&derived).expect("HMAC takes a key of any length");
    derived.zeroize();
    mac
}

fn tag(mut bound: Hmac<Sha256>, body: &[u8]) -> Tag {
    bound.update(body);
    let mut tag = Tag::default();
    let length = tag.len();
    tag.copy_from_slice(&bound.finalize().into_bytes()[..length]);
    tag
}

impl fmt::Debug for Macs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Macs")
            .field("ring", &self.ring)
            .field("purpose", &self.purpose)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(first: u8) -> KeyRing {
        let secret: Vec<u8> = (first..first + 32).collect();
        KeyRing::new(MasterKey::new("k", secret).unwrap())
    }

    #[test]
    fn a_tag_does_not_move_to_another_purpose_carrier_context_key_or_body() {
        let now = Timestamp::default();
        let tag = Macs::new(ring(0), "a/1", "x").tag("sid", b"body");
        let verifies = |ring, purpose, context, carrier, body: &[u8]| {
            Macs::new(ring, purpose, context).verify(carrier, body, &tag, now)
        };
        assert!(verifies(ring(0), "a/1", "x", "sid", b"body"));
        assert!(!verifies(ring(1), "a/1", "x", "sid", b"body"));
        assert!(!verifies(ring(0), "b/1", "x", "sid", b"body"));
        assert!(!verifies(ring(0), "a/1", "y", "sid", b"body"));
        assert!(!verifies(ring(0), "a/1", "x", "other", b"body"));
        assert!(!verifies(ring(0), "a/1", "x", "sid", b"bodz"));
    }

    #[test]
    fn another_context_is_the_one_of_keys_made_for_it() {
        let (x, y) = (
            Macs::new(ring(0), "a/1", "x"),
            Macs::new(ring(0), "a/1", "y"),
        );
        let now = Timestamp::default();
        let tag = y.tag("sid", b"body");
        assert_eq!(x.tag_in("y", "sid", b"body"), tag);
        assert!(x.verify_in("y", "sid", b"body", &tag, now));
        assert!(!x.verify_in("x", "sid", b"body", &tag, now));
        assert!(!x.verify("sid", b"body", &tag, now));
    }

    #[test]
    fn a_second_carrier_is_bound_as_well_as_the_first() {
        let macs = Macs::new(ring(0), "a/1", "");
        let (first, second) = (macs.tag("one", b"body"), macs.tag("two", b"body"));
        assert_ne!(first, second);
        assert!(macs.verify("two", b"body", &second, Timestamp::default()));
    }
}
