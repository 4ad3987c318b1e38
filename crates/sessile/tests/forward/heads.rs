//! What the owner sees of a request, and the client of the response.

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::any;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use crate::cluster::Plan;
use crate::wire::{Wire, ask, body};

/// Says what it saw, in lines; answers with headers of all sorts.
fn mirror(_: &'static str) -> Router {
    let mirror = async |request: Request| {
        let mut lines = vec![format!(
            "{} {} {:?}",
            request.method(),
            request.uri(),
            request.version()
        )];
        let headers = request.headers().iter();
        lines.extend(headers.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())));
        lines.sort();
        Response::builder()
            .header("keep-alive", "timeout=9")
            .header("proxy-connection", "close")
            .header("connection", "x-private")
            .header("x-private", "1")
            .header("x-public", "1")
            .header("set-cookie", "a=1")
            .header("set-cookie", "b=2")
            .body(lines.join("\n"))
            .unwrap()
    };
    Router::new()
        .route("/path", any(mirror))
        .route("/empty", any(async || StatusCode::NO_CONTENT))
}

#[tokio::test]
async fn the_owner_sees_the_request_as_the_client_sent_it_less_what_concerned_the_connection() {
    let [n1, _n2] = Plan::new(mirror).two().await;
    let cookie = n1.labelled.credential_of("n2");
    let head = format!(
        "PATCH /path?q=%20a\n\
         cookie: __Host-sid={cookie}\n\
         connection: x-mine, x-forwarded-for, cookie\n\
         x-mine: 1\n\
         keep-alive: timeout=5\n\
         proxy-connection: keep-alive\n\
         te: deflate\n\
         x-forwarded-for: 192.0.2.1\n\
         x-forwarded-proto: https\n\
         forwarded: for=192.0.2.1\n\
         sessile-hop: a\n\
         x-other: 1"
    );
    let answer = ask(n1.address, &head, "").await;
    let mut expected = [
        "PATCH /path?q=%20a HTTP/1.1".to_owned(),
        format!("cookie: __Host-sid={cookie}"),
        "forwarded: for=192.0.2.1".into(),
        "host: example.org".into(),
        "via: 1.1 n1".into(),
        "x-forwarded-for: 192.0.2.1".into(),
        "x-forwarded-proto: https".into(),
        "x-other: 1".into(),
    ];
    expected.sort();
    assert_eq!(body(&answer), expected.join("\n"));
    for gone in ["keep-alive", "proxy-connection", "x-private", "sessile-hop"] {
        assert!(
            !answer
                .to_ascii_lowercase()
                .contains(&format!("\r\n{gone}:")),
            "{answer}"
        );
    }
    for kept in ["x-public: 1", "set-cookie: a=1", "set-cookie: b=2"] {
        assert!(answer.contains(kept), "{answer}");
    }
}

#[tokio::test]
async fn a_response_without_a_body_has_none_and_the_connection_goes_on() {
    let [n1, _n2] = Plan::new(mirror).two().await;
    let cookie = n1.labelled.credential_of("n2");
    let mut wire = Wire::to(n1.address).await;
    for (request, seen) in [
        ("HEAD /path", "x-public: 1"),
        ("GET /empty", "HTTP/1.1 204"),
        ("OPTIONS /empty", "HTTP/1.1 204"),
    ] {
        wire.send(&format!(
            "{request} HTTP/1.1\r\nhost: a\r\ncookie: __Host-sid={cookie}\r\n\r\n"
        ))
        .await;
        let answer = wire.read_until("\r\n\r\n").await;
        assert!(
            answer.contains(seen) && answer.ends_with("\r\n\r\n"),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn a_request_over_http_2_makes_its_hop_with_the_clients_host_and_one_line_of_cookies() {
    let [n1, n2] = Plan::new(mirror).two().await;
    let cookie = n1.labelled.credential_of("n2");
    let io = TokioIo::new(TcpStream::connect(n1.address).await.unwrap());
    let executor = TokioExecutor::new();
    let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, io)
        .await
        .unwrap();
    tokio::spawn(connection);
    let request = Request::get("https://example.org/path")
        .header("cookie", "a=1")
        .header("cookie", format!("__Host-sid={cookie}"))
        .header("te", "trailers")
        .body(Empty::<Bytes>::new());
    let answer = sender.send_request(request.unwrap()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(!answer.headers().contains_key("connection"));
    let seen = answer.into_body().collect().await.unwrap().to_bytes();
    let seen = String::from_utf8(seen.to_vec()).unwrap();
    let expected = [
        "GET /path HTTP/1.1",
        "connection: te",
        &format!("cookie: a=1; __Host-sid={cookie}"),
        "host: example.org",
        "te: trailers",
        "via: 2 n1",
    ];
    assert_eq!(seen, expected.join("\n"));
    assert_eq!((n1.requests(), n2.requests()), (0, 1));
}
