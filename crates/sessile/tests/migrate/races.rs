//! Races and lost answers that the other files do not look at.

use std::time::Duration;

use http::StatusCode;
use sessile_conformance::{Fault, Operation};

use crate::client::seconds;
use crate::world::{Kind, PAIRS, Stage, World, count, faulty};

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
        let (mut client, mut other, accept, issue) = world.meeting().await;
        let answer = client
            .post(&accept, async |session| {
                other
                    .post(&issue, async |session| count(&session).await.map(drop))
                    .await;
                count(&session).await.map(drop)
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
        let (mut client, mut other, accept, issue) = world.meeting().await;
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

#[tokio::test]
async fn who_ends_the_others_keeps_a_session_that_moves_meanwhile() {
    for pair in PAIRS.into_iter().filter(|pair| pair.0 != Kind::Loose) {
        let world = World::new(pair);
        let (mut client, mut other, accept, issue) = world.meeting().await;
        let (mut stranger, mut mover) = (world.client().await, world.client().await);
        mover.look(&issue).await;
        let sessions = accept.sessions();
        let answer = client
            .post(&accept, async |session| {
                other.look(&issue).await;
                sessions.revoke_others(&session).await.map(drop)
            })
            .await;
        assert_eq!(answer.status(), StatusCode::OK, "{pair:?}");
        for client in [&mut client, &mut other] {
            assert_eq!(client.look(&issue).await, "ada n=1 resumed", "{pair:?}");
        }
        for client in [&mut stranger, &mut mover] {
            let seen = client.look(&issue).await;
            assert!(!seen.contains("ada"), "{pair:?}: {seen}");
        }
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

/// The answer is on its way to a client whose session was moved and renewed by others.
#[tokio::test]
async fn a_write_to_what_was_moved_and_renewed_leaves_its_client_logged_in() {
    for pair in PAIRS {
        let world = World::new(pair);
        let (mut client, mut other, accept, issue) = world.meeting().await;
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
        let (mut client, mut other, accept, issue) = world.meeting().await;
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
async fn an_old_credential_that_comes_back_after_a_renew_ends_what_it_became() {
    for pair in PAIRS {
        let world = World::new(pair);
        if !world.merges() {
            continue;
        }
        let mut client = world.client().await;
        let mut thief = client.clone();
        let issue = world.node(Stage::Issue, "n2");
        client.look(&issue).await;
        client.post(&issue, async |session| session.renew()).await;
        client.look(&issue).await;
        world.clock.advance(seconds(61));
        assert_eq!(thief.look(&issue).await, "nobody ended", "{pair:?}");
        assert_eq!(client.look(&issue).await, "nobody ended", "{pair:?}");
    }
}
