//! Keys and values: which are taken, how they come back, and what does not fit.

use http::StatusCode;
use serde::{Deserialize, Serialize};
use sessile::{ErrorKind, Key};

use crate::client::{Client, count, fresh};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Profile {
    name: String,
    big: u64,
    zero: f64,
    none: Option<String>,
}

#[tokio::test]
async fn values_come_back_as_they_went_in() {
    let (layer, _) = fresh();
    let mut client = Client::default();
    let profile = Profile {
        name: "käse \"\\ \0 \u{10ffff}".into(),
        big: u64::MAX,
        zero: -0.0,
        none: None,
    };
    let keys = [
        "a",
        "it's",
        "a \"quoted\" \\ key",
        "$.path[0]",
        "käse",
        "null",
    ];
    client
        .post(&layer, async |session| {
            for key in keys {
                session.insert(key, &profile)?;
            }
            sessile::Result::Ok(())
        })
        .await;
    client
        .get(&layer, async |session| {
            for key in keys {
                let back: Profile = session.get(key).unwrap().unwrap();
                assert_eq!(back, profile);
                assert!(back.zero.is_sign_negative());
            }
        })
        .await;
}

#[tokio::test]
async fn an_undecodable_value_harms_only_its_own_key() {
    const AGE: Key<u64> = Key::new("age");
    let (layer, _) = fresh();
    let mut client = Client::default();
    client
        .post(&layer, async |session| {
            session.insert("age", "old")?;
            session.insert("b", 2)
        })
        .await;
    client
        .post(&layer, async |session| {
            for error in [
                session.get(AGE).unwrap_err(),
                session.take(AGE).unwrap_err(),
                session.take_now(AGE).await.unwrap_err(),
                session.update(AGE, |age| *age += 1).unwrap_err(),
                session.update_now(AGE, |age| *age += 1).await.unwrap_err(),
            ] {
                assert_eq!(error.kind(), ErrorKind::Decode);
                assert!(!format!("{error:?} {error}").contains("old"));
            }
            assert!(session.contains(AGE));
            session.update("b", |b: &mut u64| *b += 1)
        })
        .await;
    assert_eq!(client.look(&layer).await, "nobody age=\"old\" b=3 resumed");
    client
        .post(&layer, async |session| session.insert(AGE, 7))
        .await;
    assert_eq!(client.look(&layer).await, "nobody age=7 b=3 resumed");
}

#[tokio::test]
async fn impossible_keys_are_refused_wherever_they_are_given() {
    let (layer, _) = fresh();
    let longest = "k".repeat(128);
    let long = "k".repeat(129);
    let answer = Client::default()
        .post(&layer, async |session| {
            for bad in ["", "a\nb", "a\0", "\u{7f}", "\u{85}", &long] {
                let owned = bad.to_owned();
                let tries = [
                    session.insert(bad, 1),
                    session.remove(bad).map(drop),
                    session.update(bad, |_: &mut u64| {}),
                    session.insert(bad.to_owned(), 1),
                    session.insert(&owned, 1),
                ];
                for tried in tries {
                    assert_eq!(tried.unwrap_err().kind(), ErrorKind::Invalid, "{bad:?}");
                }
                assert!(!session.contains(bad));
            }
            let error = session.insert(Key::new("a\nb"), 1).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            let error = session.insert("map", std::collections::BTreeMap::from([((1, 2), 3)]));
            assert_eq!(error.unwrap_err().kind(), ErrorKind::Encode);
            assert!(session.is_empty());
            session.insert(&longest, 1)
        })
        .await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(count(&layer).await, 1);
}

#[tokio::test]
async fn what_does_not_fit_is_refused_with_the_bytes_that_are_left() {
    const LIMIT: usize = 64 * 1024;
    let (layer, _) = fresh();
    let mut client = Client::default();
    let text = |length: usize| "x".repeat(length - 2); // and two quotes
    client
        .post(&layer, async |session| {
            session.insert("half", text(LIMIT / 2 - 4))
        })
        .await;
    let answer = client
        .post(&layer, async |session| {
            let error = session.insert("rest", text(LIMIT / 2 - 3)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TooLarge);
            let left = (LIMIT / 2 - 4).to_string();
            assert!(error.to_string().contains(&left), "{error}");
            let grow = |value: &mut String| *value = "y".repeat(70_000);
            let error = session.update("half", grow).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TooLarge);
            assert!(session.contains("half") && !session.contains("rest"));
            session.insert("rest", text(LIMIT / 2 - 4))?;
            let error = session.insert("x", 1).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TooLarge);
            // What gets smaller always fits.
            session.insert("half", 1)
        })
        .await;
    assert_eq!(answer.status(), StatusCode::OK);
    let error = Client::default()
        .post(&layer, async |session| session.insert("a", text(LIMIT + 1)))
        .await;
    assert_eq!(error.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(count(&layer).await, 1);
}
