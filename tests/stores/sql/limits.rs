//! What the columns of a table can't hold, and what they hold no longer.

use std::sync::Arc;

use sessile_core::{Data, ErrorKind, Loaded, Store as _};

use super::Tables;
use crate::samples::{NOW, after, blank, name, of, text};

pub(crate) async fn what_no_column_takes_is_refused(tables: &impl Tables) {
    let store = tables.store();
    // NUL itself is no part of encoded JSON.
    let mut nul = blank();
    nul.data = Data::from_iter([(name("a"), text("\0"))]);
    for record in [Arc::new(nul), of(&"s".repeat(513))] {
        let error = store.create(record, None, NOW).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }
    assert_eq!(store.count(NOW).await.unwrap(), Some(0));
}

pub(crate) async fn a_tombstone_keeps_nothing(tables: &impl Tables) {
    let store = tables.store();
    let record = of("alice");
    store.create(record.clone(), None, NOW).await.unwrap();
    store.end(&record.sid, NOW, after(1000)).await.unwrap();
    let nothing = "hash IS NULL AND previous IS NULL AND subject IS NULL AND data IS NULL";
    let delete = format!("DELETE FROM sessions WHERE {nothing}");
    tables.run(&delete).await;
    let found = store.load(&record.sid, NOW).await.unwrap();
    assert!(matches!(found, Loaded::Absent), "{found:?}");
}
