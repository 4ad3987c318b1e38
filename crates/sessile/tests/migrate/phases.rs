//! What a client sees of a migration: nothing.

use http::StatusCode;
use sessile::{ErrorKind, MasterKey, MemoryStore, Migration, Sticky, Stored};

use crate::client::{Client, count};
use crate::world::{Kind, PAIRS, Stage, World};

#[tokio::test]
async fn nobody_is_logged_out_from_the_first_phase_to_the_last() {
    for pair in PAIRS {
        let world = World::new(pair);
        let mut client = world.client().await;
        let old = client.credential().unwrap().to_owned();
        let mut expected = 1;
        for stage in [Stage::Before, Stage::Accept, Stage::Issue, Stage::After] {
            for label in ["n1", "n2"] {
                let node = world.node(stage, label);
                let seen = client.look(&node).await;
                assert_eq!(
                    seen,
                    format!("ada n={expected} resumed"),
                    "{pair:?} {stage:?}"
                );
                expected += 1;
                client.insert(&node, "n", expected).await;
            }
        }
        assert_ne!(client.credential(), Some(&*old), "{pair:?}");
    }
}

#[tokio::test]
async fn a_session_moves_when_it_is_read_and_once() {
    for pair in PAIRS {
        let world = World::new(pair);
        let mut client = world.client().await;
        let old = client.credential().unwrap().to_owned();
        let (accept, issue) = world.nodes();
        client.look(&accept).await;
        assert_eq!(
            client.credential(),
            Some(&*old),
            "{pair:?}: accepting moves nothing"
        );
        client.look(&issue).await;
        let new = client.credential().unwrap().to_owned();
        assert_ne!(new, old);
        client.look(&issue).await;
        let again = client.credential().unwrap();
        assert!(again == new || !again.starts_with("n"), "{pair:?}");
        if world.merges() {
            assert_eq!(count(&world.node(Stage::After, "n1")).await, 1, "{pair:?}");
        }
        if !matches!(pair.0, Kind::Loose) && world.merges() {
            assert_eq!(
                issue.sessions().left().await.unwrap().unwrap_or_default(),
                0
            );
        }
    }
}

#[tokio::test]
async fn new_visitors_get_what_every_node_can_read() {
    for pair in PAIRS {
        let world = World::new(pair);
        let (accept, issue) = world.nodes();
        let mut early = Client::default();
        early.insert(&accept, "a", 1).await;
        let before = world.node(Stage::Before, "n3");
        assert_eq!(early.look(&before).await, "nobody a=1 resumed", "{pair:?}");
        let mut late = Client::default();
        late.insert(&issue, "a", 2).await;
        for node in [&accept, &world.node(Stage::After, "n3")] {
            assert_eq!(late.look(node).await, "nobody a=2 resumed", "{pair:?}");
        }
        late.insert(&accept, "a", 3).await;
        late.login(&accept, "bob").await;
        assert_eq!(late.look(&accept).await, "bob a=3 resumed", "{pair:?}");
        assert_eq!(late.look(&issue).await, "bob a=3 resumed", "{pair:?}");
        let after = world.node(Stage::After, "n3");
        assert_eq!(late.look(&after).await, "bob a=3 resumed", "{pair:?}");
    }
}

#[tokio::test]
async fn when_it_is_over_what_has_not_moved_opens_nothing() {
    for pair in PAIRS {
        let world = World::new(pair);
        let mut client = world.client().await;
        let after = world.node(Stage::After, "n1");
        let kept = client.credential().unwrap().to_owned();
        assert_eq!(client.look(&after).await, "nobody unknown", "{pair:?}");
        assert_eq!(client.credential(), Some(&*kept), "no cookie is taken away");
    }
}

#[tokio::test]
async fn garbage_is_garbage_in_every_phase() {
    for pair in PAIRS {
        let world = World::new(pair);
        for stage in [Stage::Accept, Stage::Issue] {
            let mut client = Client::default();
            client.present(&"A".repeat(43));
            assert_eq!(
                client.look(&world.node(stage, "n1")).await,
                "nobody unknown"
            );
        }
    }
}

#[tokio::test]
async fn a_session_that_has_no_room_in_a_token_stays_where_it_is() {
    for kind in [Kind::Sticky, Kind::Stored] {
        let world = World::new((kind, Kind::Signed));
        let mut client = world.client().await;
        let (accept, issue) = world.nodes();
        let text = "x".repeat(6000);
        let written = client
            .post(&accept, async |session| session.insert("big", text))
            .await;
        assert_eq!(written.status(), StatusCode::OK);
        for _ in 0..2 {
            client.insert(&issue, "n", 2).await;
            let seen = client
                .get(&issue, async |session| {
                    let big = session.get::<String>("big").unwrap().unwrap();
                    format!(
                        "{} {}",
                        big.len(),
                        session.get::<u64>("n").unwrap().unwrap()
                    )
                })
                .await;
            assert_eq!(seen.into_body(), "6000 2");
        }
        // It moves when it has become small.
        client
            .post(&issue, async |session| session.remove("big").map(drop))
            .await;
        assert_eq!(client.look(&issue).await, "ada n=2 resumed");
        let after = world.node(Stage::After, "n3");
        assert_eq!(client.look(&after).await, "ada n=2 resumed");
    }
}

#[test]
fn a_place_that_could_not_remember_is_refused() {
    let key = MasterKey::new("m", (0..32).collect::<Vec<u8>>()).unwrap();
    let from = Stored::new(MemoryStore::default());
    let error = Migration::new(from, Sticky::new(), key).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("backing"), "{error}");
}
