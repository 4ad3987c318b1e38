//! `[keys]`: the master ring.

use crate::config::fields::Fields;
use crate::config::problem::Problems;
use crate::config::secret::{self, Secret};
use crate::{KeyRing, MasterKey};

#[derive(Clone, Debug)]
pub(in crate::config) struct Keys(Vec<Source>);

/// A key that may still have to be fetched.
#[derive(Clone, Debug)]
struct Source {
    path: String,
    id: String,
    secret: Secret,
}

impl Keys {
    /// Keys that stand in the file are checked at once.
    pub(in crate::config) fn read(table: &Fields<'_>, problems: &mut Problems) -> Option<Self> {
        let all = std::iter::once(table.at("current")).chain(table.at("previous").items());
        let keys: Option<Vec<_>> = all.map(|key| Source::read(&key)).collect();
        let keys = Keys(keys?);
        for (at, key) in keys.0.iter().enumerate() {
            if keys.0[..at].iter().any(|earlier| earlier.id == key.id) {
                problems.add(
                    &format!("{}.id", key.path),
                    "is another key's as well: give each a name of its own",
                );
            }
        }
        keys.collect(Secret::is_here, problems);
        Some(keys)
    }

    pub(in crate::config) fn has(&self, id: &str) -> bool {
        self.0.iter().any(|key| key.id == id)
    }

    pub(in crate::config) fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|key| key.id.as_str())
    }

    /// The ring; reads variables and files.
    pub(in crate::config) fn ring(&self, problems: &mut Problems) -> Option<KeyRing> {
        self.collect(|_| true, problems)
    }

    fn collect(&self, which: impl Fn(&Secret) -> bool, problems: &mut Problems) -> Option<KeyRing> {
        let mut ring: Option<KeyRing> = None;
        for source in self.0.iter().filter(|source| which(&source.secret)) {
            let Some(key) = source.fetch(problems) else {
                continue;
            };
            ring = match ring {
                None => Some(KeyRing::new(key)),
                Some(earlier) if earlier.keys().any(|known| known.id() == key.id()) => {
                    Some(earlier)
                }
                // The names differ, so it is the secret.
                Some(earlier) => Some(earlier.clone().previous(key).unwrap_or_else(|_| {
                    let message = "has the secret of another key: write one of its own";
                    problems.add(&source.path, message);
                    earlier
                })),
            };
        }
        ring
    }
}

impl Source {
    fn read(table: &Fields<'_>) -> Option<Self> {
        Some(Source {
            path: table.path().to_owned(),
            id: table.at("id").text()?.to_owned(),
            secret: Secret::from(table)?,
        })
    }

    fn fetch(&self, problems: &mut Problems) -> Option<MasterKey> {
        let path = format!("{}.{}", self.path, self.secret.key().unwrap_or("value"));
        let text = problems.check(&path, self.secret.read())?;
        let bytes = problems.check(&path, secret::bytes(&text))?;
        problems.check(&path, MasterKey::new(&self.id, bytes.to_vec()))
    }
}
