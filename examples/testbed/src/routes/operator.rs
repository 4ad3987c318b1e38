//! The operator's side: no session is looked for.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use sessile::{Durability, Result, Revocation, Scope, Sessions, Writes};

use crate::drain::Drain;

pub(super) fn routes() -> Router<Sessions> {
    Router::new()
        .route("/guarantees", get(guarantees))
        .route("/ready", get(ready))
        .route("/drain", post(drain))
}

async fn guarantees(State(sessions): State<Sessions>) -> Json<Value> {
    let promised = sessions.guarantees();
    let revocation = match promised.revocation {
        Revocation::Immediate => json!("immediate"),
        Revocation::Within(bound) => json!({ "within_ms": bound.as_millis() }),
        Revocation::AtExpiry => json!("at_expiry"),
        _ => Value::Null,
    };
    let writes = match promised.writes {
        Writes::Merged => json!("merged"),
        Writes::LastResponseWins => json!("last_response_wins"),
        _ => Value::Null,
    };
    let scope = match promised.scope {
        Scope::ThisNode => json!("this_node"),
        Scope::AllNodes => json!("all_nodes"),
        _ => Value::Null,
    };
    let durability = match promised.durability {
        Durability::Volatile => json!("volatile"),
        Durability::Async => json!("async"),
        Durability::Acknowledged => json!("acknowledged"),
        _ => Value::Null,
    };
    Json(json!({
        "revocation": revocation,
        "writes": writes,
        "scope": scope,
        "durability": durability,
        "any_node": promised.any_node,
        "max_bytes": promised.max_bytes,
    }))
}

/// `503` while the sessions can't be reached, and when the last of them was handed over; not
/// before, since balancers send nobody to a node that is not ready.
async fn ready(
    Extension(drain): Extension<Drain>,
    State(sessions): State<Sessions>,
) -> Result<StatusCode> {
    if drain.is_over() {
        return Ok(StatusCode::SERVICE_UNAVAILABLE);
    }
    sessions.ping().await.map(|()| StatusCode::OK)
}

async fn drain(Extension(drain): Extension<Drain>) -> Result<StatusCode> {
    drain.begin().map(|()| StatusCode::ACCEPTED)
}
