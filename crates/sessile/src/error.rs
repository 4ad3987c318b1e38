//! The error of this crate, and the answer that a client gets for it.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use http::header::{CACHE_CONTROL, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
pub use sessile_core::ErrorKind;

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation on a session failed: a [`kind`](Error::kind) to match on, a message for
/// people, and the [`source`](StdError::source).
///
/// With the feature `axum` it is a response too, so a handler can return it with `?`: the status
/// is [`status`](Error::status), the client learns nothing else, and outer layers find the error
/// in the response's extensions.
#[derive(Clone)]
pub struct Error(Arc<sessile_core::Error>);

impl Error {
    /// An error of this kind, for a message that says what is wrong and what to do.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        sessile_core::Error::new(kind, message).into()
    }

    /// What went wrong, as far as a program should tell cases apart.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind()
    }

    /// With [`TooLarge`](ErrorKind::TooLarge): how many bytes of value, as JSON, there was room
    /// for, where that is known.
    pub fn bytes_left(&self) -> Option<usize> {
        self.0.bytes_left()
    }

    /// With [`WrongNode`](ErrorKind::WrongNode): the label of the node that has the session, such
    /// as for a proxy that replays a request there when it is told so. Look it up in a list of
    /// nodes; it is a name out of the client's credential.
    pub fn node(&self) -> Option<&str> {
        self.0.node()
    }

    /// The status a client gets for this error where the program does not choose another.
    pub fn status(&self) -> StatusCode {
        match self.kind() {
            ErrorKind::Ambiguous => StatusCode::BAD_REQUEST,
            ErrorKind::Conflict | ErrorKind::Gone | ErrorKind::LimitReached | ErrorKind::Stale => {
                StatusCode::CONFLICT
            }
            ErrorKind::Unavailable | ErrorKind::Unknown => StatusCode::SERVICE_UNAVAILABLE,
            ErrorKind::Unsupported => StatusCode::NOT_IMPLEMENTED,
            ErrorKind::WrongNode => StatusCode::MISDIRECTED_REQUEST,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The answer to a client: the status and nothing else, never cached, with the error in its
    /// extensions. What `IntoResponse` answers for axum.
    pub fn response<B: Default>(&self) -> Response<B> {
        self.dress(Response::new(B::default()), true)
    }

    /// Makes a response one for this error; `bare` ones have no status of their own yet.
    pub(crate) fn dress<B>(&self, mut response: Response<B>, bare: bool) -> Response<B> {
        if bare {
            *response.status_mut() = self.status();
        }
        response
            .headers_mut()
            .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if response.status() == StatusCode::SERVICE_UNAVAILABLE {
            response
                .headers_mut()
                .entry(RETRY_AFTER)
                .or_insert(HeaderValue::from_static("1"));
        }
        response.extensions_mut().insert(self.clone());
        response
    }
}

impl From<sessile_core::Error> for Error {
    fn from(error: sessile_core::Error) -> Self {
        Error(Arc::new(error))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}
