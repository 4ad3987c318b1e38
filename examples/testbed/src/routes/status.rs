//! Requests that change the session and then answer with a status of choice, or panic.

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::post;
use sessile::{Result, Session, Sessions};

use super::path::{self, Code};

pub(super) fn routes() -> Router<Sessions> {
    Router::new()
        .route("/status/{code}/set/{key}/{json}", post(set))
        .route("/status/{code}/{op}", post(run))
        .route("/panic/set/{key}/{json}", post(set_and_panic))
}

async fn set(
    session: Session,
    Path((Code(status), key, json)): Path<(Code, String, path::Json)>,
) -> Result<StatusCode> {
    session.insert(key, json).map(|()| status)
}

/// `404` for another operation.
async fn run(
    session: Session,
    Path((Code(status), op)): Path<(Code, String)>,
) -> Result<StatusCode> {
    match (op.as_str(), op.strip_prefix("login-")) {
        (_, Some(subject)) => session.login(subject),
        ("renew", _) => session.renew(),
        ("logout", _) => session.logout(),
        _ => return Ok(StatusCode::NOT_FOUND),
    }
    .map(|()| status)
}

async fn set_and_panic(
    session: Session,
    Path((key, json)): Path<(String, path::Json)>,
) -> Result<()> {
    session.insert(key, json)?;
    panic!("as asked for")
}
