//! actix-session over Redis.

use std::{net::TcpListener, time::Duration};

use ::actix_session::{Session, SessionMiddleware, storage::RedisSessionStore};
use actix_web::{App, HttpServer, Result, cookie::Key, web};

use super::{KEYS, THREADS, USER, key};

pub async fn redis(listener: TcpListener, url: String) {
    let store = RedisSessionStore::new(url)
        .await
        .expect("a Redis that answers");
    let app = move || {
        App::new()
            .wrap(SessionMiddleware::new(store.clone(), Key::from(&[7; 64])))
            .route("/login", web::post().to(log_in))
            .route("/insert/{key}/{wait}", web::post().to(insert))
            .route("/keys", web::get().to(keys))
            .route("/user", web::get().to(user))
            .route("/logout", web::post().to(log_out))
    };
    let server = HttpServer::new(app)
        .workers(THREADS)
        .listen(listener)
        .expect("a socket that listens");
    server.run().await.expect("a server");
}

async fn log_in(session: Session) -> Result<&'static str> {
    session.insert("user", USER)?;
    Ok("")
}

/// The middleware has loaded the session by the time this runs.
async fn insert(session: Session, path: web::Path<(String, u64)>) -> Result<String> {
    let (key, wait) = path.into_inner();
    let user = session.get::<String>("user")?;
    tokio::time::sleep(Duration::from_millis(wait)).await;
    session.insert(key, true)?;
    Ok(user.unwrap_or_default())
}

async fn keys(session: Session) -> Result<String> {
    let mut keys = Vec::new();
    for key in (0..KEYS).map(key) {
        if session.get::<bool>(&key)?.is_some() {
            keys.push(key);
        }
    }
    Ok(keys.join(" "))
}

async fn user(session: Session) -> Result<String> {
    Ok(session.get("user")?.unwrap_or_default())
}

async fn log_out(session: Session) -> &'static str {
    session.purge();
    ""
}
