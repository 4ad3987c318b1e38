//! What a strategy promises at best, as far as that can be told without asking its store.

use std::time::Duration;

use super::registry::Registry;
use super::sections::{Sticky, Token};
use super::settings::Chosen;
use super::url::StoreUrl;
use crate::{Durability, Guarantees, Revocation, Writes};

/// The promises of the strategy, over a store that promises all that a store can. What is required
/// beyond that can't be had, whatever the store says.
pub(super) fn at_best(chosen: &Chosen, registry: &Registry) -> Guarantees {
    let of = |url: &StoreUrl| match url.scheme() == "memory" && !registry.has("memory") {
        true => volatile(),
        false => Guarantees::shared(Durability::Acknowledged),
    };
    match chosen {
        Chosen::Sticky(settings) => match &settings.backing {
            None => volatile(),
            Some(url) => node(settings, of(url)),
        },
        Chosen::Stored(settings) => of(&settings.url),
        Chosen::Token(settings) => {
            let store = settings.revocation.as_ref().map(|kept| of(&kept.url));
            token(settings, store)
        }
    }
}

fn volatile() -> Guarantees {
    Guarantees::volatile(sessile_core::RECORD_LIMIT)
}

fn node(settings: &Sticky, store: Guarantees) -> Guarantees {
    let mut best = store;
    best.any_node &= settings.adopts();
    best.revocation = within(settings.revalidate);
    best
}

fn token(settings: &Token, store: Option<Guarantees>) -> Guarantees {
    let mut best = Guarantees::shared(Durability::Acknowledged);
    best.writes = Writes::LastResponseWins;
    best.revocation = match &settings.revocation {
        Some(kept) => within(kept.within),
        None => Revocation::AtExpiry,
    };
    if let Some(store) = store {
        best.scope = store.scope;
        best.durability = store.durability;
    }
    best
}

/// A bound, 5 seconds by default.
fn within(bound: Option<Duration>) -> Revocation {
    match bound.unwrap_or(Duration::from_secs(5)) {
        Duration::ZERO => Revocation::Immediate,
        bound => Revocation::Within(bound),
    }
}
