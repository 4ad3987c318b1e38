//! Extractors and rejections for axum.
//!
//! | extractor | no session | store away | layer missing |
//! |---|---|---|---|
//! | [`Session`] | an empty one, made by the first write | `503` | `500` |
//! | `Option<Session>` | `None`; never makes one | `503` | `500` |
//! | [`Typed<T>`](crate::Typed) | as [`Session`] | `503` | `500` |
//! | [`LazySession`] | not looked for | – | `500` |

use axum_core::body::Body;
use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
use http::request::Parts;

use crate::{Error, ErrorKind, LazySession, Result, Session, SessionValue, Typed};

fn lazy(parts: &Parts) -> Result<LazySession> {
    parts.extensions.get().cloned().ok_or_else(|| {
        Error::new(
            ErrorKind::MissingLayer,
            "this route has no session layer: add `.layer(SessionLayer::new(…))` to the router, after the routes that use it",
        )
    })
}

impl<S: Sync> FromRequestParts<S> for LazySession {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        lazy(parts)
    }
}

impl<S: Sync> FromRequestParts<S> for Session {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        lazy(parts)?.load().await
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Session {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>> {
        lazy(parts)?.load_existing().await
    }
}

impl<T: SessionValue, S: Sync> FromRequestParts<S> for Typed<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        Ok(Typed::new(lazy(parts)?.load().await?))
    }
}

impl IntoResponse for Error {
    /// The error's status with an empty body: a client never learns why. Only what the developer
    /// did not wire up says so.
    fn into_response(self) -> Response {
        let mut response: Response = self.response();
        if self.kind() == ErrorKind::MissingLayer {
            *response.body_mut() = Body::from(self.to_string());
        }
        response
    }
}
