//! A ring: which key makes, which ones verify, and when.

use sessile_core::{Result, Timestamp};

use super::invalid;

/// When a key is used for what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Use {
    /// It makes tokens from here on, if it makes any.
    pub(crate) makes_from: Option<Timestamp>,
    /// It neither makes nor verifies from here on.
    pub(crate) retired_at: Option<Timestamp>,
}

impl Use {
    pub(crate) const MAKES: Use = Use {
        makes_from: Some(Timestamp::from_millis(0)),
        retired_at: None,
    };
    pub(crate) const VERIFIES: Use = Use {
        makes_from: None,
        retired_at: None,
    };

    pub(crate) fn verifies_at(&self, now: Timestamp) -> bool {
        self.retired_at.is_none_or(|at| now < at)
    }
}

/// A key in a ring.
pub(crate) trait Keyed {
    fn kid(&self) -> &str;
    /// Equal for equal keys, and tells nothing about a secret one.
    fn print(&self) -> [u8; 32];
    fn usage(&self) -> &Use;
}

/// One `kid`, one key; one key, one `kid`.
#[derive(Clone, Debug)]
pub(crate) struct Ring<K>(Vec<K>);

impl<K: Keyed> Ring<K> {
    pub(crate) fn new(first: K) -> Self {
        Ring(vec![first])
    }

    pub(crate) fn add(&mut self, key: K) -> Result<()> {
        let twin = |known: &&K| known.kid() == key.kid() || known.print() == key.print();
        if let Some(twin) = self.0.iter().find(twin) {
            return Err(invalid(format!(
                "the keys {:?} and {:?} have the same id or are the same key: each must be its own",
                twin.kid(),
                key.kid()
            )));
        }
        self.0.push(key);
        Ok(())
    }

    /// The key that makes tokens at `now`: of those that do, the one that began last.
    pub(crate) fn maker(&self, now: Timestamp) -> Option<&K> {
        self.iter()
            .filter(|key| key.usage().verifies_at(now))
            .filter_map(|key| Some((key.usage().makes_from?, key)))
            .filter(|(from, _)| *from <= now)
            .max_by_key(|(from, _)| *from)
            .map(|(_, key)| key)
    }

    /// All keys that make tokens, now or some day.
    pub(crate) fn makers(&self) -> impl Iterator<Item = &K> {
        self.iter().filter(|key| key.usage().makes_from.is_some())
    }

    /// The key of this name, if it verifies at `now`. Also one that makes none yet: other nodes
    /// may have begun.
    pub(crate) fn find(&self, kid: &str, now: Timestamp) -> Option<&K> {
        self.iter()
            .find(|key| key.kid() == kid)
            .filter(|key| key.usage().verifies_at(now))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &K> {
        self.0.iter()
    }
}

impl<'a, K> IntoIterator for &'a mut Ring<K> {
    type Item = &'a mut K;
    type IntoIter = std::slice::IterMut<'a, K>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter_mut()
    }
}
