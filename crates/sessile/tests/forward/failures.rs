//! The owner is away, breaks off, or does not answer.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use futures_util::stream;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Frame;
use sessile::{Error, ErrorKind, Session};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tower::{Layer as _, ServiceExt as _, service_fn};

use crate::cluster::{Plan, layers, listener};
use crate::labelled::{Labelled, Next};
use crate::wire::{Wire, ask, body, status};

/// `POST /` answers how much came, and its first byte.
fn sizes(node: &'static str) -> Router {
    let size = async move |_: Session, body: Bytes| format!("{node} {}", body.len());
    let limit = axum::extract::DefaultBodyLimit::disable();
    Router::new()
        .route("/", post(size).get(async || ()))
        .layer(limit)
}

async fn nobody() -> SocketAddr {
    listener().await.local_addr().unwrap()
}

#[tokio::test]
async fn an_owner_that_refuses_connections_leaves_the_next_answer_the_whole_request() {
    let mut plan = Plan::new(sizes);
    (plan.next, plan.also) = (Next::Adopt, vec![("n9", nobody().await)]);
    let node = plan.one().await;
    let head = format!(
        "POST /\ncookie: __Host-sid={}",
        node.labelled.credential_of("n9")
    );
    let answer = ask(node.address, &head, &"x".repeat(1_000_000)).await;
    assert_eq!(body(&answer), "n1 1000000");

    let mut plan = Plan::new(sizes);
    (plan.next, plan.also) = (Next::Fail, vec![("n9", nobody().await)]);
    let node = plan.one().await;
    assert_eq!(status(&ask(node.address, &head, "x").await), 421);
}

#[tokio::test]
async fn an_owner_that_cannot_be_connected_to_in_time_is_as_one_that_refuses() {
    // A listener that accepts nothing and whose queue is full: connecting to it hangs.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let full = socket.listen(1).unwrap();
    let address = full.local_addr().unwrap();
    let mut held = Vec::new();
    while let Ok(stream) =
        tokio::time::timeout(Duration::from_millis(300), TcpStream::connect(address)).await
    {
        held.push(stream.unwrap());
    }
    let mut plan = Plan::new(sizes);
    (plan.next, plan.also) = (Next::Adopt, vec![("n9", address)]);
    plan.set = |peers| peers.connect_within(Duration::from_millis(200));
    let node = plan.one().await;
    let head = format!(
        "POST /\ncookie: __Host-sid={}",
        node.labelled.credential_of("n9")
    );
    let asking = ask(node.address, &head, "abc");
    let answer = tokio::time::timeout(Duration::from_secs(3), asking).await;
    assert_eq!(body(&answer.unwrap()), "n1 3");
}

/// A peer that reads until `enough` has come, and then closes, or waits for ever.
async fn peer(enough: &'static str, closes: bool) -> SocketAddr {
    let listener = listener().await;
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut read = Vec::new();
        while !String::from_utf8_lossy(&read).contains(enough) {
            stream.read_buf(&mut read).await.unwrap();
        }
        if !closes {
            std::future::pending::<()>().await;
        }
        // Nobody else is let in: a second try would find nobody and be adopted.
    });
    address
}

#[tokio::test]
async fn a_request_that_was_half_sent_is_tried_neither_again_nor_here() {
    let mut plan = Plan::new(sizes);
    (plan.next, plan.also) = (Next::Adopt, vec![("n9", peer("half", true).await)]);
    let node = plan.one().await;
    let cookie = node.labelled.credential_of("n9");
    let mut wire = Wire::to(node.address).await;
    wire.send(&format!(
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\ncookie: __Host-sid={cookie}\r\n\r\nhalf"
    ))
    .await;
    let answer = wire.read_until("\r\n\r\n").await;
    assert_eq!(status(&answer), 502);
    assert!(answer.contains("cache-control: no-store"), "{answer}");
    assert!(!answer.contains("set-cookie"), "{answer}");
    assert_eq!(node.requests(), 0);
}

#[tokio::test]
async fn an_owner_that_does_not_answer_is_504_and_a_slow_client_is_not() {
    let mut plan = Plan::new(sizes);
    plan.also = vec![("n9", peer("\r\n\r\n", false).await)];
    plan.set = |peers| peers.answer_within(Duration::from_millis(200));
    let [n1, n2] = plan.two().await;
    let head = format!(
        "GET /\ncookie: __Host-sid={}",
        n1.labelled.credential_of("n9")
    );
    let answer = ask(n1.address, &head, "").await;
    assert_eq!(status(&answer), 504);
    assert!(answer.contains("cache-control: no-store"), "{answer}");

    let cookie = n2.labelled.credential_of("n2");
    let mut wire = Wire::to(n1.address).await;
    wire.send(&format!(
        "POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 8\r\ncookie: __Host-sid={cookie}\r\n\r\nhalf"
    ))
    .await;
    tokio::time::sleep(Duration::from_millis(900)).await;
    wire.send("half").await;
    let answer = wire.read_until("").await;
    assert_eq!(body(&answer), "n2 8");
}

#[tokio::test]
async fn a_response_that_breaks_off_breaks_off_for_the_client() {
    let listener = listener().await;
    let mut plan = Plan::new(sizes);
    plan.also = vec![("n9", listener.local_addr().unwrap())];
    let node = plan.one().await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut read = [0; 4096];
        let _ = stream.read(&mut read).await.unwrap();
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf";
        stream.write_all(head).await.unwrap();
    });
    let head = format!(
        "GET /\ncookie: __Host-sid={}",
        node.labelled.credential_of("n9")
    );
    let answer = ask(node.address, &head, "").await;
    assert!(answer.contains("content-length: 100"), "{answer}");
    assert_eq!(body(&answer), "half", "fewer bytes than were promised");
}

#[tokio::test]
async fn the_error_is_typed_for_outer_layers_and_the_program_can_make_the_page() {
    let labelled = Labelled::new("n1", Default::default(), Next::Adopt);
    let peers = [
        ("n9", peer("\r\n\r\n", true).await),
        ("n8", peer("\r\n\r\n", true).await),
    ];
    let (session, forward) = layers(&labelled, &peers, |peers| peers);
    let page = |error: &Error, head: &http::response::Parts| {
        let text = format!("{} {}", error.kind(), head.status);
        Response::builder().status(head.status).body(text).ok()
    };
    let dressed = session.clone().on_error(page).forwarding().unwrap();
    let inner = session.layer(service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, std::convert::Infallible>(Response::new(String::from("local")))
    }));
    let request = |label| {
        Request::post("/")
            .header(
                "cookie",
                format!("__Host-sid={}", labelled.credential_of(label)),
            )
            .body(Full::new(Bytes::from_static(b"body")))
            .unwrap()
    };
    let answer = forward
        .layer(inner.clone())
        .oneshot(request("n9"))
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_GATEWAY);
    let error = answer.extensions().get::<Error>().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unknown);
    assert!(std::error::Error::source(error).is_some());
    assert!(!answer.body().is_remote());

    let answer = dressed.layer(inner).oneshot(request("n8")).await.unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_GATEWAY);
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let page = answer
        .into_body()
        .collect()
        .await
        .unwrap_or_else(|_| panic!("no page"));
    assert_eq!(page.to_bytes(), "unknown 502 Bad Gateway");
}

#[tokio::test]
async fn a_connection_that_the_owner_closed_meanwhile_is_not_used_again() {
    let [n1, n2] = Plan::new(sizes).two().await;
    let head = format!(
        "POST /\ncookie: __Host-sid={}",
        n1.labelled.credential_of("n2")
    );
    for _ in 0..20 {
        assert_eq!(body(&ask(n1.address, &head, "abc").await), "n2 3");
    }
    assert_eq!(n2.connections(), 1, "kept from hop to hop");
}

#[tokio::test]
async fn a_client_that_breaks_its_body_off_is_told_that_it_was_its_own_doing() {
    let labelled = Labelled::new("n1", Default::default(), Next::Adopt);
    let silent = listener().await;
    let peers = [("n9", silent.local_addr().unwrap())];
    let (_, forward) = layers(&labelled, &peers, |peers| peers);
    let frames = [
        Ok(Frame::data(Bytes::from_static(b"half"))),
        Err(std::io::Error::other("broken off")),
    ];
    let request = Request::post("/")
        .header(
            "cookie",
            format!("__Host-sid={}", labelled.credential_of("n9")),
        )
        .body(StreamBody::new(stream::iter(frames)));
    let inner = service_fn(async |_: Request<_>| {
        Ok::<_, std::convert::Infallible>(Response::new(String::from("local")))
    });
    let answer = forward.layer(inner).oneshot(request.unwrap()).await;
    let answer = answer.unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    let error = answer.extensions().get::<Error>().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unknown);
}
