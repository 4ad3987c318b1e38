//! How often the network is crossed.

use std::sync::Arc;
use std::time::Duration;

use sessile_core::{Credential, Patch, Rotation, Store as _, Verifier};
use sessile_e2e::{Proxy, RedisCluster};

use super::{open, single};
use crate::samples::{NOW, blank, lifetime, name, of, text};

#[tokio::test]
async fn each_call_is_one_round_trip() {
    let (server, _) = single();
    let proxy = Proxy::start(server.port());
    let store = open(&format!("redis://127.0.0.1:{}", proxy.port()));

    /// What a call costs.
    macro_rules! trips {
        ($call:expr) => {{
            let before = proxy.round_trips();
            $call.await.unwrap();
            proxy.round_trips() - before
        }};
    }
    let until = NOW.after(Duration::from_secs(60));
    for round in 0..2 {
        // The first time, a server does not know the script.
        let extra = u64::from(round == 0);
        let (record, bound) = (Arc::new(blank()), of("käse"));
        if round == 0 {
            store.ping().await.unwrap();
        }
        assert_eq!(trips!(store.create(record.clone(), None, NOW)), 1 + extra);
        assert_eq!(trips!(store.create(bound.clone(), None, NOW)), 1);
        assert_eq!(trips!(store.load(&record.sid, NOW)), 1);
        let mut patch = Patch::new(1);
        patch.expect(name("a"), None);
        patch.set(name("a"), text("1"));
        let (old, new) = (Credential::random().verifier, Verifier::random());
        patch.rotate(Some(Rotation {
            expect: bound.hash,
            new: new.hash(),
            wrapped: old.wrap(&bound.sid, &new),
        }));
        patch.touch(NOW);
        patch.lifetime(lifetime());
        assert_eq!(trips!(store.apply(&bound.sid, NOW, &patch)), 1 + extra);
        assert_eq!(
            trips!(store.apply(&record.sid, NOW, &patch)),
            1,
            "a conflict"
        );
        assert_eq!(trips!(store.end(&bound.sid, NOW, until)), 1 + extra);
        assert_eq!(trips!(store.end(&record.sid, NOW, until)), 1);
        assert_eq!(trips!(store.apply(&record.sid, NOW, &patch)), 1, "gone");
        assert_eq!(trips!(store.ping()), 1);
    }
    server.cli(&["script", "flush"]);
    let record = Arc::new(blank());
    assert_eq!(trips!(store.create(record.clone(), None, NOW)), 2);
    assert_eq!(trips!(store.end(&record.sid, NOW, until)), 2);
    assert_eq!(trips!(store.create(Arc::new(blank()), None, NOW)), 1);
}

#[tokio::test]
async fn on_a_cluster_only_the_index_costs_one_more() {
    let cluster = RedisCluster::start(3, 0);
    let store = open(&cluster.url());
    let warm = || async {
        // Every node meets every script.
        for _ in 0..50 {
            let record = of(&blank().sid.to_string());
            store.create(record.clone(), None, NOW).await.unwrap();
            store.apply(&record.sid, NOW, &Patch::new(1)).await.unwrap();
            store.end(&record.sid, NOW, NOW).await.unwrap();
        }
    };
    let sent = || {
        let calls = |node: &sessile_e2e::RedisServer| -> u64 {
            let said = node.cli(&["info", "commandstats"]);
            [
                "cmdstat_evalsha:calls=",
                "cmdstat_eval:calls=",
                "cmdstat_hgetall:calls=",
            ]
            .iter()
            .filter_map(|stat| {
                said.split(stat)
                    .nth(1)?
                    .split(',')
                    .next()?
                    .parse::<u64>()
                    .ok()
            })
            .sum()
        };
        cluster.nodes.iter().map(calls).sum::<u64>()
    };
    warm().await;
    for (record, extra) in [(Arc::new(blank()), 0), (of("käse"), 1)] {
        for node in &cluster.nodes {
            node.cli(&["config", "resetstat"]);
        }
        store.create(record.clone(), None, NOW).await.unwrap();
        let reads_inside = 1; // each script reads its record with one HGETALL
        assert_eq!(sent(), 1 + reads_inside + extra);
        store.apply(&record.sid, NOW, &Patch::new(1)).await.unwrap();
        assert_eq!(sent(), 2 * (1 + reads_inside) + extra);
        store.load(&record.sid, NOW).await.unwrap();
        assert_eq!(sent(), 2 * (1 + reads_inside) + extra + 1);
        store.end(&record.sid, NOW, NOW).await.unwrap();
        assert_eq!(sent(), 3 * (1 + reads_inside) + 2 * extra + 1);
    }
}
