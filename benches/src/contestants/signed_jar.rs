//! What one writes by hand: the session as JSON in axum-extra's signed cookie jar.

use std::collections::BTreeMap;

use axum::{Router, body::Body, extract::RawQuery, routing::get};
use axum_extra::extract::cookie::{Cookie, Key, SameSite, SignedCookieJar};
use serde_json::Value;

use super::{Contestant, serve};
use crate::{
    seen,
    workload::{CART, COUNT, IGNORE, INSERT, READ, SIGN_IN, THEME},
};

const NAME: &str = "__Host-sid";

type Data = BTreeMap<String, Value>;

pub async fn start() -> impl Contestant {
    let app: Router = Router::new()
        .route(IGNORE, get(ignore))
        .route(READ, get(read))
        .route(COUNT, get(count))
        .route(INSERT, get(insert))
        .route(SIGN_IN, get(sign_in))
        .with_state(Key::from(&[7; 64]));
    serve(app.into_service::<Body>())
}

async fn ignore() {}

async fn read(jar: SignedCookieJar) {
    seen::report(n(&load(&jar)));
}

async fn count(jar: SignedCookieJar) -> SignedCookieJar {
    let mut data = load(&jar);
    let next = n(&data).unwrap_or(0) + 1;
    data.insert("n".to_owned(), next.into());
    seen::report(Some(next));
    save(jar, &data)
}

async fn insert(jar: SignedCookieJar) -> SignedCookieJar {
    save(jar, &Data::from([("n".to_owned(), 1.into())]))
}

async fn sign_in(jar: SignedCookieJar, RawQuery(user): RawQuery) -> SignedCookieJar {
    let data = [
        ("user", user.into()),
        ("theme", THEME.into()),
        ("cart", CART.to_vec().into()),
        ("n", 1.into()),
    ];
    save(
        jar,
        &data.map(|(key, value)| (key.to_owned(), value)).into(),
    )
}

fn load(jar: &SignedCookieJar) -> Data {
    jar.get(NAME)
        .and_then(|cookie| serde_json::from_str(cookie.value()).ok())
        .unwrap_or_default()
}

fn save(jar: SignedCookieJar, data: &Data) -> SignedCookieJar {
    let json = serde_json::to_string(data).expect("plain data");
    jar.add(
        Cookie::build((NAME, json))
            .path("/")
            .secure(true)
            .http_only(true)
            .same_site(SameSite::Lax),
    )
}

fn n(data: &Data) -> Option<u64> {
    data.get("n")?.as_u64()
}
