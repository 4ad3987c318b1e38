//! What a store of theirs can't keep, and says so; and what it can.

use std::sync::Arc;
use std::time::Duration;

use sessile_core::{
    Applied, Clock as _, Created, Credential, Durability, ErrorKind, Lifetime, Loaded, Name, Patch,
    Record, Revocation, Scope, SessionId, Store as _, SystemClock, TOMBSTONE, Text, Writes,
};
use sessile_tower_sessions::{TowerSessionsStore, V0_15};
use tokio::task::JoinHandle;
use tower_sessions_0_15::session::{Id, Record as TheirRecord};
use tower_sessions_0_15::{MemoryStore, SessionStore as _};

use crate::halting::Halting;

fn record() -> Record {
    let now = SystemClock.now();
    Record::new(&Credential::random(), now, &Lifetime::default())
}

fn set(key: &str) -> Patch {
    let mut patch = Patch::new(0);
    patch.set(Name::new(key).unwrap(), Text::from_encoded("1"));
    patch
}

/// A write that waits at the gate, in a task of its own, on a session that is live.
async fn write(
    store: &Arc<TowerSessionsStore<V0_15<Halting>>>,
    gate: &Halting,
) -> (SessionId, JoinHandle<sessile_core::Result<Applied>>) {
    let (record, now) = (record(), SystemClock.now());
    let sid = record.sid;
    let created = store.create(Arc::new(record), None, now).await.unwrap();
    assert_eq!(created, Created::Created);
    let store = Arc::clone(store);
    let write = tokio::spawn(async move { store.apply(&sid, now, &set("late")).await });
    gate.is_reached().await;
    (sid, write)
}

/// Ends a session while a write to it waits, then lets both through; answers the last state.
async fn end(
    store: &Arc<TowerSessionsStore<V0_15<Halting>>>,
    gate: &Halting,
    sid: SessionId,
) -> Arc<Record> {
    let (ender, now) = (Arc::clone(store), SystemClock.now());
    let until = now.after(TOMBSTONE);
    let end = tokio::spawn(async move { ender.end(&sid, now, until).await });
    // Time enough for an end that does not wait its turn.
    tokio::time::sleep(Duration::from_millis(20)).await;
    gate.open();
    gate.open();
    let last = end.await.unwrap().unwrap().unwrap();
    let loaded = store.load(&sid, now).await.unwrap();
    assert!(matches!(loaded, Loaded::Ended), "{loaded:?}");
    last
}

#[tokio::test]
async fn in_one_process_an_end_waits_for_the_write_that_is_under_way_and_is_final() {
    let gate = Halting::new(&MemoryStore::default());
    let store = Arc::new(TowerSessionsStore::alone(V0_15(gate.clone())));
    let (sid, write) = write(&store, &gate).await;
    let last = end(&store, &gate, sid).await;
    assert!(last.data.get("late").is_some(), "what was acknowledged");
    assert!(matches!(write.await.unwrap(), Ok(Applied::Applied { .. })));
}

#[tokio::test]
async fn a_write_that_was_given_up_keeps_its_turn_until_it_is_made() {
    let gate = Halting::new(&MemoryStore::default());
    let store = Arc::new(TowerSessionsStore::alone(V0_15(gate.clone())));
    let (sid, write) = write(&store, &gate).await;
    write.abort();
    assert!(write.await.unwrap_err().is_cancelled());
    let last = end(&store, &gate, sid).await;
    assert!(last.data.get("late").is_some());
}

/// The limit that `shared` says, and the control of what is said of `alone`.
#[tokio::test]
async fn a_write_under_way_in_another_process_undoes_an_end_and_that_is_said() {
    let entries = MemoryStore::default();
    let gate = Halting::new(&entries);
    let writer = Arc::new(TowerSessionsStore::shared(V0_15(gate.clone())));
    let other = TowerSessionsStore::shared(V0_15(entries));
    let (sid, write) = write(&writer, &gate).await;
    let now = SystemClock.now();
    let ended = other.end(&sid, now, now.after(TOMBSTONE)).await.unwrap();
    assert!(ended.is_some());
    gate.open();
    write.await.unwrap().unwrap();
    let loaded = other.load(&sid, now).await.unwrap();
    assert!(matches!(loaded, Loaded::Live(_)), "no race was staged");
    let guarantees = other.guarantees();
    assert_eq!(guarantees.revocation, Revocation::AtExpiry);
    assert_eq!(guarantees.writes, Writes::LastResponseWins);
    assert_eq!(guarantees.scope, Scope::AllNodes);
}

#[test]
fn nothing_is_promised_that_nobody_said() {
    let store = || V0_15(MemoryStore::default());
    let alone = TowerSessionsStore::alone(store()).guarantees();
    assert_eq!(alone.durability, Durability::Volatile);
    assert_eq!(alone.writes, Writes::Merged);
    assert_eq!(alone.revocation, Revocation::Immediate);
    assert_eq!(alone.scope, Scope::ThisNode);
    let shared = TowerSessionsStore::shared(store());
    let shared = shared.durability(Durability::Acknowledged).guarantees();
    assert_eq!(shared.durability, Durability::Acknowledged);
}

#[tokio::test]
async fn what_tower_sessions_itself_keeps_under_an_id_is_not_overwritten() {
    let theirs = MemoryStore::default();
    let store = TowerSessionsStore::alone(V0_15(theirs.clone()));
    let (record, now) = (record(), SystemClock.now());
    let sid = record.sid;
    let id = Id(i128::from_le_bytes(*sid.as_bytes()));
    let foreign = TheirRecord {
        id,
        data: [("axum-login.data".to_owned(), 42.into())].into(),
        expiry_date: time::OffsetDateTime::now_utc() + time::Duration::DAY,
    };
    theirs.save(&foreign).await.unwrap();
    let created = store.create(Arc::new(record), None, now).await.unwrap();
    assert_eq!(created, Created::Taken);
    let loaded = store.load(&sid, now).await.unwrap_err();
    assert_eq!(loaded.kind(), ErrorKind::Corrupt);
    let applied = store.apply(&sid, now, &set("a")).await.unwrap_err();
    assert_eq!(applied.kind(), ErrorKind::Corrupt);
    assert_eq!(theirs.load(&id).await.unwrap(), Some(foreign));
    let ended = store.end(&sid, now, now.after(TOMBSTONE)).await;
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::Corrupt);
    assert!(matches!(
        store.load(&sid, now).await.unwrap(),
        Loaded::Ended
    ));
}

#[tokio::test]
async fn what_their_stores_cannot_do_is_unsupported_and_not_empty() {
    let store = TowerSessionsStore::alone(V0_15(MemoryStore::default()));
    let now = SystemClock.now();
    let listed = store.list("ferris", now).await.unwrap_err();
    assert_eq!(listed.kind(), ErrorKind::Unsupported);
    assert_eq!(store.count(now).await.unwrap(), None);
    assert_eq!(store.sweep(now, 10).await.unwrap(), 0);
    store.ping().await.unwrap();
}

#[tokio::test]
async fn an_id_is_written_in_their_store_as_in_our_logs() {
    let theirs = MemoryStore::default();
    let store = TowerSessionsStore::alone(V0_15(theirs.clone()));
    let (record, now) = (record(), SystemClock.now());
    let sid = record.sid;
    store.create(Arc::new(record), None, now).await.unwrap();
    let id: Id = sid.to_string().parse().unwrap();
    let kept = theirs.load(&id).await.unwrap().unwrap();
    assert_eq!(kept.id.to_string(), sid.to_string());
}
