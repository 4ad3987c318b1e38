//! The row changes while a statement waits for its lock: no luck is needed.

use std::sync::Arc;

use sessile_core::{Applied, Loaded, Patch, Record, Rotation, Store, Verifier, Wrapped};

use super::Tables;
use crate::samples::{NOW, after, blank, name, set, text};

/// A record with `n` = 1.
pub(crate) async fn one(store: &dyn Store) -> Arc<Record> {
    let mut record = blank();
    record.data = [(name("n"), text("1"))].into_iter().collect();
    let record = Arc::new(record);
    store.create(record.clone(), None, NOW).await.unwrap();
    record
}

/// Makes two of one.
pub(crate) fn two() -> Patch {
    let mut patch = set(1, "n", "2");
    patch.expect(name("n"), Some(text("1")));
    patch
}

/// The statement that somebody else gets in with.
pub(crate) fn update(tables: &impl Tables, record: &Record, change: &str) -> String {
    format!(
        "UPDATE sessions SET {change} WHERE sid = {}",
        tables.id(&record.sid)
    )
}

/// Ends the session, as the stores do.
pub(crate) const ENDED: &str = "hash = NULL, previous = NULL, version = NULL, created_at = NULL, \
    last_seen = NULL, idle_deadline = NULL, absolute_deadline = NULL, subject = NULL, \
    data = NULL, ended_until = 9000000000000";

pub(crate) async fn an_apply_that_waited_for_a_change_of_its_key_is_a_conflict_with_that_change(
    tables: &impl Tables,
) {
    let store = tables.store();
    let record = one(&*store).await;
    let change = update(
        tables,
        &record,
        "data = '{\"n\":\"5\"}', version = version + 1",
    );
    let patch = two();
    let applied = tables
        .staged(&record.sid, &change, store.apply(&record.sid, NOW, &patch))
        .await;
    match applied.unwrap() {
        Applied::Conflict(now) => {
            assert_eq!(now.data.get("n").unwrap().as_str(), "5");
            assert_eq!(now.version, 2);
        }
        other => panic!("{other:?}"),
    }
    // Likewise the verifier.
    let record = one(&*store).await;
    let change = update(
        tables,
        &record,
        &format!("hash = {}", tables.bytes(&[5; 32])),
    );
    let mut patch = Patch::new(1);
    patch.rotate(Some(Rotation {
        expect: record.hash,
        new: Verifier::random().hash(),
        wrapped: Wrapped::from_bytes([1; 16]),
    }));
    let applied = tables
        .staged(&record.sid, &change, store.apply(&record.sid, NOW, &patch))
        .await;
    match applied.unwrap() {
        Applied::Conflict(now) => assert_eq!(now.hash.as_bytes(), &[5; 32]),
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn an_apply_that_waited_for_another_key_keeps_both(tables: &impl Tables) {
    let store = tables.store();
    let record = one(&*store).await;
    let change =
        "data = '{\"n\":\"1\",\"other\":\"x\"}', version = version + 1, last_seen = last_seen + 5";
    let change = update(tables, &record, change);
    let patch = two();
    let applied = tables
        .staged(&record.sid, &change, store.apply(&record.sid, NOW, &patch))
        .await;
    match applied.unwrap() {
        Applied::Applied {
            version: 3,
            record: Some(now),
        } => {
            let values = now
                .data
                .iter()
                .map(|(name, text)| (name.as_str(), text.as_str()));
            assert_eq!(values.collect::<Vec<_>>(), [("n", "2"), ("other", "x")]);
            assert_eq!(now.last_seen, after(5));
            let loaded = store.load(&record.sid, NOW).await.unwrap();
            assert!(matches!(loaded, Loaded::Live(loaded) if loaded == now));
        }
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn an_apply_that_waited_for_an_end_is_gone(tables: &impl Tables) {
    let store = tables.store();
    for change in [ENDED, "idle_deadline = last_seen", "absolute_deadline = 0"] {
        let record = one(&*store).await;
        let change = update(tables, &record, change);
        let patch = two();
        let applied = tables
            .staged(&record.sid, &change, store.apply(&record.sid, NOW, &patch))
            .await;
        assert!(matches!(applied.unwrap(), Applied::Gone), "{change}");
    }
    let record = one(&*store).await;
    let change = format!(
        "DELETE FROM sessions WHERE sid = {}",
        tables.id(&record.sid)
    );
    let patch = two();
    let applied = tables
        .staged(&record.sid, &change, store.apply(&record.sid, NOW, &patch))
        .await;
    assert!(matches!(applied.unwrap(), Applied::Gone));
    assert!(matches!(
        store.load(&record.sid, NOW).await.unwrap(),
        Loaded::Absent
    ));
}

pub(crate) async fn an_end_that_waited_for_a_write_returns_it(tables: &impl Tables) {
    let store = tables.store();
    let record = one(&*store).await;
    let change = update(
        tables,
        &record,
        "data = '{\"n\":\"5\"}', version = version + 1",
    );
    let end = store.end(&record.sid, NOW, after(60_000));
    let last = tables
        .staged(&record.sid, &change, end)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(last.data.get("n").unwrap().as_str(), "5");
    // The row is gone when its turn comes: a tombstone is left all the same.
    let record = one(&*store).await;
    let change = format!(
        "DELETE FROM sessions WHERE sid = {}",
        tables.id(&record.sid)
    );
    let end = store.end(&record.sid, NOW, after(60_000));
    assert!(
        tables
            .staged(&record.sid, &change, end)
            .await
            .unwrap()
            .is_none()
    );
    assert!(matches!(
        store.load(&record.sid, NOW).await.unwrap(),
        Loaded::Ended
    ));
}
