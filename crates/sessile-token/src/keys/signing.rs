//! The ring of a signed token.

use std::fmt;

use sessile_core::{Error, ErrorKind, Result, Timestamp};

use super::ring::{Keyed, Ring};
use super::{Algorithm, HmacKey, PrivateKey, PublicKey, Use, invalid};
use crate::{base64, header};

/// A key that signs, with its times.
#[derive(Clone, Debug)]
pub struct SigningKey(Entry);

/// A key that verifies, with its times.
#[derive(Clone, Debug)]
pub struct VerifyingKey(Entry);

/// One key that signs, and any number that verify.
///
/// To replace the key that signs without refusing anybody: publish the new one with
/// [`SigningKey::active_from`] on every node, let the time come, and retire the old one a token's
/// longest life later.
///
/// ```
/// use sessile_token::{Algorithm, HmacKey, SigningKey, TokenKeys};
/// # use sessile_core::Timestamp;
/// # let (midnight, later) = (Timestamp::from_millis(1), Timestamp::from_millis(2));
/// # let (old, new): ([u8; 32], [u8; 32]) = (std::array::from_fn(|i| i as u8), std::array::from_fn(|i| i as u8 + 1));
/// let old = SigningKey::from(HmacKey::new(Algorithm::HS256, old)?.named("2026-08")?);
/// let new = SigningKey::from(HmacKey::new(Algorithm::HS256, new)?.named("2026-11")?);
/// let keys = TokenKeys::new(new.active_from(midnight)).sign(old.retired_at(later))?;
/// # Ok::<(), sessile_core::Error>(())
/// ```
#[derive(Clone)]
pub struct TokenKeys {
    ring: Ring<Entry>,
    mixed: bool,
}

/// A key in the ring.
#[derive(Clone)]
pub(crate) struct Entry {
    usage: Use,
    /// The header of a token by this key, as it travels. Who presents exactly this needs no
    /// parsing.
    pub(crate) header: Box<str>,
    pub(crate) key: Verifies,
    signs: Option<Signs>,
}

#[derive(Clone, Debug)]
pub(crate) enum Verifies {
    Hmac(HmacKey),
    Public(PublicKey),
}

#[derive(Clone, Debug)]
enum Signs {
    Hmac(HmacKey),
    Private(PrivateKey),
}

impl SigningKey {
    /// It signs from `at` on, and verifies at once: publish first, sign later.
    #[must_use]
    pub fn active_from(mut self, at: Timestamp) -> Self {
        self.0.usage.makes_from = Some(at);
        self
    }

    /// It neither signs nor verifies from `at` on.
    #[must_use]
    pub fn retired_at(mut self, at: Timestamp) -> Self {
        self.0.usage.retired_at = Some(at);
        self
    }
}

impl VerifyingKey {
    /// It verifies no more from `at` on.
    #[must_use]
    pub fn retired_at(mut self, at: Timestamp) -> Self {
        self.0.usage.retired_at = Some(at);
        self
    }

    /// The payload of a compact JWS of whatever type, if this key signed it and its header says
    /// nothing that is not understood. This is the layer of signatures alone: no claim is looked
    /// at, and no session comes from it.
    pub fn verify_jws(&self, compact: &str) -> Option<Vec<u8>> {
        crate::jws::verify_with(&self.0, compact.as_bytes())
    }
}

impl From<HmacKey> for SigningKey {
    fn from(key: HmacKey) -> Self {
        let signs = Signs::Hmac(key.clone());
        SigningKey(Entry::new(Verifies::Hmac(key), Some(signs)))
    }
}

impl From<PrivateKey> for SigningKey {
    fn from(key: PrivateKey) -> Self {
        let public = Verifies::Public(key.public().clone());
        SigningKey(Entry::new(public, Some(Signs::Private(key))))
    }
}

impl From<HmacKey> for VerifyingKey {
    fn from(key: HmacKey) -> Self {
        VerifyingKey(Entry::new(Verifies::Hmac(key), None))
    }
}

impl From<PublicKey> for VerifyingKey {
    fn from(key: PublicKey) -> Self {
        VerifyingKey(Entry::new(Verifies::Public(key), None))
    }
}

impl TokenKeys {
    /// A ring whose one key signs and verifies.
    pub fn new(key: impl Into<SigningKey>) -> Self {
        TokenKeys {
            ring: Ring::new(key.into().0),
            mixed: false,
        }
    }

    /// Adds a key that signs, too. Of those that sign at a time, the one that began last does.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if a key of this name or this very key is there already, or if
    /// secrets would stand beside public keys and [`mixed`](Self::mixed) was not called.
    pub fn sign(self, key: impl Into<SigningKey>) -> Result<Self> {
        self.add(key.into().0)
    }

    /// Adds a key that only verifies.
    ///
    /// # Errors
    ///
    /// As [`sign`](Self::sign).
    pub fn verify(self, key: impl Into<VerifyingKey>) -> Result<Self> {
        self.add(key.into().0)
    }

    /// Allows secrets beside public keys: for as long as it takes to move from the one to the
    /// other.
    #[must_use]
    pub fn mixed(mut self) -> Self {
        self.mixed = true;
        self
    }

    fn add(mut self, key: Entry) -> Result<Self> {
        let family = |key: &Entry| key.algorithm().family();
        if !self.mixed && self.ring.iter().any(|known| family(known) != family(&key)) {
            return Err(invalid(
                "secrets (HS256 …) and public keys (EdDSA, ES256 …) are in one ring: keep to one kind, or call mixed() while you move",
            ));
        }
        self.ring.add(key)?;
        Ok(self)
    }

    /// The public keys that verify at `now` or later, those that do not sign yet among them.
    /// Secrets are never among them.
    pub fn public(&self, now: Timestamp) -> impl Iterator<Item = &PublicKey> {
        let live = self
            .ring
            .iter()
            .filter(move |key| key.usage.verifies_at(now));
        live.filter_map(|key| match &key.key {
            Verifies::Public(key) => Some(key),
            Verifies::Hmac(_) => None,
        })
    }

    pub(crate) fn signer(&self, now: Timestamp) -> Result<&Entry> {
        self.ring.maker(now).ok_or_else(|| {
            let message = "no key signs now: one is retired, and the next one not active yet";
            Error::new(ErrorKind::Unavailable, message)
        })
    }

    pub(crate) fn signers(&self) -> impl Iterator<Item = &Entry> {
        self.ring.makers()
    }

    pub(crate) fn find(&self, kid: &str, now: Timestamp) -> Option<&Entry> {
        self.ring.find(kid, now)
    }

    /// The key whose own header this is, to the letter.
    pub(crate) fn find_by_header(&self, header: &[u8], now: Timestamp) -> Option<&Entry> {
        let mut keys = self.ring.iter();
        keys.find(|key| key.header.as_bytes() == header)
            .filter(|key| key.usage.verifies_at(now))
    }
}

impl fmt::Debug for TokenKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.ring.iter()).finish()
    }
}

impl Entry {
    fn new(key: Verifies, signs: Option<Signs>) -> Self {
        let (kid, algorithm) = match &key {
            Verifies::Hmac(key) => (key.kid(), key.algorithm()),
            Verifies::Public(key) => (key.kid(), key.algorithm()),
        };
        Entry {
            usage: if signs.is_some() {
                Use::MAKES
            } else {
                Use::VERIFIES
            },
            header: header::signed(algorithm, kid).into(),
            key,
            signs,
        }
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        match &self.key {
            Verifies::Hmac(key) => key.algorithm(),
            Verifies::Public(key) => key.algorithm(),
        }
    }

    /// Takes how the payloads of its tokens begin.
    pub(crate) fn expect(&self, payload: &str) {
        if let Verifies::Hmac(key) = &self.key {
            key.expect(|| [&*self.header, ".", payload].concat());
        }
    }

    /// Whether this is the signature of the message, as it travels.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.key {
            Verifies::Hmac(key) => key.verify(message, signature),
            Verifies::Public(key) => {
                base64::decode(signature).is_some_and(|signature| key.verify(message, &signature))
            }
        }
    }

    /// Adds the signature to a message, behind a point.
    pub(crate) fn sign(&self, message: &mut String) -> Result<()> {
        match &self.signs {
            Some(Signs::Hmac(key)) => key.sign(message),
            Some(Signs::Private(key)) => {
                let signature = key.sign(message.as_bytes())?;
                message.push('.');
                base64::encode_to(signature, message);
            }
            None => return Err(Error::new(ErrorKind::Unsupported, "this key only verifies")),
        }
        Ok(())
    }

    /// How many bytes a signature has.
    pub(crate) fn signature_len(&self) -> usize {
        match (&self.signs, self.algorithm()) {
            (Some(Signs::Private(key)), _) => key.signature_len(),
            (_, Algorithm::HS384) => 48,
            (_, Algorithm::HS512) => 64,
            _ => 32,
        }
    }
}

impl Keyed for Entry {
    fn kid(&self) -> &str {
        match &self.key {
            Verifies::Hmac(key) => key.kid(),
            Verifies::Public(key) => key.kid(),
        }
    }

    fn print(&self) -> [u8; 32] {
        match &self.key {
            Verifies::Hmac(key) => key.print(),
            Verifies::Public(key) => key.print(),
        }
    }

    fn usage(&self) -> &Use {
        &self.usage
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("kid", &self.kid())
            .field("algorithm", &self.algorithm())
            .field("signs", &self.signs.is_some())
            .field("usage", &self.usage)
            .finish_non_exhaustive()
    }
}
