//! Nodes of two phases beside each other, and requests that meet while a session is moved.

use http::StatusCode;

use crate::client::{at_once, seconds};
use crate::world::{PAIRS, Stage, World, count};

#[tokio::test]
async fn first_requests_that_meet_come_to_one_session() {
    for pair in PAIRS {
        let world = World::new(pair);
        let client = world.client().await;
        let issue = world.node(Stage::Issue, "n1");
        let mut clients = at_once(&issue, &client, 8, async |_, session| {
            count(&session).await.map(drop)
        })
        .await;
        for client in &mut clients {
            let seen = client.look(&issue).await;
            assert!(
                seen.starts_with("ada n=") && seen.ends_with("resumed"),
                "{pair:?}: {seen}"
            );
            if world.merges() {
                assert_eq!(seen, "ada n=9 resumed", "{pair:?}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_written_by_a_node_that_had_opened_it_before_it_moved_is_kept() {
    for pair in PAIRS {
        let world = World::new(pair);
        let (mut client, mut other, accept, issue) = world.meeting().await;
        let answer = client
            .post(&accept, async |session| {
                assert_eq!(other.look(&issue).await, "ada n=1 resumed");
                session.insert("late", 1)?;
                count(&session).await?;
                session.reload().await
            })
            .await;
        assert_eq!(answer.status(), StatusCode::OK, "{pair:?}");
        let seen = client.look(&issue).await;
        if world.merges() {
            assert_eq!(seen, "ada late=1 n=2 resumed", "{pair:?}");
            assert_eq!(other.look(&issue).await, seen);
        } else {
            assert!(
                seen.starts_with("ada ") && seen.ends_with("resumed"),
                "{pair:?}: {seen}"
            );
        }
    }
}

#[tokio::test]
async fn a_renew_by_a_node_that_had_opened_it_before_it_moved_locks_nobody_out() {
    for pair in PAIRS {
        let world = World::new(pair);
        let (mut client, mut other, accept, issue) = world.meeting().await;
        let answer = client
            .post(&accept, async |session| {
                other.look(&issue).await;
                session.renew()
            })
            .await;
        assert_eq!(answer.status(), StatusCode::OK, "{pair:?}");
        for client in [&mut client, &mut other] {
            assert_eq!(client.look(&issue).await, "ada n=1 resumed", "{pair:?}");
        }
    }
}

#[tokio::test]
async fn a_logout_or_login_by_such_a_node_ends_what_it_has_become() {
    for pair in PAIRS {
        let world = World::new(pair);
        let (mut client, mut other, accept, issue) = world.meeting().await;
        let answer = client
            .post(&accept, async |session| {
                other.look(&issue).await;
                session.logout()
            })
            .await;
        assert_eq!(answer.status(), StatusCode::OK, "{pair:?}");
        let seen = other.look(&issue).await;
        assert!(!seen.contains("ada"), "{pair:?}: {seen}");

        let mut client = world.client().await;
        let mut other = client.clone();
        let answer = client
            .post(&accept, async |session| {
                other.insert(&issue, "late", 1).await;
                session.login("bob")
            })
            .await;
        assert_eq!(answer.status(), StatusCode::OK, "{pair:?}");
        let seen = other.look(&issue).await;
        assert!(!seen.contains("ada"), "{pair:?}: {seen}");
        assert!(client.look(&issue).await.starts_with("bob"), "{pair:?}");
    }
}

#[tokio::test]
async fn nodes_of_both_phases_serve_whatever_a_client_brings() {
    for pair in PAIRS {
        let world = World::new(pair);
        let mut client = world.client().await;
        let (accept, issue) = world.nodes();
        for n in 2..40 {
            // Back and forth, with logins between: a login on an accepting node is of the old kind.
            let node = if n % 3 == 0 { &issue } else { &accept };
            if n % 7 == 0 {
                client.login(node, "ada").await;
            }
            let answer = client
                .post(node, async |session| {
                    count(&session).await.map(|n| n.to_string())
                })
                .await;
            assert_eq!(answer.into_body(), n.to_string(), "{pair:?}");
            world.clock.advance(seconds(40));
        }
    }
}
