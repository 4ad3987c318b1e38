//! tower-sessions with its memory store, on an axum router.

use ::tower_sessions::{MemoryStore, Session, SessionManagerLayer};
use axum::{Router, body::Body, extract::RawQuery, routing::get};

use super::{Contestant, serve, tower_sessions};
use crate::workload::{COUNT, IGNORE, INSERT, READ, SIGN_IN};

pub async fn start() -> impl Contestant {
    let app: Router = Router::new()
        .route(IGNORE, get(ignore))
        .route(READ, get(read))
        .route(COUNT, get(count))
        .route(INSERT, get(insert))
        .route(SIGN_IN, get(sign_in))
        .layer(SessionManagerLayer::new(MemoryStore::default()));
    serve(app.into_service::<Body>())
}

async fn ignore() {}

async fn read(session: Session) {
    tower_sessions::read(&session)
        .await
        .expect("a store in memory");
}

async fn count(session: Session) {
    tower_sessions::count(&session)
        .await
        .expect("a store in memory");
}

async fn insert(session: Session) {
    tower_sessions::insert(&session)
        .await
        .expect("a store in memory");
}

async fn sign_in(session: Session, RawQuery(user): RawQuery) {
    tower_sessions::sign_in(&session, &user.unwrap_or_default())
        .await
        .expect("a store in memory");
}
