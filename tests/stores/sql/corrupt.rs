//! What can't be read.

use sessile_core::{ErrorKind, Loaded, RECORD_LIMIT, Store as _};

use super::Tables;
use crate::samples::{NOW, after, of, set};

pub(crate) async fn what_cannot_be_read_is_corrupt_never_overwritten_and_can_be_ended(
    tables: &impl Tables,
) {
    let store = tables.store();
    let bytes = |length: usize| tables.bytes(&vec![7; length]);
    let big = format!("data = '{{\"a\":\"{}\"}}'", "x".repeat(RECORD_LIMIT));
    let spoil = [
        "format = 2".to_owned(),
        "format = 0".to_owned(),
        format!("hash = {}", bytes(31)),
        format!("hash = {}", bytes(33)),
        "hash = NULL".to_owned(),
        format!("previous = {}", bytes(47)),
        format!("previous = {}", bytes(57)),
        "version = 0".to_owned(),
        "version = -1".to_owned(),
        "version = 9007199254740992".to_owned(),
        "version = NULL".to_owned(),
        "last_seen = idle_deadline + 1".to_owned(),
        "created_at = -1".to_owned(),
        "absolute_deadline = NULL".to_owned(),
        "data = NULL".to_owned(),
        "data = '[]'".to_owned(),
        "data = 'null'".to_owned(),
        "data = '{\"a\":1}'".to_owned(),
        "data = '{\"a\":null}'".to_owned(),
        "data = '{\"\":\"1\"}'".to_owned(),
        format!("data = '{{\"{}\":\"1\"}}'", "k".repeat(129)),
        big,
    ];
    for spoil in spoil {
        let record = of("alice");
        store.create(record.clone(), None, NOW).await.unwrap();
        let id = tables.id(&record.sid);
        tables
            .run(&format!("UPDATE sessions SET {spoil} WHERE sid = {id}"))
            .await;
        let error = store.load(&record.sid, NOW).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{spoil}");
        for base in [0, 1] {
            let error = store
                .apply(&record.sid, NOW, &set(base, "k", "1"))
                .await
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{spoil}");
        }
        let error = store.load(&record.sid, NOW).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{spoil}");
        let created = store.create(record.clone(), None, NOW).await.unwrap();
        assert_eq!(created, sessile_core::Created::Taken, "{spoil}");
        let error = store.end(&record.sid, NOW, after(1000)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{spoil}");
        assert!(matches!(
            store.load(&record.sid, NOW).await.unwrap(),
            Loaded::Ended
        ));
        assert!(
            store
                .end(&record.sid, NOW, after(1000))
                .await
                .unwrap()
                .is_none()
        );
    }
    // A session in a later release's format is in its subject's list, so that it can be revoked.
    let record = of("bob");
    store.create(record.clone(), None, NOW).await.unwrap();
    tables
        .run("UPDATE sessions SET format = 2 WHERE ended_until IS NULL")
        .await;
    let listed = store.list("bob", NOW).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert!(listed[0].sid == record.sid && listed[0].record.is_none());
}
