//! The keys on the server: how long they stay there, and how much they hold.

use std::sync::Arc;
use std::time::Duration;

use sessile_core::{Applied, Created, Patch, RECORD_LIMIT, Store as _};

use super::{single, stored};
use crate::samples::{NOW, blank, name, text};

/// More than a script can hand to a command at once, and as much as may be in one value.
#[tokio::test]
async fn records_of_thousands_of_keys_and_of_one_large_value_are_kept_and_cleared() {
    let (_server, store) = single();
    let mut many = blank();
    many.data = (0..9000)
        .map(|key| (name(&format!("{key}")), text("1")))
        .collect();
    let mut large = blank();
    large.data = [(name("k"), text(&"\0".repeat(RECORD_LIMIT - 1)))]
        .into_iter()
        .collect();
    for record in [many, large] {
        let record = Arc::new(record);
        let created = store.create(record.clone(), None, NOW).await.unwrap();
        assert_eq!(created, Created::Created);
        assert_eq!(stored(&store, &record).await, record);
        let mut clear = Patch::new(0);
        clear.clear();
        let applied = store.apply(&record.sid, NOW, &clear).await;
        let is_applied = matches!(applied, Ok(Applied::Applied { .. }));
        assert!(is_applied, "{applied:?}");
        assert!(stored(&store, &record).await.data.is_empty());
    }
}

#[tokio::test]
async fn the_servers_clock_decides_nothing_and_keys_outlive_their_deadlines() {
    let (server, store) = single();
    let record = Arc::new(blank());
    store.create(record.clone(), None, NOW).await.unwrap();
    let rest = || -> i64 { server.cli(&["pttl", &super::key(&record)]).parse().unwrap() };
    let hours = |range: std::ops::Range<i64>| range.start * 3_600_000..range.end * 3_600_000 + 1;
    assert!(hours(1..2).contains(&rest()), "{}", rest());
    let mut touch = Patch::new(1);
    touch.touch(NOW.after(Duration::from_secs(1800)));
    store.apply(&record.sid, NOW, &touch).await.unwrap();
    assert!(rest() > 2 * 3_600_000, "{}", rest());
    store
        .end(&record.sid, NOW, NOW.after(Duration::from_secs(60)))
        .await
        .unwrap();
    assert!(hours(1..2).contains(&rest()), "{}", rest());
}
