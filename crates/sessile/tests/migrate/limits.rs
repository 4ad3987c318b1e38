//! Lifetimes, keys, room, and what is refused.

use std::sync::Arc;

use http::StatusCode;
use sessile::{
    BackedSticky, ErrorKind, KeyRing, ManualClock, MasterKey, MemoryStore, Migration, Misrouted,
    Phase, SessionLayer, Sticky, Store, Stored, Strategy, Timestamp,
};
use sessile_core::{Presented, Route};

use crate::client::{Client, lifetime, minutes, seconds};
use crate::world::{Kind, Stage, World};

fn master(id: &str, first: u8) -> MasterKey {
    let secret: Vec<u8> = (first..first + 32).collect();
    MasterKey::new(id, secret).unwrap()
}

fn sticky(store: &Arc<dyn Store>, ring: &KeyRing) -> BackedSticky {
    let node = Sticky::node("n1").keys(ring.clone()).backing(store.clone());
    node.build().unwrap()
}

/// As from a file, whose `[keys]` are those of both.
#[tokio::test]
async fn what_has_ended_arrives_so_where_both_read_each_others_credentials() {
    let ring = KeyRing::new(master("k", 0));
    for is_sticky in [true, false] {
        let stores: [Arc<dyn Store>; 2] = [
            Arc::new(MemoryStore::default()),
            Arc::new(MemoryStore::default()),
        ];
        let [old, new] = &stores;
        let migration = if is_sticky {
            Migration::new(sticky(old, &ring), sticky(new, &ring), master("m", 9))
        } else {
            let stored = |store: &Arc<dyn Store>| Stored::new(store.clone()).keys(ring.clone());
            Migration::new(stored(old), stored(new), master("m", 9))
        };
        let clock = Arc::new(ManualClock::default());
        let issue = SessionLayer::new(migration.unwrap().phase(Phase::Issue));
        let issue = issue.clock(clock.clone());
        let mut client = Client::default();
        client.login(&issue, "ada").await;
        let mut straggler = client.clone();
        client.post(&issue, async |session| session.logout()).await;
        assert_eq!(straggler.look(&issue).await, "nobody ended", "{is_sticky}");

        client.login(&issue, "ada").await;
        clock.advance(minutes(31));
        assert_eq!(client.look(&issue).await, "nobody expired", "{is_sticky}");
    }
}

#[tokio::test]
async fn a_session_that_a_token_may_not_be_of_stays_where_it_is() {
    for kind in [Kind::Sticky, Kind::Stored] {
        let world = World::new((kind, Kind::Signed));
        let mut client = world.client().await;
        let (accept, issue) = world.nodes();
        let long = lifetime(minutes(3 * 24 * 60), minutes(30 * 24 * 60));
        client
            .post(&accept, async |session| session.set_lifetime(long))
            .await;
        world.clock.advance(minutes(2 * 24 * 60));
        for _ in 0..3 {
            assert_eq!(client.look(&issue).await, "ada n=1 resumed", "{kind:?}");
            world.clock.advance(minutes(24 * 60));
        }
        client.post(&issue, async |session| session.logout()).await;
        assert_eq!(client.look(&issue).await, "nobody new", "{kind:?}");
    }
}

#[test]
fn what_nothing_could_be_moved_from_is_refused() {
    let to = Stored::new(MemoryStore::default());
    let error = Migration::new(Sticky::new(), to, master("m", 9)).map(drop);
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("memory"), "{error}");
}

/// The migration's key is one that only verifies by now, and was the one that made the old
/// credentials.
#[tokio::test]
async fn the_keys_may_be_rotated_while_it_lasts() {
    for is_sticky in [true, false] {
        let stores: [Arc<dyn Store>; 2] = [
            Arc::new(MemoryStore::default()),
            Arc::new(MemoryStore::default()),
        ];
        let [old, new] = &stores;
        let first = KeyRing::new(master("m", 0))
            .previous(master("k", 1))
            .unwrap();
        let second = KeyRing::new(master("k", 1))
            .previous(master("m", 0))
            .unwrap();
        let clock = Arc::new(ManualClock::default());
        let before = SessionLayer::new(Stored::new(old.clone()).keys(first.clone()));
        let before = before.clock(clock.clone());
        let node = |ring: &KeyRing, phase| {
            let from = Stored::new(old.clone()).keys(ring.clone());
            let key = ring.keys().find(|key| key.id() == "m").unwrap().clone();
            let migration = match is_sticky {
                true => Migration::new(from, sticky(new, ring), key),
                false => Migration::new(from, Stored::new(new.clone()).keys(ring.clone()), key),
            };
            SessionLayer::new(migration.unwrap().phase(phase)).clock(clock.clone())
        };
        let nodes = [
            node(&first, Phase::Accept),
            node(&first, Phase::Issue),
            node(&second, Phase::Accept),
            node(&second, Phase::Issue),
        ];
        let [accept, issue, rotated_accept, rotated] = &nodes;
        for (moves, ends) in [
            (issue, rotated),
            (rotated, issue),
            (rotated, rotated_accept),
        ] {
            let mut client = Client::default();
            client.login(&before, "ada").await;
            let old = client.clone();
            assert_eq!(client.look(accept).await, "ada resumed");
            assert_eq!(client.look(moves).await, "ada resumed");
            // With the old credential, and with the new one.
            assert_eq!(old.clone().look(ends).await, "ada resumed");
            assert_eq!(client.look(ends).await, "ada resumed");
            client.post(ends, async |session| session.logout()).await;
            for wait in [0, 61, 3600] {
                clock.advance(seconds(wait));
                for node in &nodes {
                    let seen = old.clone().look(node).await;
                    assert!(seen.starts_with("nobody"), "{is_sticky}: {seen}");
                }
            }
        }
        // What had not moved before the rotation moves after it.
        let mut late = Client::default();
        late.login(&before, "ada").await;
        assert_eq!(late.look(rotated).await, "ada resumed");
        assert_eq!(late.look(rotated_accept).await, "ada resumed");
    }
}

/// A token of a session whose own lifetime is longer than the layer's.
#[tokio::test]
async fn the_end_of_a_token_is_known_for_as_long_as_it_could_be_good() {
    for pair in [(Kind::Loose, Kind::Sticky), (Kind::Loose, Kind::Stored)] {
        for moves in [false, true] {
            let mut world = World::new(pair);
            world.life = minutes(23 * 60);
            let mut client = world.client().await;
            let (accept, issue) = world.nodes();
            let before = world.node(Stage::Before, "n1");
            let long = lifetime(minutes(3 * 24 * 60), minutes(30 * 24 * 60));
            client
                .post(&before, async |session| session.set_lifetime(long))
                .await;
            let old = client.clone();
            if moves {
                client.look(&issue).await;
            }
            client.post(&accept, async |session| session.logout()).await;
            for _ in 0..5 {
                world.clock.advance(minutes(5 * 60));
                let now = sessile::Clock::now(&*world.clock);
                world.stores.1.sweep(now, 1000).await.unwrap();
                for node in [&accept, &issue] {
                    let seen = old.clone().look(node).await;
                    assert!(seen.starts_with("nobody"), "{pair:?} {moves}: {seen}");
                }
            }
        }
    }
}

#[tokio::test]
async fn what_had_no_room_in_a_token_and_moves_meanwhile_is_followed() {
    for kind in [Kind::Sticky, Kind::Stored] {
        let world = World::new((kind, Kind::Signed));
        let mut client = world.client().await;
        let (accept, issue) = world.nodes();
        let text = "x".repeat(6000);
        client
            .post(&accept, async |session| session.insert("big", text))
            .await;
        let mut other = client.clone();
        let answer = client
            .post(&issue, async |session| {
                other
                    .post(&issue, async |session| session.remove("big").map(drop))
                    .await;
                assert_eq!(other.look(&issue).await, "ada n=1 resumed");
                session.insert("late", 1)
            })
            .await;
        assert_eq!(answer.status(), StatusCode::OK, "{kind:?}");
        let after = world.node(Stage::After, "n2");
        assert_eq!(client.look(&after).await, "ada late=1 n=1 resumed");
    }
}

/// The one that is left forwards to its nodes, and the other one does not.
#[tokio::test]
async fn only_who_forwards_says_where_to() {
    let ring = |first| KeyRing::new(master("k", first));
    let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let node = |label, first, answers: &[Misrouted]| {
        let node = Sticky::node(label).keys(ring(first));
        let node = node.backing(store.clone()).misrouted(answers.to_vec());
        node.build().unwrap()
    };
    let from = node("n1", 1, &[Misrouted::Forward, Misrouted::Adopt]);
    let to = node("n1", 2, &[Misrouted::Adopt]);
    let migration = Migration::new(from, to, master("m", 9)).unwrap();
    for (first, foreign) in [(1, true), (2, false)] {
        let other = SessionLayer::new(node("n2", first, &[Misrouted::Adopt]));
        let mut client = Client::default();
        client.login(&other, "ada").await;
        let presented = Presented {
            text: client.credential().unwrap().as_bytes(),
            carrier: "__Host-sid",
            arrived: Timestamp::default(),
        };
        let route = migration.route(&presented, Timestamp::default());
        let expected = match foreign {
            true => Route::Foreign("n2"),
            false => Route::Own,
        };
        assert_eq!(route, expected);
    }
}
