//! A shopping cart: keys of a session with their types.
//!
//! Two ways to say once, at compile time, what is under a key: [`SessionValue`] for a type that
//! has a key of its own, with the extractor [`Typed`], and a [`Key`] for any other.
//!
//! ```text
//! cargo run -p typed
//! curl -c jar -b jar -X POST http://127.0.0.1:3000/cart/tea
//! curl -c jar -b jar -X PUT http://127.0.0.1:3000/coupon/SPRING
//! curl -c jar -b jar http://127.0.0.1:3000/cart
//! ```

use std::collections::BTreeMap;
use std::error::Error;
use std::net::Ipv4Addr;

use axum::extract::Path;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use sessile::{CookieConfig, Key, Session, SessionLayer, SessionValue, Sticky, Typed};
use tokio::net::TcpListener;

/// How many of which article.
#[derive(Debug, Default, Deserialize, Serialize)]
struct Cart(BTreeMap<String, u32>);

impl SessionValue for Cart {
    const KEY: Key<Self> = Key::new("cart");
}

const COUPON: Key<String> = Key::new("coupon");

#[derive(Debug, Serialize)]
struct Order {
    articles: Cart,
    coupon: Option<String>,
}

async fn show(cart: Typed<Cart>) -> sessile::Result<Json<Order>> {
    Ok(Json(Order {
        articles: cart.get()?.unwrap_or_default(),
        coupon: cart.session().get(COUPON)?,
    }))
}

/// Two tabs that add at once add two: the closure runs again should the cart have changed.
async fn add(cart: Typed<Cart>, Path(article): Path<String>) -> sessile::Result<Json<u32>> {
    let count = cart.update(move |cart| {
        let count = cart.0.entry(article.clone()).or_default();
        *count += 1;
        *count
    })?;
    Ok(Json(count))
}

async fn drop_article(
    cart: Typed<Cart>,
    Path(article): Path<String>,
) -> sessile::Result<Json<bool>> {
    cart.update(move |cart| cart.0.remove(&article).is_some())
        .map(Json)
}

async fn set_coupon(session: Session, Path(coupon): Path<String>) -> sessile::Result<()> {
    session.insert(COUPON, coupon)
}

/// Of two clicks on "buy" one gets the cart, and the other an empty one.
async fn buy(session: Session) -> sessile::Result<Json<Order>> {
    Ok(Json(Order {
        articles: session.take_now(Cart::KEY).await?.unwrap_or_default(),
        coupon: session.take_now(COUPON).await?,
    }))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    // For plain http on this machine: behind https, leave the cookie as it is by default.
    let cookie = CookieConfig::new().insecure_dev().build()?;
    let app = Router::new()
        .route("/cart", get(show))
        .route("/cart/{article}", post(add).delete(drop_article))
        .route("/coupon/{coupon}", put(set_coupon))
        .route("/buy", post(buy))
        .layer(SessionLayer::new(Sticky::new()).cookie(cookie));

    let port = std::env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}
