//! A move that stops half-way: a call that fails, that is never answered, or a node that is gone.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use sessile_conformance::{Fault, FaultyStore, Operation};

use crate::world::{Kind, PAIRS, Stage, World};

const OPERATIONS: [Operation; 4] = [
    Operation::Load,
    Operation::Create,
    Operation::End,
    Operation::Apply,
];

const FAULTS: [Fault; 4] = [
    Fault::Unavailable,
    Fault::AnswerLost,
    Fault::NeverAnswered,
    Fault::NeverMade,
];

pub(crate) type Faulty = Arc<FaultyStore<Arc<dyn sessile::Store>>>;

/// A world whose stores can be made to fail.
pub(crate) fn faulty(pair: (Kind, Kind)) -> (World, [Faulty; 2]) {
    let mut world = World::new(pair);
    let old = Arc::new(FaultyStore::new(world.stores.0.clone()));
    let new = Arc::new(FaultyStore::new(world.stores.1.clone()));
    world.stores = (old.clone(), new.clone());
    (world, [old, new])
}

/// Whatever fails, the client tries again and is still who it was, with all that it had written.
#[tokio::test(start_paused = true)]
async fn whatever_call_fails_the_next_try_finds_the_session() {
    for pair in PAIRS {
        for operation in OPERATIONS {
            for fault in FAULTS {
                for (at, nth) in [(0, 1), (0, 2), (1, 1), (1, 2), (1, 3)] {
                    let (world, stores) = faulty(pair);
                    let mut client = world.client().await;
                    let issue = world.node(Stage::Issue, "n1");
                    stores[at].fail_nth(operation, nth, fault);
                    let what = format!("{pair:?}: {operation:?} {nth} of {at}, {fault:?}");
                    let mut tries = 0;
                    let seen = loop {
                        tries += 1;
                        let seen = client
                            .get(&issue, async |session| crate::client::look(&session))
                            .await;
                        if seen.status() == StatusCode::OK {
                            break seen.into_body();
                        }
                        assert_eq!(seen.status(), StatusCode::SERVICE_UNAVAILABLE, "{what}");
                        assert!(tries < 3, "{what}");
                        stores[at].heal();
                    };
                    assert_eq!(seen, "ada n=1 resumed", "{what}, try {tries}");
                    stores[at].heal();
                    client.insert(&issue, "n", 2).await;
                    let after = world.node(Stage::After, "n2");
                    assert_eq!(client.look(&after).await, "ada n=2 resumed", "{what}");
                }
            }
        }
    }
}

/// A node that stops after any of its calls: another one waits for it, and then does the rest.
#[tokio::test(start_paused = true)]
async fn a_node_that_stops_half_way_keeps_nobody_out() {
    for pair in PAIRS {
        for operation in [Operation::Create, Operation::End, Operation::Apply] {
            for at in 0..2 {
                let (world, stores) = faulty(pair);
                let mut client = world.client().await;
                let issue = world.node(Stage::Issue, "n1");
                stores[at].fail_next(operation, Fault::Delay(Duration::from_secs(3600)));
                let request = client.request(Method::GET);
                let stops = crate::client::send(&issue, request, async |_| ());
                let stopped = tokio::time::timeout(Duration::from_millis(100), stops).await;
                stores[at].heal();
                if let Ok(answer) = &stopped {
                    client.keep(answer);
                }
                let another = world.node(Stage::Issue, "n2");
                let seen = client.look(&another).await;
                assert_eq!(seen, "ada n=1 resumed", "{pair:?} {operation:?} of {at}");
            }
        }
    }
}

/// What was written between the copy and the end is there, and whoever came meanwhile waited for it.
#[tokio::test(start_paused = true)]
async fn what_is_written_while_it_is_copied_is_not_lost() {
    for pair in PAIRS
        .into_iter()
        .filter(|pair| matches!(pair.0, Kind::Sticky | Kind::Stored))
    {
        let (world, stores) = faulty(pair);
        let mut client = world.client().await;
        client
            .insert(&world.node(Stage::Before, "n1"), "gone", 1)
            .await;
        let (accept, issue) = world.nodes();
        // The copy is made, and the end takes its time.
        stores[0].fail_next(Operation::End, Fault::Delay(Duration::from_secs(1)));
        let (mut writer, mut waiter) = (client.clone(), client.clone());
        let moves = async { client.look(&issue).await };
        let writes = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            // It was opened before: a node that accepts would wait as well.
            writer
                .post(&world.node(Stage::Before, "n3"), async |session| {
                    session.remove("gone")?;
                    session.insert("late", 1)?;
                    session.update_now("n", |n: &mut u64| *n += 1).await
                })
                .await
        };
        let waits = async {
            tokio::time::sleep(Duration::from_millis(400)).await;
            waiter.look(&accept).await
        };
        let (moved, written, waited) = tokio::join!(moves, writes, waits);
        assert_eq!(written.status(), StatusCode::OK, "{pair:?}");
        assert_eq!(moved, "ada late=1 n=2 resumed", "{pair:?}");
        assert_eq!(waited, moved, "{pair:?}");
    }
}
