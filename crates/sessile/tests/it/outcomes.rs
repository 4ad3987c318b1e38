//! What the client gets, and what is committed, for every way a request can end.

use std::sync::Mutex;

use http::header::{CACHE_CONTROL, SET_COOKIE, VARY};
use http::{Method, Response, StatusCode};
use sessile::{ErrorKind, Session};
use tower::{Layer as _, ServiceExt as _, service_fn};

use crate::client::{Client, count, fresh, minutes, over, send};
use crate::probe::Probe;

const STATUSES: [u16; 17] = [
    200, 201, 204, 206, 301, 302, 304, 400, 401, 404, 409, 418, 429, 500, 502, 503, 599,
];

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap()
}

#[tokio::test]
async fn whatever_status_the_handler_answers_everything_is_committed() {
    for code in STATUSES {
        let (layer, _) = fresh();
        let mut client = Client::default();
        let step = async |client: &mut Client, op: Op| {
            let answer = client
                .post(&layer, async |session| {
                    op(&session);
                    status(code)
                })
                .await;
            assert_eq!(answer.status(), code);
            client.clone().look(&layer).await
        };
        let insert = step(&mut client, |session| session.insert("a", 1).unwrap());
        assert_eq!(insert.await, "nobody a=1 resumed");
        let first = client.clone();
        let login = step(&mut client, |session| session.login("alice").unwrap());
        assert_eq!(login.await, "alice a=1 resumed");
        assert_eq!(first.clone().look(&layer).await, "nobody ended");
        let before = client.clone();
        let renew = step(&mut client, |session| session.renew().unwrap());
        assert_eq!(renew.await, "alice a=1 resumed");
        assert_ne!(client.credential(), before.credential());
        let logout = step(&mut client, |session| session.logout().unwrap());
        assert_eq!(logout.await, "nobody new");
        assert_eq!(before.clone().look(&layer).await, "nobody ended");
        assert_eq!(count(&layer).await, 0, "{code}");
    }
}

type Op = fn(&Session);

const OPS: [Op; 4] = [
    |session| session.insert("b", 2).unwrap(),
    |session| session.renew().unwrap(),
    |session| session.login("bob").unwrap(),
    |session| session.logout().unwrap(),
];

#[tokio::test]
async fn an_error_of_the_inner_service_commits_nothing() {
    for op in OPS {
        let (layer, _) = fresh();
        let mut client = Client::default();
        client.insert(&layer, "a", 1).await;
        let failing = layer.layer(service_fn(async |request: http::Request<String>| {
            let lazy = request.extensions().get::<sessile::LazySession>();
            op(&lazy.unwrap().load().await.unwrap());
            Err::<Response<String>, _>("broken pipe")
        }));
        let answer = failing.oneshot(client.request(Method::POST)).await;
        assert_eq!(answer.unwrap_err(), "broken pipe");
        assert_eq!(client.look(&layer).await, "nobody a=1 resumed");
        assert_eq!(count(&layer).await, 1);
    }
}

#[tokio::test]
async fn a_panicking_handler_commits_nothing_and_harms_nobody_else() {
    for op in OPS {
        let (layer, _) = fresh();
        let mut client = Client::default();
        client.insert(&layer, "a", 1).await;
        let app = tower::ServiceBuilder::new()
            .layer(tower_http::catch_panic::CatchPanicLayer::new())
            .layer(layer.clone())
            .service(service_fn(async |request: http::Request<String>| {
                let lazy = request.extensions().get::<sessile::LazySession>();
                op(&lazy.unwrap().load().await.unwrap());
                panic!("the handler is broken");
                #[expect(unreachable_code, reason = "names the type")]
                Ok::<_, std::convert::Infallible>(Response::new(axum::body::Body::empty()))
            }));
        let answer = app.oneshot(client.request(Method::POST)).await.unwrap();
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!answer.headers().contains_key(SET_COOKIE));
        assert_eq!(client.look(&layer).await, "nobody a=1 resumed");
    }
}

#[tokio::test]
async fn a_cancelled_request_commits_nothing() {
    for op in OPS {
        let (layer, _) = fresh();
        let mut client = Client::default();
        client.insert(&layer, "a", 1).await;
        let endless = async |session: Session| {
            op(&session);
            std::future::pending::<()>().await;
        };
        let request = send(&layer, client.request(Method::POST), endless);
        let done = tokio::time::timeout(std::time::Duration::from_millis(1), request).await;
        assert!(done.is_err());
        assert_eq!(client.look(&layer).await, "nobody a=1 resumed");
        assert_eq!(count(&layer).await, 1);
    }
}

#[tokio::test]
async fn a_session_kept_from_a_cancelled_request_makes_no_new_one() {
    let (layer, _) = fresh();
    let kept = std::sync::Mutex::new(None);
    let endless = async |session: Session| {
        *kept.lock().unwrap() = Some(session);
        std::future::pending::<()>().await;
    };
    let request = send(&layer, Client::default().request(Method::POST), endless);
    let done = tokio::time::timeout(std::time::Duration::from_millis(1), request).await;
    assert!(done.is_err());
    let session = kept.into_inner().unwrap().unwrap();
    assert_eq!(
        session.insert("a", 1).unwrap_err().kind(),
        ErrorKind::TooLate
    );
    assert_eq!(
        session.login("alice").unwrap_err().kind(),
        ErrorKind::TooLate
    );
    assert_eq!(count(&layer).await, 0);
}

/// A request in whose midst its session ends.
async fn gone(method: Method, op: Op) -> Response<String> {
    let (layer, clock) = fresh();
    let mut owner = Client::default();
    owner.insert(&layer, "a", 1).await;
    let mut client = owner.clone();
    let answer = client
        .send(&layer, method, async |session| {
            clock.advance(minutes(10));
            owner.post(&layer, async |session| session.logout()).await;
            op(&session);
            Response::builder()
                .status(202)
                .header("x-page", "1")
                .body("page".to_owned())
                .unwrap()
        })
        .await;
    assert!(!answer.headers().contains_key(SET_COOKIE));
    assert_eq!(answer.headers()[VARY], "cookie");
    answer
}

#[tokio::test]
async fn where_only_a_touch_met_an_ended_session_the_response_is_the_handlers() {
    for method in [Method::GET, Method::POST] {
        let answer = gone(method, |_| {}).await;
        assert_eq!((answer.status(), &**answer.body()), (status(202), "page"));
    }
}

#[tokio::test]
async fn where_a_safe_request_wrote_data_to_an_ended_session_the_response_is_the_handlers() {
    for method in [Method::GET, Method::HEAD] {
        let answer = gone(method, |session| session.insert("b", 1).unwrap()).await;
        assert_eq!((answer.status(), &**answer.body()), (status(202), "page"));
    }
}

#[tokio::test]
async fn where_more_than_that_met_an_ended_session_it_is_409() {
    let cases: [(Method, Op); 5] = [
        (Method::POST, |session| session.insert("b", 1).unwrap()),
        (Method::PUT, |session| session.clear().unwrap()),
        (Method::DELETE, |session| session.renew().unwrap()),
        (Method::GET, |session| session.renew().unwrap()),
        (Method::HEAD, |session| session.renew().unwrap()),
    ];
    for (method, op) in cases {
        let answer = gone(method.clone(), op).await;
        assert_eq!(answer.status(), StatusCode::CONFLICT, "{method}");
        assert_eq!(answer.headers()[CACHE_CONTROL], "no-store");
        assert_eq!(answer.body(), "", "nothing of the handler's page");
        assert!(!answer.headers().contains_key("x-page"));
        let error = answer.extensions().get::<sessile::Error>().unwrap();
        assert_eq!(error.kind(), ErrorKind::Gone);
    }
}

#[tokio::test]
async fn a_session_too_large_that_nobody_handled_is_500() {
    let (layer, _) = fresh();
    let mut client = Client::default();
    client.insert(&layer, "a", 1).await;
    let half = "x".repeat(40_000);
    // Each request fits, both together do not.
    let mut other = client.clone();
    let answer = client
        .post(&layer, async |session| {
            session.insert("b", &half).unwrap();
            let other = other.post(&layer, async |session| session.insert("c", &half));
            assert_eq!(other.await.status(), StatusCode::OK);
        })
        .await;
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let error = answer.extensions().get::<sessile::Error>().unwrap();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    client
        .get(&layer, async |session| {
            assert_eq!(session.keys(), ["a", "c"])
        })
        .await;
}

#[tokio::test]
async fn after_the_head_an_existing_session_is_saved_by_commit_and_nothing_new_begins() {
    let (layer, _) = fresh();
    let mut client = Client::default();
    let keep = async |client: &mut Client| {
        let kept = Mutex::new(None);
        client
            .get(&layer, async |session| {
                *kept.lock().unwrap() = Some(session)
            })
            .await;
        kept.into_inner().unwrap().unwrap()
    };
    let new = keep(&mut client).await;
    for late in [new.insert("a", 1), new.login("alice"), new.renew()] {
        assert_eq!(late.unwrap_err().kind(), ErrorKind::TooLate);
    }
    assert_eq!(new.clear().unwrap_err().kind(), ErrorKind::TooLate);
    new.commit().await.unwrap();
    assert_eq!(count(&layer).await, 0);

    client.insert(&layer, "a", 1).await;
    let old = keep(&mut client).await;
    for late in [old.login("alice"), old.renew()] {
        assert_eq!(late.unwrap_err().kind(), ErrorKind::TooLate);
    }
    old.insert("b", 2).unwrap();
    assert_eq!(client.look(&layer).await, "nobody a=1 resumed");
    old.commit().await.unwrap();
    assert_eq!(old.update_now("b", |b: &mut u64| *b + 1).await.unwrap(), 3);
    assert_eq!(client.look(&layer).await, "nobody a=1 b=2 resumed");
    old.logout().unwrap();
    assert_eq!(old.insert("c", 1).unwrap_err().kind(), ErrorKind::TooLate);
    old.commit().await.unwrap();
    assert_eq!(client.look(&layer).await, "nobody ended");
}

#[tokio::test]
async fn the_commit_is_done_before_the_head_leaves() {
    let probe = Probe::waiting();
    let (layer, _) = over(probe);
    let mut client = Client::default();
    client.insert(&layer, "n", 1).await;
    // The body has not been read when the head is there, and the value is.
    let app = layer.layer(service_fn(async |request: http::Request<String>| {
        let lazy = request.extensions().get::<sessile::LazySession>();
        lazy.unwrap().load().await?.insert("n", 2)?;
        Ok::<_, sessile::Error>(Response::new(axum::body::Body::from("later")))
    }));
    let head = app.oneshot(client.request(Method::POST)).await.unwrap();
    assert_eq!(client.clone().look(&layer).await, "nobody n=2 resumed");
    drop(head);
}
