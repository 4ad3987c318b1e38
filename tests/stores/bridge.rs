//! A store of tower-sessions that people run, under our sessions: its Redis store, on a real server.

use std::sync::Arc;

use sessile_conformance::Matrix;
use sessile_core::{
    Applied, Clock as _, Created, Credential, Lifetime, Loaded, Name, Patch, Record, Store as _,
    SystemClock, TOMBSTONE, Text,
};
use sessile_e2e::RedisServer;
use sessile_tower_sessions::{TowerSessionsStore, V0_14};
use tower_sessions_redis_store::RedisStore;
use tower_sessions_redis_store::fred::prelude::*;

async fn theirs(server: &RedisServer) -> V0_14<RedisStore<Client>> {
    let config = Config::from_url(&server.url()).unwrap();
    let client = Builder::from_config(config).build().unwrap();
    client.init().await.unwrap();
    V0_14(RedisStore::new(client))
}

/// It saves only what is there, creates only what is not, and says neither: a double would do
/// either as its author thinks it does.
#[tokio::test(flavor = "multi_thread")]
async fn their_redis_store_used_alone_keeps_every_law_but_those_of_lists_and_caps() {
    let server = RedisServer::start(&[]);
    let theirs = theirs(&server).await;
    let store = || async { TowerSessionsStore::alone(theirs.clone()) };
    let mut matrix = Matrix::new();
    matrix.run("tower-sessions-redis-store", &store).await;
    // Their names are in the tests of the bridge itself, on the memory store.
    assert_eq!(matrix.broken().count(), 18, "\n{matrix}");
    for (_, law, violation) in matrix.broken() {
        let said = violation.to_string();
        assert!(said.contains("(unsupported)"), "{}: {said}", law.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_on_their_redis_store_see_one_anothers_sessions_and_ends() {
    let server = RedisServer::start(&[]);
    let one = TowerSessionsStore::shared(theirs(&server).await);
    let other = TowerSessionsStore::shared(theirs(&server).await);
    let now = SystemClock.now();
    let record = Arc::new(Record::new(
        &Credential::random(),
        now,
        &Lifetime::default(),
    ));
    let sid = record.sid;
    let created = one.create(record.clone(), None, now).await.unwrap();
    assert_eq!(created, Created::Created);
    let again = other.create(record, None, now).await.unwrap();
    assert_eq!(again, Created::Taken);

    let mut patch = Patch::new(0);
    patch.set(Name::new("cart").unwrap(), Text::from_encoded("[1]"));
    let applied = other.apply(&sid, now, &patch).await.unwrap();
    assert!(matches!(applied, Applied::Applied { version: 2, .. }));
    let last = one.end(&sid, now, now.after(TOMBSTONE)).await.unwrap();
    assert!(last.unwrap().data.get("cart").is_some());
    let late = other.apply(&sid, now, &patch).await.unwrap();
    assert!(matches!(late, Applied::Gone));
    let loaded = other.load(&sid, now).await.unwrap();
    assert!(matches!(loaded, Loaded::Ended));
}
