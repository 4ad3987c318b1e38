//! Keys that seal: AES-256-GCM, and how often each of them may.

use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use sessile_core::{Error, ErrorKind, Result, Timestamp};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::hmac::other_kind;
use super::jwk::{Jwk, thumbprint};
use super::ring::{Keyed, Ring};
use super::{Use, check_kid, invalid};
use crate::{base64, header};

/// With random nonces of 96 bits, so many seals leave a chance of two equal ones of 2^-33 (NIST SP
/// 800-38D, section 8.3): two equal ones would give the key away.
const MOST_SEALS: u64 = 1 << 32;

pub(crate) const NONCE: usize = 12;
pub(crate) const TAG: usize = 16;

/// A secret of exactly 32 bytes that seals and opens. Wiped from memory when dropped, never shown.
#[derive(Clone)]
pub struct SealingKey {
    kid: Box<str>,
    print: [u8; 32],
    usage: Use,
    most: u64,
    seals: Arc<AtomicU64>,
    key: Arc<LessSafeKey>,
    /// The header for the first place that was asked for; mostly there is no other.
    usual: Arc<OnceLock<Usual>>,
}

struct Usual {
    audience: Box<str>,
    carrier: Box<str>,
    header: Box<str>,
}

impl SealingKey {
    /// A key of these bytes, named by its thumbprint (RFC 7638).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] unless there are exactly 32 bytes, which are not all equal, and no
    /// key of another kind.
    pub fn new(secret: impl Into<Vec<u8>>) -> Result<Self> {
        let secret = Zeroizing::new(secret.into());
        if let Some(what) = other_kind(&secret) {
            return Err(invalid(format!(
                "the secret is {what}: use 32 random bytes"
            )));
        }
        if secret.len() != 32 {
            return Err(invalid(format!(
                "the secret has {} bytes, and A256GCM takes exactly 32 random ones, such as the output of `openssl rand 32`",
                secret.len()
            )));
        }
        if secret.iter().all(|byte| *byte == secret[0]) {
            return Err(invalid(
                "all bytes of the secret are equal: use random ones",
            ));
        }
        let key = UnboundKey::new(&AES_256_GCM, &secret)
            .map_err(|error| invalid("the secret can't be used").with_source(error))?;
        let k = Zeroizing::new(base64::encode(&*secret));
        Ok(SealingKey {
            kid: thumbprint(&[("k", &k), ("kty", "oct")]).into(),
            print: Sha256::digest(&*secret).into(),
            usage: Use::MAKES,
            most: MOST_SEALS,
            seals: Arc::default(),
            key: Arc::new(LessSafeKey::new(key)),
            usual: Arc::default(),
        })
    }

    /// A key whose bytes are written as base64url. The other alphabet and padding are read as well.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new), and for any other text.
    pub fn from_base64url(text: &str) -> Result<Self> {
        let secret = base64::decode_secret(text);
        SealingKey::new(secret.ok_or_else(|| {
            invalid("the secret is no base64url: write it with A-Z, a-z, 0-9, - and _")
        })?)
    }

    /// A key as a JWK of type `oct`, with its `kid` if it has one.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new), and for a JWK of another type, use or algorithm than `A256GCM` or
    /// `dir`.
    pub fn from_jwk(text: &str) -> Result<Self> {
        let jwk = Jwk::parse(text, "enc", &["encrypt", "decrypt"])?;
        if jwk.kty != "oct" || !matches!(jwk.alg.as_deref(), None | Some("A256GCM" | "dir")) {
            return Err(invalid(
                "the JWK is for something else: its \"kty\" has to be \"oct\" and its \"alg\" \"A256GCM\"",
            ));
        }
        let key = SealingKey::new(jwk.need("k")?)?;
        match &jwk.kid {
            Some(kid) => key.named(kid),
            None => Ok(key),
        }
    }

    /// The same key under another name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if the name is empty or longer than 128 bytes.
    pub fn named(mut self, kid: &str) -> Result<Self> {
        self.kid = check_kid(kid)?;
        self.usual = Arc::default();
        Ok(self)
    }

    /// It seals from `at` on, and opens at once: publish first, seal later.
    #[must_use]
    pub fn active_from(mut self, at: Timestamp) -> Self {
        self.usage.makes_from = Some(at);
        self
    }

    /// It neither seals nor opens from `at` on.
    #[must_use]
    pub fn retired_at(mut self, at: Timestamp) -> Self {
        self.usage.retired_at = Some(at);
        self
    }

    /// It seals at most so many tokens in this process, and refuses to after that. The bound of
    /// 2^32 is one for all processes with this key together, for each life of it: with `n` nodes,
    /// and restarts, give each its share. Default and most: 2^32.
    #[must_use]
    pub fn seals_at_most(mut self, seals: u64) -> Self {
        self.most = seals.min(MOST_SEALS);
        self
    }

    /// The key's name, the `kid` of a header. Not secret.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The header of a token by this key, as it travels.
    pub(crate) fn header(&self, audience: &str, carrier: &str) -> Cow<'_, str> {
        let write = || header::sealed(&self.kid, audience, carrier);
        let usual = self.usual.get_or_init(|| Usual {
            audience: audience.into(),
            carrier: carrier.into(),
            header: write().into(),
        });
        if *usual.audience == *audience && *usual.carrier == *carrier {
            Cow::Borrowed(&usual.header)
        } else {
            Cow::Owned(write())
        }
    }

    /// How many tokens it sealed in this process.
    pub fn seals(&self) -> u64 {
        self.seals.load(Ordering::Relaxed).min(self.most)
    }

    /// Seals `text` in place and returns the tag.
    pub(crate) fn seal(
        &self,
        nonce: [u8; NONCE],
        aad: &[u8],
        text: &mut [u8],
    ) -> Result<[u8; TAG]> {
        // Beyond the bound it goes on counting; 2^64 are out of reach.
        if self.seals.fetch_add(1, Ordering::Relaxed) >= self.most {
            let message = format!(
                "the key {:?} has sealed as many tokens as it may: add another one to the ring that seals",
                self.kid
            );
            return Err(Error::new(ErrorKind::Unavailable, message));
        }
        let nonce = Nonce::assume_unique_for_key(nonce);
        let failed = |error: aws_lc_rs::error::Unspecified| {
            Error::new(ErrorKind::Unavailable, "the token could not be sealed").with_source(error)
        };
        let tag = self
            .key
            .seal_in_place_separate_tag(nonce, Aad::from(aad), text)
            .map_err(failed)?;
        let mut bytes = [0; TAG];
        bytes.copy_from_slice(tag.as_ref());
        Ok(bytes)
    }

    /// Opens `sealed` in place. What was there before the tag was checked is not handed out
    /// (RUSTSEC-2023-0096).
    pub(crate) fn open<'a>(
        &self,
        nonce: [u8; NONCE],
        aad: &[u8],
        sealed: &'a mut [u8],
        tag: &[u8; TAG],
    ) -> Option<&'a [u8]> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.key
            .open_in_place_separate_tag(nonce, Aad::from(aad), tag, sealed)
            .ok()
            .map(|opened| &*opened)
    }
}

impl Keyed for SealingKey {
    fn kid(&self) -> &str {
        &self.kid
    }

    fn print(&self) -> [u8; 32] {
        self.print
    }

    fn usage(&self) -> &Use {
        &self.usage
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealingKey")
            .field("kid", &self.kid)
            .field("usage", &self.usage)
            .field("seals", &self.seals())
            .field("secret", &"***")
            .finish_non_exhaustive()
    }
}

/// One key that seals, and any number that open. Kept apart from [`TokenKeys`](crate::TokenKeys):
/// a key has one use.
#[derive(Clone, Debug)]
pub struct SealingKeys(Ring<SealingKey>);

impl SealingKeys {
    /// A ring whose one key seals and opens.
    pub fn new(key: SealingKey) -> Self {
        SealingKeys(Ring::new(key))
    }

    /// Adds a key that seals, too. Of those that seal at a time, the one that began last does.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if a key of this name or this very key is there already.
    pub fn seal(mut self, key: SealingKey) -> Result<Self> {
        self.0.add(key)?;
        Ok(self)
    }

    /// Adds a key that only opens.
    ///
    /// # Errors
    ///
    /// As [`seal`](Self::seal).
    pub fn open(self, mut key: SealingKey) -> Result<Self> {
        key.usage.makes_from = None;
        self.seal(key)
    }

    pub(crate) fn sealer(&self, now: Timestamp) -> Result<&SealingKey> {
        self.0.maker(now).ok_or_else(|| {
            let message = "no key seals now: one is retired, and the next one not active yet";
            Error::new(ErrorKind::Unavailable, message)
        })
    }

    pub(crate) fn sealers(&self) -> impl Iterator<Item = &SealingKey> {
        self.0.makers()
    }

    pub(crate) fn find(&self, kid: &str, now: Timestamp) -> Option<&SealingKey> {
        self.0.find(kid, now)
    }

    /// The key whose own header for this place this is, to the letter.
    pub(crate) fn find_by_header(
        &self,
        header: &[u8],
        audience: &str,
        carrier: &str,
        now: Timestamp,
    ) -> Option<&SealingKey> {
        let mut keys = self.iter();
        keys.find(|key| key.header(audience, carrier).as_bytes() == header)
            .filter(|key| key.usage.verifies_at(now))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &SealingKey> {
        self.0.iter()
    }

    /// Goes on counting where `previous` was: a key that is read again has not become younger.
    pub(crate) fn inherit_counts(&mut self, previous: &SealingKeys) {
        for key in &mut self.0 {
            if let Some(known) = previous.iter().find(|known| known.print == key.print) {
                key.seals.clone_from(&known.seals);
            }
        }
    }
}
