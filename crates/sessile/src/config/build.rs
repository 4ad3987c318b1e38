//! From settings to a layer.
//!
//! [`Parts`] is what settings point to, gathered without connecting; [`layer`] connects. A strategy
//! is made by one function, for whoever needs one.

use std::sync::Arc;

use sessile_core::{KeyRing, Strategy};

use super::jose::TokenKeys;
use super::problem::{ConfigError, Problems};
use super::registry::Registry;
use super::settings::{Chosen, Settings};
use super::url::StoreUrl;
use super::{promised, strategies};
use crate::{SessionLayer, telemetry};

/// What settings point to, fetched and checked.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) keys: Option<KeyRing>,
    /// Only if tokens are in use.
    #[cfg_attr(not(feature = "token"), expect(dead_code))]
    pub(super) token: Option<TokenKeys>,
    #[cfg(feature = "forward")]
    pub(super) peers: Option<crate::Peers>,
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
        let token = settings.chosen().find_map(|chosen| match chosen {
            Chosen::Token(token) => TokenKeys::gather(token, &mut problems),
            Chosen::Sticky(_) | Chosen::Stored(_) => None,
        });
        #[cfg(feature = "forward")]
        let peers = settings.chosen().find_map(|chosen| match chosen {
            Chosen::Sticky(sticky) => sticky.peers.as_ref(),
            Chosen::Stored(_) | Chosen::Token(_) => None,
        });
        #[cfg(feature = "forward")]
        let peers = peers.and_then(|peers| problems.check("sticky.peers", peers.build()));
        let parts = Parts {
            keys,
            token,
            #[cfg(feature = "forward")]
            peers,
        };
        let promised = promised::at_best(&settings.strategy, registry);
        settings.require.check(&promised, &mut problems);
        problems.none_or(Some(parts))
    }
}

/// The layer of these settings.
pub(super) async fn layer(
    settings: &Settings,
    parts: &Parts,
    registry: &Registry,
) -> Result<SessionLayer, ConfigError> {
    let strategy = strategies::strategy(&settings.strategy, parts, registry).await?;
    let strategy = match settings.left() {
        Some(migrate) => strategies::migration(migrate, strategy, parts, registry).await?,
        None => strategy,
    };
    let promised = strategy.guarantees();
    let mut problems = Problems::default();
    settings.require.check(&promised, &mut problems);
    problems.none_or(Some(()))?;
    telemetry::promised(settings.strategy.name(), &promised);
    Ok(of(strategy, settings, parts))
}

/// A strategy's layer, as the rest of the settings describe it.
fn of(strategy: Arc<dyn Strategy>, settings: &Settings, parts: &Parts) -> SessionLayer {
    let layer = SessionLayer::of(strategy)
        .cookie(settings.cookie.clone())
        .carriers(settings.carriers.iter().cloned())
        .lifetime(settings.lifetime);
    parts.forwarding(layer)
}

impl Parts {
    #[cfg(feature = "forward")]
    fn forwarding(&self, layer: SessionLayer) -> SessionLayer {
        match &self.peers {
            Some(peers) => layer.peers(peers.clone()),
            None => layer,
        }
    }

    #[cfg(not(feature = "forward"))]
    fn forwarding(&self, layer: SessionLayer) -> SessionLayer {
        layer
    }
}

/// What settings ask for and this build does not have.
fn lacks(settings: &Settings, problems: &mut Problems) {
    for chosen in settings.chosen() {
        match chosen {
            Chosen::Token(_) if !cfg!(feature = "token") => {
                problems.add(path_of(settings, chosen), needs("token"));
            }
            Chosen::Sticky(sticky) if sticky.peers.is_some() && !cfg!(feature = "forward") => {
                problems.add("sticky.peers", needs("forward"));
            }
            Chosen::Sticky(_) | Chosen::Stored(_) | Chosen::Token(_) => {}
        }
    }
}

/// The message for what a feature would bring.
pub(super) fn needs(feature: &str) -> String {
    format!("needs what this build does not have: enable the feature `{feature}` of sessile")
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
