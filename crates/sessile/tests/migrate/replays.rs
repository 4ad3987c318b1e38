//! An old credential, presented once more when it should be dead.

use std::time::Duration;

use sessile::SessionLayer;

use crate::client::{Client, minutes, seconds};
use crate::world::{Kind, PAIRS, Stage, World};

/// That this credential opens nothing, on any node that would look at it.
async fn opens_nothing(world: &World, credential: &str, why: &str) {
    for stage in [Stage::Accept, Stage::Issue, Stage::After] {
        let mut thief = Client::default();
        thief.present(credential);
        let seen = thief.look(&world.node(stage, "n3")).await;
        let pair = world.pair;
        assert!(
            seen.starts_with("nobody ") && !seen.contains("resumed"),
            "{pair:?} {stage:?} {why}: {seen}"
        );
        assert_eq!(thief.credential(), Some(credential), "{pair:?} {why}");
    }
}

/// At once, after the tombstones, and when everything has been swept that may be.
async fn stays_dead(world: &World, credential: &str, why: &str) {
    for wait in [
        Duration::ZERO,
        seconds(61),
        minutes(10),
        minutes(60),
        minutes(10 * 60),
    ] {
        world.clock.advance(wait);
        for store in [&world.stores.0, &world.stores.1] {
            let now = sessile::Clock::now(&*world.clock);
            store.sweep(now, 1000).await.unwrap();
        }
        opens_nothing(world, credential, why).await;
    }
}

async fn moved(world: &World) -> (Client, String) {
    let mut client = world.client().await;
    let old = client.credential().unwrap().to_owned();
    client.look(&world.node(Stage::Issue, "n1")).await;
    assert_ne!(client.credential(), Some(&*old));
    (client, old)
}

#[tokio::test]
async fn after_a_logout_wherever_it_was() {
    for pair in PAIRS {
        for stage in [Stage::Accept, Stage::Issue, Stage::After] {
            let world = World::new(pair);
            let (mut client, old) = moved(&world).await;
            let node = world.node(stage, "n2");
            client.post(&node, async |session| session.logout()).await;
            stays_dead(&world, &old, "after a logout").await;
        }
    }
}

#[tokio::test]
async fn after_a_logout_on_a_node_that_moves_nothing() {
    for pair in PAIRS {
        for with_life in [minutes(15), minutes(11 * 60)] {
            let mut world = World::new(pair);
            world.life = with_life;
            let mut client = world.client().await;
            let old = client.credential().unwrap().to_owned();
            let accept = world.node(Stage::Accept, "n1");
            client.post(&accept, async |session| session.logout()).await;
            stays_dead(&world, &old, "after a logout while accepting").await;
        }
    }
}

#[tokio::test]
async fn after_a_login_by_somebody_else() {
    for pair in PAIRS {
        for stage in [Stage::Accept, Stage::Issue] {
            let world = World::new(pair);
            let (mut client, old) = moved(&world).await;
            client.login(&world.node(stage, "n2"), "bob").await;
            stays_dead(&world, &old, "after a login").await;
        }
    }
}

#[tokio::test]
async fn after_idle_expiry_however_long_the_old_credential_is_good() {
    for pair in PAIRS {
        let mut world = World::new(pair);
        world.life = minutes(11 * 60);
        let (_, old) = moved(&world).await;
        world.clock.advance(minutes(31));
        stays_dead(&world, &old, "after idle expiry").await;
    }
}

/// Where the state is in a store, the derived credential is one like any other.
#[tokio::test]
async fn after_a_renew_of_what_it_became() {
    for pair in PAIRS {
        let world = World::new(pair);
        if !world.merges() {
            continue;
        }
        let (mut client, old) = moved(&world).await;
        let issue = world.node(Stage::Issue, "n2");
        client.post(&issue, async |session| session.renew()).await;
        assert_eq!(client.look(&issue).await, "ada n=1 resumed");
        // The grace of any renewed credential, for requests that were on their way.
        world.clock.advance(seconds(61));
        let mut thief = Client::default();
        thief.present(&old);
        let seen = thief.look(&issue).await;
        assert!(!seen.contains("ada"), "{pair:?}: {seen}");
    }
}

#[tokio::test]
async fn an_operator_who_knows_only_the_old_id_ends_it_all_the_same() {
    for pair in PAIRS {
        if pair.0 == Kind::Loose {
            continue;
        }
        let world = World::new(pair);
        let mut client = world.client().await;
        let old = client.credential().unwrap().to_owned();
        let (accept, issue) = world.nodes();
        let listed = accept.sessions().list("ada").await.unwrap();
        assert_eq!(listed.len(), 1, "{pair:?}");
        client.look(&issue).await;
        issue.sessions().revoke(&listed[0].id).await.unwrap();
        assert_eq!(client.look(&issue).await, "nobody ended", "{pair:?}");
        stays_dead(&world, &old, "after a revocation by the old id").await;
    }
}

#[tokio::test]
async fn all_sessions_of_a_subject_end_wherever_they_are() {
    for pair in PAIRS {
        if pair.0 == Kind::Loose {
            continue;
        }
        let world = World::new(pair);
        let (mut moved, _) = moved(&world).await;
        let mut left = world.client().await;
        let old = left.credential().unwrap().to_owned();
        world.clock.advance(seconds(1));
        let (accept, issue) = world.nodes();
        let operators: [&SessionLayer; 2] = [&accept, &issue];
        for operator in operators {
            operator.sessions().revoke_all("ada").await.unwrap();
            assert!(
                operator.sessions().list("ada").await.unwrap().is_empty(),
                "{pair:?}"
            );
        }
        for client in [&mut moved, &mut left] {
            let seen = client.look(&issue).await;
            assert!(!seen.contains("ada"), "{pair:?}: {seen}");
        }
        stays_dead(&world, &old, "after the end of all").await;
    }
}
