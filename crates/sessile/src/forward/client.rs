//! The client of the hop: one request to a peer, and what became of it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response, Uri};
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client as Pool, Error as PoolError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tower_service::Service;

use super::BoxError;
use super::parcel::{Parcel, Receipt};

/// How long a connection to a peer is kept for the next hop. Shorter than servers close theirs, so
/// that a request is seldom written to a connection that is being closed.
const IDLE: Duration = Duration::from_secs(10);

/// Sends requests to peers, over connections that it keeps.
pub(super) struct Client {
    pool: Pool<Connector, Parcel>,
    answer: Duration,
}

/// Why there is no response.
#[derive(Debug)]
pub(super) enum Failure {
    /// No connection was made: nothing was sent.
    Unreached(BoxError),
    /// The client of the request broke its body off.
    Client(BoxError),
    /// The peer broke off. It may have worked on the request.
    BrokenOff(BoxError),
    /// The peer did not answer in time. It may be working on the request.
    TooSlow,
}

impl Client {
    pub(super) fn new(connect: Duration, answer: Duration) -> Self {
        let mut http = HttpConnector::new();
        http.set_nodelay(true);
        let connector = Connector {
            http,
            within: connect,
        };
        let pool = Pool::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(connector);
        Client { pool, answer }
    }

    /// Sends the request, and waits for the head of its response.
    pub(super) async fn send<B>(
        &self,
        request: Request<Parcel>,
        receipt: &Receipt<B>,
    ) -> Result<Response<Incoming>, Failure> {
        let mut sending = self.pool.request(request);
        let mut passed = 0;
        loop {
            match tokio::time::timeout(self.answer, &mut sending).await {
                Ok(Ok(response)) => return Ok(response),
                Ok(Err(error)) => return Err(failure(error, receipt)),
                // It is only late if it was the peer that we waited for, all this time.
                Err(_) if receipt.is_starved() || receipt.passed() != passed => {
                    passed = receipt.passed();
                }
                Err(_) => return Err(Failure::TooSlow),
            }
        }
    }
}

fn failure<B>(error: PoolError, receipt: &Receipt<B>) -> Failure {
    if error.is_connect() {
        Failure::Unreached(error.into())
    } else if receipt.is_broken() {
        Failure::Client(error.into())
    } else {
        Failure::BrokenOff(error.into())
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("answer", &self.answer)
            .finish_non_exhaustive()
    }
}

/// Connects within a deadline that covers looking the name up as well.
#[derive(Clone, Debug)]
struct Connector {
    http: HttpConnector,
    within: Duration,
}

impl Service<Uri> for Connector {
    type Response = <HttpConnector as Service<Uri>>::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.http.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let (connecting, within) = (self.http.call(uri), self.within);
        Box::pin(async move { Ok(tokio::time::timeout(within, connecting).await??) })
    }
}
