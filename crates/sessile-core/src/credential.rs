//! The credential: a public session id and a secret verifier.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroize as _;

use crate::{Error, ErrorKind};

/// Names a session: 16 random bytes, public. It is the store's key and may be logged; knowing it
/// opens nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId([u8; 16]);

impl SessionId {
    /// A new id from a cryptographic generator that reseeds itself from the operating system.
    pub fn random() -> Self {
        SessionId(rand::random::<u128>().to_ne_bytes()) // one draw, not sixteen
    }

    /// The id with these bytes, as a store keeps it.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        SessionId(bytes)
    }

    /// The bytes of the id.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for SessionId {
    /// 22 characters of base64url.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 22];
        let written = URL_SAFE_NO_PAD
            .encode_slice(self.0, &mut text)
            .map_err(|_| fmt::Error)?;
        f.write_str(std::str::from_utf8(&text[..written]).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({self})")
    }
}

impl FromStr for SessionId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut bytes = [0; 16];
        match URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
            Ok(16) => Ok(SessionId(bytes)),
            _ => Err(Error::new(
                ErrorKind::Invalid,
                "a session id is 22 characters of base64url",
            )),
        }
    }
}

impl Serialize for SessionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SessionId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Proves that a client owns a session: 16 random bytes, secret. It is wiped from memory when
/// dropped and never shown by `Debug`.
#[derive(Clone)]
pub struct Verifier(u128); // one word: wiped by one store, not by sixteen

impl Verifier {
    /// A new verifier from a cryptographic generator that reseeds itself from the operating system.
    pub fn random() -> Self {
        Verifier(rand::random())
    }

    /// The verifier with these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Verifier(u128::from_be_bytes(bytes))
    }

    /// The secret itself.
    pub const fn expose(&self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// What a record keeps of this verifier.
    pub fn hash(&self) -> VerifierHash {
        VerifierHash(Sha256::digest(self.expose()).into())
    }

    /// Hides `successor` so that only whoever holds `self` can read it:
    /// `successor XOR HKDF-SHA256(ikm = self, salt = sid, info = "sessile/successor/1")`.
    pub fn wrap(&self, sid: &SessionId, successor: &Verifier) -> Wrapped {
        Wrapped((successor.0 ^ self.pad(sid)).to_be_bytes())
    }

    /// Reads what [`wrap`](Self::wrap) hid.
    pub fn unwrap(&self, sid: &SessionId, wrapped: &Wrapped) -> Verifier {
        Verifier(u128::from_be_bytes(wrapped.0) ^ self.pad(sid))
    }

    fn pad(&self, sid: &SessionId) -> u128 {
        let mut pad = [0; 16];
        let hkdf = Hkdf::<Sha256>::new(Some(sid.as_bytes()), &self.expose());
        hkdf.expand(b"sessile/successor/1", &mut pad)
            .expect("16 bytes are within HKDF's limit of 255 blocks");
        u128::from_be_bytes(pad)
    }
}

impl Drop for Verifier {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier(***)")
    }
}

/// SHA-256 of a [`Verifier`]: what a record keeps, so that a dump of a store opens nothing.
/// Compared in constant time.
#[derive(Clone, Copy)]
pub struct VerifierHash([u8; 32]);

impl VerifierHash {
    /// The hash with these bytes, as a store keeps it.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        VerifierHash(bytes)
    }

    /// The bytes of the hash.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for VerifierHash {
    fn eq(&self, other: &Self) -> bool {
        let halves = |hash: &Self| -> [u128; 2] {
            let (mut high, mut low) = ([0; 16], [0; 16]);
            high.copy_from_slice(&hash.0[..16]);
            low.copy_from_slice(&hash.0[16..]);
            [u128::from_ne_bytes(high), u128::from_ne_bytes(low)]
        };
        let ([a, b], [c, d]) = (halves(self), halves(other));
        (a.ct_eq(&c) & b.ct_eq(&d)).into()
    }
}

impl Eq for VerifierHash {}

impl fmt::Debug for VerifierHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifierHash(..)")
    }
}

/// A successor, readable only with its predecessor: see [`Verifier::wrap`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Wrapped([u8; 16]);

impl Wrapped {
    /// The wrapped successor with these bytes, as a store keeps it.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Wrapped(bytes)
    }

    /// The bytes of the wrapped successor.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for Wrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wrapped(..)")
    }
}

/// What a client holds: `sid ‖ verifier`, 32 bytes, 43 characters of base64url.
#[derive(Clone, Debug)]
pub struct Credential {
    /// The public half.
    pub sid: SessionId,
    /// The secret half.
    pub verifier: Verifier,
}

impl Credential {
    /// A new credential, both halves random.
    pub fn random() -> Self {
        Credential {
            sid: SessionId::random(),
            verifier: Verifier::random(),
        }
    }

    /// The 43 characters. Secret.
    pub fn encode(&self) -> String {
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(self.sid.as_bytes());
        bytes[16..].copy_from_slice(&self.verifier.expose());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads 43 characters of canonical base64url; anything else is `None`.
    pub fn decode(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        let decoded = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes);
        (decoded == Ok(32)).then(|| Credential::from_bytes(&bytes))
    }

    fn from_bytes(bytes: &[u8; 32]) -> Self {
        let (mut sid, mut verifier) = ([0; 16], [0; 16]);
        sid.copy_from_slice(&bytes[..16]);
        verifier.copy_from_slice(&bytes[16..]);
        Credential {
            sid: SessionId(sid),
            verifier: Verifier::from_bytes(verifier),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_43_characters_and_round_trips() {
        let credential = Credential::random();
        let text = credential.encode();
        assert_eq!(text.len(), 43);
        let read = Credential::decode(&text).unwrap();
        assert_eq!(read.sid, credential.sid);
        assert_eq!(read.verifier.expose(), credential.verifier.expose());
    }

    #[test]
    fn only_canonical_base64url_of_the_right_length_is_read() {
        let good = Credential {
            sid: SessionId([7; 16]),
            verifier: Verifier::from_bytes([9; 16]),
        }
        .encode();
        for bad in [
            "",
            &good[..42],
            &format!("{good}="),
            &format!("{good}A"),
            &good.replace('C', "+"),
            // The last character carries two bits that must be zero.
            &format!("{}{}", &good[..42], "l"),
        ] {
            assert!(Credential::decode(bad).is_none(), "{bad:?} was read");
        }
    }

    #[test]
    fn an_id_is_its_text_in_json_too() {
        let sid = SessionId::random();
        let text = serde_json::to_string(&sid).unwrap();
        assert_eq!(text, format!("\"{sid}\""));
        assert_eq!(serde_json::from_str::<SessionId>(&text).unwrap(), sid);
        assert!(serde_json::from_str::<SessionId>("\"no id\"").is_err());
    }

    #[test]
    fn secrets_are_not_shown() {
        let credential = Credential::random();
        let shown = format!("{credential:?} {:?}", credential.verifier.hash());
        assert!(shown.contains(&credential.sid.to_string()));
        assert!(shown.contains("***") && !shown.contains(&credential.encode()[22..]));
    }

    #[test]
    fn only_the_holder_of_the_old_verifier_can_unwrap_its_successor() {
        let (sid, old, new) = (SessionId::random(), Verifier::random(), Verifier::random());
        let wrapped = old.wrap(&sid, &new);
        assert_eq!(old.unwrap(&sid, &wrapped).expose(), new.expose());
        assert_ne!(
            Verifier::random().unwrap(&sid, &wrapped).expose(),
            new.expose()
        );
        assert_ne!(
            old.unwrap(&SessionId::random(), &wrapped).expose(),
            new.expose()
        );
    }

    /// Fixes the derivation: a record written by one release is read by the next.
    #[test]
    fn wrapping_has_a_golden_vector() {
        let wrapped =
            Verifier::from_bytes([1; 16]).wrap(&SessionId([2; 16]), &Verifier::from_bytes([3; 16]));
        assert_eq!(hex(wrapped.as_bytes()), GOLDEN_WRAPPED);
        assert_eq!(
            hex(Verifier::from_bytes([1; 16]).hash().as_bytes()),
            GOLDEN_HASH
        );
    }

    /// Computed with Python's `hmac` and `hashlib` after RFC 5869.
    const GOLDEN_WRAPPED: &str = "d2e56060659cba40c80a4350e7756f96";
    const GOLDEN_HASH: &str = "cc8cd41cef907c4d216069122c4b89936211361f9050a717a1e37ad1862e952f";

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
