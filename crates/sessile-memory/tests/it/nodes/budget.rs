//! What is asked of the store, and what is not.

use super::*;

#[tokio::test]
async fn a_read_costs_no_call_and_a_write_one() {
    let (n1, _, store) = nodes();
    let (credential, text) = login(&n1, NOW).await;
    assert_eq!(store.calls(), 1, "a new session");
    for second in 0..4 {
        read(&n1, &text, after(second * SECOND)).await;
    }
    assert_eq!(store.calls(), 0);
    let text = write(&n1, &text, 7, after(SECOND)).await;
    assert_eq!(store.calls(), 1);
    // It is there before anybody is told, and memory says the same.
    let kept = store.record(&credential.sid).unwrap();
    assert_eq!((kept.version, value_of(&kept)), (2, Some(7)));
    assert_eq!(read(&n1, &text, after(2 * SECOND)).await, Some(7));
    assert_eq!(store.calls(), 0);
}

#[tokio::test]
async fn a_copy_that_was_not_confirmed_for_the_time_is_asked_for_once() {
    let (n1, _, store) = nodes();
    let (_, text) = login(&n1, NOW).await;
    store.calls();
    let last = Timestamp::from_millis(after(REVALIDATE).as_millis() - 1);
    read(&n1, &text, last).await;
    assert_eq!(store.calls(), 0);
    for _ in 0..3 {
        read(&n1, &text, after(REVALIDATE)).await;
    }
    assert_eq!(store.calls(), 1);
    // A write confirms as well as a read.
    let text = write(&n1, &text, 1, after(REVALIDATE + 4 * SECOND)).await;
    assert_eq!(store.calls(), 1);
    read(&n1, &text, after(REVALIDATE + 8 * SECOND)).await;
    assert_eq!(store.calls(), 0);
}

#[tokio::test]
async fn with_no_time_to_revalidate_every_read_asks() {
    let store = Model::default();
    let n1 = builder("n1", &store)
        .revalidate(Duration::ZERO)
        .build()
        .unwrap();
    let (_, text) = login(&n1, NOW).await;
    store.calls();
    for _ in 0..3 {
        read(&n1, &text, NOW).await;
    }
    assert_eq!(store.calls(), 3);
}

#[tokio::test]
async fn what_was_forged_reaches_no_store() {
    let (n1, n2, store) = nodes();
    let (credential, text) = login(&n1, NOW).await;
    let record = store.record(&credential.sid).unwrap();
    let stranger = Sticky::node("n1").keys(KeyRing::random()).build().unwrap();
    store.calls();
    for forged in [
        &text.replacen("n1.", "n2.", 1),
        &text.replacen("n1.", "0.", 1),
        &text.replacen("n1.", "n3.", 1),
        &issue(&stranger, &record, &Credential::random().verifier),
        "",
        ".",
        "n1",
        "n1..",
        "N1.x.y",
    ] {
        for node in [&n1, &n2] {
            let arrival = arrival(node, forged, NOW).await;
            assert_eq!(arrival, Arrival::Unknown, "{forged:?}");
        }
    }
    assert_eq!(store.calls(), 0);
}

#[tokio::test]
async fn a_verifier_that_matches_opens_a_copy_whatever_the_tag_says_and_nothing_else() {
    let (n1, n2, store) = nodes();
    let (credential, text) = login(&n1, NOW).await;
    let record = store.record(&credential.sid).unwrap();
    let stranger = Sticky::node("n1").keys(KeyRing::random()).build().unwrap();
    let mut newer = Record::clone(&record);
    newer.version += 1;
    store.calls();
    let last = Timestamp::from_millis(after(REVALIDATE).as_millis() - 1);
    for forged in [
        &issue(&stranger, &record, &credential.verifier),
        &n1.issue(&record, &credential.verifier, "sid").unwrap(),
    ] {
        assert_eq!(arrival(&n1, forged, last).await, Arrival::Resumed);
        // There is no copy, none that is fresh, or none any more.
        assert_eq!(arrival(&n2, forged, last).await, Arrival::Unknown);
        let late = after(REVALIDATE);
        assert_eq!(arrival(&n1, forged, late).await, Arrival::Unknown);
    }
    // One that claims to have seen more gets no copy, and its tag is asked for.
    let claimed = issue(&stranger, &newer, &credential.verifier);
    assert_eq!(arrival(&n1, &claimed, NOW).await, Arrival::Unknown);
    assert_eq!(store.calls(), 0);
    assert_eq!(arrival(&n2, &text, NOW).await, Arrival::Resumed);
    assert_eq!(store.calls(), 1);
}

#[tokio::test]
async fn a_due_touch_is_a_call_and_its_copy_knows_of_it() {
    let (n1, _, store) = nodes();
    let (credential, text) = login(&n1, NOW).await;
    let due = after(3 * MINUTE);
    let held = held(&n1, &text, due).await;
    assert!(held.record.is_touch_due(due));
    store.calls();
    n1.apply(&held.record, &touch(due), None, due)
        .await
        .unwrap();
    assert_eq!(store.calls(), 1);
    let kept = store.record(&credential.sid).unwrap();
    assert_eq!((kept.last_seen, kept.version), (due, 1));
    let copy = super::held(&n1, &text, due).await;
    assert!(!copy.record.is_touch_due(due.after(SECOND)));
    assert!(
        reissued(&n1, &text, &copy).is_none(),
        "a touch re-issues nothing"
    );
    assert_eq!(store.calls(), 0);
}

#[tokio::test]
async fn an_active_user_is_logged_out_by_no_node() {
    let (n1, n2, _) = nodes();
    let (_, mut text) = login(&n1, NOW).await;
    // Busy on one node for hours, then on the other.
    for minute in 1..600 {
        let now = after(minute * MINUTE);
        let node = if minute < 300 { &n1 } else { &n2 };
        let held = held(node, &text, now).await;
        if held.record.is_touch_due(now) {
            node.apply(&held.record, &touch(now), None, now)
                .await
                .unwrap();
        }
        text = reissued(node, &text, &held).unwrap_or(text);
    }
}

#[tokio::test]
async fn beyond_the_capacity_the_store_is_asked_again_and_nobody_is_logged_out() {
    let store = Model::default();
    let small = Capacity::sessions(4);
    let n1 = builder("n1", &store).capacity(small).build().unwrap();
    let mut texts = Vec::new();
    for _ in 0..20 {
        texts.push(login(&n1, NOW).await.1);
        assert!(n1.copies() <= 4);
    }
    for text in &texts {
        read(&n1, text, NOW).await;
        assert!(n1.copies() <= 4);
    }
    assert!(store.calls() >= 36, "16 of them were forgotten");
}

#[tokio::test]
async fn what_expired_is_swept_here_and_in_the_store() {
    let (n1, _, store) = nodes();
    let (_, text) = login(&n1, NOW).await;
    assert_eq!(n1.copies(), 1);
    assert_eq!(n1.sweep(after(DAY)).await.unwrap(), 1);
    assert_eq!((n1.copies(), n1.count(NOW).await.unwrap()), (0, Some(0)));
    store.calls();
    assert_eq!(arrival(&n1, &text, after(MINUTE)).await, Arrival::Expired);
    assert_eq!(store.calls(), 1);
}
