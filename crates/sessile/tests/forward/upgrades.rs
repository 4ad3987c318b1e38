//! Connections that stop speaking HTTP.

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper_util::rt::{TokioExecutor, TokioIo};
use sessile::Session;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::cluster::Plan;
use crate::wire::{Wire, ask, body, credential};

/// Upgrades to a protocol that echoes in capitals, or says that it was not asked to.
fn echo(_: &'static str) -> Router {
    let start = async |session: Session| session.insert("k", 1);
    let echo = async |session: Session, mut request: Request| {
        assert!(session.contains("k"));
        if !request.headers().contains_key("upgrade") {
            return "no upgrade".into_response();
        }
        let upgraded = hyper::upgrade::on(&mut request);
        tokio::spawn(async move {
            let mut io = TokioIo::new(upgraded.await.unwrap());
            let mut bytes = [0; 1024];
            loop {
                let n = io.read(&mut bytes).await.unwrap();
                if n == 0 {
                    return io.write_all(b"bye").await.unwrap();
                }
                bytes[..n].make_ascii_uppercase();
                io.write_all(&bytes[..n]).await.unwrap();
            }
        });
        Response::builder()
            .status(StatusCode::SWITCHING_PROTOCOLS)
            .header("connection", "Upgrade")
            .header("upgrade", "shout")
            .body(axum::body::Body::empty())
            .unwrap()
    };
    Router::new()
        .route("/", get(start))
        .route("/echo", get(echo))
}

#[tokio::test]
async fn an_upgraded_connection_is_joined_with_the_owners_and_each_side_can_end_first() {
    let [n1, n2] = Plan::new(echo).two().await;
    let first = ask(n2.address, "GET /", "").await;
    let mut wire = Wire::to(n1.address).await;
    let cookie = credential(&first);
    wire.send(&format!(
        "GET /echo HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: shout\r\ncookie: __Host-sid={cookie}\r\n\r\n"
    ))
    .await;
    let head = wire.read_until("\r\n\r\n").await.to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 101"), "{head}");
    assert!(
        head.contains("upgrade: shout") && head.contains("connection: upgrade"),
        "{head}"
    );
    for word in ["one", "two", "three"] {
        wire.send(word).await;
        wire.read_until(&word.to_ascii_uppercase()).await;
    }
    wire.0.shutdown().await.unwrap();
    assert_eq!(
        wire.read_until("").await,
        "bye",
        "what was said last arrives"
    );
    assert_eq!((n1.requests(), n2.requests()), (0, 2));

    let head = format!("GET /echo\ncookie: __Host-sid={cookie}");
    assert_eq!(body(&ask(n1.address, &head, "").await), "no upgrade");
}

#[tokio::test]
async fn an_extended_connect_of_http_2_is_refused_and_says_why() {
    let [n1, n2] = Plan::new(echo).two().await;
    let io = TokioIo::new(TcpStream::connect(n1.address).await.unwrap());
    let executor = TokioExecutor::new();
    let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, io)
        .await
        .unwrap();
    tokio::spawn(connection);
    // The server's settings have to be there before the client may ask for it.
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    let cookie = n1.labelled.credential_of("n2");
    let request = Request::connect("https://example.org/echo")
        .extension(hyper::ext::Protocol::from_static("websocket"))
        .header("cookie", format!("__Host-sid={cookie}"))
        .body(Empty::<Bytes>::new());
    let answer = sender.send_request(request.unwrap()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_IMPLEMENTED);
    assert_eq!(answer.headers()["cache-control"], "no-store");
    assert_eq!(n2.connections(), 0);
}
