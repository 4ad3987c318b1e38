//! A slow request that saves after a logout does not undo it.

use std::convert::Infallible;
use std::time::Duration;

use http::header::{COOKIE, SET_COOKIE};
use http::{Request, Response, StatusCode};
use sessile::{LazySession, Session, SessionLayer, Stored};
use tokio::task::JoinSet;
use tower::{Layer as _, ServiceExt as _, service_fn};

use crate::store::Store;

const TASKS: usize = 20;
const TRIES: usize = 10_000;

/// Answers one request of a client with this cookie.
async fn ask(layer: &SessionLayer, cookie: &str, path: &str) -> Response<String> {
    let service = layer.layer(service_fn(async |request: Request<()>| {
        let lazy = request.extensions().get::<LazySession>().unwrap();
        let answer = match lazy.load().await {
            Ok(session) => handle(&session, request.uri().path()).await,
            Err(error) => Err(error),
        };
        let answer = answer.map_or_else(|error| error.response(), Response::new);
        Ok::<_, Infallible>(answer)
    }));
    let request = Request::post(path).header(COOKIE, cookie).body(()).unwrap();
    service.oneshot(request).await.unwrap()
}

async fn handle(session: &Session, path: &str) -> sessile::Result<String> {
    match path {
        "/start" => session.login("alice")?,
        "/logout" => session.logout()?,
        "/look" => {}
        slow => {
            let micros = slow.trim_start_matches('/').parse().unwrap();
            tokio::time::sleep(Duration::from_micros(micros)).await;
            session.insert("late", true)?;
        }
    }
    Ok(session.arrival().to_string())
}

/// One logout in the midst of a slow request: how the slow one was answered.
async fn race(layer: &SessionLayer, at: usize) -> StatusCode {
    let answer = ask(layer, "", "/start").await;
    let line = answer.headers()[SET_COOKIE].to_str().unwrap();
    let cookie = line.split(';').next().unwrap();
    // From "at the same time" to "long after".
    let slow = format!("/{}", at % 40 * 50);
    let (slow, out) = tokio::join!(ask(layer, cookie, &slow), ask(layer, cookie, "/logout"));
    assert_eq!(out.status(), StatusCode::OK);
    assert!(!slow.headers().contains_key(SET_COOKIE), "{slow:?}");
    let after = ask(layer, cookie, "/look").await;
    assert_eq!(after.body(), "ended", "it came back");
    slow.status()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_logout_in_the_midst_of_a_slow_request_stays_a_logout() {
    stays_a_logout("memory", "memory:").await;
    for start in Store::each() {
        let store = start();
        stays_a_logout(store.name(), &store.url()).await;
    }
}

async fn stays_a_logout(name: &str, url: &str) {
    let layer = SessionLayer::new(Stored::connect(url).await.unwrap());
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let layer = layer.clone();
        tasks.spawn(async move {
            let mut refused = 0;
            for at in 0..TRIES / TASKS {
                refused += usize::from(race(&layer, task + at).await == StatusCode::CONFLICT);
            }
            refused
        });
    }
    let refused: usize = tasks.join_all().await.into_iter().sum();
    println!("{name}: 0 of {TRIES} logouts undone; {refused} slow requests were told so");
    assert!(refused > TRIES / 10, "the two met: {refused}");
    assert_eq!(layer.sessions().list("alice").await.unwrap().len(), 0);
}
