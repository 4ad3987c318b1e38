//! Nodes on the way from one strategy to another, in every phase, with one clock.

use std::sync::Arc;
use std::time::Duration;

use sessile::{
    Algorithm, BackedSticky, HmacKey, KeyRing, Lifetime, ManualClock, MasterKey, MemoryStore,
    Migration, Phase, SealingKey, SealingKeys, Session, SessionLayer, Sticky, Store, Stored, Token,
    TokenBuilder, TokenKeys,
};
use sessile_conformance::FaultyStore;

use crate::client::{Client, minutes};

/// Where sessions live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Sticky,
    Stored,
    Signed,
    Sealed,
    /// A token that nobody can revoke; only to be left.
    Loose,
}

/// Every ordered pair: the three strategies, store to store, and token to token.
pub(crate) const PAIRS: [(Kind, Kind); 12] = [
    (Kind::Sticky, Kind::Stored),
    (Kind::Sticky, Kind::Signed),
    (Kind::Stored, Kind::Sticky),
    (Kind::Stored, Kind::Signed),
    (Kind::Signed, Kind::Sticky),
    (Kind::Signed, Kind::Stored),
    (Kind::Stored, Kind::Stored),
    (Kind::Sticky, Kind::Sticky),
    (Kind::Stored, Kind::Sealed),
    (Kind::Sealed, Kind::Stored),
    (Kind::Loose, Kind::Sticky),
    (Kind::Loose, Kind::Stored),
];

/// How far a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Before,
    Accept,
    Issue,
    After,
}

/// What all nodes share.
pub(crate) struct World {
    pub(crate) pair: (Kind, Kind),
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) stores: (Arc<dyn Store>, Arc<dyn Store>),
    pub(crate) life: Duration,
}

fn secret(first: u8) -> Vec<u8> {
    (first..first + 32).collect()
}

fn ring(first: u8) -> KeyRing {
    KeyRing::new(MasterKey::new("k", secret(first)).unwrap())
}

fn sticky(store: Arc<dyn Store>, label: &str, at: u8) -> BackedSticky {
    let node = Sticky::node(label).keys(ring(at)).backing(store);
    node.revalidate(Duration::ZERO).build().unwrap()
}

fn token(builder: TokenBuilder, life: Duration) -> TokenBuilder {
    let builder = builder.issuer("https://app.example");
    builder.audience("https://app.example").life(life)
}

fn signed(at: u8, life: Duration) -> TokenBuilder {
    let key = HmacKey::new(Algorithm::HS256, secret(at)).unwrap();
    token(Token::signed(TokenKeys::new(key)), life)
}

fn sealed(at: u8, life: Duration) -> TokenBuilder {
    let key = SealingKey::new(secret(at)).unwrap();
    token(Token::sealed(SealingKeys::new(key)), life)
}

/// Runs an expression with the strategy of this kind, whatever its type.
macro_rules! with {
    ($world:expr, $kind:expr, $store:expr, $label:expr, $at:expr, |$it:ident| $body:expr) => {{
        let (store, life) = ($store.clone(), $world.life);
        match $kind {
            Kind::Sticky => {
                let $it = sticky(store, $label, $at);
                $body
            }
            Kind::Stored => {
                let $it = Stored::new(store).keys(ring($at));
                $body
            }
            Kind::Signed => {
                let $it = signed($at, life).revocation(store);
                let $it = $it.within(Duration::ZERO).build().unwrap();
                $body
            }
            Kind::Sealed => {
                let $it = sealed($at, life).revocation(store);
                let $it = $it.within(Duration::ZERO).build().unwrap();
                $body
            }
            Kind::Loose => {
                let $it = signed($at, life).build().unwrap();
                $body
            }
        }
    }};
}

impl World {
    pub(crate) fn new(pair: (Kind, Kind)) -> Self {
        let store = || Arc::new(MemoryStore::default()) as Arc<dyn Store>;
        World {
            pair,
            clock: Arc::default(),
            stores: (store(), store()),
            life: minutes(15),
        }
    }

    /// Another node, so far on the way.
    pub(crate) fn node(&self, stage: Stage, label: &str) -> SessionLayer {
        let ((from, to), (old, new)) = (self.pair, &self.stores);
        let layer = match stage {
            Stage::Before => with!(self, from, old, label, 1, |it| SessionLayer::new(it)),
            Stage::After => with!(self, to, new, label, 2, |it| SessionLayer::new(it)),
            Stage::Accept | Stage::Issue => {
                let phase = match stage {
                    Stage::Accept => Phase::Accept,
                    _ => Phase::Issue,
                };
                let key = MasterKey::new("m", secret(9)).unwrap();
                let migration = with!(self, from, old, label, 1, |from| with!(
                    self,
                    to,
                    new,
                    label,
                    2,
                    |to| Migration::new(from, to, key).unwrap()
                ));
                SessionLayer::new(migration.phase(phase))
            }
        };
        let lifetime = Lifetime::new(minutes(30), minutes(12 * 60)).unwrap();
        layer.clock(self.clock.clone()).lifetime(lifetime)
    }

    pub(crate) fn nodes(&self) -> (SessionLayer, SessionLayer) {
        (
            self.node(Stage::Accept, "n1"),
            self.node(Stage::Issue, "n2"),
        )
    }

    /// A client that has logged in and written, where it is left.
    pub(crate) async fn client(&self) -> Client {
        let before = self.node(Stage::Before, "n1");
        let mut client = Client::default();
        client.login(&before, "ada").await;
        client.insert(&before, "n", 1).await;
        client
    }

    /// Such a client in two windows, and a node of each phase for them to meet at.
    pub(crate) async fn meeting(&self) -> (Client, Client, SessionLayer, SessionLayer) {
        let client = self.client().await;
        let (accept, issue) = self.nodes();
        (client.clone(), client, accept, issue)
    }

    /// Whether parallel writes are merged where it is moved to.
    pub(crate) fn merges(&self) -> bool {
        matches!(self.pair.1, Kind::Sticky | Kind::Stored)
    }
}

/// An exact update, and what it came to.
pub(crate) async fn count(session: &Session) -> sessile::Result<u64> {
    session
        .update_now("n", |n: &mut u64| {
            *n += 1;
            *n
        })
        .await
}

/// A store that can be made to fail.
pub(crate) type Faulty = Arc<FaultyStore<Arc<dyn Store>>>;

/// A world whose stores are such: that of the old place, and that of the new one.
pub(crate) fn faulty(pair: (Kind, Kind)) -> (World, [Faulty; 2]) {
    let mut world = World::new(pair);
    let old = Arc::new(FaultyStore::new(world.stores.0.clone()));
    let new = Arc::new(FaultyStore::new(world.stores.1.clone()));
    world.stores = (old.clone(), new.clone());
    (world, [old, new])
}
