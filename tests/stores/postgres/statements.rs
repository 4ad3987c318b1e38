//! What the statements promise.

use std::sync::Arc;

use sessile_core::{Applied, Credential, Loaded, Record, Store as _, Verifier};
use sessile_sql::{PostgresStore, SqlOptions};
use sqlx::postgres::PgPoolOptions;
use sqlx::{Executor as _, Row as _};

use super::PostgresBed;
use crate::samples::{NOW, blank, name, set};

/// The lock is below the CTE, and the update has no condition that could be checked again with an
/// old row.
#[tokio::test]
async fn the_plan_of_an_apply_locks_below_the_cte() {
    let bed = PostgresBed::new().await;
    let options = SqlOptions::new()
        .table_prefix(&bed.prefix)
        .unwrap()
        .max_connections(1);
    let store = PostgresStore::connect_with(&bed.server.url(), &options)
        .await
        .unwrap();
    store
        .apply(&blank().sid, NOW, &set(1, "k", "1"))
        .await
        .unwrap();
    // There is one connection, and it has prepared the statement: the server knows which it is.
    let prepared = "SELECT name FROM pg_prepared_statements WHERE statement LIKE '%decided AS%' AND statement NOT LIKE '%pg_prepared%'";
    let name: String = sqlx::query_scalar(prepared)
        .fetch_one(store.pool())
        .await
        .unwrap();
    let nulls = ["NULL"; 18].join(", ");
    let explain = format!("EXPLAIN EXECUTE {name} ({nulls})");
    let explain = sqlx::raw_sql(sqlx::AssertSqlSafe(explain))
        .fetch_all(store.pool())
        .await;
    let plan: Vec<String> = explain.unwrap().iter().map(|row| row.get(0)).collect();
    let plan = plan.join("\n");
    let at = |what: &str| {
        plan.find(what)
            .unwrap_or_else(|| panic!("no {what} in {plan}"))
    };
    let update = at("CTE upd");
    assert!(
        at("CTE cur") < at("LockRows") && at("LockRows") < update,
        "{plan}"
    );
    assert!(!plan[update..].contains("Anti Join"), "{plan}");
}

/// READ COMMITTED is set on our own connections. On somebody else's, whatever their level is, the
/// statements are as exact.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_isolation_level_is_set_and_no_other_is_wrong() {
    let bed = PostgresBed::new().await;
    let level: String = sqlx::query_scalar("SHOW transaction_isolation")
        .fetch_one(bed.store.pool())
        .await
        .unwrap();
    assert_eq!(level, "read committed");
    for level in ["repeatable read", "serializable"] {
        let pool = PgPoolOptions::new()
            .max_connections(8)
            .after_connect(move |connection, _| {
                let set = format!("SET default_transaction_isolation = '{level}'");
                Box::pin(async move {
                    connection
                        .execute(sqlx::AssertSqlSafe(set))
                        .await
                        .map(|_| ())
                })
            });
        let pool = pool.connect(&bed.server.url()).await.unwrap();
        let options = SqlOptions::new().table_prefix(&bed.prefix).unwrap();
        let store = PostgresStore::from_pool(pool, &options);
        let record = Arc::new(blank());
        store.create(record.clone(), None, NOW).await.unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let (store, record) = (store.clone(), record.clone());
            tasks.spawn(async move {
                for _ in 0..10 {
                    increment(&store, &record).await;
                }
            });
        }
        tasks.join_all().await;
        match store.load(&record.sid, NOW).await.unwrap() {
            Loaded::Live(record) => assert_eq!(record.data.get("n").unwrap().as_str(), "40"),
            other => panic!("{other:?}"),
        }
    }
}

/// Adds one, by compare and swap, until it is done.
async fn increment(store: &PostgresStore, record: &Record) {
    let Loaded::Live(mut seen) = store.load(&record.sid, NOW).await.unwrap() else {
        panic!("nobody ended it");
    };
    loop {
        let old = seen.data.get("n").cloned();
        let count = old.as_ref().map_or(0, |text| text.decode::<u64>().unwrap());
        let mut patch = set(seen.version, "n", &(count + 1).to_string());
        patch.expect(name("n"), old);
        match store.apply(&record.sid, NOW, &patch).await.unwrap() {
            Applied::Applied { .. } => return,
            Applied::Conflict(newer) => seen = newer,
            Applied::Gone => panic!("nobody ended it"),
        }
    }
}

/// A dump has what names sessions, and nothing that opens one.
#[tokio::test]
async fn a_dump_has_no_credential_in_it() {
    let bed = PostgresBed::new().await;
    let credential = Credential::random();
    let (old, new) = (credential.verifier, Verifier::random());
    let mut record = blank();
    record.sid = credential.sid;
    record.hash = new.hash();
    record.previous = Some(Box::new(sessile_core::Previous {
        hash: old.hash(),
        wrapped: old.wrap(&record.sid, &new),
        until: None,
    }));
    bed.store
        .create(Arc::new(record.clone()), None, NOW)
        .await
        .unwrap();
    let dump = bed.server.dump();
    let hex = |bytes: &[u8]| {
        bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    assert!(dump.contains(&hex(record.sid.as_bytes())));
    assert!(dump.contains(&hex(record.hash.as_bytes())));
    for secret in [old.expose(), new.expose()] {
        assert!(!dump.contains(&hex(&secret[..])));
    }
}

/// What is printed is what is run.
#[tokio::test]
async fn the_printed_migrations_make_the_tables() {
    let bed = PostgresBed::new().await;
    let pool = bed.store.pool();
    sqlx::raw_sql(PostgresStore::migrations())
        .execute(pool)
        .await
        .unwrap();
    let store = PostgresStore::connect(&bed.server.url()).await.unwrap();
    let record = Arc::new(blank());
    store.create(record.clone(), None, NOW).await.unwrap();
    assert!(matches!(
        store.load(&record.sid, NOW).await.unwrap(),
        Loaded::Live(_)
    ));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let store = store.clone();
        tasks.spawn(async move { store.migrate().await });
    }
    for migrated in tasks.join_all().await {
        migrated.unwrap();
    }
}
