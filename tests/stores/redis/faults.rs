//! A server that dies, hangs or forgets, and a network that loses answers.

use std::sync::Arc;
use std::time::Duration;

use sessile_core::{Applied, Created, Error, ErrorKind, Loaded, Patch, Record, Store as _};
use sessile_e2e::{Proxy, RedisServer};
use sessile_redis::RedisStore;
use tokio::time::{Instant, sleep, timeout};

use super::{open, single, stored};
use crate::samples::{NOW, blank, name, of, text};

/// The deadline that every caller has.
const DEADLINE: Duration = Duration::from_secs(2);

fn write(base: u64) -> Patch {
    let mut patch = Patch::new(base);
    patch.set(name("a"), text(&base.to_string()));
    patch
}

#[tokio::test]
async fn a_server_that_has_forgotten_the_scripts_is_told_them_again() {
    let (mut server, store) = single();
    let record = of("käse");
    store.create(record.clone(), None, NOW).await.unwrap();
    for forget in 0..2 {
        if forget == 0 {
            server.cli(&["script", "flush"]);
        } else {
            server.restart();
            sleep(Duration::from_millis(50)).await;
            store.create(record.clone(), None, NOW).await.unwrap();
        }
        store.apply(&record.sid, NOW, &write(1)).await.unwrap();
    }
    assert!(store.end(&record.sid, NOW, NOW).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_by_a_kill_and_the_store_is_back_at_once() {
    let mut server = RedisServer::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let store = RedisStore::connect(&server.url()).unwrap();
    for _ in 0..3 {
        let mut writers = Vec::new();
        for _ in 0..8 {
            writers.push(tokio::spawn(write_until_it_fails(store.clone())));
        }
        sleep(Duration::from_millis(300)).await;
        server.kill();
        let mut written = Vec::new();
        for writer in writers {
            written.push(writer.await.unwrap());
        }

        // Down: every call fails fast.
        for _ in 0..5 {
            let asked = Instant::now();
            let error = store.load(&blank().sid, NOW).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unavailable);
            let error = store.apply(&blank().sid, NOW, &write(1)).await.unwrap_err();
            assert_eq!(
                error.kind(),
                ErrorKind::Unavailable,
                "nothing was sent: {error:?}"
            );
            assert!(
                asked.elapsed() < Duration::from_millis(500),
                "{:?}",
                asked.elapsed()
            );
        }

        server.restart();
        // Up: the very next call succeeds.
        let back = Instant::now();
        timeout(DEADLINE, store.ping()).await.unwrap().unwrap();
        assert!(
            back.elapsed() < Duration::from_millis(500),
            "{:?}",
            back.elapsed()
        );
        for (record, version, error) in written {
            assert!(version > 1, "the writers had begun");
            let found = stored(&store, &record).await;
            assert!(found.version >= version, "{} < {version}", found.version);
            // At most the one whose answer did not come.
            let unknown = u64::from(error.kind() == ErrorKind::Unknown);
            assert!(
                found.version <= version + unknown,
                "{} > {version}",
                found.version
            );
        }
    }
}

async fn write_until_it_fails(store: RedisStore) -> (Arc<Record>, u64, Error) {
    let record = Arc::new(blank());
    assert_eq!(
        store.create(record.clone(), None, NOW).await.unwrap(),
        Created::Created
    );
    let mut known = 1;
    loop {
        match store.apply(&record.sid, NOW, &write(known)).await {
            Ok(Applied::Applied { version, .. }) => known = version,
            Ok(other) => panic!("{other:?}"),
            Err(error) => return (record, known, error),
        }
    }
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_unknown_and_is_not_sent_again() {
    let server = RedisServer::start(&[]);
    let proxy = Proxy::start(server.port());
    let url = format!("redis://127.0.0.1:{}", proxy.port());
    let store = RedisStore::connect(&url).unwrap();
    let record = Arc::new(blank());
    store.create(record.clone(), None, NOW).await.unwrap();
    store.apply(&record.sid, NOW, &write(1)).await.unwrap();

    let direct = open(&server.url());
    for cut in [false, true] {
        let before = stored(&direct, &record).await.version;
        proxy.drop_replies(true);
        let asked = Instant::now();
        let patch = write(before);
        let apply = store.apply(&record.sid, NOW, &patch);
        let cutting = async {
            sleep(Duration::from_millis(100)).await;
            if cut {
                proxy.cut();
            }
        };
        let (applied, ()) = tokio::join!(apply, cutting);
        assert_eq!(applied.unwrap_err().kind(), ErrorKind::Unknown);
        assert!(asked.elapsed() < DEADLINE);
        proxy.drop_replies(false);
        sleep(Duration::from_millis(200)).await;
        assert_eq!(
            stored(&direct, &record).await.version,
            before + 1,
            "applied once"
        );
        // A read that fails the same way has done nothing.
        proxy.drop_replies(true);
        let error = store.load(&record.sid, NOW).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        proxy.drop_replies(false);
        timeout(DEADLINE, store.ping()).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_connection_that_was_cut_while_idle_costs_no_call() {
    let server = RedisServer::start(&[]);
    let proxy = Proxy::start(server.port());
    let store = RedisStore::connect(&format!("redis://127.0.0.1:{}", proxy.port())).unwrap();
    let record = Arc::new(blank());
    store.create(record.clone(), None, NOW).await.unwrap();
    for version in 1..5 {
        proxy.cut();
        sleep(Duration::from_millis(100)).await;
        store
            .apply(&record.sid, NOW, &write(version))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up_in_time_and_found_again() {
    let (mut server, _) = single();
    let store = RedisStore::connect(&server.url()).unwrap();
    let record = Arc::new(blank());
    store.create(record.clone(), None, NOW).await.unwrap();
    store.apply(&record.sid, NOW, &write(1)).await.unwrap();
    server.daemon().signal("STOP");
    for expected in [ErrorKind::Unknown, ErrorKind::Unavailable] {
        let applied = timeout(DEADLINE, store.apply(&record.sid, NOW, &write(2))).await;
        assert_eq!(applied.unwrap().unwrap_err().kind(), expected);
    }
    server.daemon().signal("CONT");
    timeout(DEADLINE, store.ping()).await.unwrap().unwrap();
    // The first one was waiting in the server's buffer, the second never left.
    let version = stored(&store, &record).await.version;
    assert!((2..=3).contains(&version), "{version}");
}

#[tokio::test]
async fn what_the_server_refuses_was_not_applied() {
    let (server, store) = single();
    let record = Arc::new(blank());
    store.create(record.clone(), None, NOW).await.unwrap();
    server.cli(&["config", "set", "maxmemory", "1"]);
    for refused in [
        store.apply(&record.sid, NOW, &write(1)).await.map(drop),
        store.create(Arc::new(blank()), None, NOW).await.map(drop),
        store.create(of("käse"), None, NOW).await.map(drop),
    ] {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Unavailable);
    }
    assert_eq!(stored(&store, &record).await, record);
    assert_eq!(server.cli(&["dbsize"]), "1");
    // Logging out needs no room.
    store
        .end(&record.sid, NOW, NOW.after(DEADLINE))
        .await
        .unwrap();
    assert!(matches!(
        store.load(&record.sid, NOW).await.unwrap(),
        Loaded::Ended
    ));
}

#[tokio::test]
async fn a_policy_that_can_log_people_out_is_told() {
    let (server, store) = single();
    assert!(store.check().await.unwrap().is_empty());
    for policy in ["allkeys-lru", "volatile-ttl"] {
        server.cli(&["config", "set", "maxmemory-policy", policy]);
        let warnings = store.check().await.unwrap();
        assert!(
            warnings.len() == 1 && warnings[0].contains(policy),
            "{warnings:?}"
        );
    }
}
