//! A request's body under way: streamed, and to be had back as long as nobody has asked it for
//! anything.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use http_body::{Body, Frame, SizeHint};

use super::BoxError;

/// The body that the client of the hop sends: of one type, whatever type the request's is, since
/// all hops share one pool of connections.
pub(super) struct Parcel(Pin<Box<dyn Body<Data = Bytes, Error = BoxError> + Send>>);

/// What stays here of a parcel.
#[derive(Debug)]
pub(super) struct Receipt<B>(Arc<Slip<B>>);

struct Slip<B> {
    /// The body, until it is polled for the first time.
    waiting: Mutex<Option<B>>,
    /// How many frames have gone through.
    passed: AtomicU64,
    /// The last one who asked the body was told to wait: it is the client who is slow.
    starved: AtomicBool,
    /// The body itself failed: it is the client who broke off.
    broken: AtomicBool,
}

/// The sending half.
struct Streamed<B> {
    slip: Arc<Slip<B>>,
    body: Option<Pin<Box<B>>>,
}

impl Parcel {
    pub(super) fn new<B>(body: B) -> (Parcel, Receipt<B>)
    where
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        let slip = Arc::new(Slip {
            waiting: Mutex::new(Some(body)),
            passed: AtomicU64::new(0),
            starved: AtomicBool::new(false),
            broken: AtomicBool::new(false),
        });
        let streamed = Streamed {
            slip: slip.clone(),
            body: None,
        };
        (Parcel(Box::pin(streamed)), Receipt(slip))
    }
}

impl<B> Receipt<B> {
    /// The body, if nobody has polled it.
    pub(super) fn take_back(&self) -> Option<B> {
        self.0.lock().take()
    }

    /// How many frames have gone through.
    pub(super) fn passed(&self) -> u64 {
        self.0.passed.load(Ordering::Relaxed)
    }

    /// Whether it is the client whom everybody waits for.
    pub(super) fn is_starved(&self) -> bool {
        self.0.starved.load(Ordering::Relaxed)
    }

    /// Whether the body itself failed.
    pub(super) fn is_broken(&self) -> bool {
        self.0.broken.load(Ordering::Relaxed)
    }
}

impl<B> Slip<B> {
    fn lock(&self) -> MutexGuard<'_, Option<B>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<B> Streamed<B> {
    /// Asks the body something, wherever it is; `None` when it has been taken back.
    fn ask<R>(&self, question: impl FnOnce(&B) -> R) -> Option<R> {
        match &self.body {
            Some(body) => Some(question(body)),
            None => self.slip.lock().as_ref().map(question),
        }
    }
}

impl<B> Body for Streamed<B>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.body.is_none() {
            let body = self.slip.lock().take();
            self.body = body.map(Box::pin);
        }
        let Streamed { slip, body } = &mut *self;
        let Some(body) = body else {
            return Poll::Ready(None);
        };
        let polled = body.as_mut().poll_frame(context);
        slip.starved.store(polled.is_pending(), Ordering::Relaxed);
        let frame = match ready!(polled) {
            None => return Poll::Ready(None),
            Some(Ok(frame)) => frame,
            Some(Err(error)) => {
                slip.broken.store(true, Ordering::Relaxed);
                return Poll::Ready(Some(Err(error.into())));
            }
        };
        slip.passed.fetch_add(1, Ordering::Relaxed);
        // Of `Bytes`, which nearly every body is made of, this copies nothing.
        let frame = frame.map_data(|mut data| data.copy_to_bytes(data.remaining()));
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.ask(B::is_end_stream).unwrap_or(true)
    }

    fn size_hint(&self) -> SizeHint {
        self.ask(B::size_hint).unwrap_or_default()
    }
}

impl Body for Parcel {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.0.as_mut().poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

impl<B> fmt::Debug for Slip<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slip")
            .field("passed", &self.passed)
            .finish_non_exhaustive()
    }
}
