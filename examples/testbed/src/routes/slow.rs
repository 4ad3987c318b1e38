//! Requests that take their time between reading and writing: stragglers on demand.

use std::time::Duration;

use axum::extract::Path;
use axum::routing::{get, post};
use axum::{Json, Router};
use sessile::{Result, Session, Sessions};
use tokio::time::sleep;

use super::{path, values};

pub(super) fn routes() -> Router<Sessions> {
    Router::new()
        .route("/slow/{ms}/set/{key}/{json}", get(set))
        .route("/slow/{ms}/incr/{key}", post(incr))
}

async fn set(
    session: Session,
    Path((ms, key, json)): Path<(u64, String, path::Json)>,
) -> Result<&'static str> {
    sleep(Duration::from_millis(ms)).await;
    session.insert(key, json).map(|()| "ok")
}

async fn incr(session: Session, Path((ms, key)): Path<(u64, String)>) -> Result<Json<u64>> {
    sleep(Duration::from_millis(ms)).await;
    session.update(key, values::plus_one).map(Json)
}
