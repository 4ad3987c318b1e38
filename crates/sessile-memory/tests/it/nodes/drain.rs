//! A node that hands its sessions over before it stops.

use sessile_core::{ErrorKind, TOMBSTONE};

use super::*;

#[tokio::test(start_paused = true)]
async fn a_drained_node_gives_its_sessions_to_nobody_and_keeps_no_copy() {
    let (n1, n2, store) = nodes();
    let (_, text) = login(&n1, NOW).await;
    n1.drain(NOW, after(MINUTE)).await.unwrap();
    store.calls();
    let used = held(&n1, &text, NOW).await;
    assert_eq!(store.calls(), 1, "served from the store");
    let free = reissued(&n1, &text, &used).unwrap();
    assert_eq!(label(&free), "0");
    // Nobody's again: it is served, asked for each time, and given nothing new.
    for _ in 0..2 {
        let again = held(&n1, &free, NOW).await;
        assert!(reissued(&n1, &free, &again).is_none());
    }
    assert_eq!(store.calls(), 2);
    let written = write(&n1, &free, 1, NOW).await;
    assert_eq!(label(&written), "0");
    let (_, new) = login(&n1, NOW).await;
    assert_eq!(label(&new), "0");
    assert_eq!(n1.copies(), 1, "the one from before");
    // The others take them over.
    let adopted = held(&n2, &written, NOW).await;
    assert_eq!(value_of(&adopted.record), Some(1));
    assert_eq!(label(&reissued(&n2, &written, &adopted).unwrap()), "n2");
    // And a straggler reads no copy of before.
    assert_eq!(read(&n1, &text, NOW).await, Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_drain_is_over_when_nobody_comes_any_more() {
    let store = Model::default();
    let quiet = Duration::from_secs(1);
    let n1 = builder("n1", &store).quiet(quiet).build().unwrap();
    let (_, text) = login(&n1, NOW).await;
    let start = tokio::time::Instant::now();
    let (drained, ()) = tokio::join!(n1.drain(NOW, after(MINUTE)), async {
        for _ in 0..10 {
            tokio::time::sleep(quiet / 2).await;
            read(&n1, &text, NOW).await;
        }
    });
    drained.unwrap();
    let took = start.elapsed();
    assert!((5 * SECOND..8 * SECOND).contains(&took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_drain_is_over_at_its_deadline_whoever_comes() {
    let (n1, _, _) = nodes();
    let (_, text) = login(&n1, NOW).await;
    let start = tokio::time::Instant::now();
    let traffic = async {
        loop {
            read(&n1, &text, NOW).await;
            tokio::time::sleep(SECOND).await;
        }
    };
    tokio::select! {
        drained = n1.drain(NOW, after(10 * SECOND)) => drained.unwrap(),
        () = traffic => {}
    }
    assert_eq!(start.elapsed(), 10 * SECOND);
}

#[tokio::test]
async fn without_a_store_a_drain_says_what_will_be_lost() {
    let n1 = Sticky::node("n1").keys(ring()).build().unwrap();
    for _ in 0..3 {
        login(&n1, NOW).await;
    }
    let (credential, _) = login(&n1, NOW).await;
    n1.end(credential.sid, NOW, after(TOMBSTONE)).await.unwrap();
    let error = n1.drain(NOW, after(MINUTE)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().starts_with("3 sessions end"), "{error}");
}
