//! poem's sessions: over its in-memory storage, and in a signed cookie.

use poem::{
    EndpointExt, Request, Route, get, handler,
    session::{CookieConfig, CookieSession, MemoryStorage, ServerSession, Session},
    web::cookie::CookieKey,
};

use super::{Contestant, bare_poem::OnPoem};
use crate::{
    seen,
    workload::{CART, COUNT, IGNORE, INSERT, READ, SIGN_IN, THEME},
};

pub mod memory {
    use super::*;

    pub async fn start() -> impl Contestant {
        let sessions = ServerSession::new(CookieConfig::default(), MemoryStorage::new());
        OnPoem(routes().with(sessions))
    }
}

pub mod signed_cookie {
    use super::*;

    pub async fn start() -> impl Contestant {
        let key = CookieKey::derive_from(&[7; 64]);
        OnPoem(routes().with(CookieSession::new(CookieConfig::signed(key))))
    }
}

fn routes() -> Route {
    Route::new()
        .at(IGNORE, get(ignore))
        .at(READ, get(read))
        .at(COUNT, get(count))
        .at(INSERT, get(insert))
        .at(SIGN_IN, get(sign_in))
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
