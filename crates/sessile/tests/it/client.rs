//! A browser as far as cookies go, and requests whose handler is an async closure of the test.
//!
//! A handler may send other requests while its own is in flight: that makes races without
//! barriers, in one fixed order.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CACHE_CONTROL, COOKIE, SET_COOKIE, VARY};
use http::{Method, Request, Response, StatusCode};
use sessile::{Lifetime, ManualClock, OnError, Session, SessionLayer};
use tokio::task::LocalSet;
use tower::{Layer as _, ServiceExt as _, service_fn};

/// A layer over new sessions whose clock stands still until it is moved.
pub(crate) fn fresh() -> (SessionLayer, Arc<ManualClock>) {
    over(crate::home())
}

pub(crate) fn over(strategy: impl sessile::Strategy) -> (SessionLayer, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::default());
    (SessionLayer::new(strategy).clock(clock.clone()), clock)
}

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn minutes(minutes: u64) -> Duration {
    seconds(60 * minutes)
}

pub(crate) fn lifetime(idle: Duration, absolute: Duration) -> Lifetime {
    Lifetime::new(idle, absolute).unwrap()
}

/// What a handler of a test may answer.
pub(crate) trait Reply {
    fn reply(self) -> Response<String>;
}

impl Reply for () {
    fn reply(self) -> Response<String> {
        Response::default()
    }
}

impl Reply for StatusCode {
    fn reply(self) -> Response<String> {
        let mut response = Response::default();
        *response.status_mut() = self;
        response
    }
}

impl Reply for Response<String> {
    fn reply(self) -> Response<String> {
        self
    }
}

impl Reply for String {
    fn reply(self) -> Response<String> {
        Response::new(self)
    }
}

impl<T: Reply> Reply for sessile::Result<T> {
    fn reply(self) -> Response<String> {
        match self {
            Ok(reply) => reply.reply(),
            Err(error) => error.response(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Kept {
    value: String,
    attributes: String,
}

/// A client with one cookie jar. Every response it gets is checked for what holds of all of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Client {
    jar: BTreeMap<String, Kept>,
}

impl Client {
    pub(crate) async fn get<R: Reply, E: OnError<String> + Clone>(
        &mut self,
        layer: &SessionLayer<E>,
        handler: impl AsyncFnOnce(Session) -> R,
    ) -> Response<String> {
        self.send(layer, Method::GET, handler).await
    }

    pub(crate) async fn post<R: Reply, E: OnError<String> + Clone>(
        &mut self,
        layer: &SessionLayer<E>,
        handler: impl AsyncFnOnce(Session) -> R,
    ) -> Response<String> {
        self.send(layer, Method::POST, handler).await
    }

    pub(crate) async fn send<R: Reply, E: OnError<String> + Clone>(
        &mut self,
        layer: &SessionLayer<E>,
        method: Method,
        handler: impl AsyncFnOnce(Session) -> R,
    ) -> Response<String> {
        let answer = send(layer, self.request(method), handler).await;
        self.keep(&answer);
        answer
    }

    /// What this client would send.
    pub(crate) fn request(&self, method: Method) -> Request<String> {
        let mut request = Request::builder().method(method).uri("/");
        if !self.jar.is_empty() {
            request = request.header(COOKIE, self.cookies());
        }
        request.body(String::new()).unwrap()
    }

    fn cookies(&self) -> String {
        let pairs = self.jar.iter();
        let pairs: Vec<_> = pairs
            .map(|(name, kept)| format!("{name}={}", kept.value))
            .collect();
        pairs.join("; ")
    }

    /// The value of the session cookie, under its default name.
    pub(crate) fn credential(&self) -> Option<&str> {
        self.cookie("__Host-sid")
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        self.jar.get(name).map(|kept| kept.value.as_str())
    }

    pub(crate) fn present(&mut self, credential: &str) {
        let (value, attributes) = (credential.to_owned(), String::new());
        self.jar
            .insert("__Host-sid".to_owned(), Kept { value, attributes });
    }

    /// Does with `Set-Cookie` what a browser does.
    pub(crate) fn keep<B>(&mut self, response: &Response<B>) {
        let mut seen = Vec::new();
        for line in response.headers().get_all(SET_COOKIE) {
            let line = line.to_str().unwrap();
            let (pair, attributes) = line.split_once("; ").unwrap_or((line, ""));
            let (name, value) = pair.split_once('=').unwrap();
            assert!(!seen.contains(&name), "{name} is set twice");
            seen.push(name);
            let headers = response.headers();
            assert!(headers.get(VARY).is_some(), "Set-Cookie without Vary");
            assert!(
                headers[CACHE_CONTROL]
                    .to_str()
                    .unwrap()
                    .contains("no-store"),
                "Set-Cookie may be cached"
            );
            let lasting: Vec<_> = attributes
                .split("; ")
                .filter(|attribute| !attribute.starts_with("Max-Age="))
                .collect();
            let attributes_text = lasting.join("; ");
            if attributes.contains("Max-Age=0") {
                let kept = self.jar.remove(name).expect("nothing to be removed");
                if !kept.attributes.is_empty() {
                    assert_eq!(kept.attributes, attributes_text, "removes another cookie");
                }
            } else {
                let (value, attributes) = (value.to_owned(), attributes_text);
                self.jar.insert(name.to_owned(), Kept { value, attributes });
            }
        }
    }

    // What most tests ask for.

    pub(crate) async fn insert(&mut self, layer: &SessionLayer, key: &str, value: u64) {
        let done = self
            .post(layer, async |session| session.insert(key, value))
            .await;
        assert_eq!(done.status(), StatusCode::OK);
    }

    pub(crate) async fn login(&mut self, layer: &SessionLayer, subject: &str) {
        let done = self
            .post(layer, async |session| session.login(subject))
            .await;
        assert_eq!(done.status(), StatusCode::OK);
    }

    /// Subject, keys with their numbers, and arrival, as the client finds them.
    pub(crate) async fn look(&mut self, layer: &SessionLayer) -> String {
        let found = self.get(layer, async |session| look(&session)).await;
        found.into_body()
    }
}

pub(crate) fn look(session: &Session) -> String {
    let mut text = session.subject().as_deref().unwrap_or("nobody").to_owned();
    for key in session.keys() {
        let value = session.get::<serde_json::Value>(key.as_str()).unwrap();
        text += &format!(" {key}={}", value.unwrap());
    }
    format!("{text} {}", session.arrival())
}

/// Sends one request through a service whose handler gets the session, or answers its error.
pub(crate) async fn send<R: Reply, E: OnError<String> + Clone>(
    layer: &SessionLayer<E>,
    request: Request<String>,
    handler: impl AsyncFnOnce(Session) -> R,
) -> Response<String> {
    let lazily = async |lazy: sessile::LazySession| match lazy.load().await {
        Ok(session) => handler(session).await.reply(),
        Err(error) => Err::<(), _>(error).reply(),
    };
    send_lazy(layer, request, lazily).await
}

/// The same, for a handler that decides itself whether to ask for the session.
pub(crate) async fn send_lazy<R: Reply, E: OnError<String> + Clone>(
    layer: &SessionLayer<E>,
    request: Request<String>,
    handler: impl AsyncFnOnce(sessile::LazySession) -> R,
) -> Response<String> {
    let mut handler = Some(handler);
    let service = service_fn(|request: Request<String>| {
        let handler = handler.take().unwrap();
        let lazy = request.extensions().get::<sessile::LazySession>().unwrap();
        let lazy = lazy.clone();
        async move { Ok::<_, Infallible>(handler(lazy).await.reply()) }
    });
    layer.layer(service).oneshot(request).await.unwrap()
}

pub(crate) async fn count(layer: &SessionLayer) -> u64 {
    layer.sessions().count().await.unwrap().unwrap()
}

/// Runs so many requests at once, each on a client of its own with this jar.
pub(crate) async fn at_once(
    layer: &SessionLayer,
    client: &Client,
    requests: usize,
    handler: impl AsyncFn(usize, Session) -> sessile::Result<()> + 'static,
) -> Vec<Client> {
    let (set, handler) = (LocalSet::new(), Arc::new(handler));
    let tasks: Vec<_> = (0..requests)
        .map(|at| {
            let (layer, mut client, handler) = (layer.clone(), client.clone(), handler.clone());
            set.spawn_local(async move {
                let answer = client
                    .post(&layer, async |session| handler(at, session).await)
                    .await;
                assert_eq!(answer.status(), StatusCode::OK);
                client
            })
        })
        .collect();
    set.await;
    let mut clients = Vec::new();
    for task in tasks {
        clients.push(task.await.unwrap());
    }
    clients
}
