//! Concurrent writes: what is exact, what is merged, and what nobody can save.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::Method;
use tokio::task::yield_now;

use crate::client::{Client, at_once, fresh, over};
use crate::probe::Probe;

#[tokio::test]
async fn of_two_parallel_takes_exactly_one_gets_it() {
    for waiting in [false, true] {
        let probe = if waiting {
            Probe::waiting()
        } else {
            Probe::new()
        };
        let (layer, _) = over(probe);
        let mut client = Client::default();
        client.insert(&layer, "code", 7).await;
        let got = Arc::new(AtomicU64::new(0));
        let sum = got.clone();
        at_once(&layer, &client, 20, async move |_, session| {
            yield_now().await;
            if let Some(code) = session.take_now::<u64>("code").await? {
                sum.fetch_add(code, Ordering::SeqCst);
            }
            Ok(())
        })
        .await;
        assert_eq!(got.load(Ordering::SeqCst), 7);
        assert_eq!(client.look(&layer).await, "nobody resumed");
    }
}

#[tokio::test]
async fn a_thousand_concurrent_updates_make_a_thousand() {
    for now in [false, true] {
        let (layer, _) = fresh();
        let mut client = Client::default();
        client.insert(&layer, "n", 0).await;
        at_once(&layer, &client, 1000, async move |_, session| {
            yield_now().await;
            if now {
                session.update_now("n", |n: &mut u64| *n += 1).await?;
            } else {
                session.update("n", |n: &mut u64| *n += 1)?;
            }
            yield_now().await;
            Ok(())
        })
        .await;
        assert_eq!(client.look(&layer).await, "nobody n=1000 resumed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_updates_on_four_threads_make_a_thousand_and_each_sees_its_own() {
    let (layer, _) = fresh();
    let mut client = Client::default();
    client.insert(&layer, "n", 0).await;
    let app = tower::Layer::layer(
        &layer,
        tower::service_fn(async |request: http::Request<String>| {
            let lazy = request.extensions().get::<sessile::LazySession>().unwrap();
            let session = lazy.load().await?;
            let add = |n: &mut u64| {
                *n += 1;
                *n
            };
            let n = session.update_now("n", add).await?;
            Ok::<_, sessile::Error>(http::Response::new(n.to_string()))
        }),
    );
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..1000 {
        let request = client.request(Method::POST);
        tasks.spawn(tower::ServiceExt::oneshot(app.clone(), request));
    }
    let answers = tasks.join_all().await;
    let mut seen: Vec<u64> = answers
        .into_iter()
        .map(|answer| answer.unwrap().into_body().parse().unwrap())
        .collect();
    seen.sort_unstable();
    assert_eq!(seen, (1..=1000).collect::<Vec<_>>());
}

#[tokio::test]
async fn updates_of_different_counters_never_conflict() {
    let (layer, _) = fresh();
    let mut client = Client::default();
    client.insert(&layer, "seen", 1).await;
    let runs = Arc::new(AtomicU64::new(0));
    let all = runs.clone();
    at_once(&layer, &client, 100, async move |at, session| {
        let runs = runs.clone();
        session.update(format!("n{at}"), move |n: &mut u64| {
            runs.fetch_add(1, Ordering::SeqCst);
            *n += 1;
        })?;
        yield_now().await;
        Ok(())
    })
    .await;
    assert_eq!(all.load(Ordering::SeqCst), 100, "no closure ran twice");
    client
        .get(&layer, async |session| {
            assert_eq!(session.keys().len(), 101)
        })
        .await;
}

#[tokio::test]
async fn two_hundred_disjoint_inserts_all_survive_and_a_counter_by_insert_does_not() {
    let (layer, _) = fresh();
    let mut client = Client::default();
    client.insert(&layer, "n", 0).await;
    at_once(&layer, &client, 200, async |at, session| {
        let n = session.get::<u64>("n")?.unwrap_or_default();
        yield_now().await;
        session.insert(format!("k{at}"), at)?;
        session.insert("n", n + 1)
    })
    .await;
    client
        .get(&layer, async |session| {
            assert_eq!(session.keys().len(), 201);
            // The control: all of them had read 0 before the first wrote.
            assert_eq!(session.get::<u64>("n").unwrap(), Some(1));
        })
        .await;
}
