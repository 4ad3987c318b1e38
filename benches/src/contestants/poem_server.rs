//! poem's server session over its in-memory storage.

use poem::{
    EndpointExt, Request, Route, get, handler,
    session::{CookieConfig, MemoryStorage, ServerSession, Session},
};

use super::{Contestant, bare_poem::OnPoem};
use crate::{
    seen,
    workload::{CART, COUNT, IGNORE, INSERT, READ, SIGN_IN, THEME},
};

pub async fn start() -> impl Contestant {
    OnPoem(
        Route::new()
            .at(IGNORE, get(ignore))
            .at(READ, get(read))
            .at(COUNT, get(count))
            .at(INSERT, get(insert))
            .at(SIGN_IN, get(sign_in))
            .with(ServerSession::new(
                CookieConfig::default(),
                MemoryStorage::new(),
            )),
    )
}

#[handler]
fn ignore() {}

#[handler]
fn read(session: &Session) {
    seen::report(session.get("n"));
}

#[handler]
fn count(session: &Session) {
    let n = session.get::<u64>("n").unwrap_or(0) + 1;
    session.set("n", n);
    seen::report(Some(n));
}

#[handler]
fn insert(session: &Session) {
    session.set("n", 1_u64);
}

#[handler]
fn sign_in(request: &Request, session: &Session) {
    session.set("user", request.uri().query());
    session.set("theme", THEME);
    session.set("cart", CART);
    session.set("n", 1_u64);
}
