//! Our stores under tower-sessions, at the level of its trait and of its `Session`.

/// The same tests for each version: what is one word here is two crates.
macro_rules! tests {
    ($version:ident, $tower_sessions:ident) => {
        mod $version {
            use std::collections::HashMap;
            use std::sync::Arc;
            use std::time::Duration;

            use serde_json::{Value, json};
            use sessile_conformance::{ManualClock, ModelStore};
            use sessile_core::{Clock as _, Store as _, SystemClock, Timestamp, Writes};
            use sessile_tower_sessions::Bridged;
            use time::OffsetDateTime;
            use $tower_sessions::session::{Id, Record};
            use $tower_sessions::session_store::{Error, ExpiredDeletion as _};
            use $tower_sessions::{Expiry, MemoryStore, Session, SessionStore};

            type Store = Bridged<Arc<ModelStore>>;

            fn bridged() -> Store {
                Bridged::new(Arc::new(ModelStore::new()))
            }

            fn record() -> Record {
                Record {
                    id: Id::default(),
                    data: HashMap::from([("user".to_owned(), json!(1))]),
                    expiry_date: OffsetDateTime::now_utc() + time::Duration::HOUR,
                }
            }

            async fn created(store: &Store) -> Record {
                let mut record = record();
                store.create(&mut record).await.unwrap();
                record
            }

            async fn a_late_save(store: &impl SessionStore) -> (bool, bool) {
                let mut record = record();
                store.create(&mut record).await.unwrap();
                store.delete(&record.id).await.unwrap();
                let saved = store.save(&record).await.is_ok();
                let back = store.load(&record.id).await.unwrap().is_some();
                (saved, back)
            }

            #[tokio::test]
            async fn a_save_after_a_delete_is_an_error_and_brings_nothing_back() {
                assert_eq!(a_late_save(&bridged()).await, (false, false));
                // The control: this is what it does in the store that is replaced.
                assert_eq!(a_late_save(&MemoryStore::default()).await, (true, true));
            }

            #[tokio::test]
            async fn a_save_long_after_a_delete_brings_nothing_back_either() {
                let clock = Arc::new(ManualClock::new(SystemClock.now()));
                let store = bridged().clock(Arc::clone(&clock));
                let mut record = created(&store).await;
                store.delete(&record.id).await.unwrap();
                clock.advance(Duration::from_secs(3000)); // the tombstone is past
                store.delete_expired().await.unwrap();
                record.expiry_date += time::Duration::DAY;
                assert!(store.save(&record).await.is_err());
                assert_eq!(store.load(&record.id).await.unwrap(), None);
            }

            #[tokio::test]
            async fn an_id_that_nobody_made_is_not_adopted() {
                let store = bridged();
                let chosen = Id(42);
                let session = Session::new(Some(chosen), Arc::new(store.clone()), None);
                session.clear().await; // without a look whether it is there
                session.insert("role", "planted").await.unwrap();
                assert!(session.save().await.is_err());
                assert_eq!(store.load(&chosen).await.unwrap(), None);
            }

            #[tokio::test]
            async fn a_session_comes_back_as_it_was_saved() {
                let store = bridged();
                let mut record = created(&store).await;
                record.data = HashMap::from([
                    ("most".to_owned(), json!(u64::MAX)),
                    ("least".to_owned(), json!(i64::MIN)),
                    ("negative zero".to_owned(), json!(-0.0)),
                    ("large".to_owned(), json!(1e308)),
                    ("third".to_owned(), json!(1.0 / 3.0)),
                    ("NUL".to_owned(), json!("a\0b \u{10ffff} \u{7f}")),
                    ("null".to_owned(), Value::Null),
                    ("deep".to_owned(), json!({"b": [1, {"\0": "x"}], "a": {}})),
                    ("a \"b\" \\ c".to_owned(), json!("\"\\")),
                    ("$.x[0]".to_owned(), json!(1)),
                    ("tower-sessions".to_owned(), json!(2)),
                    ("line\nfeed \0".to_owned(), json!(3)),
                    (String::new(), json!(4)),
                    ("long".repeat(1000), json!(5)),
                ]);
                store.save(&record).await.unwrap();
                let loaded = store.load(&record.id).await.unwrap().unwrap();
                assert_eq!(loaded.id, record.id);
                assert_eq!(loaded.data, record.data);
                let zero = loaded.data["negative zero"].as_f64().unwrap();
                assert!(zero.is_sign_negative());
                let off = record.expiry_date - loaded.expiry_date;
                assert!(off.whole_milliseconds() == 0, "{off}");
            }

            #[tokio::test]
            async fn a_save_replaces_the_session_as_a_whole() {
                let store = bridged();
                let mut record = created(&store).await;
                record.data = HashMap::from([("other".to_owned(), json!(2))]);
                store.save(&record).await.unwrap();
                let loaded = store.load(&record.id).await.unwrap().unwrap();
                assert_eq!(loaded.data, record.data);
                assert_eq!(store.guarantees().writes, Writes::LastResponseWins);
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn of_parallel_saves_one_stays_whole() {
                let store = bridged();
                let record = created(&store).await;
                let saves = (0..100).map(|number| {
                    let (store, mut record) = (store.clone(), record.clone());
                    record.data = (0..10).map(|k| (k.to_string(), json!(number))).collect();
                    tokio::spawn(async move { store.save(&record).await })
                });
                for save in saves.collect::<Vec<_>>() {
                    save.await.unwrap().unwrap();
                }
                let loaded = store.load(&record.id).await.unwrap().unwrap();
                assert_eq!(loaded.data.len(), 10);
                let winner = &loaded.data["0"];
                assert!(loaded.data.values().all(|value| value == winner));
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn no_session_survives_a_logout_among_parallel_saves() {
                for _ in 0..200 {
                    let store = bridged();
                    let record = created(&store).await;
                    let save = tokio::spawn({
                        let (store, record) = (store.clone(), record.clone());
                        async move { store.save(&record).await }
                    });
                    store.delete(&record.id).await.unwrap();
                    let _ = save.await.unwrap(); // in time or late
                    assert_eq!(store.load(&record.id).await.unwrap(), None);
                }
            }

            #[tokio::test]
            async fn a_session_ends_at_its_expiry_and_a_save_moves_it() {
                let clock = Arc::new(ManualClock::new(SystemClock.now()));
                let store = bridged().clock(Arc::clone(&clock));
                let at = |millis| {
                    let nanos = i128::from(clock.now().as_millis() + millis) * 1_000_000;
                    OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap()
                };
                let mut record = record();
                record.expiry_date = at(1000);
                store.create(&mut record).await.unwrap();
                record.expiry_date = at(5000); // later than before
                store.save(&record).await.unwrap();
                clock.advance(Duration::from_millis(4999));
                assert!(store.load(&record.id).await.unwrap().is_some());
                record.expiry_date = at(10); // sooner than before is taken as well
                record.expiry_date -= time::Duration::milliseconds(9);
                store.save(&record).await.unwrap();
                clock.advance(Duration::from_millis(1));
                assert_eq!(store.load(&record.id).await.unwrap(), None);
                // And no save brings it back.
                record.expiry_date = at(5000);
                assert!(store.save(&record).await.is_err());
                assert_eq!(store.load(&record.id).await.unwrap(), None);
            }

            #[tokio::test]
            async fn what_is_saved_with_an_expiry_that_is_past_is_over() {
                let store = bridged();
                let mut record = created(&store).await;
                record.expiry_date = OffsetDateTime::now_utc() - time::Duration::SECOND;
                store.save(&record).await.unwrap();
                assert_eq!(store.load(&record.id).await.unwrap(), None);
                let mut born_so = record.clone();
                born_so.id = Id::default();
                store.create(&mut born_so).await.unwrap();
                assert_eq!(store.load(&born_so.id).await.unwrap(), None);
                for date in [time::PrimitiveDateTime::MIN, time::PrimitiveDateTime::MAX] {
                    born_so.expiry_date = date.assume_utc();
                    store.create(&mut born_so).await.unwrap();
                }
                assert!(store.load(&born_so.id).await.unwrap().is_some());
            }

            #[tokio::test]
            async fn what_has_expired_is_deleted_on_demand() {
                let clock = Arc::new(ManualClock::new(SystemClock.now()));
                let kept = Arc::new(ModelStore::new());
                let store = Bridged::new(Arc::clone(&kept)).clock(Arc::clone(&clock));
                for _ in 0..1500 {
                    created(&store).await;
                }
                clock.advance(Duration::from_secs(7200));
                let mut stays = record();
                stays.expiry_date += time::Duration::DAY;
                store.create(&mut stays).await.unwrap();
                store.delete_expired().await.unwrap();
                assert_eq!(kept.sweep(clock.now(), 10).await.unwrap(), 0, "all at once");
                assert!(store.load(&stays.id).await.unwrap().is_some());
                assert_eq!(kept.count(Timestamp::default()).await.unwrap(), Some(1));
            }

            #[tokio::test]
            async fn a_new_session_never_gets_the_id_of_one_that_is_or_was() {
                let store = bridged();
                let first = created(&store).await;
                let mut second = record();
                second.id = first.id;
                store.create(&mut second).await.unwrap();
                assert_ne!(second.id, first.id);
                assert!(store.load(&second.id).await.unwrap().is_some());

                // tower-sessions itself creates under the old id, when a request that has read its
                // session logs it out and goes on.
                let session = Session::new(Some(first.id), Arc::new(store.clone()), None);
                assert_eq!(session.get("user").await.unwrap(), Some(1));
                session.flush().await.unwrap();
                session.insert("user", 2).await.unwrap();
                session.save().await.unwrap();
                assert_ne!(session.id(), Some(first.id));
                assert_eq!(store.load(&first.id).await.unwrap(), None);
            }

            #[tokio::test]
            async fn a_cycled_id_keeps_the_data_and_the_old_one_opens_nothing() {
                let store = bridged();
                let old = created(&store).await;
                let session = Session::new(Some(old.id), Arc::new(store.clone()), None);
                session.cycle_id().await.unwrap();
                session.save().await.unwrap();
                let new = session.id().unwrap();
                assert_ne!(new, old.id);
                assert_eq!(store.load(&old.id).await.unwrap(), None);
                let loaded = store.load(&new).await.unwrap().unwrap();
                assert_eq!(loaded.data, old.data);
            }

            #[tokio::test]
            async fn what_is_too_large_is_an_error_and_changes_nothing() {
                let store = bridged();
                let mut record = created(&store).await;
                let before = record.data.clone();
                record.data.insert("large".to_owned(), "x".repeat(70_000).into());
                let error = store.save(&record).await.unwrap_err();
                assert!(matches!(error, Error::Encode(_)), "{error:?}");
                let loaded = store.load(&record.id).await.unwrap().unwrap();
                assert_eq!(loaded.data, before);
                record.id = Id::default();
                assert!(store.create(&mut record).await.is_err());
            }

            #[tokio::test]
            async fn it_has_the_expiries_of_their_sessions() {
                for expiry in [
                    None,
                    Some(Expiry::OnSessionEnd),
                    Some(Expiry::OnInactivity(time::Duration::MINUTE)),
                    Some(Expiry::AtDateTime(record().expiry_date)),
                ] {
                    let store = bridged();
                    let session = Session::new(None, Arc::new(store.clone()), expiry);
                    session.insert("a", 1).await.unwrap();
                    session.save().await.unwrap();
                    let loaded = store.load(&session.id().unwrap()).await.unwrap().unwrap();
                    let off = (session.expiry_date() - loaded.expiry_date).abs();
                    assert!(off < time::Duration::SECOND, "{expiry:?}: {off}");
                }
            }
        }
    };
}

tests!(v0_14, tower_sessions);
tests!(v0_15, tower_sessions_0_15);
