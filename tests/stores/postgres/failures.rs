//! The server is away, comes back, or has no room.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sessile_core::{Applied, ErrorKind, Loaded, Store as _};
use sessile_e2e::Postgres;
use sessile_sql::{PostgresStore, SqlOptions};

use super::PostgresBed;
use crate::samples::{NOW, blank, name, set, text};

#[tokio::test]
async fn what_is_no_url_is_told_without_quoting_it() {
    for bad in [
        "",
        "localhost",
        "mysql://u:secret@h/d",
        "postgres://u:secret@h:port/d",
        "postgres://u:sec ret@[::/d",
    ] {
        let error = PostgresStore::connect(bad).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{bad}");
        let shown = format!("{error} {error:?}");
        assert!(
            shown.contains("postgres://user:password@") && !shown.contains("sec"),
            "{shown}"
        );
    }
}

#[tokio::test]
async fn without_tables_the_error_says_what_to_do() {
    let bed = PostgresBed::new().await;
    let options = SqlOptions::new().table_prefix("missing_").unwrap();
    let store = PostgresStore::connect_with(&bed.server.url(), &options)
        .await
        .unwrap();
    let error = store.load(&blank().sid, NOW).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("migrate"), "{error}");
    assert!(
        std::error::Error::source(&error)
            .unwrap()
            .to_string()
            .contains("42P01")
    );
}

/// Nothing that a database says of a value gets into an error.
#[tokio::test]
async fn an_error_quotes_no_value() {
    let bed = PostgresBed::new().await;
    let constraint = "ALTER TABLE sessions ADD CHECK (data::text NOT LIKE '%hunter2%')";
    sqlx::raw_sql(bed.sql(constraint))
        .execute(bed.store.pool())
        .await
        .unwrap();
    let mut secret = blank();
    secret.data = [(name("k"), text("hunter2"))].into_iter().collect();
    let error = bed
        .store
        .create(Arc::new(secret), None, NOW)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let shown = format!("{error} {error:?}");
    assert!(
        shown.contains("23514") && !shown.contains("hunter2"),
        "{shown}"
    );
}

/// As after a fail-over: the old primary takes no more writes, and its address leads to another.
#[tokio::test]
async fn a_connection_to_what_has_become_read_only_is_not_used_again() {
    let bed = PostgresBed::new().await;
    let pool = bed.store.pool();
    let mut old = Vec::new();
    for _ in 0..3 {
        let mut connection = pool.acquire().await.unwrap();
        sqlx::query("SET default_transaction_read_only = on")
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
        if let Err(error) = bed.store.create(Arc::new(blank()), None, NOW).await {
            assert_eq!(error.kind(), ErrorKind::Unavailable);
            assert!(error.to_string().contains("read-only"), "{error}");
            failed += 1;
        }
    }
    assert_eq!(failed, 1, "one failure, not one for each connection");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_free_connection_waiting_is_bounded() {
    let bed = PostgresBed::new().await;
    let mut held = Vec::new();
    for _ in 0..10 {
        held.push(bed.store.pool().acquire().await.unwrap());
    }
    let begin = now();
    let error = bed.store.load(&blank().sid, NOW).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let waited = begin.elapsed();
    assert!((900..2000).contains(&waited.as_millis()), "{waited:?}");
    drop(held);
    bed.store.ping().await.unwrap();
}

/// Killed under load and started again on its port: what was acknowledged is there, what was
/// refused is not, and within two seconds all is well again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_loses_nothing_acknowledged_and_is_used_again_at_once() {
    let mut server = Postgres::start_with(true);
    let store = PostgresStore::connect(&server.url()).await.unwrap();
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
    let error = store
        .apply(&written[0].0, NOW, &set(0, "n", "0"))
        .await
        .unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::Unavailable,
        "nothing could be sent"
    );

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

/// A restart while nobody asks: every connection is dead, and one failure at most tells of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_quiet_restart_reads_succeed_and_at_most_one_write_is_unknown() {
    for first_is_a_read in [true, false] {
        let mut server = Postgres::start();
        let store = PostgresStore::connect(&server.url()).await.unwrap();
        store.migrate().await.unwrap();
        let record = Arc::new(blank());
        store.create(record.clone(), None, NOW).await.unwrap();
        let connections = (0..10).map(|_| store.pool().acquire());
        let mut held = Vec::new();
        for connection in connections {
            held.push(connection.await.unwrap());
        }
        drop(held);
        while store.pool().num_idle() < 10 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        server.kill();
        server.restart();
        if first_is_a_read {
            assert!(matches!(
                store.load(&record.sid, NOW).await.unwrap(),
                Loaded::Live(_)
            ));
        }
        let mut unknown = 0;
        for n in 0..20 {
            match store
                .apply(&record.sid, NOW, &set(0, "n", &n.to_string()))
                .await
            {
                Ok(_) => {}
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Unknown);
                    unknown += 1;
                }
            }
        }
        assert_eq!(unknown, u32::from(!first_is_a_read));
    }
}

#[expect(clippy::disallowed_methods, reason = "how long something took")]
fn now() -> Instant {
    Instant::now()
}
