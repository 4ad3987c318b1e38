//! Sessions in a signed token: programs send it as a bearer token, browsers as a cookie, and both
//! come to the same routes.
//!
//! Tokens are short. A program keeps a refresh handle beside its token and redeems it for the next
//! one; the store holds these handles, and what was revoked.
//!
//! ```text
//! k=$(openssl rand 32 | basenc --base64url | tr -d '=')
//! echo '{"keys":[{"kty":"oct","alg":"HS256","kid":"2026-11","k":"'$k'"}]}' > keys.json
//! cargo run -p token-api -- keys.json redis://127.0.0.1
//!
//! curl -i -X POST http://127.0.0.1:3000/token/ada      # the token, and the handle in the body
//! curl -i -H 'Authorization: Bearer TOKEN' http://127.0.0.1:3000/visits
//! curl -i -X POST -d HANDLE http://127.0.0.1:3000/refresh
//! curl -c jar -b jar -X POST http://127.0.0.1:3000/login/ada
//! curl -c jar -b jar http://127.0.0.1:3000/visits
//! ```
//!
//! To rotate keys, write the file anew: the new key behind the old one, on every node; then before
//! it; then alone. With a key pair, such as an Ed25519 one, others verify the tokens by the public
//! halves under `/.well-known/jwks.json`.

mod routes;

use std::error::Error;
use std::net::Ipv4Addr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::{get, post};
use sessile::{
    Carrier, CookieConfig, JwksService, LiveKeys, Refresh, SessionLayer, Token, TokenKeys, connect,
};
use tokio::net::TcpListener;
use tokio::time::interval;

const ISSUER: &str = "https://app.example";
const LIFE: Duration = Duration::from_secs(5 * 60);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("usage: token-api KEYS [STORE]")?;
    let url = arguments.next().unwrap_or_else(|| "memory:".to_owned());

    let keys = LiveKeys::<TokenKeys>::from_jwk_set(file)?;
    tokio::spawn(watch(keys.clone()));
    let app = app(keys, &url).await?;

    let port = std::env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}

async fn app(keys: LiveKeys<TokenKeys>, url: &str) -> sessile::Result<Router> {
    let store = connect(url).await?;
    let refresh = Refresh::new(store.clone());
    let token = Token::signed(keys.clone())
        .issuer(ISSUER)
        .audience(ISSUER)
        .life(LIFE)
        .revocation(store)
        .build()?;
    // For plain http on this machine: behind https, leave the cookie as it is by default.
    let cookie = CookieConfig::new().insecure_dev().build()?;
    let layer = SessionLayer::new(token).cookie(cookie);
    let both = layer.clone().carriers([Carrier::Cookie, Carrier::Bearer]);
    // Whoever comes to these is a program: its first token is a bearer token, and no cookie.
    let bearer = layer.carriers([Carrier::Bearer]);

    let programs = Router::new()
        .route("/token/{subject}", post(routes::token))
        .route("/refresh", post(routes::refresh))
        .route("/end", post(routes::end))
        .layer(bearer);
    let everybody = Router::new()
        .route("/visits", get(routes::visits))
        .route("/whoami", get(routes::whoami))
        .route("/login/{subject}", post(routes::login))
        .route("/logout", post(routes::logout))
        .layer(both);
    let jwks: JwksService<Body> = JwksService::new(keys);
    Ok(programs
        .merge(everybody)
        .route_service("/.well-known/jwks.json", jwks)
        .with_state(refresh))
}

/// Reads the keys again when their file has changed. A bad file changes nothing.
async fn watch(keys: LiveKeys<TokenKeys>) {
    let mut ticks = interval(Duration::from_millis(500));
    loop {
        ticks.tick().await;
        match keys.reload() {
            Ok(true) => tracing::info!("the keys were read again"),
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "the keys stay as they were"),
        }
    }
}
