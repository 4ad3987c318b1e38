//! Refresh handles that a real store keeps, and several processes redeem: each has a store of its
//! own, with connections of its own.

use std::sync::Arc;
use std::time::Duration;

use sessile::{Redeemed, Refresh};
use sessile_core::{Arrival, Lifetime, Store, Timestamp};
use sessile_e2e::{Folder, Postgres, RedisServer};
use sessile_redis::RedisStore;
use sessile_sql::{PostgresStore, SqliteStore};

use crate::samples::NOW;

const PARALLEL: usize = 20;

fn later(seconds: u64) -> Timestamp {
    NOW.after(Duration::from_secs(seconds))
}

/// Two processes, which share what is kept.
struct Two(Refresh, Refresh);

impl Two {
    fn over(one: impl Store, other: impl Store) -> Self {
        // Patient: the machine is busy, and the store's deadline is not what is tested.
        let patient = Duration::from_secs(20);
        let lifetime = Lifetime::new(Duration::from_secs(3600), Duration::from_secs(7200)).unwrap();
        let refresh = |refresh: Refresh| refresh.deadline(patient).lifetime(lifetime);
        Two(refresh(Refresh::new(one)), refresh(Refresh::new(other)))
    }

    async fn begun(&self) -> String {
        self.0.issue("ada", NOW).await.unwrap()
    }

    async fn redeem(&self, handle: &str, seconds: u64) -> Redeemed {
        self.1.redeem(handle, later(seconds)).await.unwrap()
    }

    async fn next(&self, handle: &str, seconds: u64) -> String {
        match self.redeem(handle, seconds).await {
            Redeemed::Renewed(renewed) => {
                assert_eq!(&*renewed.subject, "ada");
                renewed.handle
            }
            other => panic!("{other:?}"),
        }
    }

    async fn refusal(&self, handle: &str, seconds: u64) -> Arrival {
        match self.redeem(handle, seconds).await {
            Redeemed::Refused(arrival) => arrival,
            other => panic!("{other:?}"),
        }
    }
}

async fn a_handle_is_good_once_and_within_its_grace_gives_the_same_successor(two: &Two) {
    let first = two.begun().await;
    let second = two.next(&first, 600).await;
    assert_ne!(second, first);
    assert_eq!(two.next(&first, 659).await, second);
    let third = two.next(&second, 1200).await;
    assert!(![first, second].contains(&third));
}

async fn parallel_uses_of_a_handle_get_one_successor(two: &Two) {
    let first = Arc::new(two.begun().await);
    let uses: Vec<_> = (0..PARALLEL)
        .map(|number| {
            let first = first.clone();
            let refresh = [&two.0, &two.1][number % 2].clone();
            tokio::spawn(async move { refresh.redeem(&first, later(600)).await.unwrap() })
        })
        .collect();
    let (mut successors, mut repeated) = (Vec::new(), 0);
    for used in uses {
        let Redeemed::Renewed(renewed) = used.await.unwrap() else {
            panic!("refused")
        };
        successors.push(renewed.handle);
        repeated += usize::from(renewed.repeated);
    }
    successors.dedup();
    assert_eq!(successors.len(), 1);
    assert_eq!(repeated, PARALLEL - 1);
    two.next(&successors[0], 1200).await;
}

async fn reuse_ends_the_family_for_owner_and_thief(two: &Two) {
    // The one before, just past its grace, and one from long ago.
    for (rounds, after) in [(1, 60), (2, 0), (5, 0)] {
        let stolen = two.begun().await;
        let mut handle = stolen.clone();
        for round in 1..=rounds {
            handle = two.next(&handle, round * 600).await;
        }
        let time = rounds * 600 + after;
        let reused = two.redeem(&stolen, time).await;
        assert!(matches!(reused, Redeemed::Reused(_)), "{reused:?}");
        for handle in [&handle, &stolen] {
            assert_eq!(two.refusal(handle, time + 1).await, Arrival::Ended);
        }
    }
}

async fn deadlines_logouts_and_revocations_hold(two: &Two) {
    let idle = two.begun().await;
    assert_eq!(two.refusal(&idle, 3600).await, Arrival::Expired);

    let first = two.begun().await;
    let second = two.next(&first, 600).await;
    // The answer with the second one was lost.
    assert!(two.0.end(&first, later(601)).await.unwrap());
    assert_eq!(two.refusal(&second, 602).await, Arrival::Ended);

    let others = [two.begun().await, two.begun().await];
    two.0.revoke_all("ada", later(10)).await.unwrap();
    for handle in &others {
        assert_eq!(two.refusal(handle, 11).await, Arrival::Ended);
    }
    assert_eq!(two.refusal("x", 11).await, Arrival::Unknown);
}

async fn all(two: &Two) {
    a_handle_is_good_once_and_within_its_grace_gives_the_same_successor(two).await;
    parallel_uses_of_a_handle_get_one_successor(two).await;
    reuse_ends_the_family_for_owner_and_thief(two).await;
    deadlines_logouts_and_revocations_hold(two).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn e21_the_laws_of_refresh_hold_on_redis() {
    let server = RedisServer::start(&[]);
    let open = || RedisStore::connect(&server.url()).unwrap();
    all(&Two::over(open(), open())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn e21_the_laws_of_refresh_hold_on_postgres() {
    let server = Postgres::start();
    let open = async || PostgresStore::connect(&server.url()).await.unwrap();
    let one = open().await;
    one.migrate().await.unwrap();
    all(&Two::over(one, open().await)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn e21_the_laws_of_refresh_hold_on_sqlite() {
    let folder = Folder::new("refresh");
    let url = format!("sqlite://{}", folder.path().join("sessions.db").display());
    let open = async || SqliteStore::connect(&url).await.unwrap();
    let one = open().await;
    one.migrate().await.unwrap();
    all(&Two::over(one, open().await)).await;
}
