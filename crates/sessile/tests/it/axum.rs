//! The extractors, and what they answer when there is no session to be had.

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::header::{CACHE_CONTROL, RETRY_AFTER, SET_COOKIE};
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use serde::{Deserialize, Serialize};
use sessile::{Error, ErrorKind, Key, LazySession, Session, SessionLayer, SessionValue, Typed};
use tower::ServiceExt as _;

use crate::client::{Client, fresh, over};
use crate::probe::{Call, Probe};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Cart(Vec<u32>);

impl SessionValue for Cart {
    const KEY: Key<Self> = Key::new("cart");
}

async fn visits(session: Session) -> sessile::Result<String> {
    let visit = |n: &mut u64| {
        *n += 1;
        *n
    };
    Ok(format!("visit {}", session.update_now("n", visit).await?))
}

async fn maybe(session: Option<Session>) -> String {
    format!("{:?}", session.map(|session| session.keys()))
}

async fn cart(cart: Typed<Cart>) -> sessile::Result<String> {
    let before = cart.get()?;
    cart.update(|cart| cart.0.push(7))?;
    let after = cart.update_now(|cart| cart.0.len()).await?;
    Ok(format!("{before:?} {after}"))
}

async fn lazy(_: LazySession) -> &'static str {
    "lazy"
}

async fn forgiving(session: Result<Session, Error>) -> String {
    session.map_or_else(|error| error.kind().to_string(), |_| "fine".to_owned())
}

fn router() -> Router {
    Router::new()
        .route("/visits", get(visits))
        .route("/maybe", get(maybe))
        .route("/cart", get(cart))
        .route("/lazy", get(lazy))
        .route("/forgiving", get(forgiving))
}

async fn ask(app: &Router, client: &mut Client, path: &str) -> Response<String> {
    let mut request = client.request(Method::GET).map(Body::from);
    *request.uri_mut() = path.parse().unwrap();
    let answer = app.clone().oneshot(request).await.unwrap();
    client.keep(&answer);
    let (head, body) = answer.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Response::from_parts(head, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn every_extractor_gives_what_it_says() {
    for nested in [false, true] {
        let (layer, _) = fresh();
        let app = router().layer(layer);
        let (app, at) = match nested {
            true => (Router::new().nest("/app", app), "/app"),
            false => (app, ""),
        };
        let mut client = Client::default();
        for (path, expected, cookie) in [
            ("/maybe", "None", false),
            ("/lazy", "lazy", false),
            ("/visits", "visit 1", true),
            ("/visits", "visit 2", crate::RETOLD),
            ("/maybe", "Some([\"n\"])", false),
            ("/cart", "None 1", crate::RETOLD),
            ("/cart", "Some(Cart([7])) 2", crate::RETOLD),
            ("/maybe", "Some([\"cart\", \"n\"])", false),
        ] {
            let answer = ask(&app, &mut client, &format!("{at}{path}")).await;
            assert_eq!(answer.status(), StatusCode::OK);
            assert_eq!(answer.body(), expected);
            assert_eq!(answer.headers().contains_key(SET_COOKIE), cookie, "{path}");
        }
        // One who presents what opens nothing has no session, and gets none.
        let mut forger = Client::default();
        forger.present("s.forged");
        let answer = ask(&app, &mut forger, &format!("{at}/maybe")).await;
        assert_eq!(answer.body(), "None");
        assert!(!answer.headers().contains_key(SET_COOKIE));
    }
}

#[tokio::test]
async fn layers_inside_and_outside_of_a_nest_share_one_session() {
    let (layer, _) = fresh();
    let inner = router().layer(layer.clone());
    let app = Router::new()
        .merge(router())
        .nest("/inner", inner)
        .layer(layer);
    let mut client = Client::default();
    for (at, path) in ["/visits", "/inner/visits", "/visits"].iter().enumerate() {
        let answer = ask(&app, &mut client, path).await;
        assert_eq!(*answer.body(), format!("visit {}", at + 1));
    }
}

/// Where the store is away: always when there is a credential, and else only for a write.
async fn away() -> (SessionLayer, Client) {
    let probe = Probe::new();
    let (layer, _) = over(probe.clone());
    let mut client = Client::default();
    client.insert(&layer, "n", 1).await;
    probe.fail(Call::Open, ErrorKind::Unavailable);
    (layer, client)
}

#[tokio::test]
async fn a_store_that_is_away_is_503_for_every_extractor_that_needs_it() {
    let (layer, mut client) = away().await;
    let app = router().layer(layer);
    for path in ["/visits", "/maybe", "/cart"] {
        let answer = ask(&app, &mut client, path).await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(answer.body(), "", "the client learns nothing");
        assert!(answer.headers().contains_key(RETRY_AFTER));
        assert_eq!(answer.headers()[CACHE_CONTROL], "no-store");
        assert!(!answer.headers().contains_key(SET_COOKIE));
        let error = answer.extensions().get::<Error>().unwrap();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
    }
    assert_eq!(ask(&app, &mut client, "/lazy").await.body(), "lazy");
    let forgiving = ask(&app, &mut client, "/forgiving").await;
    assert_eq!(forgiving.body(), "unavailable");
    assert!(!forgiving.headers().contains_key(SET_COOKIE));
}

#[tokio::test]
async fn a_missing_layer_is_500_and_says_what_to_do() {
    let app = router();
    for path in ["/visits", "/maybe", "/cart", "/lazy"] {
        let answer = ask(&app, &mut Client::default(), path).await;
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(answer.body().contains("SessionLayer"), "{}", answer.body());
        let error = answer.extensions().get::<Error>().unwrap();
        assert_eq!(error.kind(), ErrorKind::MissingLayer);
    }
}

#[tokio::test]
async fn the_application_makes_the_page_of_a_rejection_and_of_a_failed_commit() {
    let (layer, client) = away().await;
    let page = |error: &Error, head: &http::response::Parts| {
        assert_eq!(head.status, error.status());
        let page = Response::builder()
            .status(error.status())
            .header("x-kind", error.kind().as_str())
            .header(CACHE_CONTROL, "public")
            .body(Body::from("my page"));
        page.ok()
    };
    let app = router().layer(layer.clone().on_error(page));
    let rejected = ask(&app, &mut client.clone(), "/visits").await;
    assert_eq!(rejected.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(rejected.headers()["x-kind"], "unavailable");

    // And where the handler was content, and the commit failed.
    let (layer, _) = fresh();
    let mut client = Client::default();
    client.insert(&layer, "n", 1).await;
    let sessions = layer.sessions();
    let write = async move |session: Session| {
        sessions.revoke(&session.id()).await.unwrap();
        session.insert("n", 2).unwrap();
        "content"
    };
    let app = Router::new().route("/", axum::routing::post(write));
    let app = app.layer(layer.on_error(page));
    let request: Request<Body> = client.request(Method::POST).map(Body::from);
    let failed = app.oneshot(request).await.unwrap();
    assert_eq!(failed.status(), StatusCode::CONFLICT);
    assert_eq!(failed.headers()["x-kind"], "gone");
    for head in [rejected.headers(), failed.headers()] {
        assert_eq!(head[CACHE_CONTROL], "no-store", "whatever the page said");
        assert!(!head.contains_key(SET_COOKIE));
    }
    assert_eq!(
        failed.extensions().get::<Error>().unwrap().kind(),
        ErrorKind::Gone
    );
    let body = failed.into_body().collect().await.unwrap();
    assert_eq!(body.to_bytes(), "my page");
}
