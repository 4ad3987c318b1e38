//! The budget in calls to the store behind a node: what each kind of request asks of it.

use http::Method;
use sessile::{KeyRing, LazySession, Session, Sticky};
use sessile_conformance::Operation;

use crate::client::{Client, minutes, seconds, send_lazy};
use crate::counting::{Shop, read, write};

fn shop() -> Shop {
    Shop::new(|store| {
        let node = Sticky::node("n1").keys(KeyRing::random());
        node.backing(store).build().unwrap()
    })
}

/// An hour's use, a request at a time.
#[tokio::test]
async fn a_write_is_one_call_and_a_read_is_none_until_the_copy_is_old() {
    let shop = shop();
    let mut client = Client::default();
    let mut spent = async |handler: fn(&Session)| shop.spent(&mut client, handler).await;
    // [creates, loads, applies, ends]
    assert_eq!(spent(read).await, [0, 0, 0, 0], "an anonymous reader");
    assert_eq!(spent(write).await, [1, 0, 0, 0], "a new session");
    assert_eq!(spent(read).await, [0, 0, 0, 0], "a read");
    assert_eq!(spent(write).await, [0, 0, 1, 0], "a write");
    assert_eq!(spent(write).await, [0, 0, 1, 0], "and another one");
    shop.clock.advance(seconds(5));
    assert_eq!(spent(read).await, [0, 1, 0, 0], "the copy is old");
    assert_eq!(spent(read).await, [0, 0, 0, 0], "it was asked for");
    shop.clock.advance(minutes(3));
    assert_eq!(spent(read).await, [0, 1, 1, 0], "a due touch");
    assert_eq!(spent(read).await, [0, 0, 0, 0], "touched a moment ago");
    let login = |session: &Session| session.login("alice").unwrap();
    assert_eq!(spent(login).await, [1, 0, 0, 1], "a login");
    let renew = |session: &Session| session.renew().unwrap();
    assert_eq!(spent(renew).await, [0, 0, 1, 0], "a renew");
    assert_eq!(spent(read).await, [0, 0, 1, 0], "it is confirmed, once");
    assert_eq!(spent(read).await, [0, 0, 0, 0]);
    let logout = |session: &Session| session.logout().unwrap();
    assert_eq!(spent(logout).await, [0, 0, 0, 1], "a logout");
    assert_eq!(spent(login).await, [1, 0, 0, 0], "a login of a visitor");
}

/// A request a second, for an hour.
#[tokio::test]
async fn an_hour_of_reading_asks_every_five_seconds_and_notes_twenty_times() {
    let shop = shop();
    let mut client = Client::default();
    client.insert(&shop.layer, "a", 1).await;
    shop.store.reset();
    for _ in 0..3600 {
        shop.clock.advance(seconds(1));
        client.look(&shop.layer).await;
    }
    // What notes a use confirms the copy as well; the interval is three minutes.
    let calls = [Operation::Load, Operation::Apply].map(|operation| shop.store.calls(operation));
    assert_eq!((calls[1], shop.store.total()), (20, calls[0] + calls[1]));
    assert!((700..=720).contains(&calls[0]), "{calls:?}");
}

#[tokio::test]
async fn a_session_that_nobody_asks_for_costs_nothing() {
    let shop = shop();
    let mut client = Client::default();
    client.insert(&shop.layer, "a", 1).await;
    shop.clock.advance(minutes(3));
    shop.store.reset();
    let request = client.request(Method::POST);
    send_lazy(&shop.layer, request, async |_: LazySession| {}).await;
    assert_eq!(shop.store.total(), 0);
}
