//! Idle and absolute deadlines, on the clock that the application gives.

use std::sync::Arc;
use std::time::Duration;

use http::header::SET_COOKIE;
use http::{Method, Request, Response};
use sessile::{
    Arrival, Clock as _, CookieConfig, ErrorKind, LazySession, Lifetime, ManualClock, SessionLayer,
};
use tower::{Layer as _, ServiceExt as _, service_fn};

use crate::client::{Client, count, fresh, lifetime, minutes, seconds};

/// Whether the session is there after this long without use. Asking is no use: the request fails,
/// and nothing is written down.
async fn lives(layer: &SessionLayer, clock: &ManualClock, client: &Client, by: Duration) -> bool {
    let now = clock.now();
    clock.advance(by);
    let failing = layer.layer(service_fn(async |request: Request<String>| {
        let lazy = request.extensions().get::<LazySession>().unwrap();
        let arrival = lazy.load().await.unwrap().arrival();
        Err::<Response<String>, _>(arrival)
    }));
    let request = client.request(Method::GET);
    let arrival = failing.oneshot(request).await.unwrap_err();
    clock.set(now);
    arrival == Arrival::Resumed
}

#[tokio::test]
async fn a_session_ends_when_it_was_not_used_for_the_idle_time_and_not_a_millisecond_before() {
    let (layer, clock) = fresh();
    let mut client = Client::default();
    client.insert(&layer, "a", 1).await;
    let idle = minutes(30);
    clock.advance(idle);
    assert_eq!(client.look(&layer).await, "nobody expired");

    client.insert(&layer, "a", 1).await;
    clock.advance(idle - Duration::from_millis(1));
    assert_eq!(client.look(&layer).await, "nobody a=1 resumed");
}

#[tokio::test]
async fn a_session_in_use_is_never_refused_before_idle_minus_the_touch_interval() {
    for (idle, interval) in [
        (minutes(30), minutes(3)),
        (minutes(5), minutes(1)),
        (minutes(1), seconds(15)),
        (Duration::from_millis(40), Duration::from_millis(10)),
    ] {
        let (layer, clock) = fresh();
        let layer = layer.lifetime(lifetime(idle, minutes(600)));
        let mut client = Client::default();
        client.insert(&layer, "a", 1).await;
        let tick = Duration::from_millis(1);
        // Used just before a touch was due: that use was not written down.
        clock.advance(interval - tick);
        client.look(&layer).await;
        clock.advance(idle - interval);
        assert_eq!(client.clone().look(&layer).await, "nobody a=1 resumed");
        // That was a use, and written down.
        clock.advance(idle - tick);
        assert_eq!(client.look(&layer).await, "nobody a=1 resumed");
        clock.advance(idle);
        assert_eq!(client.look(&layer).await, "nobody expired");
    }
}

#[tokio::test]
async fn no_use_moves_the_absolute_deadline() {
    let (layer, clock) = fresh();
    let mut client = Client::default();
    client.login(&layer, "alice").await;
    let end = clock.now().after(minutes(12 * 60));
    for at in 0.. {
        clock.advance(minutes(20));
        let is_over = clock.now() >= end;
        let answer = client
            .post(&layer, async |session| {
                if !is_over && at % 5 == 0 {
                    session.renew()?;
                } else if !is_over {
                    session.update("n", |n: &mut u64| *n += 1)?;
                }
                sessile::Result::Ok(session.arrival().to_string())
            })
            .await;
        assert_eq!(*answer.body(), if is_over { "expired" } else { "resumed" });
        if is_over {
            break;
        }
    }
    assert_eq!(count(&layer).await, 0);
}

#[tokio::test]
async fn a_lifetime_of_its_own_counts_from_its_creation_and_from_its_use() {
    let (layer, clock) = fresh();
    let (mut client, mut other) = (Client::default(), Client::default());
    client.insert(&layer, "a", 1).await;
    other.insert(&layer, "a", 1).await;
    clock.advance(minutes(10));
    let long = lifetime(minutes(24 * 60), minutes(48 * 60));
    client
        .post(&layer, async |session| session.set_lifetime(long))
        .await;
    let mut both = (None, None);
    client
        .get(&layer, async |session| {
            both = (session.created_at(), session.expires_at());
        })
        .await;
    let (created, expires) = (both.0.unwrap(), both.1.unwrap());
    assert_eq!(
        expires.duration_since(created).unwrap(),
        minutes(24 * 60 + 10)
    );
    assert!(lives(&layer, &clock, &client, minutes(23 * 60)).await);
    assert!(!lives(&layer, &clock, &other, minutes(23 * 60)).await);
    clock.advance(minutes(23 * 60));
    client.look(&layer).await;
    assert!(lives(&layer, &clock, &client, minutes(24 * 60 - 1)).await);
    clock.advance(minutes(23 * 60));
    client.look(&layer).await;
    // 46 hours and 10 minutes have passed since it was made.
    assert!(lives(&layer, &clock, &client, minutes(109)).await);
    assert!(
        !lives(&layer, &clock, &client, minutes(110)).await,
        "absolute"
    );
}

#[tokio::test]
async fn a_shorter_lifetime_and_one_for_a_new_session_hold_too() {
    let (layer, clock) = fresh();
    for existing in [false, true] {
        let mut client = Client::default();
        if existing {
            client.insert(&layer, "a", 1).await;
        }
        client
            .post(&layer, async |session| {
                session.set_lifetime(lifetime(minutes(2), minutes(3)))?;
                session.insert("b", 1)
            })
            .await;
        assert!(lives(&layer, &clock, &client, seconds(119)).await);
        assert!(!lives(&layer, &clock, &client, seconds(120)).await);
        clock.advance(seconds(100));
        client.look(&layer).await;
        assert!(lives(&layer, &clock, &client, seconds(79)).await);
        assert!(
            !lives(&layer, &clock, &client, seconds(80)).await,
            "absolute"
        );
    }
}

#[tokio::test]
async fn a_login_starts_both_deadlines_anew_and_a_renew_neither() {
    let (layer, clock) = fresh();
    let layer = layer.lifetime(lifetime(minutes(60), minutes(60)));
    let mut client = Client::default();
    client.insert(&layer, "a", 1).await;
    clock.advance(minutes(40));
    client.post(&layer, async |session| session.renew()).await;
    assert!(!lives(&layer, &clock, &client, minutes(20)).await);
    client.login(&layer, "alice").await;
    assert!(lives(&layer, &clock, &client, minutes(59)).await);
    assert!(!lives(&layer, &clock, &client, minutes(60)).await);
}

#[tokio::test]
async fn a_persistent_cookie_lives_as_long_as_the_session_and_a_touch_never_reissues_it() {
    let (layer, clock) = fresh();
    let layer = layer.cookie(CookieConfig::new().persistent().build().unwrap());
    let mut client = Client::default();
    let max_age = |answer: &Response<String>| {
        let line = answer.headers()[SET_COOKIE].to_str().unwrap().to_owned();
        let (_, rest) = line.split_once("; Max-Age=").unwrap();
        rest.split(';').next().unwrap().parse::<u64>().unwrap()
    };
    let made = client
        .post(&layer, async |session| session.insert("a", 1))
        .await;
    assert_eq!(max_age(&made), 12 * 3600);
    clock.advance(minutes(20));
    let touched = client.get(&layer, async |_session| {}).await;
    assert!(!touched.headers().contains_key(SET_COOKIE));
    let renewed = client.post(&layer, async |session| session.renew()).await;
    assert_eq!(max_age(&renewed), 12 * 3600 - 20 * 60);
    let removed = client.post(&layer, async |session| session.logout()).await;
    assert_eq!(max_age(&removed), 0);
}

#[tokio::test]
async fn a_client_cannot_lengthen_its_session_by_keeping_the_cookie() {
    let (layer, clock) = fresh();
    let layer = layer.cookie(CookieConfig::new().persistent().build().unwrap());
    let mut client = Client::default();
    client.insert(&layer, "a", 1).await;
    let kept = client.clone();
    for (by, arrival) in [
        (30, "expired"),
        (12 * 60, "expired"),
        (365 * 24 * 60, "expired"),
    ] {
        clock.advance(minutes(by));
        assert_eq!(kept.clone().look(&layer).await, format!("nobody {arrival}"));
    }
}

#[tokio::test]
async fn extreme_durations_neither_panic_nor_make_dead_sessions() {
    for bad in [Duration::ZERO, Duration::from_nanos(1)] {
        for (idle, absolute) in [(bad, minutes(1)), (minutes(1), bad)] {
            let error = Lifetime::new(idle, absolute).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
        }
    }
    let (layer, clock) = fresh();
    let longest = lifetime(Duration::MAX, Duration::from_secs(u64::MAX));
    let layer = layer
        .lifetime(longest)
        .cookie(CookieConfig::new().persistent().build().unwrap());
    let mut client = Client::default();
    let made = client
        .post(&layer, async |session| session.insert("a", 1))
        .await;
    let line = made.headers()[SET_COOKIE].to_str().unwrap();
    assert!(line.contains("; Max-Age=34560000;"), "400 days: {line}");
    clock.advance(minutes(60 * 24 * 365 * 50));
    assert_eq!(client.look(&layer).await, "nobody a=1 resumed");
    client
        .post(&layer, async |session| session.set_lifetime(longest))
        .await;
    clock.set(sessile::Timestamp::MAX);
    assert_eq!(client.look(&layer).await, "nobody expired");
}

#[tokio::test]
async fn a_lifetime_of_its_own_is_told_to_the_cookie() {
    let clock = Arc::new(ManualClock::default());
    let layer = SessionLayer::new(crate::home())
        .clock(clock.clone())
        .cookie(CookieConfig::new().persistent().build().unwrap());
    let mut client = Client::default();
    client.insert(&layer, "a", 1).await;
    let day = minutes(24 * 60);
    let answer = client
        .post(&layer, async |session| {
            session.set_lifetime(lifetime(day, 30 * day))
        })
        .await;
    let line = answer.headers()[SET_COOKIE].to_str().unwrap();
    assert!(line.contains("; Max-Age=2592000;"), "{line}");
    clock.advance(20 * 60 * minutes(1));
    assert_eq!(client.look(&layer).await, "nobody a=1 resumed");
}
