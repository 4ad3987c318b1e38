//! The straight line of a request: read the credential, let the handler work on the session,
//! commit, write the credential.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use crate::handle::Handle;
use crate::layer::{DefaultOnError, Shared};
use crate::outcome::OnError;
use crate::{ResponseFuture, SessionLayer};

/// A service whose requests have sessions. Made by [`SessionLayer`].
#[derive(Clone)]
pub struct SessionService<S, E = DefaultOnError> {
    inner: S,
    shared: Arc<Shared>,
    on_error: E,
}

impl<S, E> SessionService<S, E> {
    pub(crate) fn new(inner: S, shared: Arc<Shared>, on_error: E) -> Self {
        SessionService {
            inner,
            shared,
            on_error,
        }
    }

    /// The service within.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The service within.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The service within.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S> SessionService<S> {
    /// The layer that makes these services: as [`SessionLayer::new`].
    pub fn layer(strategy: impl sessile_core::Strategy) -> SessionLayer {
        SessionLayer::new(strategy)
    }
}

impl<S, E, ReqBody, ResBody> Service<Request<ReqBody>> for SessionService<S, E>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: Default,
    E: OnError<ResBody> + Clone,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, ResBody, E>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let handle = Handle::attach(&self.shared, &mut request);
        let future = self.inner.call(request);
        ResponseFuture::new(future, handle, self.on_error.clone())
    }
}

impl<S: fmt::Debug, E> fmt::Debug for SessionService<S, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionService")
            .field("inner", &self.inner)
            .field("shared", &self.shared)
            .finish_non_exhaustive()
    }
}
