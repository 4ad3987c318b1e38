//! Over real sockets, HTTP/1.1 and HTTP/2, with axum and without.

use std::convert::Infallible;

use axum::Router;
use axum::body::{Body, Bytes};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use sessile::{LazySession, Session};
use tokio::net::{TcpListener, TcpStream};
use tower::{Layer as _, Service, service_fn};

use crate::client::{Client, count, fresh};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Version {
    Http1,
    Http2,
}

/// A server on a port of its own, until the runtime ends; and one connection to it.
pub(crate) async fn connect<S>(app: S, version: Version) -> Connection
where
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).await;
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (io, app) = (TokioIo::new(stream), TowerToHyperService::new(app.clone()));
            tokio::spawn(async move {
                let server = Builder::new(TokioExecutor::new());
                // A client that goes away is no failure of the server.
                let _ = server.serve_connection_with_upgrades(io, app).await;
            });
        }
    });
    let io = TokioIo::new(stream.unwrap());
    match version {
        Version::Http1 => {
            let (sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
            tokio::spawn(connection);
            Connection::One(sender)
        }
        Version::Http2 => {
            let executor = TokioExecutor::new();
            let handshake = hyper::client::conn::http2::handshake(executor, io);
            let (sender, connection) = handshake.await.unwrap();
            tokio::spawn(connection);
            Connection::Two(sender)
        }
    }
}

pub(crate) enum Connection {
    One(hyper::client::conn::http1::SendRequest<Full<Bytes>>),
    Two(hyper::client::conn::http2::SendRequest<Full<Bytes>>),
}

impl Connection {
    pub(crate) async fn ask(&mut self, client: &mut Client, method: Method) -> Response<String> {
        let mut request = client.request(method).map(|_| Full::default());
        for value in request.headers_mut().values_mut() {
            value.set_sensitive(true);
        }
        let host = http::HeaderValue::from_static("localhost");
        let answer = match self {
            Connection::One(sender) => {
                request.headers_mut().insert(http::header::HOST, host);
                sender.send_request(request).await
            }
            Connection::Two(sender) => {
                *request.uri_mut() = "http://localhost/".parse().unwrap();
                sender.send_request(request).await
            }
        };
        let answer = answer.unwrap();
        client.keep(&answer);
        let (head, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Response::from_parts(head, String::from_utf8(body.to_vec()).unwrap())
    }
}

async fn visit(session: Session) -> sessile::Result<String> {
    let visit = |n: &mut u64| {
        *n += 1;
        *n
    };
    let n = session.update_now("n", visit).await?;
    Ok(format!("visit {n}"))
}

/// What a client sees of five visits and a forgery.
async fn story(mut connection: Connection) -> Vec<String> {
    let (mut client, mut story) = (Client::default(), Vec::new());
    for method in [Method::GET, Method::POST, Method::HEAD, Method::GET] {
        let answer = connection.ask(&mut client, method).await;
        let mut names: Vec<_> = answer.headers().keys().map(|name| name.as_str()).collect();
        names.retain(|name| !["date", "content-length", "content-type"].contains(name));
        names.sort_unstable();
        story.push(format!("{} {} {names:?}", answer.status(), answer.body()));
    }
    client.present("forged");
    let answer = connection.ask(&mut client, Method::GET).await;
    story.push(answer.into_body());
    story
}

#[tokio::test]
async fn the_same_story_over_both_versions_with_axum_and_without() {
    for version in [Version::Http1, Version::Http2] {
        for with_axum in [false, true] {
            let (layer, _) = fresh();
            let story = if with_axum {
                let app = Router::new().fallback(visit).layer(layer.clone());
                story(connect(app, version).await).await
            } else {
                let app = service_fn(async |request: Request<Incoming>| {
                    let lazy = request.extensions().get::<LazySession>().unwrap();
                    let text = visit(lazy.load().await.unwrap()).await.unwrap();
                    // Nobody but axum leaves the body of a HEAD out for us.
                    let body = match *request.method() {
                        Method::HEAD => Body::empty(),
                        _ => Body::from(text),
                    };
                    Ok::<_, Infallible>(Response::new(body))
                });
                story(connect(layer.layer(app), version).await).await
            };
            let first = "[\"cache-control\", \"set-cookie\", \"vary\"]";
            let again = if crate::RETOLD { first } else { "[\"vary\"]" };
            let expected = [
                format!("200 OK visit 1 {first}"),
                format!("200 OK visit 2 {again}"),
                format!("200 OK  {again}"),
                format!("200 OK visit 4 {again}"),
                "visit 1".to_owned(),
            ];
            assert_eq!(story, expected, "{version:?} {with_axum}");
            assert_eq!(count(&layer).await, 2);
        }
    }
}

#[tokio::test]
async fn an_upgraded_connection_still_writes_to_its_session() {
    let (layer, _) = fresh();
    let (told, tell) = tokio::sync::oneshot::channel();
    let (go, wait) = tokio::sync::oneshot::channel::<()>();
    let told = std::sync::Arc::new(std::sync::Mutex::new(Some((told, wait))));
    let upgrade = move |request: Request<Body>| {
        let told = told.lock().unwrap().take();
        async move {
            let lazy = request.extensions().get::<LazySession>().unwrap();
            let session = lazy.load().await?;
            session.insert("before", 1)?;
            if let Some((told, wait)) = told {
                tokio::spawn(async move {
                    let upgraded = hyper::upgrade::on(request).await;
                    assert!(upgraded.is_ok());
                    wait.await.unwrap();
                    session.insert("after", 2).unwrap();
                    assert!(session.login("alice").is_err(), "too late");
                    told.send(session.commit().await).unwrap();
                });
            }
            let response = Response::builder()
                .status(StatusCode::SWITCHING_PROTOCOLS)
                .header("connection", "upgrade")
                .header("upgrade", "test");
            Ok::<_, sessile::Error>(response.body(Body::empty()).unwrap())
        }
    };
    let app = Router::new().fallback(upgrade).layer(layer.clone());
    let mut client = Client::default();
    client.insert(&layer, "old", 0).await;
    let mut connection = connect(app, Version::Http1).await;
    let Connection::One(sender) = &mut connection else {
        unreachable!()
    };
    let mut request = client.request(Method::GET).map(|_| Full::default());
    for (name, value) in [
        ("host", "x"),
        ("connection", "upgrade"),
        ("upgrade", "test"),
    ] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    let answer = sender.send_request(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::SWITCHING_PROTOCOLS);
    assert_eq!(client.look(&layer).await, "nobody before=1 old=0 resumed");
    go.send(()).unwrap();
    tell.await.unwrap().unwrap();
    assert_eq!(
        client.look(&layer).await,
        "nobody after=2 before=1 old=0 resumed"
    );
}
