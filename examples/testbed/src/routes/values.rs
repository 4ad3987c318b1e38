//! Keys and values.

use std::collections::BTreeMap;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{delete, get, post, put};
use axum::{Json, Router};
use serde_json::value::RawValue;
use sessile::{Result, Session, Sessions};

use super::path;

/// A value, or `404`.
type Found = Result<std::result::Result<Json<Box<RawValue>>, StatusCode>>;

pub(super) fn routes() -> Router<Sessions> {
    Router::new()
        .route("/ignore", get(async || "ok"))
        .route("/visits", get(visits))
        .route("/get/{key}", get(read))
        .route("/set/{key}", put(set))
        .route("/remove/{key}", delete(remove))
        .route("/incr/{key}", post(incr))
        .route("/incr-lazy/{key}", post(incr_lazy))
        .route("/take/{key}", post(take))
        .route("/clear", post(clear))
        .route("/all", get(all))
}

pub(super) fn plus_one(n: &mut u64) -> u64 {
    *n += 1;
    *n
}

async fn visits(session: Session) -> Result<String> {
    let visits = session.update_now("visits", plus_one).await?;
    Ok(format!("visit {visits}"))
}

async fn read(session: Session, Path(key): Path<String>) -> Found {
    Ok(session.get(key)?.map(Json).ok_or(StatusCode::NOT_FOUND))
}

/// `400` for a body that is no JSON.
async fn set(
    session: Session,
    Path(key): Path<String>,
    body: String,
) -> std::result::Result<Result<StatusCode>, StatusCode> {
    let value = path::Json::try_from(body).map_err(|_| StatusCode::BAD_REQUEST)?;
    Ok(session.insert(key, value).map(|()| StatusCode::NO_CONTENT))
}

async fn remove(session: Session, Path(key): Path<String>) -> Result<StatusCode> {
    Ok(match session.remove(key)? {
        true => StatusCode::NO_CONTENT,
        false => StatusCode::NOT_FOUND,
    })
}

async fn incr(session: Session, Path(key): Path<String>) -> Result<Json<u64>> {
    session.update_now(key, plus_one).await.map(Json)
}

async fn incr_lazy(session: Session, Path(key): Path<String>) -> Result<Json<u64>> {
    session.update(key, plus_one).map(Json)
}

async fn take(session: Session, Path(key): Path<String>) -> Found {
    let taken = session.take_now(key).await?;
    Ok(taken.map(Json).ok_or(StatusCode::NOT_FOUND))
}

async fn clear(session: Session) -> Result<StatusCode> {
    session.clear().map(|()| StatusCode::NO_CONTENT)
}

async fn all(session: Session) -> Result<Json<BTreeMap<String, Option<Box<RawValue>>>>> {
    let keys = session.keys().into_iter();
    keys.map(|key| Ok((key.clone(), session.get(key)?)))
        .collect::<Result<_>>()
        .map(Json)
}
