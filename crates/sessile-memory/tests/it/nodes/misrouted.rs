//! Requests at the wrong node, and how a node is built.

use sessile_core::{Durability, ErrorKind, Revocation, Route, Scope, TOMBSTONE};
use sessile_memory::{MemoryStore, Misrouted, StickyNode};

use super::*;

fn alone(label: &str, answers: &[Misrouted]) -> StickyNode {
    let builder = Sticky::node(label).keys(ring());
    let node = builder.misrouted(answers.iter().copied()).build().unwrap();
    node.attach(&Lifetime::default(), NOW);
    node
}

#[tokio::test]
async fn without_a_store_a_wrong_node_says_which_one_is_right() {
    let n1 = alone("n1", &[Misrouted::Fail]);
    let (_, text) = login(&n1, NOW).await;
    assert_eq!(label(&text), "n1");
    assert_eq!(arrival(&n1, &text, NOW).await, Arrival::Resumed);
    for answers in [&[Misrouted::Fail][..], &[Misrouted::Forward]] {
        let n2 = alone("n2", answers);
        let error = n2.open(&presented(&text, NOW), NOW).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.node()),
            (ErrorKind::WrongNode, Some("n1"))
        );
        // Not for ever.
        assert_eq!(arrival(&n2, &text, after(DAY)).await, Arrival::Expired);
    }
}

#[tokio::test]
async fn a_session_that_is_given_up_is_lost_and_not_silently_empty() {
    let (n1, n2) = (
        alone("n1", &[Misrouted::Fail]),
        alone("n2", &[Misrouted::Lost]),
    );
    let (_, text) = login(&n1, NOW).await;
    assert_eq!(arrival(&n2, &text, NOW).await, Arrival::Lost);
    let forged = text.replacen("n1", "n3", 1);
    assert_eq!(arrival(&n2, &forged, NOW).await, Arrival::Unknown);
}

#[tokio::test]
async fn restarted_without_a_store_the_sessions_are_lost_and_with_one_they_are_not() {
    let (_, text) = login(&alone("n1", &[Misrouted::Fail]), NOW).await;
    let restarted = alone("n1", &[Misrouted::Fail]);
    assert_eq!(arrival(&restarted, &text, NOW).await, Arrival::Lost);
    let store = Model::default();
    let (_, text) = login(&node("n1", &store), NOW).await;
    assert_eq!(
        arrival(&node("n1", &store), &text, NOW).await,
        Arrival::Resumed
    );
}

#[tokio::test]
async fn a_node_with_a_store_may_refuse_to_adopt() {
    let store = Model::default();
    let n1 = node("n1", &store);
    let n2 = builder("n2", &store)
        .misrouted([Misrouted::Fail])
        .build()
        .unwrap();
    let (credential, text) = login(&n1, NOW).await;
    store.calls();
    let error = n2.open(&presented(&text, NOW), NOW).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.node()),
        (ErrorKind::WrongNode, Some("n1"))
    );
    assert_eq!(store.calls(), 0);
    assert!(!n2.guarantees().any_node);
    // What is nobody's is everybody's.
    let drained = node("n3", &store);
    let _ = drained.drain(NOW, NOW).await;
    let record = store.record(&credential.sid).unwrap();
    let free = issue(&drained, &record, &credential.verifier);
    assert_eq!(label(&free), "0");
    assert_eq!(arrival(&n2, &free, NOW).await, Arrival::Resumed);
}

#[tokio::test]
async fn only_a_credential_that_another_node_made_is_routed_there() {
    let store = Model::default();
    let forward = [Misrouted::Forward, Misrouted::Adopt, Misrouted::Fail];
    let n1 = builder("n1", &store).misrouted(forward).build().unwrap();
    let n2 = node("n2", &store);
    assert!(n1.forwards().is_some() && n2.forwards().is_none());
    let (credential, own) = login(&n1, NOW).await;
    let (_, foreign) = login(&n2, NOW).await;
    let record = store.record(&credential.sid).unwrap();
    let stranger = Sticky::node("n2").keys(KeyRing::random()).build().unwrap();
    store.calls();
    let route = |text: &str| match n1.route(&presented(text, NOW), NOW) {
        Route::Own => None,
        Route::Foreign(label) => Some(label.to_owned()),
    };
    assert_eq!(route(&foreign).as_deref(), Some("n2"));
    for here in [
        "",
        "x",
        &own,
        &own.replacen("n1", "n2", 1),
        &foreign.replacen("n2", "0", 1),
        &issue(&stranger, &record, &credential.verifier),
    ] {
        assert_eq!(route(here), None, "{here:?}");
    }
    assert_eq!(store.calls(), 0);
    // Where it can't be forwarded, or was already, the next answer counts.
    assert_eq!(arrival(&n1, &foreign, NOW).await, Arrival::Resumed);
    // A node without a store forwards as well.
    let lone = alone("n3", &[Misrouted::Forward, Misrouted::Fail]);
    assert!(lone.forwards().is_some());
    assert_eq!(lone.route(&presented(&own, NOW), NOW), Route::Foreign("n1"));
}

#[test]
fn what_is_impossible_is_refused_all_at_once() {
    let reason = |error: sessile_core::Error| {
        assert_eq!(error.kind(), ErrorKind::Invalid);
        error.to_string()
    };
    for bad in ["", "N1", "n-1", "12345678901234567", "é", "0"] {
        let error = reason(Sticky::node(bad).keys(ring()).build().unwrap_err());
        assert!(error.contains("label"), "{bad:?}: {error}");
    }
    for good in ["n1", "s", "00", "1234567890123456"] {
        assert!(Sticky::node(good).keys(ring()).build().is_ok(), "{good:?}");
    }
    let all = Sticky::node("0").misrouted([Misrouted::Adopt]).build();
    let all = reason(all.unwrap_err());
    for part in ["label 0", "keys", "Adopt needs a backing store"] {
        assert!(all.contains(part), "{all}");
    }
    let store = Model::default;
    let keyless = Sticky::node("n1").backing(store()).build();
    assert!(reason(keyless.unwrap_err()).contains("keys"));
    let lost = builder("n1", &store()).misrouted([Misrouted::Lost]).build();
    assert!(reason(lost.unwrap_err()).contains("backing store"));
    let empty = builder("n1", &store()).misrouted([]).build();
    assert!(reason(empty.unwrap_err()).contains("misrouted"));
}

#[test]
fn the_promises_are_those_of_the_store_the_chain_and_the_time() {
    let store = Model::default();
    let promises = node("n1", &store).guarantees();
    assert_eq!(promises.revocation, Revocation::Within(REVALIDATE));
    assert_eq!(promises.scope, Scope::AllNodes);
    assert_eq!(promises.durability, Durability::Acknowledged);
    assert!(promises.any_node);
    let always = builder("n1", &store).revalidate(Duration::ZERO).build();
    assert_eq!(
        always.unwrap().guarantees().revocation,
        Revocation::Immediate
    );
    let volatile = Sticky::node("n1")
        .keys(ring())
        .backing(MemoryStore::default());
    let promises = volatile.build().unwrap().guarantees();
    assert_eq!(promises.durability, Durability::Volatile);
    assert!(!promises.any_node);
    let lone = alone("n1", &[Misrouted::Fail]).guarantees();
    assert_eq!(lone, Sticky::new().guarantees());
}

#[tokio::test]
async fn a_node_without_a_store_is_else_what_a_process_is() {
    let n1 = alone("n1", &[Misrouted::Fail]);
    let (credential, text) = login(&n1, NOW).await;
    let text = write(&n1, &text, 1, NOW).await;
    let held = held(&n1, &text, NOW).await;
    assert_eq!(value_of(&held.record), Some(1));
    assert!(reissued(&n1, &text, &held).is_none());
    let again = n1.reload(&held.record, NOW).await.unwrap();
    assert_eq!(again.map(|record| record.version), Some(2));
    assert_eq!(n1.count(NOW).await.unwrap(), Some(1));
    assert!(n1.list("ann", NOW).await.unwrap().is_empty());
    n1.end(credential.sid, NOW, after(TOMBSTONE)).await.unwrap();
    assert_eq!(arrival(&n1, &text, NOW).await, Arrival::Ended);
    assert_eq!(n1.sweep(after(DAY)).await.unwrap(), 1);
    assert_eq!(n1.table().evicted(), 0);
}
