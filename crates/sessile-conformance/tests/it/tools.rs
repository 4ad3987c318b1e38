//! The stores for tests of one's own: what they count, and how they fail.

use std::sync::Arc;
use std::time::Duration;

use sessile_conformance::broken::{BrokenStore, Flaw};
use sessile_conformance::{
    CountingStore, Depth, Fault, FaultyStore, Matrix, ModelStore, Operation, laws,
};
use sessile_core::{
    Applied, Created, Credential, ErrorKind, Lifetime, Loaded, Name, Patch, Record, Store, Text,
    Timestamp,
};

const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

fn record() -> Arc<Record> {
    let credential = Credential::random();
    let mut record = Record::new(&credential, NOW, &Lifetime::default());
    record.data = [(Name::new("a").unwrap(), Text::from_encoded("1"))]
        .into_iter()
        .collect();
    record.into()
}

fn set(text: &str) -> Patch {
    let mut patch = Patch::new(0);
    patch.set(Name::new("a").unwrap(), Text::from_encoded(text));
    patch
}

async fn value(store: &ModelStore, record: &Record) -> Option<String> {
    match store.load(&record.sid, NOW).await.unwrap() {
        Loaded::Live(record) => record.data.get("a").map(|text| text.as_str().to_owned()),
        _ => None,
    }
}

/// Whether a future is still not ready when an hour of the runtime's time has passed.
async fn hangs<T>(future: impl Future<Output = T>) -> bool {
    tokio::time::timeout(Duration::from_secs(3600), future)
        .await
        .is_err()
}

#[tokio::test]
async fn each_operation_is_counted_by_itself_until_a_reset() {
    let store = CountingStore::new(ModelStore::new());
    let (shared, record) = (store.clone(), record());
    let sid = record.sid;
    shared.create(record, None, NOW).await.unwrap();
    for _ in 0..2 {
        shared.load(&sid, NOW).await.unwrap();
    }
    shared.apply(&sid, NOW, &set("2")).await.unwrap();
    shared.end(&sid, NOW, NOW).await.unwrap();
    shared.list("ann", NOW).await.unwrap();
    shared.count(NOW).await.unwrap();
    shared.sweep(NOW, 1).await.unwrap();
    shared.ping().await.unwrap();
    let calls = Operation::ALL.map(|operation| store.calls(operation));
    assert_eq!(calls, [1, 2, 1, 1, 1, 1, 1, 1]);
    assert_eq!(store.total(), 9);
    store.reset();
    assert_eq!(store.total(), 0);
}

#[tokio::test]
async fn a_call_that_is_never_made_changes_nothing() {
    let store = FaultyStore::new(ModelStore::new());
    let record = record();
    store.create(record.clone(), None, NOW).await.unwrap();
    for (fault, kind) in [
        (Fault::Unavailable, ErrorKind::Unavailable),
        (Fault::Corrupt, ErrorKind::Corrupt),
    ] {
        store.fail_next(Operation::Apply, fault);
        let failed = store.apply(&record.sid, NOW, &set("2")).await;
        assert_eq!(failed.unwrap_err().kind(), kind);
        assert_eq!(value(store.inner(), &record).await.as_deref(), Some("1"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_of_a_call_that_was_made() {
    let store = FaultyStore::new(ModelStore::new());
    let record = record();
    store.create(record.clone(), None, NOW).await.unwrap();
    store.fail_next(Operation::Apply, Fault::AnswerLost);
    let lost = store.apply(&record.sid, NOW, &set("2")).await;
    assert_eq!(lost.unwrap_err().kind(), ErrorKind::Unknown);
    assert_eq!(value(store.inner(), &record).await.as_deref(), Some("2"));

    store.fail_next(Operation::Apply, Fault::NeverAnswered);
    assert!(hangs(store.apply(&record.sid, NOW, &set("3"))).await);
    assert_eq!(value(store.inner(), &record).await.as_deref(), Some("3"));

    store.fail_next(Operation::Apply, Fault::NeverMade);
    assert!(hangs(store.apply(&record.sid, NOW, &set("4"))).await);
    assert_eq!(value(store.inner(), &record).await.as_deref(), Some("3"));
}

#[tokio::test(start_paused = true)]
async fn a_delay_is_one_of_the_runtimes_clock() {
    let store = FaultyStore::new(ModelStore::new());
    store.fail_next(Operation::Ping, Fault::Delay(Duration::from_secs(10)));
    let start = tokio::time::Instant::now();
    store.ping().await.unwrap();
    assert_eq!(start.elapsed(), Duration::from_secs(10));
}

#[tokio::test]
async fn a_corrupt_session_can_be_ended() {
    let store = FaultyStore::new(ModelStore::new());
    let record = record();
    store.create(record.clone(), None, NOW).await.unwrap();
    store.fail_all(Operation::Load, Fault::Corrupt);
    store.fail_all(Operation::End, Fault::Corrupt);
    let until = NOW.after(Duration::from_secs(60));
    for _ in 0..2 {
        let error = store.load(&record.sid, NOW).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
    }
    let error = store.end(&record.sid, NOW, until).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    store.heal();
    let loaded = store.load(&record.sid, NOW).await.unwrap();
    assert!(matches!(loaded, Loaded::Ended));
}

#[tokio::test]
async fn a_garbled_value_decodes_into_nothing() {
    let store = FaultyStore::new(ModelStore::new());
    let record = record();
    store.create(record.clone(), None, NOW).await.unwrap();
    store.fail_next(Operation::Load, Fault::Garbled);
    let Loaded::Live(garbled) = store.load(&record.sid, NOW).await.unwrap() else {
        panic!("it is live");
    };
    let error = garbled.data.get("a").unwrap().decode::<u64>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(value(store.inner(), &record).await.as_deref(), Some("1"));
}

#[tokio::test]
async fn the_nth_call_fails_and_no_other() {
    let store = FaultyStore::new(ModelStore::new());
    store.fail_nth(Operation::Ping, 2, Fault::Unavailable);
    store.fail_nth(Operation::Ping, 4, Fault::AnswerLost);
    let mut kinds = Vec::new();
    for _ in 0..5 {
        kinds.push(store.ping().await.err().map(|error| error.kind()));
        store.load(&record().sid, NOW).await.unwrap();
    }
    let expected = [
        None,
        Some(ErrorKind::Unavailable),
        None,
        Some(ErrorKind::Unknown),
        None,
    ];
    assert_eq!(kinds, expected);
}

/// Both around each other: a wrapper is a store like any other.
#[tokio::test]
async fn a_wrapper_without_faults_keeps_every_law() {
    let stores = || async { FaultyStore::new(CountingStore::new(ModelStore::new())) };
    for law in laws() {
        let held = law.check_at(&stores, Depth::Quick).await;
        assert!(held.is_ok(), "{}: {held:?}", law.name());
    }
}

#[tokio::test]
async fn a_shared_store_answers_through_every_wrapper() {
    let store: Arc<dyn Store> = Arc::new(FaultyStore::new(ModelStore::new()));
    let record = record();
    let created = store.create(record.clone(), None, NOW).await.unwrap();
    assert_eq!(created, Created::Created);
    let applied = store.apply(&record.sid, NOW, &set("2")).await.unwrap();
    assert!(matches!(applied, Applied::Applied { version: 2, .. }));
}

#[tokio::test]
async fn a_matrix_says_what_held_what_was_broken_and_what_was_not_run() {
    let mut matrix = Matrix::new();
    matrix.run("model", &|| async { ModelStore::new() }).await;
    matrix
        .run("upserting", &|| async { BrokenStore::new(Flaw::Upserts) })
        .await;
    matrix.not_run("elsewhere", "no server is installed");
    let table = matrix.to_string();
    for line in [
        "| law | model | upserting | elsewhere |",
        "| --- | --- | --- | --- |",
        "| `a_patch_never_creates` | held | **broken** | not run |",
        "| `a_new_record_is_kept_as_it_is` | held | held | not run |",
        "- elsewhere was not run: no server is installed",
    ] {
        assert!(table.lines().any(|found| found == line), "{line}\n{table}");
    }
    let broken: Vec<_> = matrix
        .broken()
        .map(|(store, law, _)| (store, law.name()))
        .collect();
    assert_eq!(broken, [("upserting", "a_patch_never_creates")]);
}
