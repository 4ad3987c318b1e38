//! Orders of events that session crates stumble over.

use http::Method;
use http::header::SET_COOKIE;
use sessile::{CookieConfig, LazySession};
use tower::{Layer as _, ServiceExt as _, service_fn};

use crate::client::{Client, count, fresh, look, minutes, over, send_lazy};
use crate::probe::Probe;

#[tokio::test]
async fn renew_and_then_insert_is_one_session_with_both() {
    let (layer, _) = fresh();
    let mut client = Client::default();
    // On a visitor without a session there is nothing to renew.
    client
        .post(&layer, async |session| {
            session.renew()?;
            session.insert("a", 1)
        })
        .await;
    let first = client.credential().unwrap().to_owned();
    client
        .post(&layer, async |session| {
            session.renew()?;
            session.insert("b", 2)
        })
        .await;
    assert_ne!(client.credential().unwrap(), first);
    assert_eq!(client.look(&layer).await, "nobody a=1 b=2 resumed");
    assert_eq!(count(&layer).await, 1);
}

#[tokio::test]
async fn insert_renew_destroy_insert_ends_as_a_new_session_with_the_last_insert() {
    for committing in [false, true] {
        let (layer, _) = fresh();
        let mut client = Client::default();
        client.insert(&layer, "old", 1).await;
        let old = client.clone();
        client
            .post(&layer, async |session| {
                session.insert("a", 1)?;
                if committing {
                    session.commit().await?;
                }
                session.renew()?;
                session.destroy()?;
                if committing {
                    session.commit().await?;
                }
                session.insert("b", 2)
            })
            .await;
        assert_eq!(client.look(&layer).await, "nobody b=2 resumed");
        assert_eq!(old.clone().look(&layer).await, "nobody ended");
        assert_eq!(count(&layer).await, 1);
    }
}

#[tokio::test]
async fn removing_the_last_key_keeps_the_session() {
    let (layer, _) = fresh();
    let mut client = Client::default();
    client.insert(&layer, "a", 1).await;
    let before = client.credential().unwrap().to_owned();
    let answer = client
        .post(&layer, async |session| {
            let was_there = session.remove("a").unwrap();
            format!("{was_there} {}", session.is_empty())
        })
        .await;
    assert_eq!(answer.body(), "true true");
    assert_eq!(answer.headers().contains_key(SET_COOKIE), crate::RETOLD);
    assert_eq!(client.credential().unwrap() != before, crate::RETOLD);
    assert_eq!(client.look(&layer).await, "nobody resumed");
}

#[tokio::test]
async fn an_explicit_commit_and_the_automatic_one_are_one_write() {
    let probe = Probe::new();
    let (layer, _) = over(probe.clone());
    let mut client = Client::default();
    client.insert(&layer, "a", 1).await;
    probe.calls();
    let commit = async |session: sessile::Session| {
        session.insert("a", 2)?;
        session.commit().await
    };
    client.post(&layer, commit).await;
    assert_eq!(probe.calls(), 2, "one to open, one to write");
}

#[tokio::test]
async fn an_expired_id_and_an_insert_make_a_new_id_and_one_record() {
    let (layer, clock) = fresh();
    let mut client = Client::default();
    client.insert(&layer, "a", 1).await;
    let old = client.credential().unwrap().to_owned();
    clock.advance(minutes(30));
    let answer = client
        .post(&layer, async |session| {
            let arrival = session.arrival();
            session.insert("b", 2)?;
            Ok::<_, sessile::Error>(arrival.to_string())
        })
        .await;
    assert_eq!(answer.body(), "expired");
    assert_ne!(client.credential().unwrap()[..24], old[..24]);
    assert_eq!(client.look(&layer).await, "nobody b=2 resumed");
    assert_eq!(count(&layer).await, 1);
}

#[tokio::test]
async fn two_layers_of_different_names_are_two_sessions_side_by_side() {
    let named = |name: &str| CookieConfig::new().name(name).build().unwrap();
    let (outer, _) = fresh();
    let outer = outer.cookie(named("__Host-shop"));
    let (inner, _) = fresh();
    let app = outer.layer(
        inner.layer(service_fn(async |request: http::Request<String>| {
            let ext = request.extensions();
            assert!(LazySession::named(ext, "other").is_none());
            let shop = LazySession::named(ext, "__Host-shop").unwrap();
            let sid = ext.get::<LazySession>().unwrap();
            assert_eq!(sid.name(), "__Host-sid", "the innermost is the default");
            let (shop, sid) = (shop.load().await?, sid.load().await?);
            let count = async |session: &sessile::Session, by| {
                session
                    .update_now("n", move |n: &mut u64| {
                        *n += by;
                        *n
                    })
                    .await
            };
            let body = format!("{} {}", count(&shop, 10).await?, count(&sid, 1).await?);
            Ok::<_, sessile::Error>(http::Response::new(body))
        })),
    );
    let mut client = Client::default();
    for expected in ["10 1", "20 2"] {
        let request = client.request(Method::POST);
        let answer = app.clone().oneshot(request).await.unwrap();
        client.keep(&answer);
        assert_eq!(answer.body(), expected);
    }
    assert!(client.cookie("__Host-shop").is_some() && client.credential().is_some());
}

#[tokio::test]
async fn two_layers_of_one_name_share_one_session() {
    let probe = Probe::new();
    let (layer, _) = over(probe.clone());
    let app = layer.layer(
        layer.layer(service_fn(async |request: http::Request<String>| {
            let lazy = request.extensions().get::<LazySession>().unwrap();
            lazy.load().await?.update("n", |n: &mut u64| *n += 1)?;
            Ok::<_, sessile::Error>(http::Response::new(String::new()))
        })),
    );
    let mut client = Client::default();
    for calls in [1, 2] {
        let answer = app.clone().oneshot(client.request(Method::GET)).await;
        client.keep(&answer.unwrap());
        assert_eq!(probe.calls(), calls);
    }
    assert_eq!(client.look(&layer).await, "nobody n=2 resumed");
    assert_eq!(count(&layer).await, 1);
}

#[tokio::test]
async fn twenty_cookieless_reads_make_no_record_and_no_cookie() {
    let (layer, _) = fresh();
    for _ in 0..20 {
        let answer = Client::default()
            .get(&layer, async |session| {
                session.renew().unwrap();
                session.clear().unwrap();
                assert!(!session.remove("a").unwrap());
                assert_eq!(session.take_now::<u64>("a").await.unwrap(), None);
                look(&session)
            })
            .await;
        assert_eq!(answer.body(), "nobody new");
        assert!(!answer.headers().contains_key(SET_COOKIE));
    }
    assert_eq!(count(&layer).await, 0);
}

#[tokio::test]
async fn set_cookie_is_sent_only_when_the_credential_changed() {
    let (layer, _) = fresh();
    let mut client = Client::default();
    client.insert(&layer, "a", 1).await;
    for _ in 0..3 {
        let answer = client
            .post(&layer, async |session| {
                session.update("a", |a: &mut u64| *a += 1)?;
                session.insert("b", 1)?;
                session.remove("b")?;
                session.clear()
            })
            .await;
        assert_eq!(answer.headers().contains_key(SET_COOKIE), crate::RETOLD);
    }
}

#[tokio::test]
async fn a_clock_that_jumps_back_and_forth_harms_nobody() {
    let (layer, clock) = fresh();
    let start = sessile::Clock::now(&*clock);
    let mut client = Client::default();
    client.insert(&layer, "n", 0).await;
    for at in [0, 29, 1, 45, 3] {
        clock.set(start.after(minutes(at)));
        client
            .post(&layer, async |session| {
                session.update("n", |n: &mut u64| *n += 1)
            })
            .await;
    }
    clock.set(sessile::Timestamp::default());
    assert_eq!(client.look(&layer).await, "nobody n=5 resumed");
    clock.set(sessile::Timestamp::MAX);
    assert_eq!(client.look(&layer).await, "nobody expired");
}

#[tokio::test]
async fn who_ignores_the_session_causes_no_lookup_and_no_header() {
    let probe = Probe::new();
    let (layer, _) = over(probe.clone());
    let mut client = Client::default();
    client.insert(&layer, "a", 1).await;
    probe.calls();
    for request in [
        client.request(Method::POST),
        Client::default().request(Method::GET),
    ] {
        let answer = send_lazy(&layer, request, async |_lazy| {}).await;
        assert!(answer.headers().is_empty());
        assert!(answer.extensions().is_empty());
    }
    assert_eq!(probe.calls(), 0);
}
