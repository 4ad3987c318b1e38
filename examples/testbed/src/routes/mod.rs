//! The routes by theme. Keys, subjects and JSON in a path are percent-encoded.

mod values;

mod identity;

mod slow;
mod status;
mod stream;

mod mixed;

mod devices;
mod operator;

mod path;

use axum::Router;
use sessile::Sessions;

/// Every route.
pub(crate) fn all(sessions: Sessions) -> Router {
    Router::new()
        .merge(values::routes())
        .merge(identity::routes())
        .merge(slow::routes())
        .merge(status::routes())
        .merge(stream::routes())
        .merge(mixed::routes())
        .merge(devices::routes())
        .merge(operator::routes())
        .with_state(sessions)
}
