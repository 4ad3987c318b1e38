//! The credential as it travels: `<node>.<body>.<tag>`.
//!
//! - `node`: the label that balancers route on, `[a-z0-9]{1,16}`; `s` where none is configured.
//! - `body`: base64url of `sid` (16) ‖ `verifier` (16) ‖ `version` (u64, big endian) ‖ absolute
//!   deadline in minutes since the Unix epoch (u32, big endian): 44 bytes, 59 characters.
//! - `tag`: base64url of the first 16 bytes of HMAC-SHA256 over
//!   `"sessile/sticky/1" 00 <carrier> 00 <node> "." <body>`: 22 characters.
//!
//! The MAC key is HKDF-SHA256 of the master key, without salt, with the purpose as info.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sessile_core::{Credential, KeyRing, MasterKey, Record, SessionId, Timestamp, Verifier};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroize as _;

const PURPOSE: &[u8] = b"sessile/sticky/1";
const BODY: usize = 44;
const BODY_TEXT: usize = 59;
const TAG: usize = 16;
const TAG_TEXT: usize = 22;
const MINUTE: u64 = 60_000;

/// What a client sent, taken apart. The tag has not been checked: see [`Macs::verify`].
#[derive(Debug)]
pub(crate) struct Wire<'a> {
    pub(crate) credential: Credential,
    pub(crate) deadline: Timestamp,
    /// `<node>.<body>`
    signed: &'a [u8],
    tag: &'a [u8],
}

impl<'a> Wire<'a> {
    /// Takes apart what is well formed and carries this label.
    pub(crate) fn parse(text: &'a [u8], node: &str) -> Option<Self> {
        let rest = text.strip_prefix(node.as_bytes())?.strip_prefix(b".")?;
        if rest.len() != BODY_TEXT + 1 + TAG_TEXT || rest[BODY_TEXT] != b'.' {
            return None;
        }
        let (body, tag) = (&rest[..BODY_TEXT], &rest[BODY_TEXT + 1..]);
        let mut bytes = [0; BODY];
        if BASE64.decode_slice(body, &mut bytes) != Ok(BODY) {
            return None;
        }
        let (mut sid, mut verifier, mut minutes) = ([0; 16], [0; 16], [0; 4]);
        sid.copy_from_slice(&bytes[..16]);
        verifier.copy_from_slice(&bytes[16..32]);
        minutes.copy_from_slice(&bytes[40..]);
        let wire = Wire {
            credential: Credential {
                sid: SessionId::from_bytes(sid),
                verifier: Verifier::from_bytes(verifier),
            },
            deadline: Timestamp::from_millis(u64::from(u32::from_be_bytes(minutes)) * MINUTE),
            signed: &text[..text.len() - TAG_TEXT - 1],
            tag,
        };
        Some(wire)
    }
}

/// The MAC keys of a ring, prepared once.
pub(crate) struct Macs {
    ring: KeyRing,
    keys: Vec<Hmac<Sha256>>,
}

impl Macs {
    pub(crate) fn new(ring: KeyRing) -> Self {
        let keys = ring.keys().map(prepare).collect();
        Macs { ring, keys }
    }

    /// The text for a client.
    pub(crate) fn issue(
        &self,
        node: &str,
        record: &Record,
        verifier: &Verifier,
        carrier: &str,
    ) -> String {
        let mut bytes = [0; BODY];
        bytes[..16].copy_from_slice(record.sid.as_bytes());
        bytes[16..32].copy_from_slice(&verifier.expose());
        bytes[32..40].copy_from_slice(&record.version.to_be_bytes());
        let minutes = u32::try_from(record.absolute_deadline.as_millis().div_ceil(MINUTE))
            .unwrap_or(u32::MAX);
        bytes[40..].copy_from_slice(&minutes.to_be_bytes());

        let mut text = String::with_capacity(node.len() + 1 + BODY_TEXT + 1 + TAG_TEXT);
        text.push_str(node);
        text.push('.');
        BASE64.encode_string(bytes, &mut text);
        let tag = tag(&self.keys[0], carrier, text.as_bytes());
        text.push('.');
        BASE64.encode_string(tag, &mut text);
        text
    }

    /// Whether one of our keys made this, for this carrier.
    pub(crate) fn verify(&self, wire: &Wire<'_>, carrier: &str, now: Timestamp) -> bool {
        let mut sent = [0; TAG];
        if BASE64.decode_slice(wire.tag, &mut sent) != Ok(TAG) {
            return false;
        }
        self.ring.keys().zip(&self.keys).any(|(key, mac)| {
            key.verifies_at(now) && bool::from(tag(mac, carrier, wire.signed).ct_eq(&sent))
        })
    }
}

fn prepare(key: &MasterKey) -> Hmac<Sha256> {
    let mut derived = [0; 32];
    Hkdf::<Sha256>::new(None, key.expose())
        .expand(PURPOSE, &mut derived)
        .expect("32 bytes are within HKDF's limit of 255 blocks");
    let mac = Hmac::new_from_slice(&derived).expect("HMAC takes a key of any length");
    derived.zeroize();
    mac
}

fn tag(mac: &Hmac<Sha256>, carrier: &str, signed: &[u8]) -> [u8; TAG] {
    let mut mac = mac.clone();
    for part in [PURPOSE, b"\0", carrier.as_bytes(), b"\0", signed] {
        mac.update(part);
    }
    let mut tag = [0; TAG];
    tag.copy_from_slice(&mac.finalize().into_bytes()[..TAG]);
    tag
}

impl std::fmt::Debug for Macs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Macs")
            .field("ring", &self.ring)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use sessile_core::Lifetime;

    use super::*;

    const GOLDEN: &str =
        "s.AQEBAQEBAQEBAQEBAQEBAQICAgICAgICAgICAgICAgIAAAAAAAAAAwG6gUA.q5k_bR8EOz4-ZoYLPUvKtQ";
    const CARRIER: &str = "__Host-sid";

    fn ring() -> KeyRing {
        let secret: Vec<u8> = (0..32).collect();
        KeyRing::new(MasterKey::new("k", secret).unwrap())
    }

    fn credential() -> Credential {
        Credential {
            sid: SessionId::from_bytes([1; 16]),
            verifier: Verifier::from_bytes([2; 16]),
        }
    }

    fn record(version: u64, deadline: Timestamp) -> Record {
        let mut record = Record::new(&credential(), Timestamp::default(), &Lifetime::default());
        (record.version, record.absolute_deadline) = (version, deadline);
        record
    }

    /// Computed with Python's `hmac`, `hashlib` and `base64` from the description above.
    #[test]
    fn the_wire_format_has_a_golden_vector() {
        let deadline = Timestamp::from_millis(29_000_000 * MINUTE - 1);
        let text =
            Macs::new(ring()).issue("s", &record(3, deadline), &credential().verifier, CARRIER);
        assert_eq!(text, GOLDEN);
        assert_eq!(text.len(), 84);
        let wire = Wire::parse(text.as_bytes(), "s").unwrap();
        assert_eq!(wire.credential.sid, credential().sid);
        assert_eq!(
            wire.credential.verifier.expose(),
            credential().verifier.expose()
        );
        assert_eq!(wire.deadline, Timestamp::from_millis(29_000_000 * MINUTE));
    }

    #[test]
    fn the_longest_label_makes_99_bytes() {
        let label = "n".repeat(16);
        let text = Macs::new(ring()).issue(
            &label,
            &record(u64::MAX, Timestamp::MAX),
            &credential().verifier,
            CARRIER,
        );
        assert_eq!(text.len(), 99);
    }

    #[test]
    fn every_changed_character_is_refused() {
        let macs = Macs::new(ring());
        let now = Timestamp::default();
        assert!(macs.verify(&Wire::parse(GOLDEN.as_bytes(), "s").unwrap(), CARRIER, now));
        for at in 0..GOLDEN.len() {
            for with in ["A", "b", ".", "=", "+", "é", ""] {
                let forged = [&GOLDEN[..at], with, &GOLDEN[at + 1..]].concat();
                let accepted = Wire::parse(forged.as_bytes(), "s")
                    .is_some_and(|wire| macs.verify(&wire, CARRIER, now));
                assert!(!accepted || forged == GOLDEN, "{forged:?} was accepted");
            }
        }
    }

    #[test]
    fn a_credential_does_not_move_to_another_carrier_label_or_key() {
        let now = Timestamp::default();
        let wire = Wire::parse(GOLDEN.as_bytes(), "s").unwrap();
        assert!(!Macs::new(ring()).verify(&wire, "sid", now));
        assert!(!Macs::new(KeyRing::random()).verify(&wire, CARRIER, now));
        let relabelled = GOLDEN.replacen('s', "t", 1);
        assert!(Wire::parse(relabelled.as_bytes(), "s").is_none());
        assert!(!Macs::new(ring()).verify(
            &Wire::parse(relabelled.as_bytes(), "t").unwrap(),
            CARRIER,
            now
        ));
    }

    #[test]
    fn an_earlier_key_verifies_until_it_retires_while_a_new_one_signs() {
        let at = Timestamp::from_millis(1000);
        let old = MasterKey::new("old", (0..32).collect::<Vec<u8>>())
            .unwrap()
            .retired_at(at);
        let new = MasterKey::new("new", (1..33).collect::<Vec<u8>>()).unwrap();
        let macs = Macs::new(KeyRing::new(new).previous(old).unwrap());
        let wire = Wire::parse(GOLDEN.as_bytes(), "s").unwrap();
        assert!(macs.verify(&wire, CARRIER, Timestamp::from_millis(999)));
        assert!(!macs.verify(&wire, CARRIER, at));
        assert_ne!(
            macs.issue("s", &record(3, at), &credential().verifier, CARRIER),
            GOLDEN
        );
    }
}
