//! A file of keys: a JWK set (RFC 7517, section 5), its first key to make tokens.

use std::path::{Path, PathBuf};

use sessile_core::{Error, ErrorKind, Result};
use zeroize::Zeroizing;

use super::{KeySource, LiveKeys, SealingKeys, TokenKeys, invalid};
use crate::json;

impl LiveKeys<TokenKeys> {
    /// Reads a JWK set from a file: its first key signs, and all of them verify. Each key has its
    /// `alg`, and should have a `kid`. So keys are rotated by writing the file anew, on every node,
    /// and calling [`reload`](Self::reload): the new key behind the old one, then before it, and
    /// when the last token of the old one has run out, alone. Replace the file by renaming another
    /// one to its name, or it may be read half written, and refused until the next time.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if the file can't be read or is no such set, if a key is weak, or if
    /// they do not go together.
    pub fn from_jwk_set(path: impl Into<PathBuf>) -> Result<Self> {
        LiveKeys::from_file(path.into(), |path| {
            with_keys(path, |first, others| {
                let ring = TokenKeys::new(first.signing()?);
                let mut others = others.iter();
                others.try_fold(ring, |ring, other| ring.verify(other.verifying()?))
            })
        })
    }
}

impl LiveKeys<SealingKeys> {
    /// Reads a JWK set from a file: its first key seals, and all of them open. See the method of
    /// that name for keys that sign.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if the file can't be read or is no such set, if a key is weak, or if
    /// one is there twice.
    pub fn from_jwk_set(path: impl Into<PathBuf>) -> Result<Self> {
        LiveKeys::from_file(path.into(), |path| {
            with_keys(path, |first, others| {
                let ring = SealingKeys::new(first.sealing()?);
                let mut others = others.iter();
                others.try_fold(ring, |ring, other| ring.open(other.sealing()?))
            })
        })
    }
}

fn with_keys<R>(
    path: &Path,
    ring: impl FnOnce(&KeySource, &[KeySource]) -> Result<R>,
) -> Result<R> {
    let named = |error: Error| {
        let message = format!("the keys in the file {}: {error}", path.display());
        Error::new(ErrorKind::Invalid, message)
    };
    let text = Zeroizing::new(std::fs::read_to_string(path).map_err(|error| {
        invalid(format!("the file {} can't be read", path.display())).with_source(error)
    })?);
    let keys = keys(&text)
        .ok_or_else(|| named(invalid("they are no JWK set: write {\"keys\": [{…}, {…}]}")))?;
    let (first, others) = keys
        .split_first()
        .ok_or_else(|| named(invalid("there is none")))?;
    ring(first, others).map_err(named)
}

fn keys(text: &str) -> Option<Vec<KeySource>> {
    let mut keys = None;
    json::object(text.trim(), |name, value| {
        if name == "keys" {
            let jwks = json::elements(value)?;
            keys = Some(jwks.into_iter().map(KeySource::text).collect());
        }
        Some(())
    })?;
    keys
}
