//! Secret keys that sign and verify: HMAC.

use std::fmt;
use std::sync::{Arc, OnceLock};

use hmac::digest::block_api::EagerHash;
use sessile_core::Result;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

use super::jwk::{Jwk, thumbprint};
use super::mac::Absorbed;
use super::{Algorithm, check_kid, invalid};
use crate::base64;

/// A secret of both who signs and who verifies. Wiped from memory when dropped, never shown.
#[derive(Clone)]
pub struct HmacKey {
    kid: Box<str>,
    algorithm: Algorithm,
    print: [u8; 32],
    prepared: Arc<Prepared>,
    /// How its messages begin, once it is known.
    usual: Arc<OnceLock<Usual>>,
}

/// The key, absorbed.
enum Prepared {
    Sha256(Absorbed<Sha256>),
    Sha384(Absorbed<Sha384>),
    Sha512(Absorbed<Sha512>),
}

/// How the messages of a key mostly begin, absorbed as well.
struct Usual {
    text: String,
    prepared: Prepared,
}

impl HmacKey {
    /// A key of these bytes, named by its thumbprint (RFC 7638).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](sessile_core::ErrorKind::Invalid) if the algorithm is none of the
    /// `HS…`, or the secret is shorter than the hash (RFC 7518, section 3.2), all of one byte, or
    /// a key of another kind, such as somebody's public key: as a secret, that is known to all.
    pub fn new(algorithm: Algorithm, secret: impl Into<Vec<u8>>) -> Result<Self> {
        let secret = Zeroizing::new(secret.into());
        let least = match algorithm {
            Algorithm::HS256 => 32,
            Algorithm::HS384 => 48,
            Algorithm::HS512 => 64,
            other => {
                return Err(invalid(format!(
                    "{other} takes no secret: give it a private key as PEM or JWK, or write HS256"
                )));
            }
        };
        if let Some(what) = other_kind(&secret) {
            return Err(invalid(format!(
                "the secret is {what}: it belongs to another algorithm, and whoever has its public half could sign. Use {least} random bytes"
            )));
        }
        if secret.len() < least {
            return Err(invalid(format!(
                "the secret has {} bytes, and {algorithm} needs {least} random ones, such as the output of `openssl rand {least}`",
                secret.len()
            )));
        }
        if secret.iter().all(|byte| *byte == secret[0]) {
            return Err(invalid(
                "all bytes of the secret are equal: use random ones",
            ));
        }
        let failed = |_| invalid("the secret can't be used");
        let prepared = match algorithm {
            Algorithm::HS256 => Prepared::Sha256(Absorbed::new(&secret).map_err(failed)?),
            Algorithm::HS384 => Prepared::Sha384(Absorbed::new(&secret).map_err(failed)?),
            _ => Prepared::Sha512(Absorbed::new(&secret).map_err(failed)?),
        };
        let k = Zeroizing::new(base64::encode(&*secret));
        let kid = thumbprint(&[("k", &k), ("kty", "oct")]);
        Ok(HmacKey {
            kid: kid.into(),
            algorithm,
            print: Sha256::digest(&*secret).into(),
            prepared: Arc::new(prepared),
            usual: Arc::default(),
        })
    }

    /// A key whose bytes are written as base64url. The other alphabet and padding are read as well.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new), and for any other text.
    pub fn from_base64url(algorithm: Algorithm, text: &str) -> Result<Self> {
        let secret = base64::decode_secret(text);
        let secret = secret.ok_or_else(|| {
            invalid("the secret is no base64url: write it with A-Z, a-z, 0-9, - and _")
        })?;
        HmacKey::new(algorithm, secret)
    }

    /// A key as a JWK of type `oct`, with its `kid` and `alg` if it has them.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new), for a JWK of another type, use or algorithm, and where neither the
    /// JWK nor the caller names an algorithm.
    pub fn from_jwk(algorithm: Option<Algorithm>, text: &str) -> Result<Self> {
        HmacKey::of(algorithm, &Jwk::parse(text, "sig", &["sign", "verify"])?)
    }

    pub(super) fn of(algorithm: Option<Algorithm>, jwk: &Jwk) -> Result<Self> {
        if jwk.kty != "oct" {
            return Err(invalid(
                "the JWK is no secret: its \"kty\" has to be \"oct\"",
            ));
        }
        let algorithm = super::agreed(algorithm, jwk)?;
        let key = HmacKey::new(algorithm, jwk.need("k")?)?;
        match &jwk.kid {
            Some(kid) => key.named(kid),
            None => Ok(key),
        }
    }

    /// The same key under another name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](sessile_core::ErrorKind::Invalid) if the name is empty or longer
    /// than 128 bytes.
    pub fn named(mut self, kid: &str) -> Result<Self> {
        self.kid = check_kid(kid)?;
        self.usual = Arc::default();
        Ok(self)
    }

    /// The key's name, the `kid` of a header. Not secret.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// What it signs with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(crate) fn print(&self) -> [u8; 32] {
        self.print
    }

    /// Takes what the messages of this key begin with, the first time: it is absorbed ahead.
    pub(crate) fn expect(&self, begin: impl FnOnce() -> String) {
        self.usual.get_or_init(|| {
            let text = begin();
            let prepared = match &*self.prepared {
                Prepared::Sha256(mac) => Prepared::Sha256(mac.after(text.as_bytes())),
                Prepared::Sha384(mac) => Prepared::Sha384(mac.after(text.as_bytes())),
                Prepared::Sha512(mac) => Prepared::Sha512(mac.after(text.as_bytes())),
            };
            Usual { text, prepared }
        });
    }

    /// Where to begin with a message, and what of it is left to absorb.
    fn begin<'a>(&self, message: &'a [u8]) -> (&Prepared, &'a [u8]) {
        if let Some(usual) = self.usual.get()
            && let Some(rest) = message.strip_prefix(usual.text.as_bytes())
        {
            return (&usual.prepared, rest);
        }
        (&self.prepared, message)
    }

    /// Adds the tag of a message to it, behind a point.
    pub(crate) fn sign(&self, message: &mut String) {
        match self.begin(message.as_bytes()) {
            (Prepared::Sha256(mac), rest) => append(message, mac.tag(rest).as_bytes()),
            (Prepared::Sha384(mac), rest) => append(message, mac.tag(rest).as_bytes()),
            (Prepared::Sha512(mac), rest) => append(message, mac.tag(rest).as_bytes()),
        }
    }

    /// Whether this is the whole tag of the message, as it travels; compared in constant time.
    pub(crate) fn verify(&self, message: &[u8], tag: &[u8]) -> bool {
        match self.begin(message) {
            (Prepared::Sha256(mac), rest) => verify::<_, 32>(mac, rest, tag),
            (Prepared::Sha384(mac), rest) => verify::<_, 48>(mac, rest, tag),
            (Prepared::Sha512(mac), rest) => verify::<_, 64>(mac, rest, tag),
        }
    }
}

fn append(message: &mut String, tag: &[u8]) {
    message.push('.');
    base64::encode_to(tag, message);
}

fn verify<D: EagerHash, const N: usize>(mac: &Absorbed<D>, rest: &[u8], tag: &[u8]) -> bool {
    base64::decode_array::<N>(tag).is_some_and(|tag| mac.verify(rest, &tag))
}

impl fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HmacKey")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm)
            .field("secret", &"***")
            .finish()
    }
}

/// What else a text or bytes are that somebody passes as a secret by mistake.
pub(super) fn other_kind(secret: &[u8]) -> Option<&'static str> {
    let text = secret.trim_ascii_start();
    if text.starts_with(b"-----BEGIN") {
        return Some("a key or certificate in PEM");
    }
    if text.starts_with(b"ssh-") || text.starts_with(b"ecdsa-sha2-") {
        return Some("a key of SSH");
    }
    if text.starts_with(b"{") {
        return Some("a JWK: pass it to `from_jwk`");
    }
    let is_der = match secret {
        [0x30, length @ ..=0x7f, rest @ ..] => rest.len() == usize::from(*length),
        [0x30, 0x81, length, rest @ ..] => rest.len() == usize::from(*length),
        [0x30, 0x82, high, low, rest @ ..] => {
            rest.len() == usize::from(u16::from_be_bytes([*high, *low]))
        }
        _ => false,
    };
    if is_der {
        return Some("a key in DER");
    }
    match (secret.first(), secret.len()) {
        (Some(4), 65 | 97) => Some("a point on a curve"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key may serve two tokens, whose messages begin differently.
    #[test]
    fn what_was_absorbed_ahead_changes_no_tag() {
        let secret: Vec<u8> = (0..64).collect();
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            let key = || HmacKey::new(algorithm, secret.clone()).unwrap();
            let (plain, ahead) = (key(), key());
            ahead.expect(|| "x".repeat(150));
            for message in [
                "",
                "y",
                &"x".repeat(149),
                &"x".repeat(150),
                &"x".repeat(400),
            ] {
                let signed = |key: &HmacKey| {
                    let mut text = message.to_owned();
                    key.sign(&mut text);
                    text
                };
                assert_eq!(signed(&plain), signed(&ahead));
                let tag = signed(&plain)[message.len() + 1..].to_owned();
                assert!(ahead.verify(message.as_bytes(), tag.as_bytes()));
                assert!(!ahead.verify(b"z", tag.as_bytes()));
            }
        }
    }
}
