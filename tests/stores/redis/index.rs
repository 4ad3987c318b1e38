//! The index of a subject, as it is on the server.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use sessile_core::{
    Candidate, Created, ErrorKind, OnFull, Patch, Record, SessionId, Store as _, SubjectCap,
    Timestamp,
};
use sessile_e2e::{RedisCluster, RedisServer};
use sessile_redis::RedisStore;

use super::{key, open, single};
use crate::samples::{NOW, lifetime, of};

fn cap(max: u32, on_full: OnFull) -> Option<SubjectCap> {
    let max = NonZeroU32::new(max).unwrap();
    Some(SubjectCap { max, on_full })
}

fn at(seconds: u64) -> Timestamp {
    NOW.after(Duration::from_secs(seconds))
}

/// A session of a subject, made at this instant.
fn made_at(subject: &str, now: Timestamp) -> Arc<Record> {
    let mut record = (*of(subject)).clone();
    record.created_at = now;
    record.last_seen = now;
    record.idle_deadline = now.after(lifetime().idle());
    record.absolute_deadline = now.after(lifetime().absolute());
    Arc::new(record)
}

async fn live(store: &RedisStore, subject: &str, now: Timestamp) -> Vec<SessionId> {
    let listed = store.list(subject, now).await.unwrap();
    let is_live = |candidate: Candidate| candidate.record.map(|record| record.sid);
    let mut live: Vec<_> = listed.into_iter().filter_map(is_live).collect();
    live.sort_unstable();
    live
}

/// The members of an index: a mark beside each id.
fn entries(server: &RedisServer, subject: &str) -> usize {
    let count: usize = server
        .cli(&["zcard", &format!("sessile:s:{subject}")])
        .parse()
        .unwrap();
    count / 2
}

#[tokio::test]
async fn an_entry_without_a_record_is_a_candidate_while_it_is_young_and_goes_then() {
    let (server, store) = single();
    let (gone, here) = (of("käse"), of("käse"));
    for record in [&gone, &here] {
        store.create(record.clone(), None, NOW).await.unwrap();
    }
    server.cli(&["del", &key(&gone)]);
    let listed = store.list("käse", at(59)).await.unwrap();
    let absent: Vec<_> = listed
        .iter()
        .filter(|candidate| candidate.record.is_none())
        .collect();
    assert_eq!((listed.len(), absent.len()), (2, 1));
    assert_eq!(absent[0].sid, gone.sid);
    assert_eq!(entries(&server, "käse"), 2);
    assert_eq!(store.list("käse", at(60)).await.unwrap().len(), 1);
    assert_eq!(entries(&server, "käse"), 1);
}

#[tokio::test]
async fn a_login_in_flight_is_listed_counts_and_can_be_revoked() {
    let (store, cluster) = on_cluster();
    let (flying, next) = (of("käse"), of("käse"));
    // What a login on a cluster writes first, and then its process died.
    let index = "sessile:s:käse";
    let (deadline, youth) = (flying.absolute_deadline.as_millis(), at(60).as_millis());
    let mark = format!("+{}", flying.sid);
    let sid = flying.sid.to_string();
    let node = &cluster.nodes[0];
    node.cli(&[
        "-c",
        "zadd",
        index,
        &deadline.to_string(),
        &sid,
        &youth.to_string(),
        &mark,
    ]);

    let reject = cap(1, OnFull::Reject);
    assert_eq!(
        store.create(next.clone(), reject, at(59)).await.unwrap(),
        Created::Full
    );
    let listed = store.list("käse", at(59)).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert!(listed[0].record.is_none() && listed[0].sid == flying.sid);
    assert_eq!(
        store.create(next, reject, at(60)).await.unwrap(),
        Created::Created
    );
    store.end(&flying.sid, at(60), at(120)).await.unwrap();
    assert_eq!(
        store.create(flying, None, at(60)).await.unwrap(),
        Created::Taken
    );
}

fn on_cluster() -> (RedisStore, RedisCluster) {
    let cluster = RedisCluster::start(3, 0);
    (open(&cluster.url()), cluster)
}

#[tokio::test]
async fn a_login_that_was_surely_not_made_gives_its_place_back() {
    let (store, cluster) = on_cluster();
    let index = "sessile:s:käse";
    let first = of("käse");
    store.create(first.clone(), None, NOW).await.unwrap();
    let holds = |node: &RedisServer| !node.cli(&["zcard", index]).contains("MOVED");
    let holder = cluster.nodes.iter().position(holds).unwrap();
    for (at, node) in cluster.nodes.iter().enumerate() {
        if at != holder {
            node.cli(&["config", "set", "maxmemory", "1"]);
        }
    }
    let mut refused = 0;
    for _ in 0..20 {
        if let Err(error) = store.create(of("käse"), None, NOW).await {
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
            refused += 1;
        }
    }
    assert!(refused > 0);
    // Whose entry stands already does not lose it.
    let _ = store.create(first.clone(), None, NOW).await;
    let members = cluster.nodes[holder].cli(&["zcard", index]);
    let entries = members.trim().parse::<usize>().unwrap() / 2;
    assert_eq!(entries, 21 - refused);
    assert!(
        cluster.nodes[holder]
            .cli(&["zscore", index, &first.sid.to_string()])
            .trim()
            .parse::<f64>()
            .is_ok()
    );
}

#[tokio::test]
async fn the_end_of_a_session_takes_its_entry_along() {
    let (server, store) = single();
    let (cluster_store, cluster) = on_cluster();
    for store in [&store, &cluster_store] {
        let record = of("käse");
        store.create(record.clone(), None, NOW).await.unwrap();
        store.end(&record.sid, NOW, at(60)).await.unwrap();
    }
    assert_eq!(entries(&server, "käse"), 0);
    assert_eq!(
        cluster.nodes[0].cli(&["-c", "exists", "sessile:s:käse"]),
        "0"
    );
}

#[tokio::test]
async fn an_index_outlives_its_sessions_and_follows_their_lifetime() {
    let (server, store) = single();
    let (cluster_store, cluster) = on_cluster();
    let rest = |server: &RedisServer| -> u64 {
        server
            .cli(&["-c", "pttl", "sessile:s:käse"])
            .parse()
            .unwrap()
    };
    let (day, hour) = (86_400_000, 3_600_000);
    for (store, server) in [(&store, &server), (&cluster_store, &cluster.nodes[0])] {
        let record = of("käse");
        store.create(record.clone(), None, NOW).await.unwrap();
        assert!(
            (day + hour..day + 3 * hour).contains(&rest(server)),
            "{}",
            rest(server)
        );
        let mut longer = Patch::new(1);
        let days = |days| Duration::from_millis(days * day);
        longer.lifetime(sessile_core::Lifetime::new(days(5), days(30)).unwrap());
        store.apply(&record.sid, NOW, &longer).await.unwrap();
        assert!(
            (30 * day + hour..30 * day + 3 * hour).contains(&rest(server)),
            "{}",
            rest(server)
        );
        // The entry stands for as long, and a login two days later does not tidy it away.
        let later = NOW.after(days(2));
        store
            .create(made_at("käse", later), None, later)
            .await
            .unwrap();
        assert_eq!(live(store, "käse", later).await.len(), 2);
    }
}

#[tokio::test]
async fn a_login_tidies_away_entries_that_are_long_dead() {
    let (server, store) = single();
    let life = lifetime().absolute();
    let later = NOW.after(life + Duration::from_secs(3601));
    for _ in 0..10 {
        store.create(of("käse"), None, NOW).await.unwrap();
    }
    assert_eq!(entries(&server, "käse"), 10);
    store
        .create(made_at("käse", later), None, later)
        .await
        .unwrap();
    assert_eq!(entries(&server, "käse"), 1);
}

#[tokio::test]
async fn a_session_of_somebody_else_is_not_listed() {
    let (server, store) = single();
    let record = of("käse");
    store.create(record.clone(), None, NOW).await.unwrap();
    let sid = record.sid.to_string();
    server.cli(&["zadd", "sessile:s:other", "9007199254740991", &sid]);
    assert!(store.list("other", at(60)).await.unwrap().is_empty());
    assert_eq!(server.cli(&["zcard", "sessile:s:other"]), "0");
    assert_eq!(live(&store, "käse", at(60)).await, [record.sid]);
}
