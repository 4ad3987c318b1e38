//! The response on its way, from here or from a peer.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Response;
use pin_project_lite::pin_project;

use super::ForwardBody;

/// A response that is waited for: only what leaves this node is boxed.
type Away<B, E> = Pin<Box<dyn Future<Output = Result<Response<ForwardBody<B>>, E>> + Send>>;

pin_project! {
    /// The future of a [`ForwardService`](super::ForwardService)'s response.
    pub struct ForwardFuture<F, B, E> {
        #[pin]
        kind: Kind<F, B, E>,
    }
}

pin_project! {
    #[project = Projected]
    enum Kind<F, B, E> {
        Here { #[pin] future: F },
        Away { future: Away<B, E> },
    }
}

impl<F, B, E> ForwardFuture<F, B, E> {
    pub(super) fn here(future: F) -> Self {
        ForwardFuture {
            kind: Kind::Here { future },
        }
    }

    pub(super) fn away(
        future: impl Future<Output = Result<Response<ForwardBody<B>>, E>> + Send + 'static,
    ) -> Self {
        let future = Box::pin(future);
        ForwardFuture {
            kind: Kind::Away { future },
        }
    }
}

impl<F, B, E> Future for ForwardFuture<F, B, E>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<ForwardBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().kind.project() {
            Projected::Here { future } => future
                .poll(context)
                .map_ok(|response| response.map(ForwardBody::local)),
            Projected::Away { future } => future.as_mut().poll(context),
        }
    }
}

impl<F, B, E> fmt::Debug for ForwardFuture<F, B, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForwardFuture").finish_non_exhaustive()
    }
}
