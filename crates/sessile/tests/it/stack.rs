//! Under Tower's middleware, and with every kind of response.

use std::convert::Infallible;
use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use http::header::{CONTENT_LENGTH, SET_COOKIE};
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Frame;
use sessile::LazySession;
use tower::{Layer as _, Service, ServiceBuilder, ServiceExt as _, service_fn};

use crate::client::{Client, count, fresh, over};
use crate::probe::Probe;

/// Counts in its session.
async fn visit(request: Request<String>) -> Result<Response<Body>, sessile::Error> {
    let lazy = request.extensions().get::<LazySession>().unwrap();
    let session = lazy.load().await?;
    let visit = |n: &mut u64| {
        *n += 1;
        *n
    };
    let n = session.update_now("n", visit).await?;
    Ok(Response::new(Body::from(n.to_string())))
}

#[tokio::test]
async fn it_works_under_and_over_the_middleware_of_tower() {
    for probe in [Probe::new(), Probe::waiting()] {
        let (layer, _) = over(probe);
        let mut app = ServiceBuilder::new()
            .layer(tower_http::catch_panic::CatchPanicLayer::new())
            .load_shed()
            .buffer(8)
            .concurrency_limit(4)
            .timeout(Duration::from_secs(60))
            .layer(layer.clone())
            .buffer(8)
            .concurrency_limit(2)
            .timeout(Duration::from_secs(60))
            .service(service_fn(visit));
        let mut client = Client::default();
        for n in 1..=5 {
            let request = client.request(Method::GET);
            let ready = app.ready().await.unwrap();
            let answer = ready.call(request).await.unwrap();
            client.keep(&answer);
            let (head, body) = answer.into_parts();
            let body = body.collect().await.unwrap_or_else(|_| panic!("no body"));
            assert_eq!(head.status, StatusCode::OK);
            assert_eq!(body.to_bytes(), n.to_string());
        }
        assert_eq!(count(&layer).await, 1);
    }
}

/// Panics when it is called without having said that it is ready.
#[derive(Debug, Default)]
struct Strict {
    ready: bool,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Strict::default()
    }
}

impl Service<Request<String>> for Strict {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<String>) -> Self::Future {
        assert!(
            std::mem::take(&mut self.ready),
            "called before it was ready"
        );
        std::future::ready(Ok(Response::default()))
    }
}

#[tokio::test]
async fn the_service_that_was_asked_whether_it_is_ready_is_the_one_that_is_called() {
    let mut app = fresh().0.layer(Strict::default());
    for _ in 0..3 {
        let request = Request::new(String::new());
        app.ready().await.unwrap().call(request).await.unwrap();
    }
    let clone = app.clone();
    clone.oneshot(Request::new(String::new())).await.unwrap();
}

#[tokio::test]
async fn a_service_that_is_not_ready_makes_the_layer_wait_and_its_error_is_passed_on() {
    #[derive(Clone, Debug)]
    struct Broken;
    impl Service<Request<String>> for Broken {
        type Response = Response<String>;
        type Error = &'static str;
        type Future = std::future::Pending<Result<Response<String>, &'static str>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
            Poll::Ready(Err("closed"))
        }

        fn call(&mut self, _: Request<String>) -> Self::Future {
            unreachable!("it is never ready")
        }
    }
    let app = fresh().0.layer(Broken);
    let answer = app.oneshot(Request::new(String::new())).await;
    assert_eq!(answer.unwrap_err(), "closed");
}

/// A body whose only frame comes when the test says so.
struct Late(tokio::sync::oneshot::Receiver<&'static str>, bool);

impl hyper::body::Body for Late {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if std::mem::replace(&mut self.1, true) && self.0.is_terminated() {
            return Poll::Ready(None);
        }
        let text = Pin::new(&mut self.0).poll(context);
        text.map(|text| {
            text.ok()
                .map(|text| Ok(Frame::data(Bytes::from_static(text.as_bytes()))))
        })
    }
}

#[tokio::test]
async fn the_body_is_neither_read_nor_held_back() {
    let (layer, _) = fresh();
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let late = std::sync::Mutex::new(Some(Body::new(Late(receiver, false))));
    let app = layer.layer(service_fn(async |request: Request<String>| {
        let lazy = request.extensions().get::<LazySession>().unwrap();
        lazy.load().await?.insert("a", 1)?;
        let body = late.lock().unwrap().take().unwrap();
        Ok::<_, sessile::Error>(Response::new(body))
    }));
    let head = app.oneshot(Request::new(String::new())).await.unwrap();
    assert!(head.headers().contains_key(SET_COOKIE), "the head is here");
    assert_eq!(count(&layer).await, 1, "and the session was saved");
    sender.send("late").unwrap();
    let body = head.into_body().collect().await.unwrap();
    assert_eq!(body.to_bytes(), "late");
}

#[tokio::test]
async fn responses_without_a_body_carry_the_cookie_and_nothing_else_new() {
    for (method, status) in [
        (Method::HEAD, 200),
        (Method::OPTIONS, 204),
        (Method::GET, 304),
        (Method::GET, 101),
        (Method::GET, 204),
    ] {
        let (layer, _) = fresh();
        let mut client = Client::default();
        let silent = client
            .send(&layer, method.clone(), async |_session| status_of(status))
            .await;
        assert!(!silent.headers().contains_key(SET_COOKIE));
        assert_eq!(count(&layer).await, 0, "none is made without a write");
        let written = client
            .send(&layer, method, async |session| {
                session.insert("a", 1).unwrap();
                status_of(status)
            })
            .await;
        assert_eq!(written.status(), status);
        assert_eq!(written.body(), "");
        assert!(!written.headers().contains_key(CONTENT_LENGTH));
        assert_eq!(client.look(&layer).await, "nobody a=1 resumed");
    }
}

fn status_of(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap()
}
