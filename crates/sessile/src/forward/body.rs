//! The body of a response that was made here, or at a peer.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use pin_project_lite::pin_project;

use super::BoxError;

pin_project! {
    /// The body of a response of a [`ForwardService`](super::ForwardService): streamed as it
    /// comes, from wherever it comes.
    #[derive(Debug)]
    pub struct ForwardBody<B> {
        #[pin]
        source: Source<B>,
    }
}

impl<B> ForwardBody<B> {
    /// Whether it comes from a peer, and not from the service within.
    pub fn is_remote(&self) -> bool {
        matches!(self.source, Source::Remote { .. })
    }

    pub(super) fn local(body: B) -> Self {
        ForwardBody {
            source: Source::Local { body },
        }
    }

    pub(super) fn remote(body: Incoming) -> Self {
        ForwardBody {
            source: Source::Remote { body },
        }
    }
}

impl<B> Body for ForwardBody<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.project().source.project() {
            Projected::Local { body } => body.poll_frame(context).map_err(Into::into),
            Projected::Remote { body } => body.poll_frame(context).map_err(Into::into),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Local { body } => body.is_end_stream(),
            Source::Remote { body } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Local { body } => body.size_hint(),
            Source::Remote { body } => body.size_hint(),
        }
    }
}

impl<B: Default> Default for ForwardBody<B> {
    fn default() -> Self {
        ForwardBody::local(B::default())
    }
}

pin_project! {
    #[project = Projected]
    #[derive(Debug)]
    enum Source<B> {
        Local { #[pin] body: B },
        Remote { #[pin] body: Incoming },
    }
}
