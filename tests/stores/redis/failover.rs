//! Fail-over, and keys that move.

use std::sync::Arc;
use std::time::Duration;

use sessile_core::{Created, Durability, ErrorKind, Loaded, Patch, Record, Store};
use sessile_e2e::{RedisCluster, RedisSentinels};
use sessile_redis::RedisStore;
use tokio::time::{Instant, sleep};

use super::{open, stored};
use crate::samples::{NOW, blank, name, text};

/// Writes until it works, as clients of a service do; says how long it took.
async fn recover(store: &RedisStore, record: &Arc<Record>) -> Duration {
    let begun = Instant::now();
    loop {
        let mut patch = Patch::new(0);
        patch.set(name("a"), text("1"));
        match store.apply(&record.sid, NOW, &patch).await {
            Ok(_) => return begun.elapsed(),
            Err(error) => assert!(
                matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Unknown),
                "{error:?}"
            ),
        }
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "it does not recover"
        );
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_follows_the_sentinels_to_the_new_primary() {
    let mut servers = RedisSentinels::start();
    let store = RedisStore::connect(&servers.url()).unwrap();
    assert_eq!(store.guarantees().durability, Durability::Async);
    let record = Arc::new(blank());
    store.create(record.clone(), None, NOW).await.unwrap();
    sleep(Duration::from_millis(300)).await; // the replica has it by now

    servers.primary.kill();
    let took = recover(&store, &record).await;
    eprintln!("the sentinels and the store took {took:?}");
    let role = servers.replica.cli(&["role"]);
    assert!(role.starts_with("master"), "{role}");
    assert_eq!(stored(&store, &record).await.version, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_became_a_replica_is_left() {
    let servers = RedisSentinels::start();
    let store = RedisStore::connect(&servers.url()).unwrap();
    let record = Arc::new(blank());
    store.create(record.clone(), None, NOW).await.unwrap();
    sleep(Duration::from_millis(300)).await;
    // A planned fail-over: nobody dies.
    let port = servers.sentinel_port().to_string();
    let asked = servers
        .primary
        .cli(&["-p", &port, "sentinel", "failover", "main"]);
    assert_eq!(asked, "OK");
    // Until then the old primary takes writes that are lost: `Async`, as the guarantees say.
    sessile_e2e::eventually("the primary is a replica", || {
        servers
            .primary
            .cli(&["role"])
            .starts_with("slave")
            .then_some(())
    });
    recover(&store, &record).await;
    let port = servers.replica.port();
    let direct = open(&format!("redis://127.0.0.1:{port}"));
    assert_eq!(stored(&direct, &record).await.version, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_follows_a_cluster_that_fails_over() {
    for hangs in [false, true] {
        let mut cluster = RedisCluster::start(3, 1);
        let store = RedisStore::connect(&cluster.url()).unwrap();
        assert_eq!(store.guarantees().durability, Durability::Async);
        let mut records = Vec::new();
        for _ in 0..30 {
            let record = Arc::new(blank());
            store.create(record.clone(), None, NOW).await.unwrap();
            records.push(record);
        }
        sleep(Duration::from_millis(500)).await; // the replicas have them by now
        if hangs {
            cluster.nodes[0].daemon().signal("STOP");
        } else {
            cluster.nodes[0].kill();
        }
        let begun = Instant::now();
        for record in &records {
            recover(&store, record).await;
            assert_eq!(stored(&store, record).await.version, 2);
        }
        eprintln!(
            "hangs {hangs}: the cluster and the store took {:?}",
            begun.elapsed()
        );
        if hangs {
            cluster.nodes[0].daemon().signal("CONT");
        }
    }
}

#[tokio::test]
async fn one_node_of_a_cluster_is_no_server_and_says_what_to_write() {
    let cluster = RedisCluster::start(3, 0);
    let store = open(&cluster.nodes[0].url());
    let mut told = 0;
    for _ in 0..30 {
        if let Err(error) = store.create(Arc::new(blank()), None, NOW).await {
            assert_eq!(error.kind(), ErrorKind::Unavailable);
            assert!(error.to_string().contains("redis+cluster://"), "{error}");
            told += 1;
        }
    }
    assert!(told > 0);
}

#[tokio::test]
async fn a_key_that_is_moving_is_found_on_both_sides() {
    let cluster = RedisCluster::start(3, 0);
    let store = open(&cluster.url());
    let (old, new) = (Arc::new(blank()), Arc::new(blank()));
    store.create(old.clone(), None, NOW).await.unwrap();

    for (record, is_old) in [(&old, true), (&new, false)] {
        let slot = cluster.nodes[0].cli(&["cluster", "keyslot", &super::key(record)]);
        let owns = |node: &&sessile_e2e::RedisServer| {
            let nodes = node.cli(&["cluster", "nodes"]);
            let own = nodes.lines().find(|line| line.contains("myself")).unwrap();
            let slot: u16 = slot.parse().unwrap();
            // Ranges and single slots; one that is moving is in brackets.
            let ranges = own
                .split(' ')
                .skip(8)
                .filter(|range| !range.starts_with('['));
            ranges
                .map(|range| range.split_once('-').unwrap_or((range, range)))
                .any(|(first, last)| {
                    (first.parse().unwrap()..=last.parse().unwrap()).contains(&slot)
                })
        };
        let from = cluster.nodes.iter().find(owns).unwrap();
        let to = cluster.nodes.iter().find(|node| !owns(node)).unwrap();
        let id = |node: &sessile_e2e::RedisServer| node.cli(&["cluster", "myid"]);
        to.cli(&["cluster", "setslot", &slot, "importing", &id(from)]);
        from.cli(&["cluster", "setslot", &slot, "migrating", &id(to)]);

        if is_old {
            // Not moved yet: the old owner answers.
            assert_eq!(stored(&store, record).await, old);
            let port = to.port().to_string();
            from.cli(&[
                "migrate",
                "127.0.0.1",
                &port,
                &super::key(record),
                "0",
                "5000",
            ]);
            assert_eq!(stored(&store, record).await, old);
        } else {
            let created = store.create(record.clone(), None, NOW).await.unwrap();
            assert_eq!(created, Created::Created);
        }
        let mut patch = Patch::new(1);
        patch.set(name("a"), text("1"));
        store.apply(&record.sid, NOW, &patch).await.unwrap();
        for node in [to, from] {
            node.cli(&["cluster", "setslot", &slot, "node", &id(to)]);
        }
        // Moved for good.
        assert_eq!(stored(&store, record).await.version, 2);
        assert!(store.end(&record.sid, NOW, NOW).await.unwrap().is_some());
        let found = store.load(&record.sid, NOW).await.unwrap();
        assert!(matches!(found, Loaded::Absent), "{found:?}");
        assert_eq!(to.cli(&["exists", &super::key(record)]), "1");
        // Hand the slot's range back in one piece: the next round reads the ranges.
        for node in [from, to] {
            node.cli(&["del", &super::key(record)]);
        }
        for node in [from, to] {
            node.cli(&["cluster", "setslot", &slot, "node", &id(from)]);
        }
    }
}
