//! Ends and tombstones.

use std::sync::Arc;

use sessile_core::{Applied, Created, Loaded, Store as _};

use super::{Bed, after, record, record_of, set, start};

pub async fn an_end_returns_the_record_and_leaves_a_tombstone(bed: &impl Bed) {
    let store = bed.store();
    // Live, and long past its deadlines.
    for now in [start(), after(1 << 40)] {
        let record = Arc::new(record_of(Some("alice")));
        store.create(record.clone(), None, start()).await.unwrap();
        store
            .apply(&record.sid, start(), &set(1, "k", "1"))
            .await
            .unwrap();
        let until = now.after(std::time::Duration::from_secs(60));
        let ended = store.end(&record.sid, now, until).await.unwrap().unwrap();
        assert_eq!(
            (ended.version, ended.hash, &ended.subject),
            (2, record.hash, &record.subject)
        );
        assert_eq!(ended.data.get("k").unwrap().as_str(), "1");
        assert!(matches!(
            store.load(&record.sid, now).await.unwrap(),
            Loaded::Ended
        ));
        let applied = store
            .apply(&record.sid, now, &set(2, "k", "2"))
            .await
            .unwrap();
        assert!(matches!(applied, Applied::Gone));
        assert_eq!(
            store.create(record.clone(), None, now).await.unwrap(),
            Created::Taken
        );
        assert!(store.end(&record.sid, now, until).await.unwrap().is_none());
        assert!(store.list("alice", start()).await.unwrap().is_empty());
    }
    // Nothing was there, and nothing will be.
    let record = Arc::new(record());
    assert!(
        store
            .end(&record.sid, start(), after(1000))
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(
        store.create(record, None, start()).await.unwrap(),
        Created::Taken
    );
    assert_eq!(store.count(start()).await.unwrap(), Some(0));
}

pub async fn a_tombstone_is_never_shortened_and_keeps_nothing(bed: &impl Bed) {
    let store = bed.store();
    let record = Arc::new(record_of(Some("alice")));
    store.create(record.clone(), None, start()).await.unwrap();
    for until in [1000, 5000, 10] {
        store.end(&record.sid, start(), after(until)).await.unwrap();
    }
    assert!(matches!(
        store.load(&record.sid, after(4999)).await.unwrap(),
        Loaded::Ended
    ));
    assert!(matches!(
        store.load(&record.sid, after(5000)).await.unwrap(),
        Loaded::Absent
    ));
    let nothing = "hash IS NULL AND previous IS NULL AND subject IS NULL AND data IS NULL";
    bed.run(&format!("DELETE FROM sessions WHERE {nothing}"))
        .await;
    assert!(matches!(
        store.load(&record.sid, start()).await.unwrap(),
        Loaded::Absent
    ));
}

pub async fn an_id_is_free_again_after_its_tombstones_time(bed: &impl Bed) {
    let store = bed.store();
    let record = Arc::new(record());
    store.end(&record.sid, start(), after(1000)).await.unwrap();
    let create = async |now| store.create(record.clone(), None, now).await.unwrap();
    assert_eq!(create(after(999)).await, Created::Taken);
    assert_eq!(create(after(1000)).await, Created::Created);
    assert_eq!(create(after(1000)).await, Created::Taken);
    // Nor is a record that expired written over.
    assert_eq!(create(after(1 << 40)).await, Created::Taken);
}
