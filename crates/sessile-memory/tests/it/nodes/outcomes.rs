//! What becomes of a copy when the store fails, is late, or a session ends.

use sessile_core::{ErrorKind, TOMBSTONE};

use super::*;

#[tokio::test]
async fn after_an_unknown_outcome_the_store_is_asked() {
    for (fault, value) in [(Fault::Unheard, Some(1)), (Fault::Lost, None)] {
        let (n1, _, store) = nodes();
        let (_, text) = login(&n1, NOW).await;
        let held = held(&n1, &text, NOW).await;
        store.fail(fault);
        let error = try_write(&n1, &held, 1, NOW).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unknown);
        assert_eq!(n1.copies(), 0);
        assert_eq!(read(&n1, &text, NOW).await, value);
    }
}

#[tokio::test]
async fn what_was_surely_not_done_leaves_the_copy() {
    let (n1, _, store) = nodes();
    let (_, text) = login(&n1, NOW).await;
    let held = held(&n1, &text, NOW).await;
    store.fail(Fault::Unavailable);
    let error = try_write(&n1, &held, 1, NOW).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    store.calls();
    assert_eq!(read(&n1, &text, NOW).await, None);
    assert_eq!(store.calls(), 0);
}

#[tokio::test]
async fn a_write_that_was_given_up_drops_the_copy() {
    let (n1, _, store) = nodes();
    let (_, text) = login(&n1, NOW).await;
    let held = held(&n1, &text, NOW).await;
    store.hold(true);
    let written = tokio::time::timeout(Duration::from_millis(1), try_write(&n1, &held, 1, NOW));
    assert!(written.await.is_err());
    assert_eq!(n1.copies(), 0);
    store.hold(false);
    assert_eq!(
        read(&n1, &text, NOW).await,
        Some(1),
        "it was done all the same"
    );
}

#[tokio::test(start_paused = true)]
async fn a_late_read_did_nothing_and_a_late_write_may_have_been_done() {
    let store = Model::default();
    let deadline = Duration::from_millis(300);
    let n1 = builder("n1", &store).deadline(deadline).build().unwrap();
    assert_eq!(n1.deadline(), deadline);
    let (credential, text) = login(&n1, NOW).await;
    let held = held(&n1, &text, NOW).await;
    store.hold(true);
    let stale = after(REVALIDATE);
    let late = n1.open(&presented(&text, stale), stale).await.unwrap_err();
    assert_eq!(late.kind(), ErrorKind::Unavailable);
    let late = try_write(&n1, &held, 1, NOW).await.unwrap_err();
    assert_eq!(late.kind(), ErrorKind::Unknown);
    let late = n1
        .end(credential.sid, NOW, after(TOMBSTONE))
        .await
        .unwrap_err();
    assert_eq!(late.kind(), ErrorKind::Unknown);
}

#[tokio::test]
async fn a_store_that_is_away_is_no_empty_session() {
    let (n1, _, store) = nodes();
    let (_, text) = login(&n1, NOW).await;
    let stale = after(REVALIDATE);
    store.fail(Fault::Unavailable);
    let away = n1.open(&presented(&text, stale), stale).await.unwrap_err();
    assert_eq!(away.kind(), ErrorKind::Unavailable);
    assert_eq!(arrival(&n1, &text, stale).await, Arrival::Resumed);
}

#[tokio::test]
async fn a_logout_is_seen_here_at_once_and_elsewhere_in_time() {
    let (n1, n2, _) = nodes();
    let (credential, text) = login(&n1, NOW).await;
    let moved = held(&n2, &text, NOW).await;
    let there = reissued(&n2, &text, &moved).unwrap();
    n1.end(credential.sid, NOW, after(TOMBSTONE)).await.unwrap();
    assert_eq!(arrival(&n1, &text, NOW).await, Arrival::Ended);
    let last = Timestamp::from_millis(after(REVALIDATE).as_millis() - 1);
    assert_eq!(
        arrival(&n2, &there, last).await,
        Arrival::Resumed,
        "that is what it costs"
    );
    assert_eq!(
        arrival(&n2, &there, after(REVALIDATE)).await,
        Arrival::Ended
    );
    // A write finds out sooner.
    let patch = set("a", 1);
    let gone = n2.apply(&moved.record, &patch, None, NOW).await.unwrap();
    assert!(matches!(gone, Outcome::Gone));
}

#[tokio::test]
async fn what_was_in_flight_when_a_session_ended_does_not_become_a_copy() {
    let (n1, _, store) = nodes();
    let (credential, text) = login(&n1, NOW).await;
    store.hold(true);
    let now = after(REVALIDATE);
    let before = presented(&text, now);
    let (opened, ()) = tokio::join!(n1.open(&before, now), async {
        store.effect(0, None); // it was read
        store.hold(false); // and is answered after this
        n1.end(credential.sid, now, now.after(TOMBSTONE))
            .await
            .unwrap();
    });
    // One of both came first; it is served, and not kept.
    let _ = opened.unwrap();
    assert_eq!(arrival(&n1, &text, now).await, Arrival::Ended);
    assert_eq!(n1.copies(), 0);
}

#[tokio::test]
async fn an_operator_reaches_the_sessions_of_all_nodes() {
    let (n1, n2, _) = nodes();
    let mut record = Record::new(&Credential::random(), NOW, &Lifetime::default());
    record.subject = Some("ann".into());
    let sid = record.sid;
    n1.create(record.into(), NOW).await.unwrap();
    let listed = n2.list("ann", NOW).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(n2.count(NOW).await.unwrap(), Some(1));
    let last = n2.end(sid, NOW, after(TOMBSTONE)).await.unwrap();
    assert_eq!(last.unwrap().sid, sid);
    assert_eq!(n1.count(NOW).await.unwrap(), Some(0));
}

#[tokio::test]
async fn updates_on_one_node_take_turns_and_ask_once_each() {
    let (n1, _, store) = nodes();
    let (credential, text) = login(&n1, NOW).await;
    store.calls();
    let update = async || {
        let mut held = held(&n1, &text, NOW).await;
        let mut turn = None;
        loop {
            let old = held.record.data.get("a").cloned();
            let mut patch = set("a", value_of(&held.record).unwrap_or(0) + 1);
            patch.expect(name("a"), old);
            patch.raise_base(held.known);
            match n1
                .apply(&held.record, &patch, turn.take(), NOW)
                .await
                .unwrap()
            {
                Outcome::Applied(_) => return,
                Outcome::Retry(record, place) => (held.record, turn) = (record, Some(place)),
                other => panic!("{other:?}"),
            }
        }
    };
    tokio::join!(update(), update(), update(), update());
    let kept = store.record(&credential.sid).unwrap();
    assert_eq!(value_of(&kept), Some(4));
    assert_eq!(store.calls(), 4, "nobody races for what is known here");
}
