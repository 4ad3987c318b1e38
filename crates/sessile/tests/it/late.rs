//! What comes between a look and its commit, and what comes too late.

use http::header::SET_COOKIE;
use http::{Method, StatusCode};
use sessile::{Arrival, ErrorKind, LazySession, Result};

use crate::client::{Client, count, fresh, minutes, send_lazy};

/// Takes ten credits, if there are as many.
fn spend(credits: &mut u64) -> bool {
    let enough = *credits >= 10;
    if enough {
        *credits -= 10;
    }
    enough
}

#[tokio::test]
async fn an_update_that_was_answered_does_not_run_again_with_a_later_commit() {
    let (layer, _) = fresh();
    let mut client = Client::default();
    client.insert(&layer, "credits", 0).await;
    let mut other = client.clone();
    client
        .post(&layer, async |session| {
            assert!(!session.update_now("credits", spend).await?);
            other.insert(&layer, "credits", 10).await;
            session.update("visits", |n: &mut u64| *n += 1)
        })
        .await;
    assert_eq!(
        client.look(&layer).await,
        "nobody credits=10 visits=1 resumed"
    );
}

#[tokio::test]
async fn an_update_that_changes_nothing_is_answered_by_what_is_stored_and_not_by_the_view() {
    let (layer, _) = fresh();
    let mut client = Client::default();
    client.insert(&layer, "credits", 0).await;
    let mut other = client.clone();
    client
        .post(&layer, async |session| {
            assert_eq!(session.get::<u64>("credits")?, Some(0));
            other.insert(&layer, "credits", 10).await;
            assert!(session.update_now("credits", spend).await?);
            Result::Ok(())
        })
        .await;
    assert_eq!(client.look(&layer).await, "nobody credits=0 resumed");
}

#[tokio::test]
async fn a_revoked_session_does_not_live_on_in_a_login_of_the_same_subject() {
    let (layer, _) = fresh();
    let mut client = Client::default();
    client.login(&layer, "alice").await;
    let answer = client
        .post(&layer, async |session| {
            assert_eq!(layer.sessions().revoke_all("alice").await?, 1);
            session.login("alice")
        })
        .await;
    assert_eq!(answer.status(), StatusCode::CONFLICT);
    assert!(!answer.headers().contains_key(SET_COOKIE));
    assert_eq!(count(&layer).await, 0);
    assert_eq!(client.look(&layer).await, "nobody ended");
}

#[tokio::test]
async fn a_login_may_revoke_the_others_of_its_subject_in_the_same_request() {
    let (layer, _) = fresh();
    let (mut client, mut other) = (Client::default(), Client::default());
    client.login(&layer, "alice").await;
    other.login(&layer, "alice").await;
    let answer = client
        .post(&layer, async |session| {
            session.login("alice")?;
            assert_eq!(layer.sessions().revoke_others(&session).await?, 1);
            Result::Ok(())
        })
        .await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(client.look(&layer).await, "alice resumed");
    assert_eq!(other.look(&layer).await, "nobody ended");
}

#[tokio::test]
async fn a_login_that_can_not_take_everything_along_takes_what_was_acknowledged() {
    let (layer, _) = fresh();
    let mut client = Client::default();
    client.insert(&layer, "a", 1).await;
    let mut other = client.clone();
    let answer = client
        .post(&layer, async |session| {
            session.insert("mine", "x".repeat(10_000))?;
            other
                .post(&layer, async |session| {
                    session.insert("theirs", "y".repeat(60_000))
                })
                .await;
            session.login("alice")
        })
        .await;
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let error = answer.extensions().get::<sessile::Error>().unwrap();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    client
        .get(&layer, async |session| {
            assert_eq!(session.subject().as_deref(), Some("alice"));
            assert_eq!(session.get::<String>("theirs")?.unwrap().len(), 60_000);
            assert!(!session.contains("mine"));
            Result::Ok(())
        })
        .await;
    assert_eq!(count(&layer).await, 1);
}

#[tokio::test]
async fn a_session_is_judged_by_when_it_is_looked_for() {
    let (layer, clock) = fresh();
    let mut client = Client::default();
    client.insert(&layer, "a", 1).await;
    send_lazy(
        &layer,
        client.request(Method::POST),
        async |lazy: LazySession| {
            clock.advance(minutes(30));
            let session = lazy.load().await.unwrap();
            assert_eq!(session.arrival(), Arrival::Expired);
            assert!(session.is_empty());
        },
    )
    .await;
}

#[tokio::test]
async fn an_update_whose_closure_writes_its_own_key_is_an_error_and_no_endless_loop() {
    let (layer, _) = fresh();
    let mut client = Client::default();
    client
        .post(&layer, async |session| {
            let inner = session.clone();
            let error = session
                .update("n", move |n: &mut u64| {
                    inner.update("n", |n: &mut u64| *n += 1).unwrap();
                    *n += 1;
                })
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Conflict);
        })
        .await;
}

#[tokio::test]
async fn a_closure_that_holds_its_own_session_is_let_go_when_the_request_is_cancelled() {
    let (layer, _) = fresh();
    let held = std::sync::Arc::new(());
    let endless = async |lazy: LazySession| {
        let session = lazy.load().await.unwrap();
        let (inner, held) = (session.clone(), held.clone());
        let hold = move |_: &mut u64| {
            let _ = (&inner, &held);
        };
        session.update("n", hold).unwrap();
        std::future::pending::<()>().await;
    };
    let request = send_lazy(&layer, Client::default().request(Method::POST), endless);
    let done = tokio::time::timeout(std::time::Duration::from_millis(1), request).await;
    assert!(done.is_err());
    assert_eq!(std::sync::Arc::strong_count(&held), 1);
}
