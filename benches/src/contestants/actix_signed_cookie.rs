//! actix-session with the session in a signed cookie.

use actix_session::{
    Session, SessionMiddleware, config::CookieContentSecurity, storage::CookieSessionStore,
};
use actix_web::{App, HttpRequest, cookie::Key, test::init_service, web};

use super::{Contestant, bare_actix::OnActix};
use crate::{
    seen,
    workload::{CART, COUNT, IGNORE, INSERT, READ, SIGN_IN, THEME},
};

pub async fn start() -> impl Contestant {
    let sessions = SessionMiddleware::builder(CookieSessionStore::default(), Key::from(&[7; 64]))
        .cookie_content_security(CookieContentSecurity::Signed)
        .build();
    let app = App::new()
        .wrap(sessions)
        .route(IGNORE, web::get().to(ignore))
        .route(READ, web::get().to(read))
        .route(COUNT, web::get().to(count))
        .route(INSERT, web::get().to(insert))
        .route(SIGN_IN, web::get().to(sign_in));
    OnActix(init_service(app).await)
}

async fn ignore() -> &'static str {
    ""
}

async fn read(session: Session) -> &'static str {
    seen::report(session.get("n").expect("a number"));
    ""
}

async fn count(session: Session) -> &'static str {
    let n = session.get::<u64>("n").expect("a number").unwrap_or(0) + 1;
    session.insert("n", n).expect("a number");
    seen::report(Some(n));
    ""
}

async fn insert(session: Session) -> &'static str {
    session.insert("n", 1_u64).expect("a number");
    ""
}

async fn sign_in(request: HttpRequest, session: Session) -> &'static str {
    session
        .insert("user", request.query_string())
        .expect("a string");
    session.insert("theme", THEME).expect("a string");
    session.insert("cart", CART).expect("numbers");
    session.insert("n", 1_u64).expect("a number");
    ""
}
