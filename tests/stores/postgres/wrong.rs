//! What the statements that are easier to write get wrong: that the tests of stores see it.

use std::sync::atomic::{AtomicU32, Ordering};

use sessile_conformance::{Depth, laws};
use sessile_core::{Applied, Loaded, Store as _};

use super::broken::{BrokenPostgres, Expectation};
use super::{PostgresBed, connect};
use crate::samples::NOW;
use crate::sql::Tables as _;
use crate::sql::staged::{ENDED, one, two, update};

fn broken(bed: &PostgresBed, expectation: Expectation) -> BrokenPostgres {
    BrokenPostgres::new(bed.store.clone(), &bed.prefix, expectation)
}

/// The negative control of every law about expectations.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expectation_as_an_anti_join_loses_an_acknowledged_write() {
    let bed = PostgresBed::new().await;
    let store = broken(&bed, Expectation::AntiJoin);
    let record = one(&store).await;
    // Somebody else was acknowledged 5; the statement that waited expects 1, and writes 2 over it.
    let change = update(
        &bed,
        &record,
        "data = '{\"n\":\"5\"}', version = version + 1",
    );
    let patch = two();
    let applied = bed
        .staged(&record.sid, &change, store.apply(&record.sid, NOW, &patch))
        .await;
    assert!(matches!(
        applied.unwrap(),
        Applied::Applied { version: 3, .. }
    ));
    match store.load(&record.sid, NOW).await.unwrap() {
        Loaded::Live(now) => assert_eq!(now.data.get("n").unwrap().as_str(), "2"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expectation_as_a_sub_plan_tells_of_a_conflict_that_is_old_or_none() {
    let bed = PostgresBed::new().await;
    let store = broken(&bed, Expectation::SubPlan);
    let record = one(&store).await;
    let change = update(
        &bed,
        &record,
        "data = '{\"n\":\"5\"}', version = version + 1",
    );
    let patch = two();
    let applied = bed
        .staged(&record.sid, &change, store.apply(&record.sid, NOW, &patch))
        .await;
    match applied.unwrap() {
        // The very value that was expected is given as the reason for the conflict.
        Applied::Conflict(now) => assert_eq!(now.data.get("n").unwrap().as_str(), "1"),
        other => panic!("{other:?}"),
    }
    let record = one(&store).await;
    let change = update(&bed, &record, ENDED);
    let applied = bed
        .staged(&record.sid, &change, store.apply(&record.sid, NOW, &patch))
        .await;
    assert!(matches!(applied.unwrap(), Applied::Conflict(_)), "it ended");
}

/// Under the law suite both break the one law about updates at the same time, and no other.
///
/// What is wrong shows when a statement waits for another one, which is luck: so that law is tried
/// at full depth. Of its 800 updates, each with seven others beside it, some thirty waited whenever
/// it was counted; that none does will not be seen.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_laws_see_what_is_wrong_and_nothing_else() {
    let server = super::server();
    let count = AtomicU32::new(0);
    for expectation in [Expectation::AntiJoin, Expectation::SubPlan] {
        let stores = || async {
            let prefix = format!("wrong{}_", count.fetch_add(1, Ordering::Relaxed));
            let store = connect(&server, &prefix).await;
            store.migrate().await.unwrap();
            BrokenPostgres::new(store, &prefix, expectation)
        };
        let mut broken = Vec::new();
        for law in laws() {
            let depth = match law.name() {
                "parallel_updates_are_exact" => Depth::Full,
                _ => Depth::Quick,
            };
            if let Err(violation) = law.check_at(&stores, depth).await {
                println!("{expectation:?}: {}: {violation}", law.name());
                broken.push(law.name());
            }
        }
        assert_eq!(broken, ["parallel_updates_are_exact"], "{expectation:?}");
    }
}
