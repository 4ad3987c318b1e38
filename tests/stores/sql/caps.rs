//! The cap on the sessions of a subject.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use sessile_core::{Created, Loaded, OnFull, Store as _, SubjectCap};

use super::{Bed, after, record_of, start};

fn cap(max: u32, on_full: OnFull) -> Option<SubjectCap> {
    let max = NonZeroU32::new(max).unwrap();
    Some(SubjectCap { max, on_full })
}

pub async fn a_cap_is_exact_under_parallel_logins(bed: &impl Bed) {
    let stores = [bed.store(), bed.another().await];
    for (subject, on_full) in [("reject", OnFull::Reject), ("evict", OnFull::EvictOldest)] {
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..100_usize {
            let store = stores[task % 2].clone();
            tasks.spawn(async move {
                let record = Arc::new(record_of(Some(subject)));
                loop {
                    let created = store.create(record.clone(), cap(5, on_full), start()).await;
                    match created {
                        Ok(created) => return created == Created::Created,
                        // So many at once wait long for a connection; nothing was applied.
                        Err(error) => {
                            assert_eq!(error.kind(), sessile_core::ErrorKind::Unavailable)
                        }
                    }
                }
            });
        }
        let created = tasks
            .join_all()
            .await
            .into_iter()
            .filter(|created| *created)
            .count();
        assert_eq!(created, if on_full == OnFull::Reject { 5 } else { 100 });
        assert_eq!(stores[0].list(subject, start()).await.unwrap().len(), 5);
    }
    assert_eq!(stores[0].count(start()).await.unwrap(), Some(10));
}

pub async fn the_oldest_sessions_make_room(bed: &impl Bed) {
    let store = bed.store();
    let login = async |at: u64, max, on_full| {
        let mut record = record_of(Some("alice"));
        record.created_at = after(at);
        record.absolute_deadline = after(at).after(Duration::from_secs(3600));
        let created = store
            .create(Arc::new(record.clone()), cap(max, on_full), after(at))
            .await;
        (record, created.unwrap())
    };
    let mut records = Vec::new();
    for at in [30, 10, 20] {
        let (record, created) = login(at, 3, OnFull::Reject).await;
        assert_eq!(created, Created::Created);
        records.push(record);
    }
    assert_eq!(login(40, 3, OnFull::Reject).await.1, Created::Full);
    let (newest, created) = login(50, 2, OnFull::EvictOldest).await;
    assert_eq!(created, Created::Created);
    let mut left: Vec<_> = store.list("alice", after(50)).await.unwrap();
    left.sort_by_key(|candidate| candidate.record.as_ref().unwrap().created_at);
    let left: Vec<_> = left.into_iter().map(|candidate| candidate.sid).collect();
    assert_eq!(left, [records[0].sid, newest.sid]);
    let ended = store.load(&records[1].sid, after(50)).await.unwrap();
    assert!(matches!(ended, Loaded::Ended), "{ended:?}");
    // Expired ones do not count, and neither do ended ones or other subjects'.
    store
        .end(&records[0].sid, after(60), after(999))
        .await
        .unwrap();
    assert_eq!(login(60, 2, OnFull::Reject).await.1, Created::Created);
    assert_eq!(login(1 << 40, 1, OnFull::Reject).await.1, Created::Created);
}

pub async fn a_taken_id_ends_nobody(bed: &impl Bed) {
    let store = bed.store();
    let first = Arc::new(record_of(Some("alice")));
    store
        .create(first.clone(), cap(1, OnFull::EvictOldest), start())
        .await
        .unwrap();
    let again = store
        .create(first.clone(), cap(1, OnFull::EvictOldest), start())
        .await
        .unwrap();
    assert_eq!(again, Created::Taken);
    assert!(matches!(
        store.load(&first.sid, start()).await.unwrap(),
        Loaded::Live(_)
    ));
}
