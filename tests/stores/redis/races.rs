//! Many at once on one session.

use std::sync::Arc;
use std::time::Duration;

use sessile_core::{Applied, Created, Loaded, Patch, SessionId, Store as _};
use sessile_redis::RedisStore;
use tokio::task::JoinSet;

use super::{open, single, stored};
use crate::samples::{NOW, blank, name, text};

const TASKS: usize = 16;
const UPDATES: u64 = 100;

#[tokio::test(flavor = "multi_thread")]
async fn updates_are_exact_over_two_connections() {
    let (server, store) = single();
    let other = open(&server.url());
    assert_eq!(count(&store, &other, true).await, TASKS as u64 * UPDATES);
}

/// The control: without an expectation, some are lost.
#[tokio::test(flavor = "multi_thread")]
async fn writes_without_an_expectation_overwrite_each_other() {
    let (server, store) = single();
    let other = open(&server.url());
    assert!(count(&store, &other, false).await < TASKS as u64 * UPDATES);
}

/// Counts in one key from many tasks; says what it came to.
async fn count(store: &RedisStore, other: &RedisStore, expects: bool) -> u64 {
    let record = Arc::new(blank());
    store.create(record.clone(), None, NOW).await.unwrap();
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let store = if task % 2 == 0 { store } else { other }.clone();
        let sid = record.sid;
        tasks.spawn(async move {
            for _ in 0..UPDATES {
                increment(&store, &sid, expects).await;
            }
        });
    }
    tasks.join_all().await;
    let record = stored(store, &record).await;
    record.data.get("n").unwrap().as_str().parse().unwrap()
}

async fn increment(store: &RedisStore, sid: &SessionId, expects: bool) {
    let Loaded::Live(mut record) = store.load(sid, NOW).await.unwrap() else {
        panic!("the session is there");
    };
    loop {
        let old = record.data.get("n").cloned();
        let number: u64 = old.as_ref().map_or(0, |old| old.as_str().parse().unwrap());
        let mut patch = Patch::new(record.version);
        if expects {
            patch.expect(name("n"), old);
        }
        patch.set(name("n"), text(&(number + 1).to_string()));
        match store.apply(sid, NOW, &patch).await.unwrap() {
            Applied::Applied { .. } => return,
            Applied::Conflict(current) => record = current,
            Applied::Gone => panic!("nobody ended it"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ended_session_does_not_come_back_whatever_is_in_flight() {
    let (server, store) = single();
    let other = open(&server.url());
    let until = NOW.after(Duration::from_secs(60));
    let (mut applied, mut gone, mut first) = (0, 0, 0);
    for round in 0..300 {
        let mut record = blank();
        record.subject = (round % 2 == 0).then(|| "käse".into());
        let record = Arc::new(record);
        let sid = record.sid;
        if round % 3 > 0 {
            store.create(record.clone(), None, NOW).await.unwrap();
        }
        let mut writers = JoinSet::new();
        for task in 0..4 {
            let store = if task % 2 == 0 { &store } else { &other }.clone();
            let record = record.clone();
            writers.spawn(async move {
                let mut patch = Patch::new(0);
                patch.set(name("late"), text("1"));
                let created = store.create(record.clone(), None, NOW).await.unwrap();
                let applied = store.apply(&record.sid, NOW, &patch).await.unwrap();
                (
                    created == Created::Created,
                    matches!(applied, Applied::Applied { .. }),
                )
            });
        }
        let (store, other) = (store.clone(), other.clone());
        let ended = tokio::spawn(async move {
            let (one, two) = tokio::join!(store.end(&sid, NOW, until), other.end(&sid, NOW, until));
            usize::from(one.unwrap().is_some()) + usize::from(two.unwrap().is_some())
        });
        let (ended, writers) = (ended.await.unwrap(), writers.join_all().await);
        let made =
            writers.iter().filter(|(created, _)| *created).count() + usize::from(round % 3 > 0);
        assert!(made <= 1, "made {made} times");
        assert_eq!(ended, made, "whoever ends it gets it, once");
        first += usize::from(made == 0);
        applied += writers.iter().filter(|(_, applied)| *applied).count();
        gone += writers.iter().filter(|(_, applied)| !*applied).count();
        let found = super::open(&server.url()).load(&sid, NOW).await.unwrap();
        assert!(matches!(found, Loaded::Ended), "{found:?}");
    }
    // The races went both ways.
    assert!(applied > 0 && gone > 0, "{applied} {gone} {first}");
}
