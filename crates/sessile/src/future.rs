//! The response on its way out: the handler's, then the commit, then the headers.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::Response;
use pin_project_lite::pin_project;

use crate::commit::Commit;
use crate::handle::{Handle, Leave};
use crate::layer::DefaultOnError;
use crate::outcome::{self, OnError};

pin_project! {
    /// The future of a [`SessionService`](crate::SessionService)'s response. Dropped, it commits
    /// nothing that was not begun.
    pub struct ResponseFuture<F, B, E = DefaultOnError> {
        #[pin]
        inner: F,
        handle: Option<Arc<Handle>>,
        // Boxed because it is only kept where a store is really waited for.
        waiting: Option<Box<Waiting<B>>>,
        on_error: E,
    }

    impl<F, B, E> PinnedDrop for ResponseFuture<F, B, E> {
        fn drop(this: Pin<&mut Self>) {
            // No head will leave, and so no credential: cancelled, or the service failed.
            if let Some(handle) = this.project().handle {
                handle.abandon();
            }
        }
    }
}

/// A response that waits for its commit.
struct Waiting<B> {
    commit: Commit,
    response: Response<B>,
}

impl<F, B, E> ResponseFuture<F, B, E> {
    pub(crate) fn new(inner: F, handle: Option<Arc<Handle>>, on_error: E) -> Self {
        ResponseFuture {
            inner,
            handle,
            waiting: None,
            on_error,
        }
    }
}

impl<F, B, E, Error> Future for ResponseFuture<F, B, E>
where
    F: Future<Output = Result<Response<B>, Error>>,
    B: Default,
    E: OnError<B>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        if let Some(waiting) = this.waiting {
            let committed = ready!(Pin::new(&mut waiting.commit).poll(context));
            let mut response = std::mem::take(&mut waiting.response);
            outcome::answer(
                waiting.commit.handle(),
                committed,
                &mut response,
                this.on_error,
            );
            return Poll::Ready(Ok(response));
        }
        let mut polled = this.inner.poll(context);
        let Poll::Ready(Ok(response)) = &mut polled else {
            return polled;
        };
        // Without a handle, this layer is inside one of the same name; the session is that one's.
        let Some(handle) = this.handle.take() else {
            return polled;
        };
        match handle.leave() {
            // It may be a rejection all the same: nobody could find the session.
            Leave::Unused => outcome::page(&handle, response, this.on_error),
            Leave::Settled => outcome::answer(&handle, Ok(()), response, this.on_error),
            Leave::Unsettled => {
                let mut commit = Commit::last(handle);
                match Pin::new(&mut commit).poll(context) {
                    Poll::Ready(committed) => {
                        outcome::answer(commit.handle(), committed, response, this.on_error);
                    }
                    Poll::Pending => {
                        let response = std::mem::take(response);
                        *this.waiting = Some(Box::new(Waiting { commit, response }));
                        return Poll::Pending;
                    }
                }
            }
        }
        polled
    }
}

impl<F, B, E> fmt::Debug for ResponseFuture<F, B, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture")
            .field("handle", &self.handle)
            .field("waiting", &self.waiting.is_some())
            .finish_non_exhaustive()
    }
}
