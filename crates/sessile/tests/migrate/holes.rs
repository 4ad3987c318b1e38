//! One test for each line of a migration that nothing else would miss.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use http::header::SET_COOKIE;
use sessile::{
    Clock as _, KeyRing, MasterKey, MemoryStore, Migration, Phase, SessionLayer, Store, Stored,
};
use sessile_conformance::{Fault, Operation};
use sessile_core::{Credential, Verifier};

use crate::client::{Client, lifetime, minutes, seconds};
use crate::world::{Kind, PAIRS, Stage, World, faulty};

fn master(first: u8) -> MasterKey {
    MasterKey::new("k", (first..first + 32).collect::<Vec<u8>>()).unwrap()
}

/// The same session, and a verifier that nobody was given. An id is no secret.
#[tokio::test]
async fn who_knows_only_the_id_of_a_session_opens_nothing() {
    let (old, new) = (MemoryStore::default(), MemoryStore::default());
    let (old, new) = (Arc::new(old), Arc::new(new));
    let before = SessionLayer::new(Stored::new(old.clone()));
    let mut client = Client::default();
    client.login(&before, "ada").await;
    let mut forged = Credential::decode(client.credential().unwrap()).unwrap();
    forged.verifier = Verifier::random();
    let mut thief = Client::default();
    thief.present(&forged.encode());
    let node = |phase| {
        let to = Stored::new(new.clone()).keys(KeyRing::new(master(1)));
        let migration = Migration::new(Stored::new(old.clone()), to, master(2)).unwrap();
        SessionLayer::new(migration.phase(phase))
    };
    let (accept, issue) = (node(Phase::Accept), node(Phase::Issue));
    for _ in 0..2 {
        for node in [&accept, &issue] {
            assert_eq!(thief.look(node).await, "nobody unknown");
        }
        assert_eq!(client.look(&issue).await, "ada resumed");
    }
}

/// Where the new state is with the client, its old credential is for those whose answer was lost,
/// and only for a moment: nothing would tell that the session was used since.
#[tokio::test]
async fn an_old_credential_opens_a_token_for_a_moment_only() {
    for pair in PAIRS {
        let world = World::new(pair);
        if world.merges() {
            continue;
        }
        let mut client = world.client().await;
        let old = client.clone();
        let issue = world.node(Stage::Issue, "n1");
        client.look(&issue).await;
        world.clock.advance(seconds(59));
        assert_eq!(old.clone().look(&issue).await, "ada n=1 resumed");
        world.clock.advance(seconds(1));
        assert_eq!(old.clone().look(&issue).await, "nobody expired", "{pair:?}");
        assert_eq!(client.look(&issue).await, "ada n=1 resumed", "{pair:?}");
    }
}

/// A login compares versions, to see whether it has to inherit anything.
#[tokio::test(start_paused = true)]
async fn versions_grow_over_a_move() {
    let (world, stores) = faulty((Kind::Stored, Kind::Stored));
    let mut client = world.client().await;
    let issue = world.node(Stage::Issue, "n2");
    stores[0].fail_next(Operation::End, Fault::Delay(Duration::from_secs(1)));
    let mut writer = client.clone();
    let moves = async { client.look(&issue).await };
    let writes = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let before = world.node(Stage::Before, "n3");
        for n in 2..10 {
            writer.insert(&before, "n", n).await;
        }
        let listed = world.stores.0.list("ada", world.clock.now()).await;
        listed.unwrap()[0].record.as_ref().unwrap().version
    };
    let (moved, version) = tokio::join!(moves, writes);
    assert_eq!(moved, "ada n=9 resumed");
    let listed = world.stores.1.list("ada", world.clock.now()).await.unwrap();
    let record = listed[0].record.as_ref().unwrap();
    assert!(record.version > version, "{} {version}", record.version);
}

/// The store went back to an older state than the client has seen.
#[tokio::test]
async fn what_is_stale_is_told_so_and_not_moved() {
    let pair = (Kind::Sticky, Kind::Stored);
    let mut world = World::new(pair);
    let mut client = world.client().await;
    let now = world.clock.now();
    let listed = world.stores.0.list("ada", now).await.unwrap();
    let backup = listed[0].record.clone().unwrap();
    client
        .insert(&world.node(Stage::Before, "n1"), "n", 2)
        .await;
    world.stores.0 = Arc::new(MemoryStore::default());
    world.stores.0.create(backup, None, now).await.unwrap();
    let issue = world.node(Stage::Issue, "n2");
    assert_eq!(client.clone().look(&issue).await, "ada n=1 stale");
    assert_eq!(
        crate::client::count(&world.node(Stage::After, "n2")).await,
        0
    );
}

/// It ends the old session in time, and others have taken over when it wants to go on.
#[tokio::test(start_paused = true)]
async fn what_a_slow_mover_brings_is_added() {
    for pair in [(Kind::Stored, Kind::Stored), (Kind::Sticky, Kind::Stored)] {
        let (world, stores) = faulty(pair);
        let mut client = world.client().await;
        let issue = world.node(Stage::Issue, "n2");
        stores[0].fail_next(Operation::End, Fault::Delay(Duration::from_millis(1900)));
        stores[1].fail_next(Operation::Apply, Fault::Delay(Duration::from_secs(1)));
        let (mut writer, mut waiter) = (client.clone(), client.clone());
        let moves = async { client.look(&issue).await };
        let writes = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            writer
                .insert(&world.node(Stage::Before, "n3"), "late", 1)
                .await;
        };
        let waits = async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            waiter.look(&issue).await
        };
        let (moved, (), waited) = tokio::join!(moves, writes, waits);
        assert!(waited.starts_with("ada"), "{pair:?}: {waited}");
        assert_eq!(moved, "ada late=1 n=1 resumed", "{pair:?}");
        assert_eq!(waiter.look(&issue).await, moved, "{pair:?}");
    }
}

/// A token that is moved to is as a login: of the subject's epoch of now.
#[tokio::test]
async fn a_subject_whose_sessions_were_ended_once_can_be_moved() {
    for pair in PAIRS {
        let world = World::new(pair);
        let after = world.node(Stage::After, "n1");
        after.sessions().revoke_all("ada").await.unwrap();
        world.clock.advance(seconds(1));
        let mut client = world.client().await;
        client.look(&world.node(Stage::Issue, "n1")).await;
        assert_eq!(client.look(&after).await, "ada n=1 resumed", "{pair:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_moves_between_two_looks_is_found() {
    for pair in PAIRS {
        if !matches!(pair.0, Kind::Sticky | Kind::Stored) {
            continue;
        }
        let (world, stores) = faulty(pair);
        let mut client = world.client().await;
        let (accept, issue) = world.nodes();
        stores[0].fail_next(Operation::Load, Fault::Delay(Duration::from_millis(500)));
        let mut other = client.clone();
        let looks = async { client.look(&accept).await };
        let moves = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            other.look(&issue).await
        };
        let (seen, moved) = tokio::join!(looks, moves);
        assert_eq!(moved, "ada n=1 resumed", "{pair:?}");
        assert_eq!(seen, moved, "{pair:?}");
    }
}

/// In a browser that would remove the credential of a login that came between.
#[tokio::test]
async fn of_two_logouts_the_second_one_removes_no_cookie() {
    for pair in PAIRS {
        let world = World::new(pair);
        let mut client = world.client().await;
        let mut other = client.clone();
        let issue = world.node(Stage::Issue, "n1");
        let answer = client
            .post(&issue, async |session| {
                other.post(&issue, async |session| session.logout()).await;
                session.logout()
            })
            .await;
        assert_eq!(answer.status(), StatusCode::OK, "{pair:?}");
        assert!(!answer.headers().contains_key(SET_COOKIE), "{pair:?}");
    }
}

/// Tokens from before they could be revoked are in no list.
#[tokio::test]
async fn sessions_that_nobody_knows_of_end_with_all_of_their_subject() {
    let old = (
        (Kind::Loose, Kind::Stored),
        (Kind::Signed, Kind::Stored),
        Stage::Before,
    );
    let new = (
        (Kind::Stored, Kind::Loose),
        (Kind::Stored, Kind::Signed),
        Stage::After,
    );
    for (loose, pair, stage) in [old, new] {
        for revokes in [Stage::Accept, Stage::Issue] {
            let mut world = World::new(loose);
            let mut client = Client::default();
            client.login(&world.node(stage, "n1"), "ada").await;
            world.pair = pair;
            let node = world.node(revokes, "n1");
            assert!(node.sessions().list("ada").await.unwrap().is_empty());
            node.sessions().revoke_all("ada").await.unwrap();
            for stage in [Stage::Accept, Stage::Issue] {
                let seen = client.clone().look(&world.node(stage, "n2")).await;
                assert!(seen.starts_with("nobody"), "{pair:?}: {seen}");
            }
        }
    }
}

/// A token says less of its session's lifetime than the layer.
#[tokio::test]
async fn what_was_a_token_gets_the_lifetime_of_the_layer() {
    for pair in [(Kind::Signed, Kind::Stored), (Kind::Loose, Kind::Sticky)] {
        let world = World::new(pair);
        let long = lifetime(minutes(120), minutes(48 * 60));
        let before = world.node(Stage::Before, "n1").lifetime(long);
        let issue = world.node(Stage::Issue, "n1").lifetime(long);
        let mut client = Client::default();
        client.login(&before, "ada").await;
        client.look(&issue).await;
        world.clock.advance(minutes(90));
        assert_eq!(client.look(&issue).await, "ada resumed", "{pair:?}");
    }
}
