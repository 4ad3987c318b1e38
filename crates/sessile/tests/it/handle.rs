//! What a handler can do to its session, and what it cannot.

use http::StatusCode;
use sessile::{ErrorKind, Session, SessionId};

use crate::client::{Client, count, fresh, look, minutes, over};
use crate::probe::Probe;

type Op = fn(&Session);
type Case = fn(&Session) -> sessile::Result<()>;

#[tokio::test]
async fn a_closure_that_panics_is_a_typed_error_and_harms_nothing() {
    let (layer, _) = fresh();
    let mut client = Client::default();
    client.insert(&layer, "n", 1).await;
    let answer = client
        .post(&layer, async |session| {
            session.insert("kept", 1)?;
            let broken = |n: &mut u64| {
                *n = 99;
                panic!("a broken closure");
            };
            let error = session.update("n", broken).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Panicked);
            let error = session.update_now("n", broken).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Panicked);
            assert_eq!(session.get("n")?, Some(1));
            session.update("n", |n: &mut u64| *n += 1)
        })
        .await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(client.look(&layer).await, "nobody kept=1 n=2 resumed");
}

#[tokio::test]
async fn a_closure_that_panics_only_when_it_runs_again_fails_the_commit_with_all_of_its_changes() {
    let (layer, _) = fresh();
    let mut client = Client::default();
    client.insert(&layer, "n", 1).await;
    let mut other = client.clone();
    let answer = client
        .post(&layer, async |session| {
            session.insert("with", 1).unwrap();
            session
                .update("n", |n: &mut u64| assert_eq!(*n, 1))
                .unwrap();
            other.insert(&layer, "n", 5).await;
            // As the view says 1, and the stored value does not, it runs again.
            session.update("n", |n: &mut u64| *n += 1).unwrap();
        })
        .await;
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(client.look(&layer).await, "nobody n=5 resumed");
    client.insert(&layer, "next", 1).await;
    assert_eq!(client.look(&layer).await, "nobody n=5 next=1 resumed");
}

#[tokio::test]
async fn a_closure_may_call_the_session_it_belongs_to() {
    let (layer, _) = fresh();
    let mut client = Client::default();
    client.insert(&layer, "n", 1).await;
    let mut other = client.clone();
    client
        .post(&layer, async |session| {
            let inner = session.clone();
            session.update("n", move |n: &mut u64| {
                // Both while the update is on its way, each time it runs.
                assert!(inner.get::<u64>("n").unwrap().is_some());
                inner.insert("wrote", true).unwrap();
                *n += 1;
            })?;
            other.insert(&layer, "n", 10).await;
            session.commit().await
        })
        .await;
    assert_eq!(client.look(&layer).await, "nobody n=11 wrote=true resumed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_tasks_on_one_handle_lose_nothing() {
    for probe in [Probe::new(), Probe::waiting()] {
        let (layer, _) = over(probe);
        let mut client = Client::default();
        client.insert(&layer, "n", 0).await;
        client
            .post(&layer, async |session| {
                let mut tasks = tokio::task::JoinSet::new();
                for at in 0..64 {
                    let session = session.clone();
                    tasks.spawn(async move {
                        session.update("n", |n: &mut u64| *n += 1).unwrap();
                        session.insert(format!("k{at}"), at).unwrap();
                        if at % 4 == 0 {
                            session.commit().await.unwrap();
                        }
                        session
                            .update_now("n", |n: &mut u64| *n += 1)
                            .await
                            .unwrap();
                    });
                }
                tasks.join_all().await;
            })
            .await;
        client
            .get(&layer, async |session| {
                assert_eq!(session.get::<u64>("n").unwrap(), Some(128));
                assert_eq!(session.keys().len(), 65);
            })
            .await;
    }
}

#[tokio::test]
async fn the_id_is_stable_from_login_to_login() {
    let (layer, clock) = fresh();
    let mut client = Client::default();
    let ops: [(Op, bool); 7] = [
        (|session| session.insert("a", 1).unwrap(), false),
        (|session| session.renew().unwrap(), false),
        (|session| session.clear().unwrap(), false),
        (|session| session.login("alice").unwrap(), true),
        (|session| session.insert("b", 1).unwrap(), false),
        (|session| session.login("alice").unwrap(), true),
        (
            |session| session.set_lifetime(sessile::Lifetime::default()).unwrap(),
            false,
        ),
    ];
    let mut last: Option<SessionId> = None;
    for (op, moves) in ops {
        clock.advance(minutes(1));
        let mut ids = None;
        client
            .post(&layer, async |session| {
                let before = session.id();
                op(&session);
                ids = Some((before, session.id()));
            })
            .await;
        let (before, after) = ids.unwrap();
        assert!(last.is_none_or(|last| last == before));
        assert_eq!(before != after, moves);
        last = Some(after);
    }
}

#[tokio::test]
async fn logins_and_logouts_in_one_request_come_to_what_the_last_of_them_says() {
    let cases: [(Case, &str); 7] = [
        (
            |s| {
                s.login("bob")?;
                s.login("bob")
            },
            "bob cart=1",
        ),
        (
            |s| {
                s.login("bob")?;
                s.login("carol")
            },
            "carol",
        ),
        (
            |s| {
                s.login("bob")?;
                s.insert("x", 1)?;
                s.logout()
            },
            "nobody",
        ),
        (
            |s| {
                s.logout()?;
                s.login("bob")?;
                s.insert("x", 1)
            },
            "bob x=1",
        ),
        (
            |s| {
                s.login("bob")?;
                s.renew()?;
                s.remove("cart").map(drop)
            },
            "bob",
        ),
        (
            |s| {
                s.login("bob")?;
                s.clear()?;
                s.insert("y", 2)
            },
            "bob y=2",
        ),
        (
            |s| {
                s.logout()?;
                s.logout()?;
                s.insert("z", 3)
            },
            "nobody z=3",
        ),
    ];
    for (at, (case, expected)) in cases.into_iter().enumerate() {
        for probe in [Probe::new(), Probe::waiting()] {
            let (layer, _) = over(probe);
            let mut client = Client::default();
            client.insert(&layer, "cart", 1).await;
            let before = client.clone();
            let answer = client
                .post(&layer, async |session| {
                    case(&session)?;
                    assert_eq!(
                        look(&session),
                        format!("{expected} resumed"),
                        "before the commit"
                    );
                    sessile::Result::Ok(())
                })
                .await;
            assert_eq!(answer.status(), StatusCode::OK, "{at}");
            let found = client.look(&layer).await;
            assert!(found.starts_with(expected), "{at}: {found}");
            assert_eq!(before.clone().look(&layer).await, "nobody ended", "{at}");
            assert_eq!(count(&layer).await, u64::from(expected != "nobody"), "{at}");
        }
    }
}

#[tokio::test]
async fn an_empty_subject_is_refused() {
    let (layer, _) = fresh();
    Client::default()
        .post(&layer, async |session| {
            assert_eq!(session.login("").unwrap_err().kind(), ErrorKind::Invalid);
            assert!(!session.exists());
        })
        .await;
    assert_eq!(count(&layer).await, 0);
}
