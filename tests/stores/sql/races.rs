//! Many at once, over two pools.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sessile_core::{Applied, Created, Loaded, Patch, Record, Rotation, Store, Verifier, Wrapped};

use super::{Bed, after, name, record, set, start, text};

/// Adds one to the key, by compare and swap, until it is done. Says how many conflicts it met.
pub async fn increment(store: &dyn Store, record: &Record, key: &str) -> u64 {
    let mut conflicts = 0;
    let mut stored = match store.load(&record.sid, start()).await.unwrap() {
        Loaded::Live(record) => record,
        other => panic!("{other:?}"),
    };
    loop {
        let old = stored.data.get(key).cloned();
        let count = old.as_ref().map_or(0, |text| text.decode::<u64>().unwrap());
        let mut patch = set(stored.version, key, &(count + 1).to_string());
        patch.expect(name(key), old);
        match store.apply(&record.sid, start(), &patch).await.unwrap() {
            Applied::Applied { .. } => return conflicts,
            Applied::Conflict(newer) => stored = newer,
            Applied::Gone => panic!("it is there"),
        }
        conflicts += 1;
    }
}

pub async fn increments_of_many_are_exact(bed: &impl Bed) {
    const TASKS: u64 = 16;
    const EACH: u64 = 25;
    let stores = [bed.store(), bed.another().await];
    let record = Arc::new(record());
    stores[0]
        .create(record.clone(), None, start())
        .await
        .unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..TASKS {
        let (store, record) = (stores[task as usize % 2].clone(), record.clone());
        tasks.spawn(async move {
            for _ in 0..EACH {
                increment(&*store, &record, "n").await;
            }
        });
    }
    tasks.join_all().await;
    match stores[0].load(&record.sid, start()).await.unwrap() {
        Loaded::Live(record) => {
            let count: u64 = record.data.get("n").unwrap().decode().unwrap();
            assert_eq!(count, TASKS * EACH);
            assert_eq!(record.version, 1 + TASKS * EACH);
        }
        other => panic!("{other:?}"),
    }
}

pub async fn writes_to_different_keys_never_conflict(bed: &impl Bed) {
    let stores = [bed.store(), bed.another().await];
    let record = Arc::new(record());
    stores[0]
        .create(record.clone(), None, start())
        .await
        .unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..8_usize {
        let (store, record) = (stores[task % 2].clone(), record.clone());
        tasks.spawn(async move {
            let key = format!("key {task}");
            let mut conflicts = 0;
            for _ in 0..20 {
                conflicts += increment(&*store, &record, &key).await;
            }
            conflicts
        });
    }
    assert_eq!(tasks.join_all().await.iter().sum::<u64>(), 0);
    match stores[1].load(&record.sid, start()).await.unwrap() {
        Loaded::Live(record) => {
            assert_eq!(record.data.len(), 8);
            assert!(record.data.iter().all(|(_, text)| text.as_str() == "20"));
        }
        other => panic!("{other:?}"),
    }
}

/// Creates, ends and writes in flight at the same time: whatever the order, after an end was
/// answered the session is over, and its last state is one that was acknowledged.
pub async fn a_session_that_ended_never_comes_back(bed: &impl Bed) {
    let stores = [bed.store(), bed.another().await];
    for round in 0..60 {
        let record = Arc::new(record());
        let sid = record.sid;
        if round % 2 == 0 {
            stores[0]
                .create(record.clone(), None, start())
                .await
                .unwrap();
        }
        let written = Arc::new(AtomicU64::new(0));
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..4_usize {
            let (store, record, written) =
                (stores[task % 2].clone(), record.clone(), written.clone());
            tasks.spawn(async move {
                store.create(record, None, start()).await.unwrap();
                for _ in 0..3 {
                    let applied = store.apply(&sid, start(), &set(0, "k", "1")).await.unwrap();
                    if let Applied::Applied { version, .. } = applied {
                        written.fetch_max(version, Ordering::SeqCst);
                    }
                }
            });
        }
        let (store, other) = (stores[1].clone(), stores[0].clone());
        tasks.spawn(async move {
            let last = store.end(&sid, start(), after(60_000)).await.unwrap();
            // From here on, everywhere.
            assert!(matches!(
                other.load(&sid, start()).await.unwrap(),
                Loaded::Ended
            ));
            let applied = other.apply(&sid, start(), &set(0, "k", "2")).await.unwrap();
            assert!(matches!(applied, Applied::Gone));
            let version = last.map_or(0, |record| record.version);
            written.fetch_max(version << 32, Ordering::SeqCst);
            let written = written.load(Ordering::SeqCst);
            assert!(written & 0xffff_ffff <= written >> 32 || version == 0);
        });
        tasks.join_all().await;
        assert!(matches!(
            stores[0].load(&sid, start()).await.unwrap(),
            Loaded::Ended
        ));
        let created = stores[1].create(record, None, start()).await.unwrap();
        assert_eq!(created, Created::Taken);
    }
}

pub async fn of_rotations_from_one_verifier_exactly_one_wins(bed: &impl Bed) {
    let stores = [bed.store(), bed.another().await];
    for _ in 0..10 {
        let record = Arc::new(record());
        stores[0]
            .create(record.clone(), None, start())
            .await
            .unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..8_usize {
            let (store, record) = (stores[task % 2].clone(), record.clone());
            tasks.spawn(async move {
                let mut patch = Patch::new(1);
                let new = Verifier::random().hash();
                patch.rotate(Some(Rotation {
                    expect: record.hash,
                    new,
                    wrapped: Wrapped::from_bytes([task as u8; 16]),
                }));
                patch.set(name("who"), text(&task.to_string()));
                let applied = store.apply(&record.sid, start(), &patch).await.unwrap();
                matches!(applied, Applied::Applied { .. }).then_some((task, new))
            });
        }
        let won: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
        let [(task, new)] = won[..] else {
            panic!("{} rotations won", won.len());
        };
        let Loaded::Live(now) = stores[0].load(&record.sid, start()).await.unwrap() else {
            panic!("it is live");
        };
        assert_eq!(now.hash, new);
        assert_eq!(now.previous.as_ref().unwrap().hash, record.hash);
        assert_eq!(
            now.previous.as_ref().unwrap().wrapped.as_bytes(),
            &[task as u8; 16]
        );
    }
}
