//! The server is away and comes back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sessile_core::{Applied, ErrorKind, Loaded, Store as _};
use sessile_e2e::MariaDb;
use sessile_sql::{MySqlStore, SqlOptions};

use super::MariaDbBed;
use crate::samples::{NOW, blank, set};

#[tokio::test]
async fn what_is_no_url_is_told_without_quoting_it() {
    for bad in [
        "",
        "postgres://u:secret@h/d",
        "mysql://u:secret@h",
        "mysql://u:secret@h:port/d",
    ] {
        let error = MySqlStore::connect(bad).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{bad}");
        let shown = format!("{error} {error:?}");
        assert!(
            shown.contains("mysql://user:password@") && !shown.contains("secret"),
            "{shown}"
        );
    }
}

#[tokio::test]
async fn without_tables_the_error_says_what_to_do() {
    let bed = MariaDbBed::new().await;
    let options = SqlOptions::new().table_prefix("missing_").unwrap();
    let store = MySqlStore::connect_with(&bed.server.url(), &options)
        .await
        .unwrap();
    let error = store
        .apply(&blank().sid, NOW, &set(0, "k", "1"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("migrate"), "{error}");
}

/// As after a fail-over: the old primary takes no more writes, and its address leads to another.
#[tokio::test]
async fn a_connection_to_what_has_become_read_only_is_not_used_again() {
    let bed = MariaDbBed::new().await;
    let there = Arc::new(blank());
    bed.store.create(there.clone(), None, NOW).await.unwrap();
    let mut old = Vec::new();
    for _ in 0..3 {
        let mut connection = bed.store.pool().acquire().await.unwrap();
        sqlx::query("SET SESSION TRANSACTION READ ONLY")
            .execute(&mut *connection)
            .await
            .unwrap();
        old.push(connection);
    }
    drop(old);
    let mut failed = 0;
    for _ in 0..6 {
        // They go back to the pool in the background.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let patch = set(0, "k", "1");
        if let Err(error) = bed.store.apply(&there.sid, NOW, &patch).await {
            assert_eq!(error.kind(), ErrorKind::Unavailable);
            failed += 1;
        }
    }
    assert_eq!(failed, 1, "one failure, not one for each connection");
}

/// Killed under load and started again on its port: what was acknowledged is there, what was
/// refused is not, and within two seconds all is well again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_loses_nothing_acknowledged_and_is_used_again_at_once() {
    let mut server = MariaDb::start_with(true);
    let store = MySqlStore::connect(&server.url()).await.unwrap();
    store.migrate().await.unwrap();
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let store = store.clone();
        writers.spawn(async move {
            let record = Arc::new(blank());
            store.create(record.clone(), None, NOW).await.unwrap();
            let mut acknowledged = 0;
            let mut failed = None;
            while failed.is_none() {
                let patch = set(0, "n", &(acknowledged + 1).to_string());
                match store.apply(&record.sid, NOW, &patch).await {
                    Ok(Applied::Applied { .. }) => acknowledged += 1,
                    Ok(other) => panic!("{other:?}"),
                    Err(error) => failed = Some(error.kind()),
                }
            }
            (record.sid, acknowledged, failed.unwrap())
        });
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    server.kill();
    let written = writers.join_all().await;
    let error = store.load(&written[0].0, NOW).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);

    server.restart();
    let back = now();
    for (sid, acknowledged, failed) in written {
        let loaded = store.load(&sid, NOW).await.unwrap();
        let Loaded::Live(record) = loaded else {
            panic!("{loaded:?}");
        };
        let kept: u64 = record
            .data
            .get("n")
            .map_or(0, |text| text.decode().unwrap());
        let most = acknowledged + u64::from(failed == ErrorKind::Unknown);
        assert!(
            (acknowledged..=most).contains(&kept),
            "{kept} of {acknowledged}, {failed}"
        );
        store
            .apply(&sid, NOW, &set(record.version, "n", "0"))
            .await
            .unwrap();
    }
    assert!(
        back.elapsed() < Duration::from_secs(2),
        "{:?}",
        back.elapsed()
    );
}

/// A change is a transaction that the server closes when its connection breaks: after a restart
/// that nobody saw, it was not applied, and says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_quiet_restart_a_change_was_surely_not_applied() {
    let mut server = MariaDb::start();
    let store = MySqlStore::connect(&server.url()).await.unwrap();
    store.migrate().await.unwrap();
    let record = Arc::new(blank());
    store.create(record.clone(), None, NOW).await.unwrap();
    server.kill();
    server.restart();
    let mut failures = 0;
    for n in 0..20 {
        match store
            .apply(&record.sid, NOW, &set(0, "n", &n.to_string()))
            .await
        {
            Ok(_) => {}
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
                failures += 1;
            }
        }
    }
    assert!(failures <= 1, "{failures}");
}

/// What is printed is what is run.
#[tokio::test]
async fn the_printed_migrations_make_the_tables() {
    let bed = MariaDbBed::new().await;
    sqlx::raw_sql(MySqlStore::migrations())
        .execute(bed.store.pool())
        .await
        .unwrap();
    let store = MySqlStore::connect(&bed.server.url()).await.unwrap();
    let record = Arc::new(blank());
    store.create(record.clone(), None, NOW).await.unwrap();
    assert!(matches!(
        store.load(&record.sid, NOW).await.unwrap(),
        Loaded::Live(_)
    ));
    assert!(bed.server.dump().contains("sessile_sessions"));
}

#[expect(clippy::disallowed_methods, reason = "how long something took")]
fn now() -> Instant {
    Instant::now()
}
