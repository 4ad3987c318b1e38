//! Callers that give up: their answer goes to nobody.

use std::sync::Arc;
use std::time::Duration;

use sessile_core::{Applied, Loaded, Patch, Store as _};
use tokio::task::JoinSet;

use super::{open, single, stored};
use crate::samples::{NOW, Random, blank, name, text};

const CANCELLED: u64 = 100_000;

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_nobody_waits_for_reaches_nobody_else() {
    let (server, store) = single();
    let other = open(&server.url());
    // Each record carries its own id as a value.
    let mut records = Vec::new();
    for _ in 0..64 {
        let mut record = blank();
        record.data = [(name("id"), text(&record.sid.to_string()))]
            .into_iter()
            .collect();
        let record = Arc::new(record);
        store.create(record.clone(), None, NOW).await.unwrap();
        records.push(record);
    }

    let mut tasks = JoinSet::new();
    for task in 0..8 {
        let (store, records) = (store.clone(), records.clone());
        tasks.spawn(async move {
            let mut random = Random::new(task);
            let mut given_up = 0;
            while given_up < CANCELLED / 8 {
                let record = &records[usize::try_from(random.below(64)).unwrap()];
                let mut patch = Patch::new(0);
                patch.set(name("n"), text(&random.below(9).to_string()));
                let patience = Duration::from_micros(random.below(300));
                let polls = random.below(3);
                let load = async {
                    match random.below(2) {
                        0 => drop(store.load(&record.sid, NOW).await),
                        _ => drop(store.apply(&record.sid, NOW, &patch).await),
                    }
                };
                tokio::select! {
                    biased;
                    () = give_up(polls, patience) => given_up += 1,
                    () = load => {}
                }
            }
            given_up
        });
    }
    let mut checks = JoinSet::new();
    for task in 100..104 {
        let (store, other, records) = (store.clone(), other.clone(), records.clone());
        checks.spawn(async move {
            let mut random = Random::new(task);
            for _ in 0..5000 {
                let record = &records[usize::try_from(random.below(64)).unwrap()];
                let store = if random.once_in(8) { &other } else { &store };
                let id = record.sid.to_string();
                let found = if random.once_in(2) {
                    match store.load(&record.sid, NOW).await.unwrap() {
                        Loaded::Live(found) => found,
                        found => panic!("{found:?}"),
                    }
                } else {
                    match store.apply(&record.sid, NOW, &Patch::new(0)).await.unwrap() {
                        Applied::Applied {
                            record: Some(found),
                            ..
                        } => found,
                        found => panic!("{found:?}"),
                    }
                };
                assert_eq!(found.data.get("id").unwrap().as_str(), id);
            }
        });
    }
    checks.join_all().await;
    assert!(tasks.join_all().await.into_iter().sum::<u64>() >= CANCELLED / 8 * 8);
    for record in &records {
        let found = stored(&store, record).await;
        assert_eq!(
            found.data.get("id").unwrap().as_str(),
            record.sid.to_string()
        );
    }
}

/// Ends at once, after a few turns of the scheduler, or after a while.
async fn give_up(polls: u64, patience: Duration) {
    match polls {
        0 => {}
        1 => {
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
        }
        _ => tokio::time::sleep(patience).await,
    }
}
