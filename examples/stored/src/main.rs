//! Sessions that outlive the process: in SQLite, or in Redis, by argument.
//!
//! ```text
//! cargo run -p stored                              # in the file sessions.db
//! cargo run -p stored -- redis://127.0.0.1:6379    # in Redis: start two, with another PORT
//! curl -c jar -b jar http://127.0.0.1:3000/visits  # counts on after a restart
//! curl -c jar -b jar -X POST http://127.0.0.1:3000/login/ada
//! curl -c jar -b jar http://127.0.0.1:3000/devices
//! ```

use std::error::Error;
use std::net::Ipv4Addr;
use std::num::NonZeroU32;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use sessile::{CookieConfig, OnFull, Session, SessionLayer, Sessions, Stored, SubjectCap};
use tokio::net::TcpListener;

async fn visits(session: Session) -> sessile::Result<String> {
    let visits = session.update_now("visits", |n: &mut u64| {
        *n += 1;
        *n
    });
    Ok(format!("visit {}\n", visits.await?))
}

async fn login(session: Session, Path(name): Path<String>) -> sessile::Result<()> {
    session.login(name)
}

async fn logout(session: Session) -> sessile::Result<()> {
    session.logout()
}

/// Every session of whoever asks, on whichever node it was made.
async fn devices(session: Session, State(sessions): State<Sessions>) -> sessile::Result<String> {
    let mut page = String::new();
    if let Some(subject) = session.subject() {
        for device in sessions.list(&subject).await? {
            let this = if device.id == session.id() {
                " (this one)"
            } else {
                ""
            };
            page += &format!("{}{this}\n", device.id);
        }
    }
    Ok(page)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    let url = std::env::args().nth(1);
    let url = url.as_deref().unwrap_or("sqlite:sessions.db");

    // The oldest session makes room for a fourth login of the same person.
    let max = NonZeroU32::new(3).ok_or("three is not zero")?;
    let on_full = OnFull::EvictOldest;
    let stored = Stored::connect(url).await?;
    let stored = stored.sessions_per_subject(SubjectCap { max, on_full });
    // For plain http on this machine: behind https, leave the cookie as it is by default.
    let cookie = CookieConfig::new().insecure_dev().build()?;
    let layer = SessionLayer::new(stored).cookie(cookie);
    let sessions = layer.sessions();
    println!("{}", sessions.guarantees());
    // Frees what has expired, until the program ends.
    let _sweeper = sessions.sweep_every(Duration::from_secs(600));

    let app = Router::new()
        .route("/visits", get(visits))
        .route("/login/{name}", post(login))
        .route("/logout", post(logout))
        .route("/devices", get(devices))
        .with_state(sessions)
        .layer(layer);
    let port = std::env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}
