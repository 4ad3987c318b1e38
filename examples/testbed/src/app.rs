//! The application: the strategy, its layer, and the routes within.

use axum::Router;
use axum::body::Body;
use axum::http::response::Parts;
use axum::http::{Response, header};
use sessile::{Carrier, CookieConfig, Error, Lifetime, Result, SessionLayer, Sticky, Stored};
use tower_http::catch_panic::CatchPanicLayer;

use crate::flags::{Flags, Strategy};
use crate::{keys, routes, token};

/// Builds the application that the flags ask for.
pub(crate) async fn build(flags: &Flags) -> Result<Router> {
    let (layer, outside) = strategy(flags).await?;
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
        .merge(outside)
        // Outside of the session layer, so that a panic passes through that one and nothing is
        // committed. Inside, it would be a response like any other, and its data kept.
        .layer(CatchPanicLayer::new()))
}

/// The layer of the strategy, and the routes that it brings, which have no session.
async fn strategy(flags: &Flags) -> Result<(SessionLayer, Router)> {
    let layer = match &flags.strategy {
        Strategy::Sticky => {
            let sticky = Sticky::new();
            SessionLayer::new(match keys::from_env()? {
                Some(ring) => sticky.keys(ring),
                None => sticky,
            })
        }
        Strategy::Stored(url) => {
            let stored = Stored::connect(url).await?;
            SessionLayer::new(match keys::from_env()? {
                Some(ring) => stored.keys(ring),
                None => stored,
            })
        }
        Strategy::Token => {
            let (token, routes) = token::build(&flags.token).await?;
            let carriers = [Carrier::Cookie, Carrier::Bearer];
            return Ok((SessionLayer::new(token).carriers(carriers), routes));
        }
    };
    Ok((layer, Router::new()))
}

/// `{"error": kind}`, under the error's own status.
fn page(error: &Error, _: &Parts) -> Option<Response<Body>> {
    Response::builder()
        .status(error.status())
        .header(header::CONTENT_TYPE, "application/json")
        .body(format!("{{\"error\":\"{}\"}}", error.kind()).into())
        .ok()
}
