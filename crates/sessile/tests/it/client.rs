//! A browser as far as cookies go, and the services that the laws are tried on.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use http::header::{COOKIE, SET_COOKIE};
use http::{Method, Request, Response};
use sessile::{LazySession, ManualClock, Session, SessionLayer, Sticky};
use tower::ServiceExt as _;
use tower::util::BoxCloneSyncService;

pub(crate) type Service = BoxCloneSyncService<Request<String>, Response<String>, Infallible>;

/// A layer over memory whose clock stands still until it is moved.
pub(crate) fn sticky() -> (SessionLayer, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::default());
    (SessionLayer::new(Sticky::new()).clock(clock.clone()), clock)
}

/// A service whose handler gets the session loaded, or answers its error.
pub(crate) fn service<F, R>(layer: &SessionLayer, handler: F) -> Service
where
    F: Fn(Session) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Response<String>> + Send,
{
    let handler = move |request: Request<String>| {
        let handler = handler.clone();
        async move {
            let lazy = request.extensions().get::<LazySession>().unwrap();
            let session = lazy.load().await.unwrap();
            Ok::<_, Infallible>(handler(session).await)
        }
    };
    BoxCloneSyncService::new(
        tower::ServiceBuilder::new()
            .layer(layer.clone())
            .service(tower::service_fn(handler)),
    )
}

/// A client with one cookie jar.
#[derive(Clone, Debug, Default)]
pub(crate) struct Client {
    pub(crate) cookie: Option<String>,
}

impl Client {
    pub(crate) async fn get(&mut self, service: &Service) -> Response<String> {
        self.send(service, Method::GET).await
    }

    pub(crate) async fn post(&mut self, service: &Service) -> Response<String> {
        self.send(service, Method::POST).await
    }

    async fn send(&mut self, service: &Service, method: Method) -> Response<String> {
        let mut request = Request::builder().method(method).uri("/");
        if let Some(cookie) = &self.cookie {
            request = request.header(COOKIE, cookie);
        }
        let request = request.body(String::new()).unwrap();
        let response = service.clone().oneshot(request).await.unwrap();
        self.keep(&response);
        response
    }

    /// Does with `Set-Cookie` what a browser does.
    pub(crate) fn keep(&mut self, response: &Response<String>) {
        let Some(line) = response.headers().get(SET_COOKIE) else {
            return;
        };
        let line = line.to_str().unwrap();
        let pair = line.split(';').next().unwrap().to_owned();
        self.cookie = (!line.contains("Max-Age=0")).then_some(pair);
    }
}

pub(crate) fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}
