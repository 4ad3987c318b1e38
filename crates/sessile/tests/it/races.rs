//! What concurrent requests may not do to one another.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use http::header::SET_COOKIE;
use http::{Method, StatusCode};
use sessile::{ErrorKind, Session};
use tokio::task::yield_now;

use crate::client::{Client, at_once, count, fresh, over};
use crate::probe::Probe;

const OPS: [&str; 9] = [
    "read",
    "insert",
    "remove",
    "update",
    "renew",
    "login",
    "lifetime",
    "commit",
    "update_now",
];

async fn perform(op: &str, session: &Session) -> sessile::Result<()> {
    match op {
        "read" => drop(session.get::<u64>("a")?),
        "insert" => session.insert("a", 7)?,
        "remove" => drop(session.remove("a")?),
        "update" => session.update("a", |a: &mut u64| *a += 1)?,
        "renew" => session.renew()?,
        "login" => session.login("mallory")?,
        "lifetime" => session.set_lifetime(sessile::Lifetime::default())?,
        "commit" => {
            session.insert("a", 7)?;
            session.commit().await?;
        }
        "update_now" => session.update_now("a", |a: &mut u64| *a += 1).await?,
        other => panic!("{other}"),
    }
    Ok(())
}

#[tokio::test]
async fn a_destroyed_session_never_comes_back_whatever_was_in_flight() {
    for waiting in [false, true] {
        for op in OPS {
            for status in [200, 302, 404, 500] {
                let probe = if waiting {
                    Probe::waiting()
                } else {
                    Probe::new()
                };
                let (layer, clock) = over(probe);
                let mut owner = Client::default();
                owner.login(&layer, "alice").await;
                owner.insert(&layer, "a", 1).await;
                let (mut straggler, mut later) = (owner.clone(), owner.clone());
                let answer = straggler
                    .post(&layer, async |session| {
                        // A touch is due as well.
                        clock.advance(crate::client::minutes(4));
                        let out = owner.post(&layer, async |session| session.logout()).await;
                        assert_eq!(out.status(), StatusCode::OK);
                        perform(op, &session).await?;
                        sessile::Result::Ok(StatusCode::from_u16(status).unwrap())
                    })
                    .await;
                let (writes, moves) = (op != "read", op == "login");
                let expected = if writes && !moves { 409 } else { status };
                assert_eq!(answer.status(), expected, "{op}");
                assert_eq!(answer.headers().contains_key(SET_COOKIE), moves, "{op}");
                assert_eq!(later.look(&layer).await, "nobody ended", "{op} {status}");
                assert_eq!(count(&layer).await, u64::from(moves), "{op} {status}");
            }
        }
    }
}

#[tokio::test]
async fn nothing_planted_before_a_login_reads_or_writes_after_it() {
    let (layer, _) = fresh();
    let mut planted = Client::default();
    planted.insert(&layer, "cart", 1).await;
    let (mut victim, mut slow) = (planted.clone(), planted.clone());
    let mut socket = None;
    planted
        .get(&layer, async |session| socket = Some(session))
        .await;
    let socket = socket.unwrap();

    let straggler = slow
        .post(&layer, async |session| {
            victim.login(&layer, "alice").await;
            session.insert("slow", 1)
        })
        .await;
    assert_eq!(straggler.status(), StatusCode::CONFLICT);
    assert!(!straggler.headers().contains_key(SET_COOKIE));

    socket.insert("socket", 1).unwrap();
    assert_eq!(socket.commit().await.unwrap_err().kind(), ErrorKind::Gone);
    assert!(socket.is_empty());
    assert_eq!(socket.subject(), None);

    let write = planted
        .post(&layer, async |session| session.insert("planted", 1))
        .await;
    assert_eq!(write.status(), StatusCode::CONFLICT);
    assert!(!write.headers().contains_key(SET_COOKIE));
    assert_eq!(planted.look(&layer).await, "nobody ended");
    assert_eq!(victim.look(&layer).await, "alice cart=1 resumed");
    assert_eq!(count(&layer).await, 1);
}

#[tokio::test]
async fn what_was_acknowledged_during_a_login_is_inherited() {
    let (layer, _) = fresh();
    let mut client = Client::default();
    client.insert(&layer, "n", 1).await;
    let mut parallel = client.clone();
    client
        .post(&layer, async |session| {
            session.update("n", |n: &mut u64| *n += 1)?;
            session.login("alice")?;
            let add = async |session: Session| session.update("n", |n: &mut u64| *n += 10);
            parallel.post(&layer, add).await;
            parallel.insert(&layer, "other", 5).await;
            sessile::Result::Ok(())
        })
        .await;
    assert_eq!(client.look(&layer).await, "alice n=12 other=5 resumed");
    assert_eq!(parallel.look(&layer).await, "nobody ended");
}

#[tokio::test]
async fn a_straggling_logout_does_not_remove_the_cookie_of_the_login_that_overtook_it() {
    let (layer, _) = fresh();
    let mut jar = Client::default();
    jar.insert(&layer, "a", 1).await;
    let straggler = jar.request(Method::POST);
    let answer = crate::client::send(&layer, straggler, async |session| {
        jar.login(&layer, "alice").await;
        session.logout()
    })
    .await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(
        !answer.headers().contains_key(SET_COOKIE),
        "it destroyed nothing"
    );
    assert_eq!(jar.look(&layer).await, "alice a=1 resumed");
}

#[tokio::test]
async fn fifty_parallel_requests_and_two_parallel_renews_leave_everybody_in() {
    for waiting in [false, true] {
        let probe = if waiting {
            Probe::waiting()
        } else {
            Probe::new()
        };
        let (layer, clock) = over(probe);
        let mut client = Client::default();
        client.insert(&layer, "a", 1).await;
        let clients = at_once(&layer, &client, 52, async |at, session| {
            yield_now().await;
            if at % 26 == 13 {
                session.renew()?;
            }
            yield_now().await;
            session.insert(format!("k{at:02}"), at)
        })
        .await;
        let mut successors = Vec::new();
        for mut client in clients {
            client.look(&layer).await;
            successors.push(secret(&client));
        }
        assert!(successors.iter().all(|text| *text == successors[0]));
        assert_ne!(successors[0], secret(&client));

        // The successor was presented above, so the grace has begun; it ends a minute later.
        clock.advance(crate::client::seconds(59));
        let mut last = client.clone();
        last.get(&layer, async |session| assert_eq!(session.keys().len(), 53))
            .await;
        assert_eq!(secret(&last), successors[0]);
        clock.advance(crate::client::seconds(1));
        assert_eq!(
            client.look(&layer).await,
            "nobody ended",
            "a reuse ends the session"
        );
        assert_eq!(last.look(&layer).await, "nobody ended");
    }
}

type Later = Pin<Box<dyn Future<Output = sessile::Result<()>> + Send>>;

#[tokio::test]
async fn a_commit_that_waits_for_another_one_of_its_request_gives_up_its_place_in_line() {
    let (layer, _) = over(Probe::waiting());
    let mut client = Client::default();
    client.insert(&layer, "n", 10).await;
    let mut other = client.clone();
    let answer = client
        .post(&layer, async |session| {
            other.insert(&layer, "n", 20).await;
            let second = session.clone();
            let second = async move { second.update_now("m", |m: &mut u64| *m += 1).await };
            let begun = Arc::new(Mutex::new(None::<Later>));
            let (runs, begins) = (AtomicU64::new(0), begun.clone());
            let second = Mutex::new(Some(Box::pin(second) as Later));
            session.update("n", move |n: &mut u64| {
                // The first commit was refused, and its changes are run again: a second one comes.
                if runs.fetch_add(1, Ordering::SeqCst) == 1 {
                    let mut second = second.lock().unwrap().take().unwrap();
                    let mut context = Context::from_waker(Waker::noop());
                    assert!(second.as_mut().poll(&mut context).is_pending());
                    *begins.lock().unwrap() = Some(second);
                }
                *n += 1;
            })?;
            let rest = poll_fn(|context| match begun.lock().unwrap().as_mut() {
                Some(second) => second.as_mut().poll(context),
                None => {
                    context.waker().wake_by_ref();
                    Poll::Pending
                }
            });
            let (first, second) = tokio::join!(session.commit(), rest);
            first.and(second)
        })
        .await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(other.look(&layer).await, "nobody m=1 n=21 resumed");
}

/// The id and the verifier of a credential: the first 32 of its bytes, without what may follow.
fn secret(client: &Client) -> String {
    client.credential().unwrap()[..crate::LABEL.len() + 42].to_owned()
}
