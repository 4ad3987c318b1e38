//! Bodies stream both ways, as they come.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::Response;
use axum::routing::{get, post};
use futures_util::{StreamExt as _, stream};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use hyper_util::rt::TokioIo;
use sessile::Session;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use crate::cluster::Plan;
use crate::wire::{PATIENCE, Wire, ask, credential};

const CHUNK: usize = 64 * 1024;
const CHUNKS: u64 = 1600; // 100 MiB
/// What lies in the kernel's buffers of two connections and in hyper's, with room to spare. Far
/// less than the whole: a hop that collects the body passes it.
const IN_FLIGHT: u64 = 40 * 1024 * 1024;

static READ: AtomicU64 = AtomicU64::new(0);
static MAY_READ: Semaphore = Semaphore::const_new(0);

fn uploads(_: &'static str) -> Router {
    let start = async |session: Session| session.insert("k", 1);
    let upload = async |request: Request| {
        let mut frames = request.into_body().into_data_stream();
        let _allowed = MAY_READ.acquire().await.unwrap();
        while let Some(chunk) = frames.next().await {
            READ.fetch_add(chunk.unwrap().len() as u64, Ordering::SeqCst);
        }
        READ.load(Ordering::SeqCst).to_string()
    };
    Router::new()
        .route("/", get(start))
        .route("/upload", post(upload))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_of_100_megabytes_is_never_held_and_waits_for_whoever_reads_it() {
    static MADE: AtomicU64 = AtomicU64::new(0);
    let [n1, n2] = Plan::new(uploads).two().await;
    let cookie = ask(n2.address, "GET /", "").await;
    let chunks = stream::iter(0..CHUNKS).map(|_| {
        MADE.fetch_add(CHUNK as u64, Ordering::SeqCst);
        Ok::<_, Infallible>(Frame::data(Bytes::from_static(&[b'x'; CHUNK])))
    });
    let io = TokioIo::new(TcpStream::connect(n1.address).await.unwrap());
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
    tokio::spawn(connection);
    let request = Request::post("/upload")
        .header("host", "example.org")
        .header("cookie", format!("__Host-sid={}", credential(&cookie)))
        .body(StreamBody::new(chunks))
        .unwrap();
    let sending = tokio::spawn(async move { sender.send_request(request).await });

    // Nobody reads. It comes to a standstill when what is between is full.
    let mut before = u64::MAX;
    while MADE.load(Ordering::SeqCst) != before {
        before = MADE.load(Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    assert!(
        (1..IN_FLIGHT).contains(&before),
        "{before} bytes are under way"
    );
    MAY_READ.add_permits(1);
    // And while it is read, no more than that is between the two.
    while !sending.is_finished() {
        let (made, read) = (MADE.load(Ordering::SeqCst), READ.load(Ordering::SeqCst));
        assert!(
            made.saturating_sub(read) < IN_FLIGHT,
            "{made} made, {read} read"
        );
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let answer = sending.await.unwrap().unwrap();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, (CHUNKS * CHUNK as u64).to_string());
}

#[tokio::test]
async fn a_client_that_waits_to_be_told_to_go_on_is_told_so() {
    let [n1, n2] = Plan::new(trailers).two().await;
    let first = ask(n2.address, "GET /", "").await;
    let mut wire = Wire::to(n1.address).await;
    let cookie = credential(&first);
    wire.send(&format!(
        "POST /echo HTTP/1.1\r\nhost: a\r\nconnection: close\r\nexpect: 100-continue\r\n\
         content-length: 5\r\ncookie: __Host-sid={cookie}\r\n\r\n"
    ))
    .await;
    let interim = wire.read_until("\r\n\r\n").await;
    assert!(interim.starts_with("HTTP/1.1 100"), "{interim}");
    wire.send("hello").await;
    let answer = wire.read_until("").await;
    assert!(
        answer.contains("200 OK") && answer.contains("hello"),
        "{answer}"
    );
}

/// One event for each permit.
static EVENTS: Semaphore = Semaphore::const_new(0);
static STOPPED: AtomicBool = AtomicBool::new(false);

fn events(_: &'static str) -> Router {
    struct Stop;
    impl Drop for Stop {
        fn drop(&mut self) {
            STOPPED.store(true, Ordering::SeqCst);
        }
    }
    let start = async |session: Session| session.insert("k", 1);
    let events = async || {
        let stream = stream::unfold((0, Stop), async |(n, stop)| {
            EVENTS.acquire().await.unwrap().forget();
            let event = format!("data: {n}\n\n");
            Some((Ok::<_, Infallible>(event), (n + 1, stop)))
        });
        let body = Body::from_stream(stream);
        Response::builder()
            .header("content-type", "text/event-stream")
            .body(body)
            .unwrap()
    };
    Router::new()
        .route("/", get(start))
        .route("/events", get(events))
}

#[tokio::test]
async fn events_arrive_one_by_one_and_a_client_that_leaves_takes_its_hop_with_it() {
    let [n1, n2] = Plan::new(events).two().await;
    let first = ask(n2.address, "GET /", "").await;
    let mut wire = Wire::to(n1.address).await;
    let cookie = credential(&first);
    wire.send(&format!(
        "GET /events HTTP/1.1\r\nhost: a\r\ncookie: __Host-sid={cookie}\r\n\r\n"
    ))
    .await;
    let head = wire.read_until("\r\n\r\n").await;
    assert!(head.contains("text/event-stream"), "{head}");
    for n in 0..5 {
        // The next is not made before this one is here.
        EVENTS.add_permits(1);
        wire.read_until(&format!("data: {n}\n\n")).await;
    }
    drop(wire);
    // Whoever makes events finds out with the next ones that nobody listens.
    let gone = async {
        while !STOPPED.load(Ordering::SeqCst) {
            EVENTS.add_permits(1);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, gone)
        .await
        .expect("the owner's stream ends");
}

fn trailers(_: &'static str) -> Router {
    let start = async |session: Session| session.insert("k", 1);
    let echo = async |request: Request| {
        let collected = request.into_body().collect().await.unwrap();
        let sent = collected.trailers().cloned().unwrap_or_default();
        let frames = [Frame::data(collected.to_bytes()), Frame::trailers(sent)];
        let body = StreamBody::new(stream::iter(frames.map(Ok::<_, Infallible>)));
        Response::builder()
            .header("trailer", "x-sum")
            .body(Body::new(body))
            .unwrap()
    };
    Router::new()
        .route("/", get(start))
        .route("/echo", post(echo).get(echo))
}

#[tokio::test]
async fn trailers_pass_both_ways_and_so_does_a_chunked_body_of_a_get() {
    let [n1, n2] = Plan::new(trailers).two().await;
    let first = ask(n2.address, "GET /", "").await;
    let cookie = credential(&first);
    for method in ["POST", "GET"] {
        let mut wire = Wire::to(n1.address).await;
        wire.send(&format!(
            "{method} /echo HTTP/1.1\r\nhost: a\r\nconnection: close, te\r\nte: trailers\r\n\
             trailer: x-sum\r\ntransfer-encoding: chunked\r\ncookie: __Host-sid={cookie}\r\n\r\n\
             5\r\nhello\r\n0\r\nx-sum: 42\r\n\r\n"
        ))
        .await;
        let answer = wire.read_until("").await;
        assert!(
            answer.contains("5\r\nhello\r\n0\r\nx-sum: 42\r\n"),
            "{method}: {answer}"
        );
    }
    assert_eq!((n1.requests(), n2.requests()), (0, 3));
}
