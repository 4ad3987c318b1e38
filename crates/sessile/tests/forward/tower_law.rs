//! In process: the laws of Tower, ready before it is called and nothing held; and the carriers.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use sessile::Carrier;
use tower::{Layer as _, Service, ServiceExt as _};

use crate::cluster::{layers, listener};
use crate::labelled::{Labelled, Next};

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

impl Service<Request<Full<Bytes>>> for Strict {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Full<Bytes>>) -> Self::Future {
        assert!(
            std::mem::take(&mut self.ready),
            "called before it was ready"
        );
        std::future::ready(Ok(Response::new("here".into())))
    }
}

fn request(labelled: &Labelled, label: &str) -> Request<Full<Bytes>> {
    let cookie = format!("__Host-sid={}", labelled.credential_of(label));
    Request::get("/")
        .header("cookie", cookie)
        .body(Full::default())
        .unwrap()
}

#[tokio::test]
async fn whoever_is_called_has_said_that_it_is_ready() {
    let labelled = Labelled::new("n1", Arc::default(), Next::Adopt);
    let nobody = listener().await.local_addr().unwrap();
    let (_, forward) = layers(&labelled, &[("n9", nobody)], |peers| peers);
    let mut app = forward.layer(Strict::default());
    for label in ["n1", "n9", "n9", "n1", "n8"] {
        let request = request(&labelled, label);
        let answer = app.ready().await.unwrap().call(request).await.unwrap();
        assert_eq!(answer.status(), 200, "{label}");
    }
}

#[tokio::test]
async fn a_request_on_its_hop_takes_no_place_of_those_that_are_served_here() {
    let labelled = Labelled::new("n1", Arc::default(), Next::Adopt);
    // Takes the connection and says nothing.
    let silent = listener().await;
    let peers = [("n9", silent.local_addr().unwrap())];
    let (_, forward) = layers(&labelled, &peers, |peers| peers);
    let mut app = forward.layer(tower::limit::ConcurrencyLimit::new(Strict::default(), 1));
    let hop = app.ready().await.unwrap().call(request(&labelled, "n9"));
    let hop = tokio::spawn(hop);
    let (_stream, _) = silent.accept().await.unwrap();
    let local = app.clone().oneshot(request(&labelled, "n1"));
    // Were the place held during the hop, this would wait for the peer.
    let local = tokio::time::timeout(Duration::from_secs(5), local).await;
    assert_eq!(local.unwrap().unwrap().status(), 200);
    hop.abort();
}

#[tokio::test]
async fn a_credential_is_found_by_every_carrier_that_the_layer_reads() {
    let labelled = Labelled::new("n1", Arc::default(), Next::Adopt);
    let silent = listener().await;
    let peers = [("n9", silent.local_addr().unwrap())];
    let (session, cookies_only) = layers(&labelled, &peers, |peers| peers);
    let carriers = [Carrier::Cookie, Carrier::Bearer];
    let both = session.carriers(carriers).forwarding().unwrap();
    let request = || {
        let bearer = format!("Bearer {}", labelled.bearer_of("n9"));
        let request = Request::get("/").header("authorization", bearer);
        request.body(Full::default()).unwrap()
    };
    let local = cookies_only.layer(Strict::default()).oneshot(request());
    assert!(!local.await.unwrap().body().is_remote());
    let hop = both.layer(Strict::default()).oneshot(request());
    let hop = tokio::spawn(hop);
    let (_stream, _) = silent.accept().await.unwrap();
    hop.abort();
}
