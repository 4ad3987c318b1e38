//! The credential as it travels: `<node>.<body>.<tag>`.
//!
//! - `node`: the label that balancers route on, `[a-z0-9]{1,16}`; `s` where none is configured,
//!   `0` where it is to be nobody's.
//! - `body`: base64url of `sid` (16) ‖ `verifier` (16) ‖ `version` (u64, big endian) ‖ absolute
//!   deadline in minutes since the Unix epoch (u32, big endian): 44 bytes, 59 characters.
//! - `tag`: base64url of the first 16 bytes of HMAC-SHA256 over
//!   `"sessile/sticky/1" 00 <carrier> 00 <node> 00`, filled up with zero bytes to whole blocks of
//!   64, and the 44 bytes of the body: 22 characters.
//!
//! The MAC key is HKDF-SHA256 of the master key, without salt, with the purpose as info. What is
//! in front of the body is the same for every request and is absorbed once; the body is one block.

use base64_simd::{Out, URL_SAFE_NO_PAD as BASE64};
use sessile_core::{
    Credential, Forwards, KeyRing, Macs, Record, SessionId, Tag, Timestamp, Verifier,
};

/// The label where no node is configured.
pub(crate) const NO_NODE: &str = "s";

/// The label of a session that no node is to have any more. No balancer knows it, so they balance.
pub(crate) const NOBODY: &str = "0";

const PURPOSE: &str = "sessile/sticky/1";
const BODY: usize = 44;
const BODY_TEXT: usize = 59;
const TAG_TEXT: usize = 22;
const LABEL: std::ops::RangeInclusive<usize> = 1..=16;
const MINUTE: u64 = 60_000;

/// What a client sent, taken apart. The tag has not been checked: see [`Signer::verify`].
#[derive(Debug)]
pub(crate) struct Wire<'a> {
    /// The node that the text names.
    pub(crate) label: &'a str,
    /// The version of the record that the client has seen.
    #[cfg_attr(
        not(any(feature = "backing", test)),
        expect(dead_code, reason = "without a store it says nothing new")
    )]
    pub(crate) version: u64,
    pub(crate) credential: Credential,
    pub(crate) deadline: Timestamp,
    body: [u8; BODY],
    tag: &'a [u8],
}

impl<'a> Wire<'a> {
    /// Takes apart what is well formed and carries this label.
    pub(crate) fn parse(text: &'a [u8], node: &str) -> Option<Self> {
        let rest = text.strip_prefix(node.as_bytes())?.strip_prefix(b".")?;
        Wire::take_apart(std::str::from_utf8(&text[..node.len()]).ok()?, rest)
    }

    /// Takes apart what is well formed, whichever label it carries.
    pub(crate) fn parse_any(text: &'a [u8]) -> Option<Self> {
        let dot = text
            .iter()
            .take(LABEL.end() + 1)
            .position(|byte| *byte == b'.')?;
        let label = std::str::from_utf8(&text[..dot]).ok()?;
        if !is_label(label) {
            return None;
        }
        Wire::take_apart(label, &text[dot + 1..])
    }

    /// The label and the version of what was taken apart before, and nothing else of it.
    #[cfg(any(feature = "backing", test))]
    pub(crate) fn says(text: &'a [u8]) -> Option<(&'a [u8], u64)> {
        /// The characters of the body that the bytes 30 to 42 are written with.
        const PART: std::ops::Range<usize> = 40..56;
        let dot = text
            .iter()
            .take(LABEL.end() + 1)
            .position(|byte| *byte == b'.')?;
        let bytes: [u8; 12] = decode(text[dot + 1..].get(PART)?)?;
        let (mut version, (label, _)) = ([0; 8], text.split_at(dot));
        version.copy_from_slice(&bytes[2..10]);
        Some((label, u64::from_be_bytes(version)))
    }

    fn take_apart(label: &'a str, rest: &'a [u8]) -> Option<Self> {
        if rest.len() != BODY_TEXT + 1 + TAG_TEXT || rest[BODY_TEXT] != b'.' {
            return None;
        }
        let (body, tag) = (&rest[..BODY_TEXT], &rest[BODY_TEXT + 1..]);
        let bytes: [u8; BODY] = decode(body)?;
        let (mut sid, mut verifier) = ([0; 16], [0; 16]);
        let (mut version, mut minutes) = ([0; 8], [0; 4]);
        sid.copy_from_slice(&bytes[..16]);
        verifier.copy_from_slice(&bytes[16..32]);
        version.copy_from_slice(&bytes[32..40]);
        minutes.copy_from_slice(&bytes[40..]);
        let wire = Wire {
            label,
            version: u64::from_be_bytes(version),
            credential: Credential {
                sid: SessionId::from_bytes(sid),
                verifier: Verifier::from_bytes(verifier),
            },
            deadline: Timestamp::from_millis(u64::from(u32::from_be_bytes(minutes)) * MINUTE),
            body: bytes,
            tag,
        };
        Some(wire)
    }
}

/// Whether this can name a node.
pub(crate) fn is_label(text: &str) -> bool {
    LABEL.contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

/// Writes the credentials of one node, and verifies them and those of others with the same keys.
#[derive(Debug)]
pub(crate) struct Signer {
    macs: Macs,
    node: Box<str>,
}

impl Signer {
    pub(crate) fn new(ring: KeyRing, node: &str) -> Self {
        Signer {
            macs: Macs::new(ring, PURPOSE, node),
            node: node.into(),
        }
    }

    /// The label of the node.
    pub(crate) fn node(&self) -> &str {
        &self.node
    }

    /// What signs the hops of this node, besides.
    pub(crate) fn forwards(&self) -> Forwards<'_> {
        Forwards {
            node: &self.node,
            keys: self.macs.ring(),
        }
    }

    /// The text for a client.
    pub(crate) fn issue(&self, record: &Record, verifier: &Verifier, carrier: &str) -> String {
        let body = body(record, verifier);
        write(&self.node, &body, self.macs.tag(carrier, &body))
    }

    /// The text for a client whose session is nobody's from now on.
    #[cfg(any(feature = "backing", test))]
    pub(crate) fn issue_for_nobody(
        &self,
        record: &Record,
        verifier: &Verifier,
        carrier: &str,
    ) -> String {
        let body = body(record, verifier);
        write(NOBODY, &body, self.macs.tag_in(NOBODY, carrier, &body))
    }

    /// Whether one of our keys made this, for this carrier and the label that it names.
    pub(crate) fn verify(&self, wire: &Wire<'_>, carrier: &str, now: Timestamp) -> bool {
        let Some(sent): Option<Tag> = decode(wire.tag) else {
            return false;
        };
        let (label, body) = (wire.label, &wire.body);
        if label == &*self.node {
            self.macs.verify(carrier, body, &sent, now)
        } else {
            self.macs.verify_in(label, carrier, body, &sent, now)
        }
    }
}

fn body(record: &Record, verifier: &Verifier) -> [u8; BODY] {
    let mut body = [0; BODY];
    body[..16].copy_from_slice(record.sid.as_bytes());
    body[16..32].copy_from_slice(&verifier.expose());
    body[32..40].copy_from_slice(&record.version.to_be_bytes());
    let deadline = record.absolute_deadline.as_millis().div_ceil(MINUTE);
    let minutes = u32::try_from(deadline).unwrap_or(u32::MAX);
    body[40..].copy_from_slice(&minutes.to_be_bytes());
    body
}

fn write(label: &str, body: &[u8; BODY], tag: Tag) -> String {
    let mut text = String::with_capacity(label.len() + 1 + BODY_TEXT + 1 + TAG_TEXT);
    text.push_str(label);
    text.push('.');
    BASE64.encode_append(body, &mut text);
    text.push('.');
    BASE64.encode_append(tag, &mut text);
    text
}

/// Canonical base64url of exactly so many bytes.
fn decode<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let decoded = BASE64.decode(text, Out::from_slice(&mut bytes)).ok()?;
    (decoded.len() == N).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use sessile_core::{Lifetime, MasterKey};

    use super::*;

    const GOLDEN: &str =
        "s.AQEBAQEBAQEBAQEBAQEBAQICAgICAgICAgICAgICAgIAAAAAAAAAAwG6gUA.XNWkueq3YRx0hnACeuHXOQ";
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
            Signer::new(ring(), "s").issue(&record(3, deadline), &credential().verifier, CARRIER);
        assert_eq!(text, GOLDEN);
        assert_eq!(text.len(), 84);
        let wire = Wire::parse(text.as_bytes(), "s").unwrap();
        assert_eq!(wire.credential.sid, credential().sid);
        assert_eq!(
            wire.credential.verifier.expose(),
            credential().verifier.expose()
        );
        assert_eq!(wire.deadline, Timestamp::from_millis(29_000_000 * MINUTE));
        assert_eq!(wire.version, 3);
    }

    #[test]
    fn what_a_credential_says_is_read_without_the_rest() {
        for (label, version) in [("s", 3), ("abcdefgh01234567", 0), ("0", u64::MAX >> 11)] {
            let record = record(version, Timestamp::default());
            let text = Signer::new(ring(), label).issue(&record, &credential().verifier, CARRIER);
            assert_eq!(
                Wire::says(text.as_bytes()),
                Some((label.as_bytes(), version))
            );
            for end in 0..text.len() {
                let _ = Wire::says(&text.as_bytes()[..end]);
            }
        }
        assert_eq!(Wire::says(b"no label and no body"), None);
    }

    /// Computed in the same way.
    #[test]
    fn other_labels_have_golden_vectors() {
        let deadline = Timestamp::from_millis(29_000_000 * MINUTE - 1);
        let (record, verifier) = (record(3, deadline), credential().verifier);
        let body = &GOLDEN[1..62];
        let n1 = Signer::new(ring(), "n1");
        let longest = Signer::new(ring(), "abcdefgh01234567");
        for (text, label, tag) in [
            (
                n1.issue(&record, &verifier, CARRIER),
                "n1",
                "1C_6mrRojAiDAORzFTyVbA",
            ),
            (
                longest.issue(&record, &verifier, CARRIER),
                "abcdefgh01234567",
                "Rq4uOPqrQ2KROhs9629TYw",
            ),
            (
                n1.issue_for_nobody(&record, &verifier, CARRIER),
                "0",
                "K8pwqclMscd6MHJm41OQOQ",
            ),
        ] {
            assert_eq!(text, format!("{label}{body}{tag}"));
            // Every node reads what every other has made.
            let wire = Wire::parse_any(text.as_bytes()).unwrap();
            assert_eq!((wire.label, wire.version), (label, 3));
            for signer in [&n1, &longest] {
                assert!(signer.verify(&wire, CARRIER, Timestamp::default()));
            }
        }
    }

    #[test]
    fn what_is_no_label_is_not_taken_apart() {
        let rest = &GOLDEN[1..];
        for good in ["a", "9", "0", "abcdefgh01234567"] {
            assert!(Wire::parse_any(format!("{good}{rest}").as_bytes()).is_some());
        }
        for bad in ["", "A", "n-1", "abcdefgh012345678", "é", "a "] {
            assert!(
                Wire::parse_any(format!("{bad}{rest}").as_bytes()).is_none(),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn the_longest_label_makes_99_bytes() {
        let label = "n".repeat(16);
        let text = Signer::new(ring(), &label).issue(
            &record(u64::MAX, Timestamp::MAX),
            &credential().verifier,
            CARRIER,
        );
        assert_eq!(text.len(), 99);
    }

    #[test]
    fn every_changed_character_is_refused() {
        let signer = Signer::new(ring(), "s");
        let now = Timestamp::default();
        assert!(signer.verify(&Wire::parse(GOLDEN.as_bytes(), "s").unwrap(), CARRIER, now));
        for at in 0..GOLDEN.len() {
            for with in ["A", "b", ".", "=", "+", "é", ""] {
                let forged = [&GOLDEN[..at], with, &GOLDEN[at + 1..]].concat();
                let accepted = Wire::parse(forged.as_bytes(), "s")
                    .is_some_and(|wire| signer.verify(&wire, CARRIER, now));
                assert!(!accepted || forged == GOLDEN, "{forged:?} was accepted");
            }
        }
    }

    #[test]
    fn a_credential_does_not_move_to_another_carrier_label_or_key() {
        let now = Timestamp::default();
        let wire = Wire::parse(GOLDEN.as_bytes(), "s").unwrap();
        assert!(!Signer::new(ring(), "s").verify(&wire, "sid", now));
        assert!(!Signer::new(KeyRing::random(), "s").verify(&wire, CARRIER, now));
        let relabelled = GOLDEN.replacen('s', "t", 1);
        assert!(Wire::parse(relabelled.as_bytes(), "s").is_none());
        let relabelled = Wire::parse(relabelled.as_bytes(), "t").unwrap();
        assert!(!Signer::new(ring(), "t").verify(&relabelled, CARRIER, now));
    }

    #[test]
    fn an_earlier_key_verifies_until_it_retires_while_a_new_one_signs() {
        let at = Timestamp::from_millis(1000);
        let old = MasterKey::new("old", (0..32).collect::<Vec<u8>>())
            .unwrap()
            .retired_at(at);
        let new = MasterKey::new("new", (1..33).collect::<Vec<u8>>()).unwrap();
        let signer = Signer::new(KeyRing::new(new).previous(old).unwrap(), "s");
        let wire = Wire::parse(GOLDEN.as_bytes(), "s").unwrap();
        assert!(signer.verify(&wire, CARRIER, Timestamp::from_millis(999)));
        assert!(!signer.verify(&wire, CARRIER, at));
        assert_ne!(
            signer.issue(&record(3, at), &credential().verifier, CARRIER),
            GOLDEN
        );
    }
}
