//! How often the strategy is asked: the budget, and that a strategy that waits gives the same
//! answers as one that does not.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use http::StatusCode;
use sessile::{ErrorKind, Session};

use crate::client::{Client, count, look, minutes, over};
use crate::probe::{Call, Probe};

#[tokio::test]
async fn every_kind_of_request_keeps_to_its_budget_of_calls() {
    for probe in [Probe::new(), Probe::waiting()] {
        let (layer, clock) = over(probe.clone());
        let mut client = Client::default();
        let spent = async |client: &mut Client, handler: fn(&Session)| {
            client.post(&layer, async |session| handler(&session)).await;
            probe.calls()
        };
        assert_eq!(
            spent(&mut client, |session| drop(look(session))).await,
            0,
            "reader"
        );
        assert_eq!(
            spent(&mut client, |session| session.insert("a", 1).unwrap()).await,
            1,
            "new"
        );
        assert_eq!(
            spent(&mut client, |session| drop(look(session))).await,
            1,
            "read"
        );
        let write = |session: &Session| {
            session.insert("a", 2).unwrap();
            session.insert("b", 2).unwrap();
            session.update("c", |c: &mut u64| *c += 1).unwrap();
        };
        assert_eq!(spent(&mut client, write).await, 2, "write");
        assert_eq!(
            spent(&mut client, |session| session.insert("a", 2).unwrap()).await,
            1,
            "same"
        );
        clock.advance(minutes(3));
        assert_eq!(
            spent(&mut client, |session| drop(look(session))).await,
            2,
            "due touch"
        );
        assert_eq!(
            spent(&mut client, |session| drop(look(session))).await,
            1,
            "touched"
        );
        clock.advance(minutes(3));
        assert_eq!(
            spent(&mut client, |session| session.insert("a", 3).unwrap()).await,
            2,
            "rides"
        );
        assert_eq!(
            spent(&mut client, |session| drop(look(session))).await,
            1,
            "it rode"
        );
        assert_eq!(
            spent(&mut client, |session| session.login("x").unwrap()).await,
            1 + 2,
            "login"
        );
        assert_eq!(
            spent(&mut client, |session| session.renew().unwrap()).await,
            2,
            "renew"
        );
        assert_eq!(
            spent(&mut client, |session| drop(look(session))).await,
            2,
            "confirms"
        );
        assert_eq!(
            spent(&mut client, |session| session.logout().unwrap()).await,
            2,
            "logout"
        );
        assert_eq!(
            spent(&mut Client::default(), |session| session
                .login("y")
                .unwrap())
            .await,
            1
        );
    }
}

#[tokio::test]
async fn a_waiting_strategy_gives_the_same_story_as_an_immediate_one() {
    let mut stories = Vec::new();
    for probe in [Probe::new(), Probe::waiting()] {
        let (layer, _) = over(probe);
        let mut client = Client::default();
        let mut story = Vec::new();
        let steps: [fn(&Session) -> sessile::Result<()>; 9] = [
            |session| session.insert("cart", 1),
            |session| session.update("cart", |cart: &mut u64| *cart += 1),
            |session| session.renew(),
            |session| session.login("alice"),
            |session| {
                session.insert("x", 1)?;
                session.login("alice")?;
                session.remove("cart").map(drop)
            },
            |session| session.login("bob"),
            |session| session.clear(),
            |session| {
                session.logout()?;
                session.login("carol")?;
                session.insert("y", 1)
            },
            |session| session.logout(),
        ];
        for step in steps {
            let before = client.clone();
            let answer = client.post(&layer, async |session| step(&session)).await;
            story.push(format!(
                "{} {} {} {} {}",
                answer.status(),
                client.credential() == before.credential(),
                client.clone().look(&layer).await,
                before.clone().look(&layer).await,
                count(&layer).await,
            ));
        }
        stories.push(story);
    }
    assert_eq!(stories[0], stories[1]);
    assert_eq!(
        stories[0][3],
        "200 OK false alice cart=2 resumed nobody ended 1"
    );
}

#[tokio::test]
async fn concurrent_commits_on_one_handle_save_everything_once() {
    let probe = Probe::waiting();
    let (layer, _) = over(probe.clone());
    let mut client = Client::default();
    client.insert(&layer, "n", 0).await;
    probe.calls();
    client
        .post(&layer, async |session| {
            let add = || {
                session.update_now("n", |n: &mut u64| {
                    *n += 1;
                    *n
                })
            };
            let (a, b, c, d) = tokio::join!(add(), add(), add(), session.commit());
            d.unwrap();
            let mut seen = [a.unwrap(), b.unwrap(), c.unwrap()];
            seen.sort_unstable();
            assert_eq!(seen, [1, 2, 3]);
        })
        .await;
    assert!(probe.calls() <= 1 + 3);
    assert_eq!(client.look(&layer).await, "nobody n=3 resumed");
}

#[tokio::test]
async fn a_commit_never_says_it_saved_what_another_commit_of_the_handle_lost() {
    for kind in [ErrorKind::Gone, ErrorKind::Unknown] {
        let probe = Probe::waiting();
        let (layer, _) = over(probe.clone());
        let mut client = Client::default();
        client.insert(&layer, "n", 0).await;
        let mut owner = client.clone();
        let answer = client
            .post(&layer, async |session| {
                if kind == ErrorKind::Gone {
                    owner.post(&layer, async |session| session.logout()).await;
                } else {
                    probe.fail(Call::Apply, kind);
                }
                session.insert("first", 1).unwrap();
                let second = async {
                    // Once the first commit is on its way.
                    session.insert("second", 2).unwrap();
                    session.commit().await
                };
                let (first, second) = tokio::join!(session.commit(), second);
                assert_eq!(first.unwrap_err().kind(), kind);
                probe.heal();
                assert!(second.is_err(), "it was told that {kind} was saved");
            })
            .await;
        assert_eq!(
            answer.status(),
            StatusCode::OK,
            "the handler dealt with both"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_while_another_one_still_replays_does_nothing_twice() {
    let probe = Probe::waiting();
    let (layer, _) = over(probe.clone());
    let mut client = Client::default();
    client.insert(&layer, "old", 1).await;
    let mut other = client.clone();
    let (replaying, is_replaying) = tokio::sync::oneshot::channel();
    let (go_on, may_go_on) = std::sync::mpsc::channel::<()>();
    let pause = Mutex::new(Some((replaying, may_go_on)));
    let runs = AtomicU64::new(0);
    client
        .post(&layer, async |session| {
            session.clear().unwrap();
            // While the clearing is on its way, an update is made. It runs again when that is
            // done, and takes its time.
            let update = move |n: &mut u64| {
                *n += 1;
                if runs.fetch_add(1, Ordering::SeqCst) == 1 {
                    let (replaying, may_go_on) = pause.lock().unwrap().take().unwrap();
                    replaying.send(()).unwrap();
                    may_go_on.recv().unwrap();
                }
            };
            let (busy, mut update) = (session.clone(), Some(update));
            probe.before(move |_| {
                if let Some(update) = update.take() {
                    busy.update("n", update).unwrap();
                }
            });
            let first = session.clone();
            let first = tokio::spawn(async move { first.commit().await });
            is_replaying.await.unwrap();
            other.insert(&layer, "new", 1).await;
            session.commit().await.unwrap();
            go_on.send(()).unwrap();
            first.await.unwrap().unwrap();
        })
        .await;
    assert_eq!(client.look(&layer).await, "nobody n=1 new=1 resumed");
}
