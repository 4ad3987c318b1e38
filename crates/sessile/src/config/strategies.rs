//! From a chosen section to its strategy: one function for each.

use std::sync::Arc;

use sessile_core::{KeyRing, Strategy};

use super::build::Parts;
use super::problem::{ConfigError, Problems};
use super::registry::Registry;
use super::sections::{Migrate, Phase, Sticky, Stored, Token};
use super::settings::Chosen;
use crate::{Capacity, Migration, Misrouted};

/// The strategy that was chosen. It connects to its store, if it has one.
pub(super) async fn strategy(
    chosen: &Chosen,
    parts: &Parts,
    registry: &Registry,
) -> Result<Arc<dyn Strategy>, ConfigError> {
    match chosen {
        Chosen::Sticky(settings) if settings.node.is_some() => {
            node(settings, parts, registry).await
        }
        Chosen::Sticky(settings) => Ok(alone(settings, parts)),
        Chosen::Stored(settings) => stored(settings, parts, registry).await,
        Chosen::Token(settings) => token(settings, parts, registry).await,
    }
}

/// The way to the strategy `to` from the one that is left.
pub(super) async fn migration(
    migrate: &Migrate,
    to: Arc<dyn Strategy>,
    parts: &Parts,
    registry: &Registry,
) -> Result<Arc<dyn Strategy>, ConfigError> {
    let mut keys = parts.keys.iter().flat_map(KeyRing::keys);
    let Some(key) = keys.find(|key| key.id() == migrate.key) else {
        return impossible("migrate.key", "names no key of [keys]");
    };
    let from: Arc<dyn Strategy> = match &migrate.from {
        // There may have been no keys before there was a migration to need them.
        Chosen::Stored(left) => Arc::new(
            store(left, parts, registry, "migrate.from")
                .await?
                .untagged_too(),
        ),
        left => strategy(left, parts, registry).await?,
    };
    let phase = match migrate.phase {
        Phase::Accept => crate::Phase::Accept,
        Phase::Issue | Phase::Refuse => crate::Phase::Issue,
    };
    let migration = Migration::between(from, to, key.clone());
    made("migrate", migration.map(|migration| migration.phase(phase)))
}

/// The memory of one process.
fn alone(settings: &Sticky, parts: &Parts) -> Arc<dyn Strategy> {
    let mut strategy = crate::Sticky::new().capacity(capacity(settings));
    if let Some(ring) = &parts.keys {
        strategy = strategy.keys(ring.clone());
    }
    Arc::new(strategy)
}

/// The memory of one node among others. What is impossible was refused before, so that an error
/// of the builder's has no better place than its section.
async fn node(
    settings: &Sticky,
    parts: &Parts,
    registry: &Registry,
) -> Result<Arc<dyn Strategy>, ConfigError> {
    let label = settings.node.as_deref().unwrap_or_default();
    let mut node = crate::Sticky::node(label).capacity(capacity(settings));
    if let Some(ring) = &parts.keys {
        node = node.keys(ring.clone());
    }
    node = node.misrouted(settings.answers());
    let Some(url) = &settings.backing else {
        return made("sticky", node.build());
    };
    let mut node = node.backing(registry.connect(url, "sticky.backing").await?);
    if let Some(revalidate) = settings.revalidate {
        node = node.revalidate(revalidate);
    }
    made("sticky", node.build())
}

async fn stored(
    settings: &Stored,
    parts: &Parts,
    registry: &Registry,
) -> Result<Arc<dyn Strategy>, ConfigError> {
    Ok(Arc::new(
        store(settings, parts, registry, "stored.url").await?,
    ))
}

async fn store(
    settings: &Stored,
    parts: &Parts,
    registry: &Registry,
    path: &'static str,
) -> Result<crate::Stored, ConfigError> {
    let strategy = crate::Stored::new(registry.connect(&settings.url, path).await?);
    Ok(match &parts.keys {
        Some(ring) => strategy.keys(ring.clone()),
        None => strategy,
    })
}

#[cfg(feature = "token")]
async fn token(
    settings: &Token,
    parts: &Parts,
    registry: &Registry,
) -> Result<Arc<dyn Strategy>, ConfigError> {
    let Some(keys) = &parts.token else {
        return impossible("token.keys", "is missing: write the key that signs");
    };
    let mut builder = keys
        .builder()
        .issuer(&settings.issuer)
        .audience(&settings.audience);
    if let Some(life) = settings.life {
        builder = builder.life(life);
    }
    if let Some(tokens) = settings.remember {
        builder = builder.remember(tokens);
    }
    if let Some(revocation) = &settings.revocation {
        let store = registry.connect(&revocation.url, "token.revocation.url");
        builder = builder.revocation(store.await?);
        if let Some(bound) = revocation.within {
            builder = builder.within(bound);
        }
    }
    let strategy = made("token", builder.build())?;
    keys.watch(&strategy);
    Ok(strategy)
}

#[cfg(not(feature = "token"))]
async fn token(_: &Token, _: &Parts, _: &Registry) -> Result<Arc<dyn Strategy>, ConfigError> {
    impossible("strategy", &super::build::needs("token"))
}

fn capacity(settings: &Sticky) -> Capacity {
    settings
        .capacity
        .map(Capacity::sessions)
        .unwrap_or_default()
}

fn made<S: Strategy>(
    path: &str,
    built: Result<S, impl std::error::Error>,
) -> Result<Arc<dyn Strategy>, ConfigError> {
    let mut problems = Problems::default();
    let strategy = problems.check(path, built);
    problems.none_or(strategy.map(|strategy| Arc::new(strategy) as Arc<dyn Strategy>))
}

fn impossible(path: &str, message: &str) -> Result<Arc<dyn Strategy>, ConfigError> {
    let mut problems = Problems::default();
    problems.add(path, message);
    problems.none_or(None)
}

impl Sticky {
    /// What is done with a session of another node. Who names peers wants them asked, and who
    /// names a store wants it used.
    fn answers(&self) -> Vec<Misrouted> {
        use super::sections::Misrouted as Word;
        if self.misrouted.is_empty() {
            let first = self.peers.as_ref().map(|_| Misrouted::Forward);
            let last = match self.adopts() {
                true => Misrouted::Adopt,
                false => Misrouted::Fail,
            };
            return first.into_iter().chain([last]).collect();
        }
        let answer = |word: &Word| match word {
            Word::Forward => Misrouted::Forward,
            Word::Adopt => Misrouted::Adopt,
            Word::Fail => Misrouted::Fail,
        };
        self.misrouted.iter().map(answer).collect()
    }
}
