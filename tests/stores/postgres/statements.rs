//! What the statements promise, and what the ones that are easier to write get wrong.

use std::sync::Arc;

use sessile_core::{Applied, Credential, Loaded, Store, Verifier};
use sessile_sql::{PostgresStore, SqlOptions};
use sqlx::postgres::PgPoolOptions;
use sqlx::{Executor as _, Row as _};

use super::PostgresBed;
use crate::broken_postgres::{BrokenPostgres, Expectation};
use crate::sql::races::increment;
use crate::sql::staged::{ENDED, one, two, update};
use crate::sql::{Bed as _, record, set, start};

fn broken(bed: &PostgresBed, expectation: Expectation) -> BrokenPostgres {
    BrokenPostgres::new(bed.store.clone(), &bed.prefix, expectation)
}

/// The negative control of every law about expectations.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expectation_as_an_anti_join_loses_an_acknowledged_write() {
    let bed = PostgresBed::new().await;
    let store = broken(&bed, Expectation::AntiJoin);
    let record = one(&store).await;
    // Somebody else was acknowledged 5; the statement that waited expects 1, and writes 2 over it.
    let change = update(
        &bed,
        &record,
        "data = '{\"n\":\"5\"}', version = version + 1",
    );
    let patch = two();
    let applied = bed
        .staged(
            &record.sid,
            &change,
            store.apply(&record.sid, start(), &patch),
        )
        .await;
    assert!(matches!(
        applied.unwrap(),
        Applied::Applied { version: 3, .. }
    ));
    match store.load(&record.sid, start()).await.unwrap() {
        Loaded::Live(now) => assert_eq!(now.data.get("n").unwrap().as_str(), "2"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expectation_as_a_sub_plan_tells_of_a_conflict_that_is_old_or_none() {
    let bed = PostgresBed::new().await;
    let store = broken(&bed, Expectation::SubPlan);
    let record = one(&store).await;
    let change = update(
        &bed,
        &record,
        "data = '{\"n\":\"5\"}', version = version + 1",
    );
    let patch = two();
    let applied = bed
        .staged(
            &record.sid,
            &change,
            store.apply(&record.sid, start(), &patch),
        )
        .await;
    match applied.unwrap() {
        // The very value that was expected is given as the reason for the conflict.
        Applied::Conflict(now) => assert_eq!(now.data.get("n").unwrap().as_str(), "1"),
        other => panic!("{other:?}"),
    }
    let record = one(&store).await;
    let change = update(&bed, &record, ENDED);
    let applied = bed
        .staged(
            &record.sid,
            &change,
            store.apply(&record.sid, start(), &patch),
        )
        .await;
    assert!(matches!(applied.unwrap(), Applied::Conflict(_)), "it ended");
}

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
        .apply(&record().sid, start(), &set(1, "k", "1"))
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
        let record = Arc::new(record());
        store.create(record.clone(), None, start()).await.unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let (store, record) = (store.clone(), record.clone());
            tasks.spawn(async move {
                for _ in 0..10 {
                    increment(&store, &record, "n").await;
                }
            });
        }
        tasks.join_all().await;
        match store.load(&record.sid, start()).await.unwrap() {
            Loaded::Live(record) => assert_eq!(record.data.get("n").unwrap().as_str(), "40"),
            other => panic!("{other:?}"),
        }
    }
}

/// A dump has what names sessions, and nothing that opens one.
#[tokio::test]
async fn a_dump_has_no_credential_in_it() {
    let bed = PostgresBed::new().await;
    let credential = Credential::random();
    let (old, new) = (credential.verifier, Verifier::random());
    let mut record = record();
    record.sid = credential.sid;
    record.hash = new.hash();
    record.previous = Some(Box::new(sessile_core::Previous {
        hash: old.hash(),
        wrapped: old.wrap(&record.sid, &new),
        until: None,
    }));
    bed.store
        .create(Arc::new(record.clone()), None, start())
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
    let record = Arc::new(record());
    store.create(record.clone(), None, start()).await.unwrap();
    assert!(matches!(
        store.load(&record.sid, start()).await.unwrap(),
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
