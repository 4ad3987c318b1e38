//! The budget in calls to the store: what each kind of request asks of it, and nothing more.

use http::Method;
use http::header::SET_COOKIE;
use sessile::{KeyRing, LazySession, Session, Stored};
use sessile_conformance::Operation;

use crate::client::{Client, look, minutes, send_lazy};
use crate::counting::{Shop, read, write};

/// An hour's use, a request at a time, with keys and without.
#[tokio::test]
async fn every_kind_of_request_keeps_to_its_budget() {
    for keys in [None, Some(KeyRing::random())] {
        let shop = Shop::new(|store| match keys {
            Some(keys) => Stored::new(store).keys(keys),
            None => Stored::new(store),
        });
        let mut client = Client::default();
        let mut spent = async |handler: fn(&Session)| shop.spent(&mut client, handler).await;
        // [creates, loads, applies, ends]
        assert_eq!(spent(read).await, [0, 0, 0, 0], "an anonymous reader");
        assert_eq!(spent(write).await, [1, 0, 0, 0], "a new session");
        assert_eq!(spent(read).await, [0, 1, 0, 0], "a read");
        assert_eq!(spent(write).await, [0, 1, 1, 0], "a write");
        shop.clock.advance(minutes(3));
        assert_eq!(spent(read).await, [0, 1, 1, 0], "a due touch");
        assert_eq!(spent(read).await, [0, 1, 0, 0], "touched a moment ago");
        shop.clock.advance(minutes(3));
        assert_eq!(spent(write).await, [0, 1, 1, 0], "a touch that rides");
        assert_eq!(spent(read).await, [0, 1, 0, 0], "it rode");
        let login = |session: &Session| session.login("alice").unwrap();
        assert_eq!(spent(login).await, [1, 1, 0, 1], "a login");
        let renew = |session: &Session| session.renew().unwrap();
        assert_eq!(spent(renew).await, [0, 1, 1, 0], "a renew");
        assert_eq!(spent(read).await, [0, 1, 1, 0], "it is confirmed, once");
        assert_eq!(spent(read).await, [0, 1, 0, 0]);
        let logout = |session: &Session| session.logout().unwrap();
        assert_eq!(spent(logout).await, [0, 1, 0, 1], "a logout");
        assert_eq!(spent(login).await, [1, 0, 0, 0], "a login of a visitor");
    }
}

/// Once per touch interval, however many requests there are.
#[tokio::test]
async fn an_hour_of_reading_is_noted_twenty_times() {
    let shop = Shop::new(Stored::new);
    let mut client = Client::default();
    client.insert(&shop.layer, "a", 1).await;
    shop.store.reset();
    for _ in 0..600 {
        shop.clock.advance(minutes(1) / 10);
        client.look(&shop.layer).await;
    }
    assert_eq!(shop.store.calls(Operation::Load), 600);
    // The interval is three minutes.
    assert_eq!(shop.store.calls(Operation::Apply), 20);
}

#[tokio::test]
async fn a_session_that_nobody_asks_for_costs_nothing() {
    let shop = Shop::new(Stored::new);
    let mut client = Client::default();
    client.insert(&shop.layer, "a", 1).await;
    shop.clock.advance(minutes(3));
    shop.store.reset();
    let answer = send_lazy(
        &shop.layer,
        client.request(Method::POST),
        async |_: LazySession| {},
    )
    .await;
    assert_eq!(shop.store.total(), 0);
    assert!(answer.headers().is_empty(), "{answer:?}");
}

#[tokio::test]
async fn an_anonymous_reader_gets_no_record_and_no_cookie() {
    let shop = Shop::new(Stored::new);
    let mut client = Client::default();
    let answer = client
        .get(&shop.layer, async |session| drop(look(&session)))
        .await;
    assert!(!answer.headers().contains_key(SET_COOKIE));
    assert_eq!(shop.store.total(), 0);
    assert_eq!(shop.layer.sessions().count().await.unwrap(), Some(0));
}

/// The control is a credential by other keys, and the same garbage where there are none.
#[tokio::test]
async fn with_keys_garbage_costs_nothing() {
    let mut forger = Client::default();
    let forge = Shop::new(|store| Stored::new(store).keys(KeyRing::random()));
    forger.insert(&forge.layer, "a", 1).await;
    let mut plain = Client::default();
    let unkeyed = Shop::new(Stored::new);
    plain.insert(&unkeyed.layer, "a", 1).await;

    let shop = Shop::new(|store| Stored::new(store).keys(KeyRing::random()));
    let garbage = [
        forger.credential().unwrap(),
        plain.credential().unwrap(),
        "garbage",
    ];
    for credential in garbage {
        let mut client = Client::default();
        client.present(credential);
        assert_eq!(shop.spent(&mut client, read).await, [0; 4], "{credential}");
        assert_eq!(client.look(&shop.layer).await, "nobody unknown");
    }
    let elsewhere = Shop::new(Stored::new);
    assert_eq!(elsewhere.spent(&mut plain, read).await, [0, 1, 0, 0]);
}
