//! From settings to a layer.
//!
//! One function for each strategy, and above them [`lacks`], which says what this build can't do:
//! a strategy that comes to the crate is written into the one and struck from the other.

use sessile_core::KeyRing;

use super::problem::{ConfigError, Problems};
use super::registry::Registry;
use super::sections::{Sticky, Stored, Token};
use super::settings::{Chosen, Settings};
use super::url::StoreUrl;
use crate::{Capacity, MemoryStore, SessionLayer};

/// What settings point to, fetched and checked.
#[derive(Debug)]
pub(super) struct Parts {
    keys: Option<KeyRing>,
}

impl Parts {
    /// Everything that a layer needs and that is had without connecting.
    pub(super) fn gather(settings: &Settings, registry: &Registry) -> Result<Self, ConfigError> {
        let mut problems = Problems::default();
        lacks(settings, &mut problems);
        for (path, url) in settings.chosen().flat_map(urls) {
            problems.check(path, registry.check(url));
        }
        let keys = settings
            .keys
            .as_ref()
            .and_then(|keys| keys.ring(&mut problems));
        for chosen in settings.chosen() {
            if let Chosen::Token(token) = chosen {
                token.fetch_keys(&mut problems);
            }
        }
        if let Some(promised) = promised(settings, registry) {
            settings.require.check(&promised, &mut problems);
        }
        problems.none_or(Some(Parts { keys }))
    }
}

/// The layer of these settings.
pub(super) async fn layer(
    settings: &Settings,
    parts: Parts,
    registry: &Registry,
) -> Result<SessionLayer, ConfigError> {
    let layer = match &settings.strategy {
        Chosen::Sticky(settings) => sticky(settings, parts),
        Chosen::Stored(settings) => stored(settings, parts, registry).await?,
        Chosen::Token(settings) => token(settings)?,
    };
    let layer = layer
        .cookie(settings.cookie.clone())
        .carriers(settings.carriers.iter().cloned())
        .lifetime(settings.lifetime);
    let mut problems = Problems::default();
    settings
        .require
        .check(&layer.sessions().guarantees(), &mut problems);
    problems.none_or(Some(layer))
}

fn sticky(settings: &Sticky, parts: Parts) -> SessionLayer {
    let mut strategy = crate::Sticky::new();
    if let Some(sessions) = settings.capacity {
        strategy = strategy.capacity(Capacity::sessions(sessions));
    }
    if let Some(ring) = parts.keys {
        strategy = strategy.keys(ring);
    }
    SessionLayer::new(strategy)
}

async fn stored(
    settings: &Stored,
    parts: Parts,
    registry: &Registry,
) -> Result<SessionLayer, ConfigError> {
    let store = registry.connect(&settings.url, "stored.url").await?;
    let mut strategy = crate::Stored::new(store);
    if let Some(ring) = parts.keys {
        strategy = strategy.keys(ring);
    }
    Ok(SessionLayer::new(strategy))
}

fn token(_settings: &Token) -> Result<SessionLayer, ConfigError> {
    let mut problems = Problems::default();
    problems.add("strategy", needs("token"));
    problems.none_or(None)
}

/// What settings ask for and this build does not have.
fn lacks(settings: &Settings, problems: &mut Problems) {
    for chosen in settings.chosen() {
        match chosen {
            Chosen::Token(_) => problems.add(path_of(settings, chosen), needs("token")),
            Chosen::Sticky(sticky) => lacks_for_nodes(sticky, problems),
            Chosen::Stored(_) => {}
        }
    }
    if settings.migrate.is_some() {
        problems.add("migrate", "is not in this version of sessile: remove it");
    }
}

fn lacks_for_nodes(sticky: &Sticky, problems: &mut Problems) {
    let alone = "is for several nodes, which this version of sessile does not have: remove it";
    if sticky.node.is_some() {
        problems.add("sticky.node", alone);
    }
    if sticky.backing.is_some() {
        problems.add("sticky.backing", alone);
    }
    if !sticky.misrouted.is_empty() {
        problems.add("sticky.misrouted", alone);
    }
    if sticky.peers.is_some() {
        problems.add("sticky.peers", needs("forward"));
    }
}

/// The message for what a feature would bring.
pub(super) fn needs(feature: &str) -> String {
    format!("needs what this build does not have: enable the feature `{feature}` of sessile")
}

/// What is promised, where no store has to be asked.
fn promised(settings: &Settings, registry: &Registry) -> Option<crate::Guarantees> {
    use sessile_core::{Store as _, Strategy as _};
    match &settings.strategy {
        Chosen::Sticky(Sticky {
            backing: None,
            node: None,
            ..
        }) => Some(crate::Sticky::new().guarantees()),
        Chosen::Stored(Stored { url }) if url.scheme() == "memory" && !registry.has("memory") => {
            Some(MemoryStore::default().guarantees())
        }
        _ => None,
    }
}

/// The stores that a strategy connects to.
fn urls(chosen: &Chosen) -> Option<(&'static str, &StoreUrl)> {
    match chosen {
        Chosen::Sticky(sticky) => sticky.backing.as_ref().map(|url| ("sticky.backing", url)),
        Chosen::Stored(stored) => Some(("stored.url", &stored.url)),
        Chosen::Token(token) => {
            let revocation = token.revocation.as_ref()?;
            Some(("token.revocation.url", &revocation.url))
        }
    }
}

fn path_of(settings: &Settings, chosen: &Chosen) -> &'static str {
    match std::ptr::eq(chosen, &settings.strategy) {
        true => "strategy",
        false => "migrate.from.strategy",
    }
}
