//! An axum router without sessions.

use axum::{Router, body::Body, routing::get};

use super::{Contestant, serve};
use crate::workload::{COUNT, IGNORE, INSERT, READ, SIGN_IN};

pub async fn start() -> impl Contestant {
    let app: Router = Router::new()
        .route(IGNORE, get(handle))
        .route(READ, get(handle))
        .route(COUNT, get(handle))
        .route(INSERT, get(handle))
        .route(SIGN_IN, get(handle));
    serve(app.into_service::<Body>())
}

async fn handle() {}
