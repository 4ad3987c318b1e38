//! The application: the strategy, its layer, and the routes within.

use axum::body::Body;
use axum::http::response::Parts;
use axum::http::{Response, header};
use axum::{Extension, Router};
use sessile::{Carrier, CookieConfig, Error, Lifetime, Result, SessionLayer, Stored};
use tower_http::catch_panic::CatchPanicLayer;

use crate::drain::Drain;
use crate::flags::{Flags, Strategy};
use crate::{InFront, config, keys, nodes, routes, token};

/// Builds the application that the flags ask for.
pub(crate) async fn build(flags: &Flags, in_front: InFront) -> Result<(Router, Drain)> {
    let (layer, name, outside) = match &flags.config {
        Some(path) => {
            let (layer, name) = config::build(path, flags.insecure_dev).await?;
            (layer, name, Router::new())
        }
        None => {
            let (layer, outside) = strategy(flags, in_front).await?;
            (described(layer, flags)?, flags.nodes.name(), outside)
        }
    };
    let layer = layer.on_error(page);
    let (drain, forwarding) = (Drain::new(layer.sessions()), layer.forwarding());
    let app = routes::all(layer.sessions())
        .layer(layer)
        .merge(outside)
        .layer(Extension(drain.clone()))
        .layer(Extension(name))
        // Outside of the session layer, so that a panic passes through that one and nothing is
        // committed. Inside, it would be a response like any other, and its data kept.
        .layer(CatchPanicLayer::new());
    // Outside of everything: what is sent on does its work at the other node.
    Ok(match forwarding {
        Some(forwarding) => (app.layer(forwarding), drain),
        None => (app, drain),
    })
}

/// The layer with the cookie and the lifetime that the flags ask for.
fn described(layer: SessionLayer, flags: &Flags) -> Result<SessionLayer> {
    let mut cookie = CookieConfig::new();
    if flags.insecure_dev {
        cookie = cookie.insecure_dev();
    }
    let usual = Lifetime::default();
    let lifetime = Lifetime::new(
        flags.idle.unwrap_or(usual.idle()),
        flags.absolute.unwrap_or(usual.absolute()),
    )?;
    Ok(layer.cookie(cookie.build()?).lifetime(lifetime))
}

/// The layer of the strategy, and the routes that it brings, which have no session.
async fn strategy(flags: &Flags, in_front: InFront) -> Result<(SessionLayer, Router)> {
    let layer = match &flags.strategy {
        Strategy::Sticky => nodes::build(&flags.nodes, in_front, keys::from_env()?).await?,
        Strategy::Stored(url) => {
            let stored = Stored::new(in_front(sessile::connect(url).await?));
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
