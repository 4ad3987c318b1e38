//! `[migrate]`: from another strategy to this one.

use super::{Keys, Sticky, Stored, Token};
use crate::config::examine::either;
use crate::config::fields::Fields;
use crate::config::problem::Problems;
use crate::config::settings::Chosen;
use crate::config::url::StoreUrl;

#[derive(Clone, Debug)]
pub(in crate::config) struct Migrate {
    /// What is left.
    pub(in crate::config) from: Chosen,
    /// Which of `[keys]` derives the new credentials.
    pub(in crate::config) key: String,
    pub(in crate::config) phase: Phase,
}

/// How far a migration is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) enum Phase {
    Accept,
    Issue,
    Refuse,
}

impl Phase {
    /// Whether what is left is still looked at.
    pub(in crate::config) fn looks_back(self) -> bool {
        self != Phase::Refuse
    }
}

impl Migrate {
    pub(in crate::config) fn read(
        root: &Fields<'_>,
        to: Option<&Chosen>,
        keys: Option<&Keys>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let table = root.at("migrate");
        check_key(&table.at("key"), root, keys, problems);
        check_target(&root.at("strategy"), to, problems);
        let (from, url) = (table.at("from").at("strategy"), table.at("from").at("url"));
        let is_another = url.is_there() && from.text() != Some("token");
        if root.at("strategy").text() == from.text() && !is_another {
            problems.add(
                from.path(),
                "is the strategy that is in use: write the one that is left, or the store that is left as from.url, or remove [migrate]",
            );
            return None;
        }
        let mut from = Chosen::read(&from, root, problems)?;
        if let Some(text) = url.text() {
            let left = StoreUrl::new(text);
            match &mut from {
                Chosen::Stored(stored) => stored.url = left,
                Chosen::Sticky(sticky) => sticky.backing = Some(left),
                Chosen::Token(_) => problems.add(
                    url.path(),
                    "is for sessions that are in a store: tokens are with their clients; remove it",
                ),
            }
        }
        if let Chosen::Sticky(Sticky { backing: None, .. }) = from {
            problems.add(
                table.at("from").path(),
                "are sessions in memory, which end with their process: there is nothing to migrate; remove [migrate], or write the sticky.backing that they were in",
            );
        }
        Some(Migrate {
            from,
            key: table.at("key").text()?.to_owned(),
            phase: match table.at("phase").text()? {
                "accept" => Phase::Accept,
                "issue" => Phase::Issue,
                _ => Phase::Refuse,
            },
        })
    }
}

/// A moved session is its own marker; the target has to keep it until the old credential is past
/// its life.
fn check_target(strategy: &Fields<'_>, to: Option<&Chosen>, problems: &mut Problems) {
    let message = match to {
        Some(Chosen::Sticky(Sticky { backing: None, .. })) => {
            "can't be migrated to without a backing store: a restart would forget which sessions have moved, and old credentials would open them again; write sticky.backing"
        }
        Some(Chosen::Token(Token {
            revocation: None, ..
        })) => {
            "can't be migrated to without revocation: nothing would remember which sessions have moved, and old credentials would open them again; write token.revocation"
        }
        Some(Chosen::Sticky(_) | Chosen::Token(_) | Chosen::Stored(Stored { .. })) | None => return,
    };
    problems.add(strategy.path(), message);
}

fn check_key(key: &Fields<'_>, root: &Fields<'_>, keys: Option<&Keys>, problems: &mut Problems) {
    if !root.at("keys").is_there() {
        problems.add(root.at("keys").path(), "is missing: [migrate] derives the new credentials from one of its keys; write keys.current = { id = \"2026-11\", env = \"SESSILE_KEY\" }");
    } else if let (Some(id), Some(keys)) = (key.text(), keys)
        && !keys.has(id)
    {
        let ids = either(keys.ids().map(|id| format!("\"{id}\"")), "or");
        problems.add(key.path(), format!("names no key of [keys]: write {ids}"));
    }
}
