//! One look at the label: here, or one hop.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Method, Request, Response, StatusCode};
use http_body::Body;
use hyper::upgrade::OnUpgrade;
use tower_service::Service;

use super::client::Failure;
use super::layer::Road;
use super::parcel::Parcel;
use super::route::Way;
use super::{BoxError, ForwardBody, ForwardFuture, head, upgrade};
use crate::layer::DefaultOnError;
use crate::outcome::OnError;
use crate::{Error, ErrorKind, telemetry};

/// A service whose requests go to the node that has their session. Made by
/// [`ForwardLayer`](super::ForwardLayer).
#[derive(Clone)]
pub struct ForwardService<S, E = DefaultOnError> {
    inner: S,
    road: Arc<Road>,
    on_error: E,
}

impl<S, E> ForwardService<S, E> {
    pub(super) fn new(inner: S, road: Arc<Road>, on_error: E) -> Self {
        ForwardService {
            inner,
            road,
            on_error,
        }
    }
}

impl<S, E, ReqBody, ResBody> Service<Request<ReqBody>> for ForwardService<S, E>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone + Send + 'static,
    S::Future: Send,
    ReqBody: Body + Send + 'static,
    ReqBody::Data: Send,
    ReqBody::Error: Into<BoxError>,
    ResBody: Default,
    E: OnError<ResBody> + Clone + Send + 'static,
{
    type Response = Response<ForwardBody<ResBody>>;
    type Error = S::Error;
    type Future = ForwardFuture<S::Future, ResBody, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let Some(way) = self.road.route.find(&mut request) else {
            return ForwardFuture::here(self.inner.call(request));
        };
        // The inner service said that it is ready, and that is given back: were a place of a
        // limited service held during the hop, two nodes that wait for one another would never
        // get on.
        let inner = self.inner.clone();
        self.inner = inner.clone();
        let (road, on_error) = (self.road.clone(), self.on_error.clone());
        ForwardFuture::away(async move {
            match hop(&road, way, request).await {
                Hopped::Answered(response) => Ok(response.map(ForwardBody::remote)),
                Hopped::Failed(status, error) => Ok(refuse(status, &error, &on_error)),
                Hopped::Back(request) => {
                    let mut inner = inner;
                    poll_fn(|context| inner.poll_ready(context)).await?;
                    Ok(inner.call(request).await?.map(ForwardBody::local))
                }
            }
        })
    }
}

impl<S: fmt::Debug, E> fmt::Debug for ForwardService<S, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForwardService")
            .field("inner", &self.inner)
            .field("road", &self.road)
            .finish_non_exhaustive()
    }
}

/// What became of a request that was sent on.
enum Hopped<B> {
    Answered(Response<hyper::body::Incoming>),
    /// Nothing was sent, and it is whole.
    Back(Request<B>),
    Failed(StatusCode, Error),
}

async fn hop<B>(road: &Road, way: Way, request: Request<B>) -> Hopped<B>
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    if request.method() == Method::CONNECT {
        let message = "CONNECT can't be sent on to the node of this session, and neither can a WebSocket over HTTP/2: use HTTP/1.1 for it";
        return Hopped::Failed(
            StatusCode::NOT_IMPLEMENTED,
            Error::new(ErrorKind::Unsupported, message),
        );
    }
    let (mut parts, body) = request.into_parts();
    let wanted = head::wants_upgrade(&parts) && parts.extensions.get::<OnUpgrade>().is_some();
    let (parcel, receipt) = Parcel::new(body);
    let outgoing = head::outgoing(&parts, &way, parcel, wanted);
    let failure = match road.client.send(outgoing, &receipt).await {
        Ok(mut response) if response.status() == StatusCode::SWITCHING_PROTOCOLS => {
            let client = parts.extensions.remove::<OnUpgrade>().filter(|_| wanted);
            let peer = response.extensions_mut().remove::<OnUpgrade>();
            if let (Some(client), Some(peer)) = (client, peer) {
                upgrade::join(client, peer);
                return Hopped::Answered(response);
            }
            Failure::BrokenOff("it switched protocols, and nobody had asked for it".into())
        }
        Ok(mut response) => {
            head::incoming(&mut response);
            return Hopped::Answered(response);
        }
        Err(failure) => failure,
    };
    match (failure, receipt) {
        (Failure::Unreached(why), receipt) => match receipt.take_back() {
            Some(body) => {
                telemetry::unreached(&way.address, &*why);
                Hopped::Back(Request::from_parts(parts, body))
            }
            None => failed(Failure::BrokenOff(why)),
        },
        (failure, _) => failed(failure),
    }
}

/// The answer where the request has left and no response came. Whether it was executed nobody
/// here can tell, and so it is tried neither again nor elsewhere.
fn failed<B>(failure: Failure) -> Hopped<B> {
    let (status, message, why) = match failure {
        Failure::TooSlow => (
            StatusCode::GATEWAY_TIMEOUT,
            "the node of this session did not answer in time; it may have executed the request",
            None,
        ),
        Failure::Client(why) => (
            StatusCode::BAD_REQUEST,
            "the request's body broke off on its way to the node of this session",
            Some(why),
        ),
        Failure::Unreached(why) | Failure::BrokenOff(why) => (
            StatusCode::BAD_GATEWAY,
            "the node of this session broke off; it may have executed the request",
            Some(why),
        ),
    };
    let mut error = sessile_core::Error::new(ErrorKind::Unknown, message);
    if let Some(why) = why {
        error = error.with_source(why);
    }
    Hopped::Failed(status, error.into())
}

fn refuse<B: Default>(
    status: StatusCode,
    error: &Error,
    on_error: &impl OnError<B>,
) -> Response<ForwardBody<B>> {
    telemetry::failed(error.kind());
    let mut bare = Response::new(B::default());
    *bare.status_mut() = status;
    let (head, body) = error.dress(bare, false).into_parts();
    let response = match on_error.page(error, &head) {
        Some(page) => error.dress(page, false),
        None => Response::from_parts(head, body),
    };
    response.map(ForwardBody::local)
}
