//! The cookie: which are refused, how it is read, how it is written, and what caches are told.

use http::header::{AUTHORIZATION, COOKIE, SET_COOKIE};
use http::{HeaderValue, Method, Request, StatusCode};
use sessile::{CookieConfig, ErrorKind, SameSite, Session, SessionLayer, Unchecked};

use crate::client::{Client, count, fresh, look, send};

type Unbuilt = CookieConfig<Unchecked>;
/// Makes a header of this size.
type Make = fn(usize) -> String;

fn named(name: &str) -> Unbuilt {
    CookieConfig::new().name(name)
}

async fn line(config: Unbuilt) -> String {
    let layer = fresh().0.cookie(config.build().unwrap());
    let answer = Client::default()
        .post(&layer, async |session| session.insert("a", 1))
        .await;
    answer.headers()[SET_COOKIE].to_str().unwrap().to_owned()
}

fn attributes(line: &str) -> &str {
    line.split_once("; ").unwrap().1
}

#[tokio::test]
async fn the_default_cookie_is_host_bound_secure_http_only_and_lax() {
    let line = line(CookieConfig::new()).await;
    assert!(line.starts_with(&format!("__Host-sid={}", crate::LABEL)));
    assert_eq!(attributes(&line), "Path=/; Secure; HttpOnly; SameSite=Lax");
    let value = line["__Host-sid=".len()..].split(';').next().unwrap();
    assert!(
        value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    );
}

#[tokio::test]
async fn same_site_is_always_written() {
    for (same_site, text) in [
        (SameSite::Strict, "SameSite=Strict"),
        (SameSite::Lax, "SameSite=Lax"),
        (SameSite::None, "SameSite=None"),
    ] {
        let line = line(CookieConfig::new().same_site(same_site)).await;
        assert!(attributes(&line).ends_with(text));
    }
}

#[test]
fn impossible_and_unprotected_cookies_are_refused() {
    let long = "x".repeat(1025);
    let bad: [(&str, Unbuilt); 26] = [
        ("B01", named("__Host-a").path("/a")),
        ("B01", named("__Host-a").secure(false)),
        ("B01", named("__Host-a").domain("example.org")),
        ("B02", named("sid").domain("example.org")),
        ("B03", named("__host-a").path("/a")),
        ("B03", named("__HOST-a").domain("example.org")),
        ("B03", named("__SECURE-a").secure(false)),
        ("B05", named("a").secure(false).same_site(SameSite::None)),
        ("B05", named("a").insecure_dev().same_site(SameSite::None)),
        ("B06", named("__Secure-a").path(format!("/{long}"))),
        ("B06", named(&long)),
        ("B09", named("")),
        ("B09", named("a b")),
        ("B09", named("a=b")),
        ("B09", named("a;b")),
        ("B09", named("a\r\nSet-Cookie: b")),
        ("B09", named("käse")),
        ("B09", named("a").path("/;Domain=evil")),
        ("B09", named("a").path("/\r\n")),
        ("B09", named("a").path("a")),
        ("B09", named("__Secure-a").domain("evil.org; Path=/")),
        ("B09", named("__Secure-a").domain("")),
        ("B09", named("__Secure-a").domain("a\nb")),
        ("B17", named("a").insecure_dev().partitioned()),
        ("B18", named("__Http-a").http_only(false)),
        ("B18", named("__Host-Http-a").path("/a")),
    ];
    for (rule, config) in bad {
        let shown = format!("{rule}: {config:?}");
        let error = config.build().expect_err(&shown);
        assert_eq!(error.kind(), ErrorKind::Invalid, "{shown}");
        assert!(!error.to_string().is_empty());
    }
}

#[tokio::test]
async fn cookies_that_keep_the_rules_of_their_names_are_taken() {
    for (config, expected) in [
        (
            named("__Secure-a").domain("example.org").path("/shop"),
            "Path=/shop; Domain=example.org; Secure; HttpOnly; SameSite=Lax",
        ),
        (
            named("__Http-a").path("/a"),
            "Path=/a; Secure; HttpOnly; SameSite=Lax",
        ),
        (
            named("__Host-Http-a"),
            "Path=/; Secure; HttpOnly; SameSite=Lax",
        ),
        (named("a").http_only(false), "Path=/; Secure; SameSite=Lax"),
        (
            named("__Host-a").partitioned().same_site(SameSite::None),
            "Path=/; Secure; HttpOnly; SameSite=None; Partitioned",
        ),
    ] {
        assert_eq!(attributes(&line(config).await), expected);
    }
}

#[tokio::test]
async fn plain_http_is_an_explicit_call_that_drops_prefix_and_secure_together() {
    let line = line(CookieConfig::new().insecure_dev()).await;
    assert!(line.starts_with("sid="));
    assert_eq!(attributes(&line), "Path=/; HttpOnly; SameSite=Lax");
    // No header of the request switches it.
    let (layer, _) = fresh();
    for (name, value) in [("host", "localhost"), ("x-forwarded-proto", "http")] {
        let request = Request::builder().header(name, value).body(String::new());
        let answer = send(&layer, request.unwrap(), async |session| {
            session.insert("a", 1)
        })
        .await;
        let line = answer.headers()[SET_COOKIE].to_str().unwrap();
        assert!(line.starts_with("__Host-sid=") && line.contains("; Secure"));
    }
}

#[tokio::test]
async fn a_removal_repeats_every_attribute_and_leaves_the_jar_empty() {
    for config in [
        CookieConfig::new(),
        CookieConfig::new().insecure_dev(),
        named("__Secure-a")
            .domain("example.org")
            .path("/a")
            .same_site(SameSite::Strict),
        CookieConfig::new().partitioned().persistent(),
    ] {
        let layer = fresh().0.cookie(config.build().unwrap());
        let mut client = Client::default();
        client.insert(&layer, "a", 1).await;
        // The client compares the attributes.
        let answer = client.post(&layer, async |session| session.logout()).await;
        let line = answer.headers()[SET_COOKIE].to_str().unwrap();
        assert_eq!(line.matches("Max-Age=0").count(), 1);
        assert!(!client.request(Method::GET).headers().contains_key(COOKIE));
    }
}

/// What a request with these headers finds.
async fn finds(layer: &SessionLayer, lines: &[(http::HeaderName, String)]) -> String {
    let mut request = Request::new(String::new());
    for (name, value) in lines {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        request.headers_mut().append(name, value);
    }
    let look = async |session: Session| look(&session);
    send(layer, request, look).await.into_body()
}

#[tokio::test]
async fn the_cookie_is_read_from_many_lines_and_by_its_exact_name() {
    let (layer, _) = fresh();
    let mut client = Client::default();
    client.insert(&layer, "a", 1).await;
    let good = client.credential().unwrap();
    let found = "nobody a=1 resumed";
    for (lines, expected) in [
        (vec![format!("__Host-sid={good}")], found),
        (
            vec![
                "x=1".into(),
                format!("y=2; __Host-sid={good}"),
                "z=3".into(),
            ],
            found,
        ),
        (vec![format!("__Host-sid={good}; __Host-sid={good}")], found),
        (
            vec![format!("__Host-sid={good}"), format!("__Host-sid={good}")],
            found,
        ),
        (vec![format!("__HOST-sid={good}")], "nobody new"),
        (
            vec![format!("__host-sid={good}; sid={good}; x__Host-sid={good}")],
            "nobody new",
        ),
        (vec![format!("__Host-sid={good}x")], "nobody unknown"),
        (vec![format!("__Host-sid=\"{good}\"")], "nobody unknown"),
        (
            vec![format!("__Host-sid={}", good.to_uppercase())],
            "nobody unknown",
        ),
        (vec!["__Host-sid=".into()], "nobody unknown"),
        (
            vec![format!("__Host-sid={good}, __Host-sid={good}")],
            "nobody unknown",
        ),
    ] {
        let lines: Vec<_> = lines.into_iter().map(|line| (COOKIE, line)).collect();
        assert_eq!(finds(&layer, &lines).await, expected, "{lines:?}");
    }
}

#[tokio::test]
async fn of_two_different_cookies_of_our_name_none_is_believed_in_either_order() {
    let (layer, _) = fresh();
    let (mut victim, mut attacker) = (Client::default(), Client::default());
    victim.login(&layer, "victim").await;
    attacker.login(&layer, "attacker").await;
    let (a, b) = (victim.credential().unwrap(), attacker.credential().unwrap());
    for (first, second) in [(a, b), (b, a), (a, "x"), ("", a)] {
        let one = [(COOKIE, format!("__Host-sid={first}; __Host-sid={second}"))];
        let two = [first, second].map(|value| (COOKIE, format!("__Host-sid={value}")));
        assert_eq!(finds(&layer, &one).await, "nobody unknown");
        assert_eq!(finds(&layer, &two).await, "nobody unknown");
    }
}

#[tokio::test]
async fn a_credential_anywhere_but_in_the_cookie_is_ignored() {
    let (layer, _) = fresh();
    let mut client = Client::default();
    client.insert(&layer, "a", 1).await;
    let good = client.credential().unwrap();
    let request = Request::post(format!("/{good}?__Host-sid={good}&sid={good}"))
        .header(AUTHORIZATION, format!("Bearer {good}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-session", good)
        .body(format!("__Host-sid={good}"))
        .unwrap();
    let answer = send(&layer, request, async |session| look(&session)).await;
    assert_eq!(answer.body(), "nobody new");
}

#[tokio::test]
async fn a_hostile_header_is_read_in_linear_time_makes_no_record_and_is_not_echoed() {
    let (layer, _) = fresh();
    let shapes: [(&str, Make); 6] = [
        ("quotes", |size| "\"\\".repeat(size / 2)),
        ("semicolons", |size| ";".repeat(size)),
        ("equals", |size| "=".repeat(size)),
        ("spaces", |size| " ".repeat(size)),
        ("names", |size| "__Host-sid;".repeat(size / 11)),
        ("value", |size| format!("__Host-sid={}", "A".repeat(size))),
    ];
    for (shape, make) in shapes {
        // A quadratic reader would need ten billion steps for the tenfold size: more than the
        // test may take. A linear one needs a few hundred thousand.
        for size in [100 << 10, 1 << 20] {
            let found = finds(&layer, &[(COOKIE, make(size))]).await;
            assert!(
                ["nobody new", "nobody unknown"].contains(&&*found),
                "{shape}"
            );
        }
    }
    let raw = [b'_', 0xff, 0xfe, b';', b' ', b'=', 0x80];
    let mut request = Request::new(String::new());
    request
        .headers_mut()
        .insert(COOKIE, HeaderValue::from_bytes(&raw).unwrap());
    let answer = send(&layer, request, async |session| session.insert("a", 1)).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(count(&layer).await, 1);
}
