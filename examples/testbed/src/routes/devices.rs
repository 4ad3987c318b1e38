//! The sessions of whoever is logged in.
//!
//! A request without a subject has no sessions to speak of: its list is empty, and after "revoke
//! all of them" nothing is left, which is what was asked for. Neither is an error.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;
use sessile::{Result, Session, Sessions};

use super::identity::millis;
use super::path::Id;

pub(super) fn routes() -> Router<Sessions> {
    Router::new()
        .route("/sessions", get(list))
        .route("/revoke/{id}", post(revoke))
        .route("/revoke-others", post(revoke_others))
        .route("/revoke-all", post(revoke_all))
}

#[derive(Debug, Serialize)]
struct Entry {
    id: String,
    created_at: u64,
    last_seen: u64,
    current: bool,
}

/// `[]` for a request without a subject.
async fn list(session: Session, State(sessions): State<Sessions>) -> Result<Json<Vec<Entry>>> {
    let Some(subject) = session.subject() else {
        return Ok(Json(Vec::new()));
    };
    let entry = |info: sessile::SessionInfo| Entry {
        id: info.id.to_string(),
        created_at: millis(info.created_at),
        last_seen: millis(info.last_seen),
        current: info.id == session.id(),
    };
    let list = sessions.list(&subject).await?;
    Ok(Json(list.into_iter().map(entry).collect()))
}

/// Ends the session of that id, whoever asks, and whether it is there or not: this is the
/// operator's call. An application lets a user revoke what is in the user's own list.
async fn revoke(State(sessions): State<Sessions>, Path(Id(id)): Path<Id>) -> Result<StatusCode> {
    sessions.revoke(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Does nothing for a request without a subject.
async fn revoke_others(session: Session, State(sessions): State<Sessions>) -> Result<StatusCode> {
    if session.subject().is_some() {
        sessions.revoke_others(&session).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// The session that asks is revoked as well. Does nothing for a request without a subject.
async fn revoke_all(session: Session, State(sessions): State<Sessions>) -> Result<StatusCode> {
    if let Some(subject) = session.subject() {
        sessions.revoke_all(&subject).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
