//! The master keys, and which of them counts when: data only, no algorithms.

use std::fmt;

use zeroize::Zeroizing;

use crate::{Error, ErrorKind, Result, Timestamp};

/// A master key: a name and at least 32 secret bytes, wiped from memory when dropped.
#[derive(Clone)]
pub struct MasterKey {
    id: String,
    secret: Zeroizing<Vec<u8>>,
    retired_at: Option<Timestamp>,
}

impl MasterKey {
    /// A key with this name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if the name is empty or over 128 bytes, the secret is shorter than
    /// 32 bytes, or all its bytes are equal.
    pub fn new(id: impl Into<String>, secret: impl Into<Vec<u8>>) -> Result<Self> {
        let (id, secret) = (id.into(), Zeroizing::new(secret.into()));
        let invalid = |message: String| Err(Error::new(ErrorKind::Invalid, message));
        if !(1..=128).contains(&id.len()) {
            return invalid("a key's id is 1 to 128 bytes long, such as \"2026-11\"".into());
        }
        if secret.len() < 32 {
            return invalid(format!(
                "key {id:?} has {} bytes: use at least 32 random ones, such as the output of `openssl rand -base64 32`",
                secret.len()
            ));
        }
        if secret.iter().all(|byte| *byte == secret[0]) {
            return invalid(format!(
                "all bytes of key {id:?} are equal: use random ones"
            ));
        }
        Ok(MasterKey {
            id,
            secret,
            retired_at: None,
        })
    }

    /// The key verifies until `at`, and nothing from then on.
    #[must_use]
    pub fn retired_at(mut self, at: Timestamp) -> Self {
        self.retired_at = Some(at);
        self
    }

    /// The key's name. Not secret.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The secret itself.
    pub fn expose(&self) -> &[u8] {
        &self.secret
    }

    /// Whether the key verifies at `now`.
    pub fn verifies_at(&self, now: Timestamp) -> bool {
        self.retired_at.is_none_or(|at| now < at)
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKey")
            .field("id", &self.id)
            .field("secret", &"***")
            .field("retired_at", &self.retired_at)
            .finish()
    }
}

/// One key that makes credentials, and earlier ones that still verify them.
#[derive(Clone, Debug)]
pub struct KeyRing {
    current: MasterKey,
    previous: Vec<MasterKey>,
}

impl KeyRing {
    /// A ring whose `current` key makes and verifies.
    pub fn new(current: MasterKey) -> Self {
        KeyRing {
            current,
            previous: Vec::new(),
        }
    }

    /// A ring with one random key, known to this process alone.
    pub fn random() -> Self {
        let secret: [u8; 32] = rand::random();
        KeyRing::new(MasterKey {
            id: "random".into(),
            secret: Zeroizing::new(secret.into()),
            retired_at: None,
        })
    }

    /// Adds a key that only verifies.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if the ring already has a key of that name or secret.
    pub fn previous(mut self, key: MasterKey) -> Result<Self> {
        if let Some(twin) = self
            .keys()
            .find(|known| known.id == key.id || known.secret == key.secret)
        {
            return Err(Error::new(
                ErrorKind::Invalid,
                format!(
                    "keys {:?} and {:?} have the same id or secret: each must be its own",
                    twin.id, key.id
                ),
            ));
        }
        self.previous.push(key);
        Ok(self)
    }

    /// The key that makes credentials.
    pub fn current(&self) -> &MasterKey {
        &self.current
    }

    /// Every key, the current one first, retired ones too.
    pub fn keys(&self) -> impl Iterator<Item = &MasterKey> {
        std::iter::once(&self.current).chain(&self.previous)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str, byte: u8) -> MasterKey {
        MasterKey::new(id, [&[byte; 31][..], &[0]].concat()).unwrap()
    }

    #[test]
    fn weak_keys_are_refused_with_the_reason() {
        for (secret, reason) in [
            (vec![1; 31], "31 bytes"),
            (vec![], "0 bytes"),
            (vec![7; 32], "equal"),
        ] {
            let error = MasterKey::new("k", secret).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.to_string().contains(reason), "{error}");
        }
        assert!(MasterKey::new("", vec![1; 40]).is_err());
    }

    #[test]
    fn twins_are_refused() {
        assert!(KeyRing::new(key("a", 1)).previous(key("a", 2)).is_err());
        assert!(KeyRing::new(key("a", 1)).previous(key("b", 1)).is_err());
    }

    #[test]
    fn a_retired_key_verifies_no_more() {
        let at = Timestamp::from_millis(100);
        let ring = KeyRing::new(key("new", 1))
            .previous(key("old", 2).retired_at(at))
            .unwrap();
        let ids = |now| {
            let verifying = ring.keys().filter(|key| key.verifies_at(now));
            verifying.map(MasterKey::id).collect::<Vec<_>>()
        };
        assert_eq!(ids(Timestamp::from_millis(99)), ["new", "old"]);
        assert_eq!(ids(at), ["new"]);
    }

    #[test]
    fn secrets_are_not_shown() {
        let shown = format!("{:?}", KeyRing::new(key("a", 0xab)));
        assert!(shown.contains("***") && !shown.contains("171"));
    }
}
