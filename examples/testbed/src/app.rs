//! The application: the strategy, its layer, and the routes within.

use axum::Router;
use axum::body::Body;
use axum::http::response::Parts;
use axum::http::{Response, header};
use sessile::{CookieConfig, Error, Lifetime, Result, SessionLayer, Sticky};
use tower_http::catch_panic::CatchPanicLayer;

use crate::flags::Flags;
use crate::{keys, routes};

/// Builds the application that the flags ask for.
pub(crate) fn build(flags: &Flags) -> Result<Router> {
    let mut sticky = Sticky::new();
    if let Some(ring) = keys::from_env()? {
        sticky = sticky.keys(ring);
    }
    let mut cookie = CookieConfig::new();
    if flags.insecure_dev {
        cookie = cookie.insecure_dev();
    }
    let usual = Lifetime::default();
    let lifetime = Lifetime::new(
        flags.idle.unwrap_or(usual.idle()),
        flags.absolute.unwrap_or(usual.absolute()),
    )?;
    let layer = SessionLayer::new(sticky)
        .cookie(cookie.build()?)
        .lifetime(lifetime)
        .on_error(page);
    Ok(routes::all(layer.sessions())
        .layer(layer)
        // Outside of the session layer, so that a panic passes through that one and nothing is
        // committed. Inside, it would be a response like any other, and its data kept.
        .layer(CatchPanicLayer::new()))
}

/// `{"error": kind}`, under the error's own status.
fn page(error: &Error, _: &Parts) -> Option<Response<Body>> {
    Response::builder()
        .status(error.status())
        .header(header::CONTENT_TYPE, "application/json")
        .body(format!("{{\"error\":\"{}\"}}", error.kind()).into())
        .ok()
}
