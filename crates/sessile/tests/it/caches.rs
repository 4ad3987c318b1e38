//! What caches are told of a response that has to do with a session.

use http::Response;
use http::header::{CACHE_CONTROL, SET_COOKIE, VARY};
use sessile::Session;

use crate::client::{Client, fresh};

#[tokio::test]
async fn a_response_with_our_cookie_is_stored_by_no_cache_whatever_its_status() {
    for (given, expected) in [
        (None, "no-store"),
        (Some("public, s-maxage=600"), "no-store"),
        (Some("private, max-age=60"), "no-store"),
        (Some("no-cache, no-store"), "no-cache, no-store"),
    ] {
        for status in [200, 302, 401] {
            let (layer, _) = fresh();
            let answer = Client::default()
                .post(&layer, async |session| {
                    session.insert("a", 1).unwrap();
                    let mut response = Response::builder().status(status);
                    if let Some(given) = given {
                        response = response.header(CACHE_CONTROL, given);
                    }
                    response.body(String::new()).unwrap()
                })
                .await;
            assert_eq!(answer.headers().get_all(CACHE_CONTROL).iter().count(), 1);
            assert_eq!(answer.headers()[CACHE_CONTROL], expected);
        }
    }
}

#[tokio::test]
async fn any_use_says_vary_cookie_once_and_keeps_what_is_there() {
    let (layer, _) = fresh();
    let mut client = Client::default();
    client.insert(&layer, "a", 1).await;
    let uses: [fn(&Session); 6] = [
        |session| _ = session.get::<u64>("a").unwrap(),
        |session| _ = session.contains("a"),
        |session| _ = session.is_empty(),
        |session| _ = session.subject(),
        |session| _ = session.arrival(),
        |_| {},
    ];
    for (given, expected) in [
        (vec![], "cookie"),
        (vec!["accept, origin"], "accept, origin|cookie"),
        (vec!["accept", "Cookie"], "accept|Cookie"),
        (vec!["*"], "*"),
    ] {
        for usage in uses {
            for mut client in [client.clone(), Client::default()] {
                let answer = client
                    .get(&layer, async |session| {
                        usage(&session);
                        let mut response = Response::new(String::new());
                        for value in &given {
                            response.headers_mut().append(VARY, value.parse().unwrap());
                        }
                        response
                    })
                    .await;
                let lines = answer.headers().get_all(VARY).iter();
                let lines: Vec<_> = lines.map(|line| line.to_str().unwrap()).collect();
                assert_eq!(lines.join("|"), expected);
                assert!(!answer.headers().contains_key(CACHE_CONTROL));
            }
        }
    }
}

#[tokio::test]
async fn one_set_cookie_per_name_even_when_the_application_set_one() {
    let (layer, _) = fresh();
    let mut client = Client::default();
    for op in [
        |session: Session| session.insert("a", 1),
        |session: Session| session.logout(),
    ] {
        let answer = client
            .post(&layer, async |session| {
                op(session).unwrap();
                Response::builder()
                    .header(SET_COOKIE, "__Host-sid=planted; Path=/; Secure")
                    .header(SET_COOKIE, "theme=dark")
                    .header(SET_COOKIE, "__Host-sid=again")
                    .header(SET_COOKIE, "__Host-sidekick=1")
                    .body(String::new())
                    .unwrap()
            })
            .await;
        let lines = answer.headers().get_all(SET_COOKIE).iter();
        let lines: Vec<_> = lines.map(|line| line.to_str().unwrap()).collect();
        assert_eq!(lines[..2], ["theme=dark", "__Host-sidekick=1"]);
        assert_eq!(lines.len(), 3, "{lines:?}");
    }
}
