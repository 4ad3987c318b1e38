//! Who the client is, and how that changes.

use std::time::SystemTime;

use axum::Extension;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;
use sessile::{Result, Session, Sessions, Timestamp};

use crate::nodes::Name;

pub(super) fn routes() -> Router<Sessions> {
    Router::new()
        .route("/whoami", get(whoami))
        .route("/login/{subject}", post(login))
        .route("/logout", post(logout))
        .route("/renew", post(renew))
}

#[derive(Debug, Serialize)]
struct WhoAmI {
    id: Option<String>,
    subject: Option<String>,
    arrival: &'static str,
    created_at: Option<u64>,
    expires_at: Option<u64>,
    /// The node that answers.
    node: Option<String>,
}

/// Never makes a session: a client without one has no id.
async fn whoami(Extension(Name(node)): Extension<Name>, session: Session) -> Json<WhoAmI> {
    Json(WhoAmI {
        id: session.exists().then(|| session.id().to_string()),
        subject: session.subject().map(|subject| subject.to_string()),
        arrival: session.arrival().as_str(),
        created_at: session.created_at().map(millis),
        expires_at: session.expires_at().map(millis),
        node: node.map(|label| label.to_string()),
    })
}

/// Milliseconds since 1970.
pub(super) fn millis(at: SystemTime) -> u64 {
    Timestamp::from(at).as_millis()
}

async fn login(session: Session, Path(subject): Path<String>) -> Result<StatusCode> {
    session.login(subject).map(|()| StatusCode::NO_CONTENT)
}

async fn logout(session: Session) -> Result<StatusCode> {
    session.logout().map(|()| StatusCode::NO_CONTENT)
}

async fn renew(session: Session) -> Result<StatusCode> {
    session.renew().map(|()| StatusCode::NO_CONTENT)
}
