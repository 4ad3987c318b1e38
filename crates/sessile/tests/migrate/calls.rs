//! What a migration costs in calls to the two stores.

use std::sync::Arc;

use sessile_conformance::{CountingStore, Operation};

use crate::client::Client;
use crate::world::{Kind, Stage, World};

/// [creates, loads, applies, ends], in the old store and in the new one.
fn spent(stores: &[Arc<CountingStore<Arc<dyn sessile::Store>>>; 2]) -> [[u64; 4]; 2] {
    let operations = [
        Operation::Create,
        Operation::Load,
        Operation::Apply,
        Operation::End,
    ];
    stores.each_ref().map(|store| {
        let calls = operations.map(|operation| store.calls(operation));
        assert_eq!(calls.iter().sum::<u64>(), store.total());
        store.reset();
        calls
    })
}

#[tokio::test]
async fn a_move_is_paid_once_and_an_end_is_told_to_both() {
    let mut world = World::new((Kind::Stored, Kind::Stored));
    let counting = |store: &Arc<dyn sessile::Store>| Arc::new(CountingStore::new(store.clone()));
    let stores = [counting(&world.stores.0), counting(&world.stores.1)];
    world.stores = (stores[0].clone(), stores[1].clone());
    let (mut client, mut straggler, accept, issue) = world.meeting().await;
    spent(&stores);
    client.look(&accept).await;
    assert_eq!(
        spent(&stores),
        [[0, 1, 0, 0], [0, 1, 0, 0]],
        "a read while accepting"
    );
    client.look(&issue).await;
    assert_eq!(spent(&stores), [[0, 1, 0, 1], [1, 2, 2, 0]], "the move");
    client.look(&issue).await;
    assert_eq!(
        spent(&stores),
        [[0; 4], [0, 1, 0, 0]],
        "a read from then on"
    );
    straggler.look(&issue).await;
    assert_eq!(spent(&stores), [[0; 4], [0, 1, 0, 0]], "a straggler");
    client.post(&issue, async |session| session.logout()).await;
    assert_eq!(spent(&stores), [[0, 0, 0, 1], [0, 1, 0, 2]], "a logout");
    let mut visitor = Client::default();
    visitor.insert(&issue, "a", 1).await;
    assert_eq!(spent(&stores), [[0; 4], [1, 0, 0, 0]], "a new session");
    visitor.present(&"A".repeat(66));
    visitor.look(&world.node(Stage::Issue, "n3")).await;
    assert_eq!(spent(&stores), [[0; 4], [0; 4]], "garbage");
}
