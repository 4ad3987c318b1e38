//! The application: the strategy, its layer, and the routes within.

use axum::Router;
use axum::body::Body;
use axum::http::response::Parts;
use axum::http::{Response, header};
use sessile::{CookieConfig, Error, Lifetime, Result, SessionLayer, Sticky, Stored};
use tower_http::catch_panic::CatchPanicLayer;

use crate::flags::{Flags, Strategy};
use crate::{keys, routes};

/// Builds the application that the flags ask for.
pub(crate) async fn build(flags: &Flags) -> Result<Router> {
    let keys = keys::from_env()?;
    let layer = match &flags.strategy {
        Strategy::Sticky => {
            let sticky = Sticky::new();
            SessionLayer::new(match keys {
                Some(ring) => sticky.keys(ring),
                None => sticky,
            })
        }
        Strategy::Stored(url) => {
            let stored = Stored::connect(url).await?;
            SessionLayer::new(match keys {
                Some(ring) => stored.keys(ring),
                None => stored,
            })
        }
    };
    let mut cookie = CookieConfig::new();
    if flags.insecure_dev {
        cookie = cookie.insecure_dev();
    }
    let usual = Lifetime::default();
    let lifetime = Lifetime::new(
        flags.idle.unwrap_or(usual.idle()),
        flags.absolute.unwrap_or(usual.absolute()),
    )?;
    let layer = layer
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
