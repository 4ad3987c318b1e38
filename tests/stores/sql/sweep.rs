//! Freeing space.

use std::sync::Arc;

use sessile_core::{Loaded, Store as _};

use super::Tables;
use crate::samples::{NOW, after, blank, set};

const HOUR: u64 = 3_600_000;

/// A record's is its idle time, a tombstone's a minute: clocks differ.
pub(crate) async fn a_sweep_waits_for_a_margin(tables: &impl Tables) {
    let store = tables.store();
    let records = [Arc::new(blank()), Arc::new(blank())];
    for record in &records {
        store.create(record.clone(), None, NOW).await.unwrap();
    }
    let [ended, left] = &records;
    store.end(&ended.sid, NOW, after(60_000)).await.unwrap();
    for (at, freed) in [(119_999, 0), (120_000, 1), (2 * HOUR - 1, 0), (2 * HOUR, 1)] {
        let swept = store.sweep(after(at), 100).await.unwrap();
        assert_eq!(swept, freed, "after {at} ms");
    }
    let found = store.load(&left.sid, NOW).await.unwrap();
    assert!(matches!(found, Loaded::Absent), "{found:?}");
}

/// Sweeps and uses at the same time; no session that was used in time is freed.
pub(crate) async fn a_sweep_leaves_what_was_used_meanwhile(tables: &impl Tables) {
    let stores = [tables.store(), tables.another().await];
    let mut records = Vec::new();
    for _ in 0..40 {
        let record = Arc::new(blank());
        stores[0].create(record.clone(), None, NOW).await.unwrap();
        records.push(record);
    }
    let used = records.clone();
    let user = stores[0].clone();
    let users = tokio::spawn(async move {
        for record in &used {
            let mut patch = set(1, "k", "1");
            patch.touch(after(HOUR - 1));
            user.apply(&record.sid, after(HOUR - 1), &patch)
                .await
                .unwrap();
        }
    });
    // By this clock each of them is due, unless it was used.
    let mut freed = 0;
    while !users.is_finished() {
        freed += stores[1].sweep(after(2 * HOUR), 3).await.unwrap();
    }
    users.await.unwrap();
    freed += stores[1].sweep(after(2 * HOUR), 100).await.unwrap();
    let mut left = 0;
    for record in &records {
        match stores[0].load(&record.sid, after(HOUR)).await.unwrap() {
            Loaded::Live(record) => {
                assert_eq!(record.version, 2);
                left += 1;
            }
            Loaded::Absent => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(freed + left, records.len());
}
