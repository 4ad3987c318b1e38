//! What the client gets when the store fails, stays behind, or is contended for.

use std::sync::Arc;

use http::header::{CACHE_CONTROL, RETRY_AFTER, SET_COOKIE, VARY};
use http::{Method, StatusCode};
use sessile::{ErrorKind, LazySession, Session};

use crate::client::{Client, over, send_lazy};
use crate::probe::{Call, Probe};

#[tokio::test]
async fn a_store_that_is_away_is_503_with_no_cookie_and_never_an_empty_session() {
    let calls = [Call::Open, Call::Create, Call::Apply, Call::End];
    for kind in [ErrorKind::Unavailable, ErrorKind::Unknown] {
        for call in calls {
            let probe = Probe::new();
            let (layer, _) = over(probe.clone());
            let mut client = Client::default();
            client.insert(&layer, "a", 1).await;
            let before = client.clone();
            probe.fail(call, kind);
            let answer = client
                .post(&layer, async |session| {
                    assert_eq!(session.get::<u64>("a")?, Some(1));
                    match call {
                        Call::Create => session.login("alice"),
                        Call::End => session.logout(),
                        _ => session.insert("a", 2),
                    }
                })
                .await;
            assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert!(answer.headers().contains_key(RETRY_AFTER));
            assert!(!answer.headers().contains_key(SET_COOKIE));
            assert_eq!(answer.headers()[CACHE_CONTROL], "no-store");
            let error = answer.extensions().get::<sessile::Error>().unwrap();
            assert_eq!(error.kind(), kind);
            assert_eq!(client.credential(), before.credential());
            probe.heal();
            assert_eq!(client.look(&layer).await, "nobody a=1 resumed", "{call:?}");
        }
    }
}

#[tokio::test]
async fn a_new_visitor_whose_session_could_not_be_made_gets_503_and_no_cookie() {
    let probe = Probe::new();
    let (layer, _) = over(probe.clone());
    probe.fail(Call::Create, ErrorKind::Unavailable);
    let mut client = Client::default();
    let answer = client
        .post(&layer, async |session| {
            session.insert("a", 1)?;
            let error = session.commit().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unavailable);
            assert_eq!(session.get("a")?, Some(1), "it can be tried again");
            sessile::Result::Ok(())
        })
        .await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(!answer.headers().contains_key(SET_COOKIE));
}

#[tokio::test]
async fn a_conflict_that_lasts_until_the_deadline_is_409() {
    let probe = Probe::new();
    let (layer, clock) = over(probe.clone());
    let mut client = Client::default();
    client.insert(&layer, "a", 1).await;
    probe.always_conflicts();
    let ticking = Arc::clone(&clock);
    probe.before(move |_| ticking.advance(std::time::Duration::from_millis(100)));
    probe.calls();
    let answer = client
        .post(&layer, async |session| {
            session.update("a", |a: &mut u64| *a += 1)
        })
        .await;
    assert_eq!(answer.status(), StatusCode::CONFLICT);
    let error = answer.extensions().get::<sessile::Error>().unwrap();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(
        (15..25).contains(&probe.calls()),
        "tried again for two seconds"
    );
}

#[tokio::test]
async fn a_write_on_stale_state_is_409_until_it_is_accepted() {
    let probe = Probe::new();
    let (layer, _) = over(probe.clone());
    let mut client = Client::default();
    client.insert(&layer, "a", 1).await;
    probe.alters_open(|opened| {
        if let sessile_core::Found::Session(held) = &mut opened.found {
            held.known += 5;
            held.reissue = true;
            opened.arrival = sessile::Arrival::Stale;
        }
    });
    assert_eq!(client.look(&layer).await, "nobody a=1 stale");
    let refused = client
        .post(&layer, async |session| session.insert("a", 2))
        .await;
    assert_eq!(refused.status(), StatusCode::CONFLICT);
    assert!(
        refused.headers().contains_key(SET_COOKIE),
        "so that the second try works"
    );
    let accept = async |session: Session| {
        session.accept_stale();
        session.update("a", |a: &mut u64| *a += 2)
    };
    let accepted = client.post(&layer, accept).await;
    assert_eq!(accepted.status(), StatusCode::OK);
    assert_eq!(client.look(&layer).await, "nobody a=3 stale");
}

#[tokio::test]
async fn what_was_surely_not_done_is_tried_again_and_what_may_have_been_is_not() {
    for (kind, found) in [
        (ErrorKind::Unavailable, "nobody a=2 resumed"),
        (ErrorKind::Unknown, "nobody a=1 resumed"),
    ] {
        let probe = Probe::new();
        let (layer, _) = over(probe.clone());
        let mut client = Client::default();
        client.insert(&layer, "a", 1).await;
        let answer = client
            .post(&layer, async |session| {
                probe.fail(Call::Apply, kind);
                session.update("a", |a: &mut u64| *a += 1).unwrap();
                assert_eq!(session.commit().await.unwrap_err().kind(), kind);
                probe.heal();
            })
            .await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(client.look(&layer).await, found);
    }
}

#[tokio::test]
async fn a_handler_that_does_without_the_session_it_could_not_get_still_depends_on_the_cookie() {
    let probe = Probe::new();
    let (layer, _) = over(probe.clone());
    let mut client = Client::default();
    client.insert(&layer, "a", 1).await;
    probe.fail(Call::Open, ErrorKind::Unavailable);
    let answer = send_lazy(
        &layer,
        client.request(Method::GET),
        async |lazy: LazySession| {
            let kind = lazy.load().await.unwrap_err().kind();
            assert_eq!(kind, ErrorKind::Unavailable);
        },
    )
    .await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()[VARY], "cookie");
}

#[tokio::test]
async fn an_end_whose_outcome_is_unknown_is_tried_again() {
    let probe = Probe::new();
    let (layer, _) = over(probe.clone());
    let mut client = Client::default();
    client.insert(&layer, "a", 1).await;
    let mut old = client.clone();
    let answer = client
        .post(&layer, async |session| {
            session.login("alice")?;
            probe.fail(Call::End, ErrorKind::Unknown);
            let error = session.commit().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unknown);
            probe.heal();
            sessile::Result::Ok(())
        })
        .await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(client.look(&layer).await, "alice a=1 resumed");
    assert_eq!(old.look(&layer).await, "nobody ended");
}

#[tokio::test]
async fn a_logout_whose_outcome_is_unknown_is_tried_again() {
    let probe = Probe::new();
    let (layer, _) = over(probe.clone());
    let mut client = Client::default();
    client.insert(&layer, "a", 1).await;
    let mut old = client.clone();
    client
        .post(&layer, async |session| {
            session.logout()?;
            probe.fail(Call::End, ErrorKind::Unknown);
            assert_eq!(
                session.commit().await.unwrap_err().kind(),
                ErrorKind::Unknown
            );
            probe.heal();
            sessile::Result::Ok(())
        })
        .await;
    assert_eq!(client.credential(), None);
    assert_eq!(old.look(&layer).await, "nobody ended");
}
