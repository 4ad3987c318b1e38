//! The response on its way out: the handler's, then the commit, then the headers.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::Response;
use pin_project_lite::pin_project;

use crate::commit::Commit;
use crate::handle::Handle;
use crate::layer::Opaque;
use crate::outcome::{self, OnError};

pin_project! {
    /// The future of a [`SessionService`](crate::SessionService)'s response. Dropped, it commits
    /// nothing that was not begun.
    pub struct ResponseFuture<F, B, E = Opaque> {
        #[pin]
        inner: F,
        handle: Option<Arc<Handle>>,
        committing: Option<Committing<B>>,
        on_error: E,
    }
}

struct Committing<B> {
    commit: Commit,
    response: Option<Response<B>>,
    data_only: bool,
}

impl<F, B, E> ResponseFuture<F, B, E> {
    pub(crate) fn new(inner: F, handle: Option<Arc<Handle>>, on_error: E) -> Self {
        ResponseFuture {
            inner,
            handle,
            committing: None,
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
        if this.committing.is_none() {
            let response = ready!(this.inner.poll(context))?;
            // Without a handle of its own, this layer is inside one of the same name.
            let Some(handle) = this.handle.take() else {
                return Poll::Ready(Ok(response));
            };
            if !handle.is_used() {
                handle.close();
                // It may have been used between these two lines, but then it saw no session yet,
                // and will see that it is too late to make one.
                if !handle.is_used() {
                    return Poll::Ready(Ok(response));
                }
            }
            let data_only = handle
                .lock()
                .as_deref()
                .is_some_and(|draft| draft.is_data_only());
            *this.handle = Some(handle.clone());
            let commit = Commit::last(handle);
            *this.committing = Some(Committing {
                commit,
                response: Some(response),
                data_only,
            });
        }
        let (Some(committing), Some(handle)) = (this.committing, this.handle) else {
            unreachable!("both were set above");
        };
        let committed = ready!(Pin::new(&mut committing.commit).poll(context));
        handle.close();
        let response = committing
            .response
            .take()
            .expect("polled after it was ready");
        let response = match outcome::forgive(committed, handle, committing.data_only) {
            Ok(()) => outcome::tell(handle, response),
            Err(error) => outcome::fail(handle, &error, response),
        };
        Poll::Ready(Ok(outcome::page(this.on_error, response)))
    }
}

impl<F, B, E> fmt::Debug for ResponseFuture<F, B, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture")
            .field("handle", &self.handle)
            .field("committing", &self.committing.is_some())
            .finish_non_exhaustive()
    }
}
