//! tower-sessions with its memory store, on a plain tower service.

use std::{convert::Infallible, time::Duration};

use http::{Request, Response};
use tower::{Layer, service_fn};
use tower_sessions::{Expiry, MemoryStore, Session, SessionManagerLayer};

use super::{Contestant, on_tower::Body, serve};
use crate::{
    modes::memory::Fill,
    seen,
    workload::{CART, COUNT, INSERT, READ, SIGN_IN, THEME},
};

pub async fn start() -> impl Contestant + Clone + Send {
    serve(SessionManagerLayer::new(MemoryStore::default()).layer(service_fn(handle)))
}

pub async fn handle(request: Request<Body>) -> Result<Response<Body>, Infallible> {
    let path = request.uri().path();
    if let READ | COUNT | INSERT | SIGN_IN = path {
        let session = request
            .extensions()
            .get::<Session>()
            .expect("the layer's handle");
        match path {
            READ => read(session).await,
            COUNT => count(session).await,
            INSERT => insert(session).await,
            _ => sign_in(session, request.uri().query().unwrap_or_default()).await,
        }
        .expect("a store in memory");
    }
    Ok(Response::default())
}

type Result<T, E = tower_sessions::session::Error> = std::result::Result<T, E>;

pub async fn read(session: &Session) -> Result<()> {
    seen::report(session.get("n").await?);
    Ok(())
}

pub async fn count(session: &Session) -> Result<()> {
    let n = session.get::<u64>("n").await?.unwrap_or(0) + 1;
    session.insert("n", n).await?;
    seen::report(Some(n));
    Ok(())
}

pub async fn insert(session: &Session) -> Result<()> {
    session.insert("n", 1_u64).await
}

pub async fn sign_in(session: &Session, user: &str) -> Result<()> {
    session.insert("user", user).await?;
    session.insert("theme", THEME).await?;
    session.insert("cart", CART).await?;
    session.insert("n", 1_u64).await
}

/// For `memory`: sessions that live just long enough to be made and looked at.
pub struct Filled<C>(C);

const LIFE: Duration = Duration::from_secs(15);

pub async fn filled() -> Filled<impl Contestant> {
    let life = LIFE.try_into().expect("a short time");
    let sessions =
        SessionManagerLayer::new(MemoryStore::default()).with_expiry(Expiry::OnInactivity(life));
    Filled(serve(sessions.layer(service_fn(handle))))
}

impl<C: Contestant> Fill for Filled<C> {
    type Contestant = C;

    fn contestant(&mut self) -> &mut C {
        &mut self.0
    }

    async fn expire(&mut self) {
        // No clock can be moved, and nothing can be swept: the memory store has no `ExpiredDeletion`.
        tokio::time::sleep(LIFE).await;
    }
}
