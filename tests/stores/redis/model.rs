//! What is kept comes back, and a patch does what `Patch::apply_to` says.

use std::sync::Arc;
use std::time::Duration;

use sessile_core::{
    Applied, Created, Loaded, Patch, Patched, Previous, RECORD_LIMIT, Record, SessionId,
    Store as _, Timestamp, Verifier,
};
use sessile_e2e::{RedisCluster, RedisServer};
use sessile_redis::RedisStore;

use super::{open, single, stored};
use crate::samples::{NOW, Random, blank, extreme_data, name, text};

#[tokio::test]
async fn every_field_comes_back_as_it_was() {
    let (_server, store) = single();
    comes_back(&store).await;
}

#[tokio::test]
async fn every_field_comes_back_from_valkey_too() {
    let Some(server) = RedisServer::start_valkey(&[]) else {
        eprintln!("not run: there is no valkey-server on the PATH");
        return;
    };
    let store = open(&server.url());
    comes_back(&store).await;
    follows_the_reference(&store, 1, 1000).await;
}

async fn comes_back(store: &RedisStore) {
    let mut plain = blank();
    plain.sid = SessionId::from_bytes([0; 16]);
    let mut full = blank();
    full.sid = SessionId::from_bytes([255; 16]);
    full.version = (1 << 53) - 1;
    full.created_at = Timestamp::MAX;
    full.last_seen = Timestamp::MAX;
    full.idle_deadline = Timestamp::MAX;
    full.absolute_deadline = Timestamp::MAX;
    full.subject = Some("käse \0 } { : \" \\ \u{10ffff}".into());
    full.data = extreme_data();
    full.previous = Some(Box::new(Previous {
        hash: Verifier::random().hash(),
        wrapped: Verifier::random().wrap(&full.sid, &Verifier::random()),
        until: Some(Timestamp::MAX),
    }));
    let mut large = blank();
    large.data = [(name("k"), text(&"\0".repeat(RECORD_LIMIT - 1)))]
        .into_iter()
        .collect();
    let mut many = blank();
    many.data = (0..9000)
        .map(|key| (name(&format!("{key}")), text("1")))
        .collect();
    for record in [plain, full, large, many] {
        let record = Arc::new(record);
        let created = store.create(record.clone(), None, NOW).await.unwrap();
        assert_eq!(created, Created::Created);
        assert_eq!(stored(store, &record).await, record);
        let again = store.create(record.clone(), None, NOW).await.unwrap();
        assert_eq!(again, Created::Taken);

        if record.version == 1 {
            let mut clear = Patch::new(0);
            clear.clear();
            let applied = store.apply(&record.sid, NOW, &clear).await;
            assert!(
                matches!(applied, Ok(Applied::Applied { .. })),
                "{applied:?}"
            );
            assert!(stored(store, &record).await.data.is_empty());
        }
        store.end(&record.sid, NOW, NOW).await.unwrap();
    }
}

#[tokio::test]
async fn a_patch_does_what_the_reference_does() {
    let (_server, store) = single();
    follows_the_reference(&store, 7, 3000).await;
}

#[tokio::test]
async fn a_patch_does_so_on_a_cluster_too() {
    let cluster = RedisCluster::start(3, 0);
    follows_the_reference(&open(&cluster.url()), 8, 1500).await;
}

/// Random records, and on each a few random patches, at times around its deadlines.
async fn follows_the_reference(store: &RedisStore, seed: u64, records: usize) {
    let mut random = Random::new(seed);
    let (mut applied, mut refused, mut gone, mut large) = (0, 0, 0, 0);
    for _ in 0..records {
        let mut model = random.record();
        let created = store
            .create(Arc::new(model.clone()), None, NOW)
            .await
            .unwrap();
        assert_eq!(created, Created::Created);
        for _ in 0..3 {
            let patch = random.patch(&model);
            let now = random.near(NOW);
            let before = model.clone();
            let answer = store.apply(&model.sid, now, &patch).await;
            match (model_of(&mut model, &patch, now), answer) {
                (Ok(Patched::Applied(_)), Ok(Applied::Applied { version, record })) => {
                    applied += 1;
                    assert_eq!(version, model.version);
                    match record {
                        Some(record) => assert_eq!(*record, model),
                        None => assert_eq!(before.version, patch.base()),
                    }
                }
                (Ok(Patched::Conflict), Ok(Applied::Conflict(record))) => {
                    refused += 1;
                    assert_eq!(*record, model);
                }
                (Ok(Patched::Gone), Ok(Applied::Gone)) => gone += 1,
                (Err(expected), Err(found)) => {
                    large += 1;
                    assert_eq!(expected.kind(), found.kind());
                    assert_eq!(expected.to_string(), found.to_string());
                }
                (expected, found) => {
                    panic!("{before:?}\n{patch:?}\nat {now:?}\n{expected:?}\n{found:?}")
                }
            }
            same(store, &model, random.near(NOW)).await;
        }
        if random.once_in(2) {
            let until = random.near(NOW);
            let ended = store.end(&model.sid, NOW, until).await.unwrap();
            assert_eq!(ended.as_deref(), Some(&model));
            let patch = random.patch(&model);
            let answer = store.apply(&model.sid, NOW, &patch).await.unwrap();
            assert!(matches!(answer, Applied::Gone));
            let found = store.load(&model.sid, NOW).await.unwrap();
            assert_eq!(matches!(found, Loaded::Ended), NOW < until, "{found:?}");
        }
    }
    // The sample has met everything.
    for count in [applied, refused, gone, large] {
        assert!(count > records / 50, "{applied} {refused} {gone} {large}");
    }
}

fn model_of(model: &mut Record, patch: &Patch, now: Timestamp) -> sessile_core::Result<Patched> {
    let patched = patch.apply_to(model, now)?;
    if let Patched::Applied(next) = &patched {
        *model = next.clone();
    }
    Ok(patched)
}

async fn same(store: &RedisStore, model: &Record, now: Timestamp) {
    match store.load(&model.sid, now).await.unwrap() {
        Loaded::Live(record) => {
            assert!(model.is_live(now));
            assert_eq!(*record, *model);
        }
        Loaded::Expired => assert!(!model.is_live(now)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_tombstone_stands_until_its_time_and_is_never_shortened() {
    let (_server, store) = single();
    let record = Arc::new(blank());
    let at = |seconds| NOW.after(Duration::from_secs(seconds));
    store.create(record.clone(), None, NOW).await.unwrap();
    assert_eq!(
        store.end(&record.sid, NOW, at(60)).await.unwrap(),
        Some(record.clone())
    );
    assert_eq!(store.end(&record.sid, NOW, at(10)).await.unwrap(), None);
    for (now, stands) in [(NOW, true), (at(59), true), (at(60), false)] {
        let loaded = store.load(&record.sid, now).await.unwrap();
        assert_eq!(matches!(loaded, Loaded::Ended), stands, "{loaded:?}");
    }
    let create = |now| store.create(record.clone(), None, now);
    assert_eq!(create(at(59)).await.unwrap(), Created::Taken);
    assert_eq!(create(at(60)).await.unwrap(), Created::Created);
    assert_eq!(stored(&store, &record).await, record);

    // One for a session that is not there yet.
    let other = Arc::new(blank());
    assert_eq!(store.end(&other.sid, NOW, at(60)).await.unwrap(), None);
    assert_eq!(
        store.create(other, None, NOW).await.unwrap(),
        Created::Taken
    );
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
