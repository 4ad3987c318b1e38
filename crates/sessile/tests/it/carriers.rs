//! The credential travels as a bearer token or in a header, beside the cookie or instead of it.

use http::header::{AUTHORIZATION, COOKIE, SET_COOKIE, VARY, WWW_AUTHENTICATE};
use http::{Method, Request, Response, StatusCode};
use sessile::{Carrier, ErrorKind, Session, SessionLayer};

use crate::client::{Client, Reply, fresh, look, send};

fn all() -> SessionLayer {
    let header = Carrier::header("X-Session").unwrap();
    fresh()
        .0
        .carriers([Carrier::Cookie, Carrier::Bearer, header])
}

fn bearer(token: &str) -> (&'static str, String) {
    (AUTHORIZATION.as_str(), format!("Bearer {token}"))
}

async fn ask<R: Reply>(
    layer: &SessionLayer,
    headers: &[(&str, String)],
    handler: impl AsyncFnOnce(Session) -> R,
) -> Response<String> {
    let mut request = Request::builder().method(Method::POST).uri("/");
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    send(layer, request.body(String::new()).unwrap(), handler).await
}

fn token(response: &Response<String>) -> String {
    let value = response.headers()["session-token"].to_str().unwrap();
    value.to_owned()
}

#[tokio::test]
async fn a_bearer_is_served_from_login_to_logout_without_a_cookie() {
    let layer = fresh().0.carriers([Carrier::Bearer]);
    let answer = ask(&layer, &[], async |session| session.login("alice")).await;
    let mine = token(&answer);
    assert_eq!(
        answer.headers()["access-control-expose-headers"],
        "session-token"
    );
    assert_eq!(answer.headers()["cache-control"], "no-store");
    assert_eq!(answer.headers()[VARY], "authorization");
    let answer = ask(&layer, &[bearer(&mine)], async |session| look(&session)).await;
    assert_eq!(answer.body(), "alice resumed");
    assert!(
        !answer.headers().contains_key("session-token"),
        "nothing changed"
    );
    let answer = ask(&layer, &[bearer(&mine)], async |session| session.logout()).await;
    assert_eq!(token(&answer), "");
    assert!(!answer.headers().contains_key(SET_COOKIE));
    let answer = ask(&layer, &[bearer(&mine)], async |session| look(&session)).await;
    assert_eq!(answer.body(), "nobody ended");
}

#[tokio::test]
async fn the_answer_goes_out_the_way_the_credential_came_in() {
    let layer = all();
    let mut browser = Client::default();
    browser.login(&layer, "alice").await;
    assert!(
        browser.credential().is_some(),
        "the first carrier is for those who bring none"
    );

    let by_bearer = fresh().0.carriers([Carrier::Bearer, Carrier::Cookie]);
    let mine = token(&ask(&by_bearer, &[], async |session| session.login("bob")).await);
    let answer = ask(&by_bearer, &[bearer(&mine)], async |session| {
        session.renew()
    })
    .await;
    assert_ne!(token(&answer), mine);
    assert!(!answer.headers().contains_key(SET_COOKIE));

    let header = fresh().0.carriers([Carrier::header("X-Session").unwrap()]);
    let answer = ask(&header, &[], async |session| session.login("carol")).await;
    let mine = answer.headers()["x-session"].to_str().unwrap().to_owned();
    let answer = ask(&header, &[("x-session", mine)], async |session| {
        look(&session)
    })
    .await;
    assert_eq!(answer.body(), "carol resumed");
    assert_eq!(answer.headers()[VARY], "x-session");
}

#[tokio::test]
async fn who_brings_two_credentials_is_refused_and_neither_is_believed() {
    let layer = all();
    let mut alice = Client::default();
    alice.login(&layer, "alice").await;
    let mine = alice.credential().unwrap().to_owned();
    let cookie = (COOKIE.as_str(), format!("__Host-sid={mine}"));
    for headers in [
        vec![cookie.clone(), bearer(&mine)],
        vec![bearer(&mine), ("x-session", mine.clone())],
        vec![bearer(&mine), bearer(&mine)],
        vec![(AUTHORIZATION.as_str(), format!("Bearer  {mine}"))],
    ] {
        let answer = ask(&layer, &headers, async |session| look(&session)).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{headers:?}");
        let error = answer.extensions().get::<sessile::Error>().unwrap();
        assert_eq!(error.kind(), ErrorKind::Ambiguous);
        assert_eq!(
            answer.headers()[WWW_AUTHENTICATE],
            "Bearer error=\"invalid_request\""
        );
        assert!(!answer.headers().contains_key(SET_COOKIE));
    }
    let basic = (AUTHORIZATION.as_str(), "Basic YTpi".to_owned());
    let answer = ask(&layer, &[cookie, basic], async |session| look(&session)).await;
    assert_eq!(answer.body(), "alice resumed", "another scheme is not ours");
}

#[tokio::test]
async fn a_refusal_says_how_to_authenticate_and_not_why_it_failed() {
    let layer = all();
    let refuse = async |session: Session| match session.subject() {
        Some(_) => StatusCode::OK,
        None => StatusCode::UNAUTHORIZED,
    };
    let challenged = async |headers: &[(&str, String)]| {
        let answer = ask(&layer, headers, refuse).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        answer.headers()[WWW_AUTHENTICATE]
            .to_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(challenged(&[]).await, "Bearer");
    let forged = fresh().0.carriers([Carrier::Bearer]);
    let stranger = token(&ask(&forged, &[], async |session| session.login("x")).await);
    let mine = token(
        &ask(&forged, &[bearer(&stranger)], async |session| {
            session.renew()
        })
        .await,
    );
    for bad in ["x", &stranger, &mine] {
        let said = challenged(&[bearer(bad)]).await;
        assert_eq!(said, "Bearer error=\"invalid_token\"");
    }
    let cookies = fresh().0;
    let answer = ask(&cookies, &[], refuse).await;
    assert!(
        !answer.headers().contains_key(WWW_AUTHENTICATE),
        "no bearer was asked for"
    );
}

#[tokio::test]
async fn what_a_client_keeps_of_a_logout_is_no_credential() {
    let layer = all();
    let mut alice = Client::default();
    alice.login(&layer, "alice").await;
    let mine = alice.credential().unwrap();
    let cookie = (COOKIE.as_str(), format!("__Host-sid={mine}"));
    for empty in [
        ("x-session", String::new()),
        bearer(""),
        (AUTHORIZATION.as_str(), "bearer".to_owned()),
    ] {
        let alone = ask(&layer, std::slice::from_ref(&empty), async |session| {
            look(&session)
        })
        .await;
        assert_eq!(alone.body(), "nobody new", "{empty:?}");
        let answer = ask(&layer, &[cookie.clone(), empty], async |session| {
            look(&session)
        })
        .await;
        assert_eq!(answer.body(), "alice resumed");
    }
}

#[test]
fn a_carriers_header_is_one_of_its_own() {
    for bad in [
        "",
        "a b",
        "x:y",
        "Authorization",
        "cookie",
        "Set-Cookie",
        "Content-Type",
        "Content-Length",
        "Transfer-Encoding",
        "Connection",
        "Host",
        "Vary",
        "Cache-Control",
        "Location",
        "Session-Token",
        "Access-Control-Allow-Origin",
        "WWW-Authenticate",
        "Date",
        "Server",
        "Upgrade",
        "Trailer",
        "TE",
        "X-Forwarded-For",
        "If-Match",
        "Accept",
    ] {
        let error = Carrier::header(bad).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{bad}");
    }
    assert_eq!(
        format!("{:?}", Carrier::header("X-A").unwrap()),
        "header:x-a"
    );
}
