//! The handlers for every session that axum can extract.

use std::{convert::Infallible, net::TcpListener, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{FromRequestParts, Path},
    http::Request,
    response::IntoResponse,
    routing::{Route, get, post},
};
use tower::{Layer, Service};

use super::{KEYS, USER, key};

/// A session as far as the handlers need one.
pub trait Handle: FromRequestParts<()> + Send + Sync + 'static {
    type Error: IntoResponse + Send;

    /// Starts a session of this user.
    fn log_in(&self, user: &str) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Who is logged in. Loads the session if nothing did before.
    fn user(&self) -> impl Future<Output = Result<Option<String>, Self::Error>> + Send;

    fn insert(&self, key: &str) -> impl Future<Output = Result<(), Self::Error>> + Send;

    fn contains(&self, key: &str) -> impl Future<Output = Result<bool, Self::Error>> + Send;

    fn log_out(&self) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// Serves the handlers behind a session layer, until the process ends.
pub async fn serve<S: Handle, L>(listener: TcpListener, layer: L)
where
    L: Layer<Route> + Clone + Send + Sync + 'static,
    L::Service: Service<Request<Body>, Response: IntoResponse, Error: Into<Infallible>, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static,
{
    let app: Router = Router::new()
        .route("/login", post(log_in::<S>))
        .route("/insert/{key}/{wait}", post(insert::<S>))
        .route("/keys", get(keys::<S>))
        .route("/user", get(user::<S>))
        .route("/logout", post(log_out::<S>))
        .layer(layer);
    let listener = tokio::net::TcpListener::from_std(listener).expect("a socket of the runtime");
    axum::serve(listener, app).await.expect("a server");
}

async fn log_in<S: Handle>(session: S) -> Result<(), S::Error> {
    session.log_in(USER).await
}

async fn insert<S: Handle>(
    session: S,
    Path((key, wait)): Path<(String, u64)>,
) -> Result<String, S::Error> {
    let user = session.user().await?;
    tokio::time::sleep(Duration::from_millis(wait)).await;
    session.insert(&key).await?;
    Ok(user.unwrap_or_default())
}

async fn keys<S: Handle>(session: S) -> Result<String, S::Error> {
    let mut keys = Vec::new();
    for key in (0..KEYS).map(key) {
        if session.contains(&key).await? {
            keys.push(key);
        }
    }
    Ok(keys.join(" "))
}

async fn user<S: Handle>(session: S) -> Result<String, S::Error> {
    Ok(session.user().await?.unwrap_or_default())
}

async fn log_out<S: Handle>(session: S) -> Result<(), S::Error> {
    session.log_out().await
}
