//! One program, three files of configuration: where sessions live is one word in them, and a
//! client that is logged in stays so from one to the next.
//!
//! ```text
//! cargo run -p swap -- sticky.toml      # in memory, with SQLite behind it
//! cargo run -p swap -- stored.toml      # in SQLite
//! cargo run -p swap -- token.toml       # in a token that the client holds
//! curl -c jar -b jar -X POST http://127.0.0.1:3000/login/ada
//! curl -c jar -b jar -X POST http://127.0.0.1:3000/cart/tea
//! curl -c jar -b jar http://127.0.0.1:3000/cart
//! ```
//!
//! `swap.sh` beside this does all of it. The handlers know nothing of where they are.

use std::error::Error;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use axum::Router;
use axum::extract;
use axum::routing::{get, post};
use sessile::{Key, Session, SessionConfig, SessionLayer};
use tokio::net::TcpListener;

const CART: Key<Vec<String>> = Key::new("cart");

async fn login(
    session: Session,
    extract::Path(name): extract::Path<String>,
) -> sessile::Result<()> {
    session.login(name)
}

async fn logout(session: Session) -> sessile::Result<()> {
    session.logout()
}

async fn add(session: Session, extract::Path(item): extract::Path<String>) -> sessile::Result<()> {
    session.update(CART, move |cart| cart.push(item.clone()))
}

async fn cart(session: Session) -> sessile::Result<String> {
    let name = session.subject();
    let cart = session.get(CART)?.unwrap_or_default();
    Ok(format!(
        "{}: {}\n",
        name.as_deref().unwrap_or("nobody"),
        cart.join(", ")
    ))
}

async fn layer(file: &Path) -> Result<SessionLayer, Box<dyn Error>> {
    let text = std::fs::read_to_string(file).map_err(|why| format!("{}: {why}", file.display()))?;
    let config: SessionConfig = toml::from_str(&text)?;
    Ok(config.build().await?)
}

async fn serve(file: &Path) -> Result<(), Box<dyn Error>> {
    let app = Router::new()
        .route("/login/{name}", post(login))
        .route("/logout", post(logout))
        .route("/cart", get(cart))
        .route("/cart/{item}", post(add))
        .layer(layer(file).await?);
    let port = std::env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}

/// The file of that name, here or beside this program's source.
fn find(name: &str) -> PathBuf {
    match Path::new(name) {
        here if here.exists() => here.to_owned(),
        name => Path::new(env!("CARGO_MANIFEST_DIR")).join(name),
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    let Some(name) = std::env::args().nth(1) else {
        eprintln!("swap: write which file: sticky.toml, stored.toml or token.toml");
        return ExitCode::from(2);
    };
    match serve(&find(&name)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("swap: {why}");
            ExitCode::FAILURE
        }
    }
}
