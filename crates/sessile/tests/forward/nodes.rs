//! The nodes that applications run: in memory alone, and in front of a store.

use std::net::SocketAddr;

use sessile::{MemoryStore, Misrouted, Peers, SessionLayer, Sticky, StickyBuilder};
use tokio::net::TcpListener;

use crate::cluster::{listener, serve_node};
use crate::hops::visits;
use crate::labelled::keys;
use crate::wire::{ask, body, credential, status};

/// Starts `n1` and `n2`, and says where they are. `n9` is a peer that is away.
async fn two(layer: impl Fn(StickyBuilder) -> SessionLayer) -> [SocketAddr; 2] {
    let listeners = [listener().await, listener().await];
    let away = listener().await.local_addr().unwrap();
    let at = |listener: &TcpListener| listener.local_addr().unwrap();
    let [one, two] = [at(&listeners[0]), at(&listeners[1])];
    for (label, listener) in ["n1", "n2"].into_iter().zip(listeners) {
        let table = [("n1", one), ("n2", two), ("n9", away)];
        let table = table.map(|(label, at)| (label, format!("http://{at}")));
        let layer = layer(Sticky::node(label).keys(keys()));
        let layer = layer.peers(Peers::table(table).unwrap());
        serve_node(listener, &layer, visits(label));
    }
    [one, two]
}

fn in_front_of(store: MemoryStore) -> impl Fn(StickyBuilder) -> SessionLayer {
    move |node| {
        let node = node.backing(store.clone());
        let node = node.misrouted([Misrouted::Forward, Misrouted::Adopt]);
        SessionLayer::new(node.build().unwrap())
    }
}

fn alone(node: StickyBuilder) -> SessionLayer {
    let node = node.misrouted([Misrouted::Forward, Misrouted::Fail]);
    SessionLayer::new(node.build().unwrap())
}

/// One visit with this cookie: where it was counted, and how often.
async fn visit(at: SocketAddr, cookie: &str) -> String {
    ask(at, &format!("GET /\ncookie: __Host-sid={cookie}"), "").await
}

#[tokio::test]
async fn in_memory_alone_the_owners_memory_is_reached_from_every_node() {
    let [n1, n2] = two(alone).await;
    let cookie = credential(&ask(n2, "GET /", "").await).to_owned();
    for (at, n) in [(n1, 2), (n2, 3), (n1, 4)] {
        let answer = visit(at, &cookie).await;
        assert_eq!(body(&answer), format!("n2 {n} false"));
        assert!(!answer.contains("set-cookie"), "{answer}");
    }
}

#[tokio::test]
async fn in_front_of_a_store_the_owner_answers_while_it_can_be_reached() {
    let store = MemoryStore::default();
    let [n1, n2] = two(in_front_of(store)).await;
    let mut cookie = credential(&ask(n2, "GET /", "").await).to_owned();
    for (at, n) in [(n1, 2), (n2, 3), (n1, 4)] {
        let answer = visit(at, &cookie).await;
        assert_eq!(body(&answer), format!("n2 {n} false"));
        // Each write is told by the credential, and the owner's label stays.
        cookie = credential(&answer).to_owned();
        assert!(cookie.starts_with("n2."));
    }
}

#[tokio::test]
async fn the_session_of_an_owner_that_is_away_is_adopted_or_misdirected() {
    let store = MemoryStore::default();
    let [n1, n2] = two(in_front_of(store.clone())).await;
    // A third node made the session, and is gone.
    let [cookie, lost] = {
        let third = listener().await;
        let at = third.local_addr().unwrap();
        let peers = || Peers::template("http://{node}.invalid").unwrap();
        let n9 = || Sticky::node("n9").keys(keys());
        let layer = in_front_of(store)(n9()).peers(peers());
        serve_node(third, &layer, visits("n9"));
        let fourth = listener().await;
        let lone = fourth.local_addr().unwrap();
        serve_node(fourth, &alone(n9()).peers(peers()), visits("n9"));
        let [backed, alone] = [ask(at, "GET /", "").await, ask(lone, "GET /", "").await];
        [backed, alone].map(|answer| credential(&answer).to_owned())
    };
    let answer = visit(n1, &cookie).await;
    assert_eq!(body(&answer), "n1 2 false");
    let adopted = credential(&answer);
    assert!(adopted.starts_with("n1."));
    assert_eq!(body(&visit(n2, adopted).await), "n1 3 false", "its owner");

    let [n1, _] = two(alone).await;
    assert_eq!(status(&visit(n1, &lost).await), 421);
}
