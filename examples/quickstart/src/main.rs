//! Sessions in an axum application: a counter, a login, and a page to use them from.
//!
//! ```text
//! cargo run -p quickstart
//! curl -c jar -b jar http://127.0.0.1:3000/visits      # twice: it counts
//! ```

use axum::{Router, routing::get};
use sessile::{CookieConfig, Session, SessionLayer, Sticky};

async fn visits(session: Session) -> sessile::Result<String> {
    let visits = session.update_now("visits", plus_one).await?; // exact under concurrency
    Ok(format!("visit {visits}"))
}

fn app() -> sessile::Result<Router> {
    let cookie = CookieConfig::new().insecure_dev().build()?; // plain http; leave it out for https
    let layer = SessionLayer::new(Sticky::new()).cookie(cookie);
    Ok(Router::new()
        .route("/visits", get(visits))
        .merge(account::routes(layer.sessions()))
        .layer(layer.on_error(page::error)))
}

// That is all there is to a session. The rest is a page, its forms, and a server.

mod account;
mod page;
mod server;

/// One more visit; runs again, on the newer count, should another request have been faster.
fn plus_one(visits: &mut u64) -> u64 {
    *visits += 1;
    *visits
}

#[tokio::main]
async fn main() -> std::process::ExitCode {
    // The layer warns of cookies that are sent over plain http: let it be seen.
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    server::run(app()).await
}
