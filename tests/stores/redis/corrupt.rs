//! What this release could not have written: told as such, never changed, only ended.

use std::sync::Arc;
use std::time::Duration;

use sessile_core::{ErrorKind, Loaded, Patch, Store as _};

use super::{key, single};
use crate::samples::{NOW, blank, name, text};

#[tokio::test]
async fn what_can_not_be_read_is_corrupt_and_can_only_be_ended() {
    let (server, store) = single();
    let large = "x".repeat(65_536);
    let spoils: &[&[&str]] = &[
        &["set", "KEY", "a string"],
        &["sadd", "KEY", "a set"],
        &["rpush", "KEY", "a", "list"],
        &["hset", "KEY", "f", "2"],
        &["hset", "KEY", "f", "01"],
        &["hdel", "KEY", "f"],
        &["hdel", "KEY", "h"],
        &["hset", "KEY", "h", "short"],
        &["hset", "KEY", "p", "short"],
        &["hdel", "KEY", "v"],
        &["hset", "KEY", "v", "0"],
        &["hset", "KEY", "v", ""],
        &["hset", "KEY", "v", "-1"],
        &["hset", "KEY", "v", "+1"],
        &["hset", "KEY", "v", "1e3"],
        &["hset", "KEY", "v", "0x1"],
        &["hset", "KEY", "v", "nan"],
        &["hset", "KEY", "v", "9007199254740992"],
        &["hset", "KEY", "v", "18446744073709551616"],
        &["hdel", "KEY", "c"],
        &["hset", "KEY", "l", "soon"],
        &["hset", "KEY", "i", "1"],
        &["hset", "KEY", "i", " 9000000000000000"],
        &["hset", "KEY", "a", "inf"],
        &["hset", "KEY", "s", "\u{1}RAW"],
        &["hset", "KEY", "d:b", "\u{1}RAW"],
        &["hset", "KEY", "d:", "1"],
        &["hset", "KEY", "d:\u{7f}", "1"],
        &["hset", "KEY", "d:\u{85}", "1"],
        &["hset", "KEY", "unknown", "1"],
        &["hset", "KEY", "d:large", &large],
        &["hset", "KEY", "t", "9000000000000000"],
        &[
            "eval",
            "redis.call('del', KEYS[1]) redis.call('hset', KEYS[1], 'f', '1', 't', 'x')",
            "1",
            "KEY",
        ],
        &[
            "eval",
            "redis.call('del', KEYS[1]) redis.call('hset', KEYS[1], 't', '9000000000000000')",
            "1",
            "KEY",
        ],
    ];
    // Bytes that are no UTF-8 in every way: alone, cut off, overlong, a surrogate, out of range.
    let raw = [
        "\\255",
        "\\195",
        "\\192\\128",
        "\\224\\128\\128",
        "\\237\\160\\128",
        "\\244\\144\\128\\128",
    ];

    for spoil in spoils {
        let ways = if spoil.contains(&"\u{1}RAW") {
            &raw[..]
        } else {
            &raw[..1]
        };
        for bytes in ways {
            let mut record = blank();
            record.data = [(name("a"), text("1"))].into_iter().collect();
            let record = Arc::new(record);
            store.create(record.clone(), None, NOW).await.unwrap();
            let key = key(&record);
            if spoil[1] == "KEY" && !spoil[0].starts_with('h') {
                server.cli(&["del", &key]);
            }
            if spoil.contains(&"\u{1}RAW") {
                let script = format!(
                    "return redis.call('hset', KEYS[1], '{}', '{bytes}')",
                    spoil[2]
                );
                server.cli(&["eval", &script, "1", &key]);
            } else {
                let put = |part: &&str| {
                    if *part == "KEY" {
                        key.clone()
                    } else {
                        (*part).to_owned()
                    }
                };
                let command: Vec<_> = spoil.iter().map(put).collect();
                server.cli(&command.iter().map(String::as_str).collect::<Vec<_>>());
            }
            let before = server.cli(&["dump", &key]);
            let what = format!("{:?} {bytes}", &spoil[..3]);
            assert!(before.len() > 10, "{what}");

            let loaded = store
                .load(&record.sid, NOW)
                .await
                .map(|found| format!("{found:?}"));
            assert_eq!(
                loaded.unwrap_err().kind(),
                ErrorKind::Corrupt,
                "load {what}"
            );
            let mut patch = Patch::new(0);
            patch.accept_older();
            patch.set(name("a"), text("2"));
            let applied = store.apply(&record.sid, NOW, &patch).await;
            assert_eq!(
                applied.unwrap_err().kind(),
                ErrorKind::Corrupt,
                "apply {what}"
            );
            let created = store.create(record.clone(), None, NOW).await;
            assert_eq!(
                created.unwrap_err().kind(),
                ErrorKind::Corrupt,
                "create {what}"
            );
            assert_eq!(server.cli(&["dump", &key]), before, "changed: {what}");

            let until = NOW.after(Duration::from_secs(60));
            let ended = store.end(&record.sid, NOW, until).await;
            assert_eq!(ended.unwrap_err().kind(), ErrorKind::Corrupt, "end {what}");
            let loaded = store.load(&record.sid, NOW).await.unwrap();
            assert!(matches!(loaded, Loaded::Ended), "{what}: {loaded:?}");
        }
    }
}

#[tokio::test]
async fn an_index_of_another_type_is_corrupt_and_nothing_is_half_done() {
    let (server, store) = single();
    let record = crate::samples::of("käse");
    server.cli(&["set", "sessile:s:käse", "a string"]);
    let created = store.create(record.clone(), None, NOW).await;
    assert_eq!(created.unwrap_err().kind(), ErrorKind::Corrupt);
    assert!(matches!(
        store.load(&record.sid, NOW).await.unwrap(),
        Loaded::Absent
    ));
    assert_eq!(
        store.list("käse", NOW).await.unwrap_err().kind(),
        ErrorKind::Corrupt
    );

    server.cli(&["del", "sessile:s:käse"]);
    store.create(record.clone(), None, NOW).await.unwrap();
    server.cli(&["set", "sessile:s:käse", "a string"]);
    let mut longer = Patch::new(1);
    longer.set(name("a"), text("1"));
    let weeks = Duration::from_secs(30 * 86400);
    longer.lifetime(sessile_core::Lifetime::new(weeks, weeks).unwrap());
    let applied = store.apply(&record.sid, NOW, &longer).await;
    assert_eq!(applied.unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(super::stored(&store, &record).await, record);
    assert_eq!(
        store.end(&record.sid, NOW, NOW).await.unwrap(),
        Some(record)
    );
}

#[tokio::test]
async fn an_unreadable_session_of_a_subject_is_listed_so_that_it_can_be_ended() {
    let (server, store) = single();
    let record = crate::samples::of("käse");
    store.create(record.clone(), None, NOW).await.unwrap();
    server.cli(&["hset", &key(&record), "f", "2"]);
    let listed = store
        .list("käse", NOW.after(Duration::from_secs(90)))
        .await
        .unwrap();
    assert_eq!(listed.len(), 1);
    assert!(listed[0].record.is_none() && listed[0].sid == record.sid);
}
