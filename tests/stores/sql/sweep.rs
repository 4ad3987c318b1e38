//! Freeing space.

use std::sync::Arc;

use sessile_core::{Loaded, Store as _};

use super::{Bed, after, record, set, start};

const HOUR: u64 = 3_600_000;

pub async fn a_sweep_frees_what_is_past_its_margin_in_batches(bed: &impl Bed) {
    let store = bed.store();
    let mut ids = Vec::new();
    for at in 0..20_u64 {
        let record = Arc::new(record());
        ids.push(record.sid);
        store.create(record, None, start()).await.unwrap();
        if at % 2 == 0 {
            store
                .end(&ids[at as usize], start(), after(60_000))
                .await
                .unwrap();
        }
    }
    // Nothing before its margin: a tombstone's is a minute, a record's is an hour.
    assert_eq!(store.sweep(after(119_999), 100).await.unwrap(), 0);
    let mut freed = Vec::new();
    loop {
        let batch = store.sweep(after(120_000), 4).await.unwrap();
        if batch == 0 {
            break;
        }
        freed.push(batch);
    }
    assert_eq!(freed, [4, 4, 2]);
    assert!(matches!(
        store.load(&ids[0], after(1)).await.unwrap(),
        Loaded::Absent
    ));
    assert_eq!(store.sweep(after(2 * HOUR - 1), 100).await.unwrap(), 0);
    assert!(matches!(
        store.load(&ids[1], after(2 * HOUR)).await.unwrap(),
        Loaded::Expired
    ));
    assert_eq!(store.sweep(after(2 * HOUR), 0).await.unwrap(), 0);
    assert_eq!(store.sweep(after(2 * HOUR), usize::MAX).await.unwrap(), 10);
    assert_eq!(store.count(start()).await.unwrap(), Some(0));
}

/// Sweeps and uses at the same time; no session that was used in time is freed.
pub async fn a_sweep_leaves_what_was_used_meanwhile(bed: &impl Bed) {
    let stores = [bed.store(), bed.another().await];
    let mut records = Vec::new();
    for _ in 0..40 {
        let record = Arc::new(record());
        stores[0]
            .create(record.clone(), None, start())
            .await
            .unwrap();
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
