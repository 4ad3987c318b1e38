//! tower-sessions with its memory store and a signed cookie, on a plain tower service.

use ::tower_sessions::{MemoryStore, SessionManagerLayer, cookie::Key};
use tower::{Layer, service_fn};

use super::{Contestant, serve, tower_sessions};

pub async fn start() -> impl Contestant {
    let sessions =
        SessionManagerLayer::new(MemoryStore::default()).with_signed(Key::from(&[7; 64]));
    serve(sessions.layer(service_fn(tower_sessions::handle)))
}
