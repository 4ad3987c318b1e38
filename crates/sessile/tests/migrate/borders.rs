//! Races and borders of a move that the other files do not look at.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use sessile::{
    BackedSticky, ErrorKind, KeyRing, ManualClock, MasterKey, MemoryStore, Migration, Misrouted,
    Phase, SessionLayer, Sticky, Store, Stored, Strategy, Timestamp,
};
use sessile_conformance::{Fault, Operation};
use sessile_core::{Presented, Route};

use crate::client::{Client, lifetime, minutes, seconds};
use crate::interrupted::faulty;
use crate::world::{Kind, PAIRS, Stage, World};

async fn count(session: &sessile::Session) -> sessile::Result<()> {
    session.update_now("n", |n: &mut u64| *n += 1).await
}

/// Whether the new place answers for the old one's exact updates.
fn from_records(pair: (Kind, Kind)) -> bool {
    matches!(pair.0, Kind::Sticky | Kind::Stored)
}

#[tokio::test]
async fn an_update_that_meets_another_one_in_the_new_place_is_repeated_there() {
    for pair in PAIRS {
        let world = World::new(pair);
        if !world.merges() {
            continue;
        }
        let mut client = world.client().await;
        let (accept, issue) = world.nodes();
        let mut other = client.clone();
        let answer = client
            .post(&accept, async |session| {
                other
                    .post(&issue, async |session| count(&session).await)
                    .await;
                count(&session).await
            })
            .await;
        assert_eq!(answer.status(), StatusCode::OK, "{pair:?}");
        for client in [&mut client, &mut other] {
            assert_eq!(client.look(&issue).await, "ada n=3 resumed", "{pair:?}");
        }
    }
}

#[tokio::test]
async fn a_reload_follows_a_session_that_has_moved() {
    for pair in PAIRS {
        let world = World::new(pair);
        let mut client = world.client().await;
        let (accept, issue) = world.nodes();
        let mut other = client.clone();
        let answer = client
            .post(&accept, async |session| {
                other.insert(&issue, "n", 2).await;
                session.reload().await?;
                Ok::<_, sessile::Error>(crate::client::look(&session))
            })
            .await;
        assert_eq!(answer.status(), StatusCode::OK, "{pair:?}");
        if world.merges() && from_records(pair) {
            assert_eq!(answer.into_body(), "ada n=2 resumed", "{pair:?}");
        }
        let seen = client.look(&issue).await;
        assert!(seen.starts_with("ada"), "{pair:?}: {seen}");
    }
}

#[tokio::test]
async fn a_straggler_with_the_credential_before_a_renew_locks_nobody_out() {
    for pair in PAIRS {
        for first in [true, false] {
            let world = World::new(pair);
            let mut client = world.client().await;
            let mut straggler = client.clone();
            let (accept, issue) = world.nodes();
            client.post(&accept, async |session| session.renew()).await;
            let mut both = [&mut straggler, &mut client];
            if !first {
                both.reverse();
            }
            for client in both {
                assert_eq!(client.look(&issue).await, "ada n=1 resumed", "{pair:?}");
            }
            world.clock.advance(seconds(50));
            assert_eq!(client.look(&issue).await, "ada n=1 resumed", "{pair:?}");
            // It moves when nobody can hold the one before it.
            world.clock.advance(seconds(20));
            assert_eq!(client.look(&issue).await, "ada n=1 resumed", "{pair:?}");
            let after = world.node(Stage::After, "n2");
            assert_eq!(client.look(&after).await, "ada n=1 resumed", "{pair:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_renew_while_it_is_copied_locks_nobody_out() {
    for pair in PAIRS.into_iter().filter(|pair| from_records(*pair)) {
        let (world, stores) = faulty(pair);
        let mut client = world.client().await;
        let issue = world.node(Stage::Issue, "n2");
        // The copy is made, and the end takes its time.
        stores[0].fail_next(Operation::End, Fault::Delay(Duration::from_secs(1)));
        let mut renews = client.clone();
        let moves = async { client.look(&issue).await };
        let renewed = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let before = world.node(Stage::Before, "n3");
            renews.post(&before, async |session| session.renew()).await
        };
        let (moved, renewed) = tokio::join!(moves, renewed);
        assert_eq!(renewed.status(), StatusCode::OK, "{pair:?}");
        if world.merges() {
            assert_eq!(moved, "ada n=1 resumed", "{pair:?}");
        }
        for _ in 0..2 {
            assert_eq!(renews.look(&issue).await, "ada n=1 resumed", "{pair:?}");
        }
    }
}

/// Such as by a subject's cap, or because a stolen credential was used.
#[tokio::test(start_paused = true)]
async fn what_is_ended_where_it_was_while_it_is_copied_does_not_come_back() {
    for pair in PAIRS.into_iter().filter(|pair| from_records(*pair)) {
        let (world, stores) = faulty(pair);
        let mut client = world.client().await;
        let issue = world.node(Stage::Issue, "n2");
        let old = world.node(Stage::Before, "n1").sessions();
        let listed = old.list("ada").await.unwrap();
        stores[1].fail_next(Operation::Create, Fault::Delay(Duration::from_secs(1)));
        let moves = async { client.look(&issue).await };
        let ends = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            old.revoke(&listed[0].id).await.unwrap()
        };
        let (moved, ended) = tokio::join!(moves, ends);
        assert!(ended, "{pair:?}");
        assert_eq!(moved, "nobody ended", "{pair:?}");
        world.clock.advance(seconds(61));
        let seen = client.look(&issue).await;
        assert!(seen.starts_with("nobody"), "{pair:?}: {seen}");
    }
}

#[tokio::test]
async fn a_login_inherits_what_was_written_meanwhile() {
    for pair in PAIRS.into_iter().filter(|pair| from_records(*pair)) {
        for stage in [Stage::Before, Stage::Accept] {
            let world = World::new(pair);
            let mut client = world.client().await;
            let node = world.node(stage, "n1");
            let mut other = client.clone();
            let answer = client
                .post(&node, async |session| {
                    session.get::<u64>("n")?;
                    other.insert(&node, "late", 1).await;
                    session.login("ada")
                })
                .await;
            assert_eq!(answer.status(), StatusCode::OK);
            let seen = client.look(&node).await;
            assert_eq!(seen, "ada late=1 n=1 resumed", "{pair:?} {stage:?}");
        }
    }
}

#[tokio::test]
async fn who_revokes_is_told_whether_it_was_there() {
    for pair in PAIRS.into_iter().filter(|pair| pair.0 != Kind::Loose) {
        for stage in [Stage::Before, Stage::Accept, Stage::Issue] {
            let world = World::new(pair);
            world.client().await;
            let sessions = world.node(stage, "n1").sessions();
            let listed = sessions.list("ada").await.unwrap();
            let was_there = sessions.revoke(&listed[0].id).await.unwrap();
            if from_records(pair) {
                assert!(was_there, "{pair:?} {stage:?}");
            }
            assert!(!sessions.revoke(&listed[0].id).await.unwrap());
        }
    }
}

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

/// In a browser its answer would bring back the credential of a session that has ended.
#[tokio::test]
async fn a_straggler_does_not_overwrite_the_credential_of_a_login() {
    for pair in PAIRS {
        let world = World::new(pair);
        let mut client = world.client().await;
        let issue = world.node(Stage::Issue, "n1");
        let mut login = client.clone();
        let answer = client
            .get(&issue, async |session| {
                let seen = crate::client::look(&session);
                login.login(&issue, "bob").await;
                seen
            })
            .await;
        assert_eq!(answer.body(), "ada n=1 resumed", "{pair:?}");
        let is_set = answer.headers().contains_key(http::header::SET_COOKIE);
        assert!(!is_set, "{pair:?}");
    }
}

/// A successor is confirmed by who presents it, not by who does not have it.
#[tokio::test]
async fn the_old_credential_does_not_confirm_a_renewed_one() {
    for pair in PAIRS {
        let world = World::new(pair);
        if !world.merges() {
            continue;
        }
        let mut client = world.client().await;
        let mut lossy = client.clone();
        let issue = world.node(Stage::Issue, "n1");
        client.look(&issue).await;
        client.post(&issue, async |session| session.renew()).await;
        // No answer of these arrives.
        for _ in 0..3 {
            assert_eq!(lossy.clone().look(&issue).await, "ada n=1 resumed");
            world.clock.advance(seconds(61));
        }
        assert_eq!(lossy.look(&issue).await, "ada n=1 resumed", "{pair:?}");
        assert_eq!(lossy.look(&issue).await, "ada n=1 resumed", "{pair:?}");
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

/// The answer is on its way to a client whose session was moved and renewed by others.
#[tokio::test]
async fn a_write_to_what_was_moved_and_renewed_leaves_its_client_logged_in() {
    for pair in PAIRS {
        let world = World::new(pair);
        let mut client = world.client().await;
        let (accept, issue) = world.nodes();
        let mut other = client.clone();
        let answer = client
            .post(&accept, async |session| {
                other.look(&issue).await;
                other.post(&issue, async |session| session.renew()).await;
                session.insert("late", 1)
            })
            .await;
        assert_eq!(answer.status(), StatusCode::OK, "{pair:?}");
        for client in [&mut client, &mut other] {
            let seen = client.look(&issue).await;
            assert!(seen.starts_with("ada"), "{pair:?}: {seen}");
        }
    }
}

/// The same, of one that renews after it has followed.
#[tokio::test]
async fn a_renew_after_a_write_to_what_was_moved_locks_nobody_out() {
    for pair in PAIRS {
        let world = World::new(pair);
        let mut client = world.client().await;
        let (accept, issue) = world.nodes();
        let mut other = client.clone();
        let answer = client
            .post(&accept, async |session| {
                other.look(&issue).await;
                session.insert("late", 1)?;
                session.commit().await?;
                session.renew()
            })
            .await;
        assert_eq!(answer.status(), StatusCode::OK, "{pair:?}");
        for client in [&mut other, &mut client] {
            for _ in 0..2 {
                let seen = client.look(&issue).await;
                assert!(seen.starts_with("ada"), "{pair:?}: {seen}");
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
