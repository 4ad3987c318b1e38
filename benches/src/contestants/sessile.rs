//! sessile with sticky sessions, on a plain tower service.

use std::{convert::Infallible, sync::Arc, time::Duration};

use http::{Request, Response};
use sessile::{LazySession, ManualClock, Session, SessionLayer, Sessions, Sticky};
use sessile_memory::Capacity;
use tower::{Layer, service_fn};

use super::{Contestant, on_tower::Body, serve};
use crate::{
    modes::memory::{self, Fill},
    seen,
    workload::{CART, COUNT, INSERT, READ, SIGN_IN, THEME},
};

pub async fn start() -> impl Contestant + Clone + Send {
    serve(SessionLayer::new(Sticky::new()).layer(service_fn(handle)))
}

pub async fn handle(request: Request<Body>) -> Result<Response<Body>, Infallible> {
    let path = request.uri().path();
    if let READ | COUNT | INSERT | SIGN_IN = path {
        let lazy = request
            .extensions()
            .get::<LazySession>()
            .expect("the layer's handle");
        let session = lazy.load().await.expect("a session");
        match path {
            READ => read(&session),
            COUNT => count(&session),
            INSERT => insert(&session),
            _ => sign_in(&session, request.uri().query().unwrap_or_default()),
        }
        .expect("nothing that can be away");
    }
    Ok(Response::default())
}

pub fn read(session: &Session) -> sessile::Result<()> {
    seen::report(session.get::<u64>("n")?);
    Ok(())
}

pub fn count(session: &Session) -> sessile::Result<()> {
    let n = session.update("n", |n: &mut u64| {
        *n += 1;
        *n
    })?;
    seen::report(Some(n));
    Ok(())
}

pub fn insert(session: &Session) -> sessile::Result<()> {
    session.insert("n", 1_u64)
}

pub fn sign_in(session: &Session, user: &str) -> sessile::Result<()> {
    session.login(user)?;
    session.insert("theme", THEME)?;
    session.insert("cart", CART)?;
    session.insert("n", 1_u64)
}

/// For `memory`: a clock that is moved by hand, and room for all the sessions.
pub struct Filled<C> {
    contestant: C,
    clock: Arc<ManualClock>,
    sessions: Sessions,
}

pub async fn filled() -> Filled<impl Contestant> {
    let clock = Arc::new(ManualClock::default());
    // Twice what is filled in: a table that evicts holds less than it is measured for.
    let capacity = Capacity::sessions(2 * memory::SESSIONS as usize).bytes(4 << 30);
    let layer = SessionLayer::new(Sticky::new().capacity(capacity)).clock(clock.clone());
    let sessions = layer.sessions();
    let contestant = serve(layer.layer(service_fn(handle)));
    Filled {
        contestant,
        clock,
        sessions,
    }
}

impl<C: Contestant> Fill for Filled<C> {
    type Contestant = C;

    fn contestant(&mut self) -> &mut C {
        &mut self.contestant
    }

    async fn expire(&mut self) {
        // Past the absolute lifetime, whatever the idle one is.
        self.clock.advance(Duration::from_secs(48 * 60 * 60));
        self.sessions.sweep().await.expect("a table in memory");
    }
}
