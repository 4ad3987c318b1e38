//! Operations whose futures are dropped on the way.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use sessile_core::{Applied, Created, Data, ErrorKind, Loaded, OnFull, Record, Store, SubjectCap};

use super::Bed;
use crate::samples::{NOW, Random, after, blank, name, set, text};

/// Thousands of operations, each dropped after a moment, next to some that are not. Every record
/// carries its own id, so that an answer to another question is seen; what was done or not done is
/// seen at the end, and a transaction that was left open would keep somebody waiting.
pub(crate) async fn cancelled_operations_leave_nothing_behind(bed: &impl Bed) {
    const TASKS: u64 = 8;
    const EACH: u64 = 250;
    let store = bed.store();
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..TASKS {
        let store = store.clone();
        tasks.spawn(async move {
            let mut random = Random::new(task);
            let mut live = Vec::new();
            for _ in 0..EACH {
                let moment = Duration::from_micros(random.below(1500));
                match random.below(6) {
                    0 | 1 => {
                        let record = own(&format!("subject {}", random.below(3)));
                        let cap = random.once_in(2).then(cap);
                        let create = store.create(record.clone(), cap, NOW);
                        let _ = tokio::time::timeout(moment, create).await;
                        live.push(record);
                    }
                    2 => {
                        let record = pick(&mut random, &live).sid;
                        let end = store.end(&record, NOW, after(60_000));
                        let _ = tokio::time::timeout(moment, end).await;
                    }
                    3 => {
                        let sid = pick(&mut random, &live).sid;
                        let patch = set(0, "k", "1");
                        let apply = store.apply(&sid, NOW, &patch);
                        let _ = tokio::time::timeout(moment, apply).await;
                    }
                    4 => {
                        let sid = pick(&mut random, &live).sid;
                        let _ = tokio::time::timeout(moment, store.load(&sid, NOW)).await;
                    }
                    // To its end.
                    _ => check(&*store, &pick(&mut random, &live)).await,
                }
            }
            live
        });
    }
    let records: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    // Every connection is there again, or can be.
    let connections = bed.connections().await;
    assert!(connections == 10 || connections == 1, "{connections}");
    let mut tasks = tokio::task::JoinSet::new();
    for record in records {
        let store = store.clone();
        tasks.spawn(async move {
            check(&*store, &record).await;
            // Nobody holds a lock on it any more.
            let end = store.end(&record.sid, NOW, after(60_000)).await;
            let _ = end.map_err(|error| unavailable(&error));
        });
    }
    tasks.join_all().await;
    let record = own("last");
    assert_eq!(
        store
            .create(record.clone(), Some(cap()), NOW)
            .await
            .unwrap(),
        Created::Created
    );
    check(&*store, &record).await;
}

/// What comes back for a record is that record.
async fn check(store: &dyn Store, record: &Record) {
    let is_own = |found: &Record| {
        assert_eq!(found.sid, record.sid);
        assert_eq!(found.hash, record.hash);
        assert_eq!(found.data.get("own"), record.data.get("own"));
    };
    match store.load(&record.sid, NOW).await {
        Ok(Loaded::Live(found)) => is_own(&found),
        Ok(_) => {}
        Err(error) => unavailable(&error),
    }
    match store.apply(&record.sid, NOW, &set(0, "k", "2")).await {
        Ok(Applied::Applied { record: found, .. }) => is_own(&found.unwrap()),
        Ok(Applied::Conflict(_)) => panic!("nothing was expected"),
        Ok(Applied::Gone) => {}
        Err(error) => unavailable(&error),
    }
}

/// With so many at once it may take too long until there is a connection. Nothing else is excused.
fn unavailable(error: &sessile_core::Error) {
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
}

fn own(subject: &str) -> Arc<Record> {
    let mut record = blank();
    record.subject = Some(subject.into());
    let own = text(&format!("\"{}\"", record.sid));
    record.data = Data::from_iter([(name("own"), own)]);
    Arc::new(record)
}

fn pick(random: &mut Random, live: &[Arc<Record>]) -> Arc<Record> {
    match live.len() {
        0 => own("nobody"),
        many => live[random.below(many as u64) as usize].clone(),
    }
}

fn cap() -> SubjectCap {
    SubjectCap {
        max: NonZeroU32::new(3).unwrap(),
        on_full: OnFull::EvictOldest,
    }
}
