//! The policy that lets requests go on without a session while the store is away.

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::header::{COOKIE, SET_COOKIE};
use http::{Method, Request, StatusCode};
use sessile::{Arrival, ErrorKind, ErrorPolicy, LazySession, Lifetime, Session};
use sessile_conformance::{Fault, Operation};
use tower::ServiceExt as _;

use crate::client::{Client, minutes, send_lazy};
use crate::shop::{Shop, failed};

const AWAY: [Fault; 3] = [Fault::Unavailable, Fault::AnswerLost, Fault::NeverMade];

fn lenient() -> Shop {
    Shop::with(|stored| stored.errors(ErrorPolicy::AnonymousReads))
}

#[tokio::test(start_paused = true)]
async fn a_read_goes_on_with_an_empty_session_that_says_why() {
    for fault in AWAY {
        let shop = lenient();
        let mut client = shop.customer().await;
        let before = client.clone();
        shop.fail(Operation::Load, fault);
        let answer = client
            .get(&shop.layer, async |session| {
                assert_eq!(session.arrival(), Arrival::Unavailable);
                assert!(!session.exists() && session.is_empty());
                assert_eq!(session.get::<u64>("a").unwrap(), None);
                assert_eq!(session.subject(), None);
            })
            .await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert!(!answer.headers().contains_key(SET_COOKIE));
        let request = client.request(Method::GET);
        let is_none = async |lazy: LazySession| {
            assert!(lazy.load_existing().await.unwrap().is_none());
        };
        let answer = send_lazy(&shop.layer, request, is_none).await;
        assert_eq!(answer.status(), StatusCode::OK);
        shop.heal();
        assert_eq!(client.credential(), before.credential());
        assert_eq!(client.look(&shop.layer).await, "nobody a=1 resumed");
    }
}

#[tokio::test]
async fn an_optional_session_of_axum_is_none() {
    let shop = lenient();
    let client = shop.customer().await;
    let who = async |session: Option<Session>| if session.is_some() { "some" } else { "none" };
    let app = Router::new().route("/", get(who)).layer(shop.layer.clone());
    for (is_away, expected) in [(false, "some"), (true, "none")] {
        if is_away {
            shop.fail(Operation::Load, Fault::Unavailable);
        }
        let cookie = format!("__Host-sid={}", client.credential().unwrap());
        let request = Request::get("/").header(COOKIE, cookie);
        let answer = app.clone().oneshot(request.body(Body::empty()).unwrap());
        let answer = answer.await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let body = axum::body::to_bytes(answer.into_body(), 9).await.unwrap();
        assert_eq!(body, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn everything_but_a_read_fails_and_leaves_the_cookie_alone() {
    let changes: [fn(&Session) -> sessile::Result<()>; 9] = [
        |session| session.insert("a", 2),
        |session| session.remove("a").map(drop),
        |session| session.update("a", |a: &mut u64| *a += 1),
        Session::clear,
        Session::renew,
        |session| session.login("alice"),
        Session::logout,
        Session::destroy,
        |session| session.set_lifetime(Lifetime::default()),
    ];
    for fault in AWAY {
        for change in changes {
            let shop = lenient();
            let mut client = shop.customer().await;
            let before = client.clone();
            shop.fail(Operation::Load, fault);
            let answer = client
                .post(&shop.layer, async |session| change(&session))
                .await;
            let status = StatusCode::SERVICE_UNAVAILABLE;
            failed(&answer, status, ErrorKind::Unavailable);
            shop.heal();
            assert_eq!(client.credential(), before.credential());
            assert_eq!(client.look(&shop.layer).await, "nobody a=1 resumed");
        }
    }
}

/// The session was read before the store went away.
#[tokio::test]
async fn a_change_that_can_not_be_saved_fails_whatever_the_policy() {
    let shop = lenient();
    let mut client = shop.customer().await;
    for (operation, kind) in [
        (Operation::Apply, ErrorKind::Unavailable),
        (Operation::End, ErrorKind::Unavailable),
        (Operation::Create, ErrorKind::Unavailable),
    ] {
        shop.fail(operation, Fault::Unavailable);
        let answer = client
            .post(&shop.layer, async |session| match operation {
                Operation::Create => session.login("alice"),
                Operation::End => session.logout(),
                _ => session.insert("a", 2),
            })
            .await;
        failed(&answer, StatusCode::SERVICE_UNAVAILABLE, kind);
        shop.heal();
        assert_eq!(client.look(&shop.layer).await, "nobody a=1 resumed");
    }
    shop.fail(Operation::Create, Fault::Unavailable);
    let answer = Client::default()
        .post(&shop.layer, async |session| session.insert("a", 1))
        .await;
    let status = StatusCode::SERVICE_UNAVAILABLE;
    failed(&answer, status, ErrorKind::Unavailable);
}

#[tokio::test(start_paused = true)]
async fn a_use_that_can_not_be_noted_is_noted_by_the_next_request() {
    for fault in AWAY {
        let shop = lenient();
        let mut client = shop.customer().await;
        shop.clock.advance(minutes(4));
        shop.fail(Operation::Apply, fault);
        for _ in 0..2 {
            let look = client.look(&shop.layer).await;
            assert_eq!(look, "nobody a=1 resumed", "{fault:?}");
        }
        // With a write it is no note any more.
        let answer = client
            .post(&shop.layer, async |session| session.insert("a", 2))
            .await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        shop.heal();
        shop.calls.reset();
        // What was lost was the answer only: then the use has been noted.
        let noted = u64::from(fault != Fault::AnswerLost);
        client.look(&shop.layer).await;
        assert_eq!(shop.asked(Operation::Apply), noted, "{fault:?}");
    }
}

/// The control.
#[tokio::test]
async fn by_default_a_use_that_can_not_be_noted_fails_the_request() {
    let shop = Shop::new();
    let mut client = shop.customer().await;
    shop.clock.advance(minutes(4));
    shop.fail(Operation::Apply, Fault::Unavailable);
    let answer = client.get(&shop.layer, async |_| {}).await;
    let status = StatusCode::SERVICE_UNAVAILABLE;
    failed(&answer, status, ErrorKind::Unavailable);
}
