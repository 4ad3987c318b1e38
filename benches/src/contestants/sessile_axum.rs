//! sessile with sticky sessions, on an axum router.

use ::sessile::{Session, SessionLayer, Sticky};
use axum::{Router, body::Body, extract::RawQuery, routing::get};

use super::{Contestant, serve, sessile};
use crate::workload::{COUNT, IGNORE, INSERT, READ, SIGN_IN};

pub async fn start() -> impl Contestant {
    let app: Router = Router::new()
        .route(IGNORE, get(ignore))
        .route(READ, get(read))
        .route(COUNT, get(count))
        .route(INSERT, get(insert))
        .route(SIGN_IN, get(sign_in))
        .layer(SessionLayer::new(Sticky::new()));
    serve(app.into_service::<Body>())
}

async fn ignore() {}

async fn read(session: Session) {
    sessile::read(&session).expect("a table in memory");
}

async fn count(session: Session) {
    sessile::count(&session).expect("a table in memory");
}

async fn insert(session: Session) {
    sessile::insert(&session).expect("a table in memory");
}

async fn sign_in(session: Session, RawQuery(user): RawQuery) {
    sessile::sign_in(&session, &user.unwrap_or_default()).expect("a table in memory");
}
