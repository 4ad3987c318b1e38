//! The fence of versions: who may serve what, and write on what.

use super::*;

#[tokio::test]
async fn whoever_knows_of_a_write_reads_it_on_every_node() {
    let (n1, n2, store) = nodes();
    let (_, first) = login(&n1, NOW).await;
    let second = write(&n2, &first, 1, NOW).await;
    // The balancer sends it back, and the copy here is older than what the client has seen.
    let back = write(&n1, &second, 2, NOW).await;
    store.calls();
    assert_eq!(
        read(&n2, &back, NOW).await,
        Some(2),
        "another node's: it asks"
    );
    assert_eq!(store.calls(), 1);
    // By its own label too: the version is a lower bound.
    let record = held(&n1, &back, NOW).await;
    let newer = issue(&n2, &record.record, &record.verifier);
    write(&n1, &back, 3, NOW).await;
    assert_eq!(
        read(&n2, &newer, NOW).await,
        Some(2),
        "as fresh as its client knows"
    );
    let told = held(&n1, &back, NOW).await;
    let newest = issue(&n2, &told.record, &told.verifier);
    assert_eq!(read(&n2, &newest, NOW).await, Some(3));
}

#[tokio::test]
async fn a_copy_left_over_is_not_served_to_another_label() {
    let (n1, n2, store) = nodes();
    let (credential, first) = login(&n1, NOW).await;
    let elsewhere = held(&n2, &first, NOW).await;
    write(&n2, &first, 1, NOW).await;
    // A label that says "n2" and a version that the copy here has.
    let foreign = issue(&n2, &elsewhere.record, &elsewhere.verifier);
    assert_eq!(
        read(&n1, &first, NOW).await,
        None,
        "the copy is fresh for its own label"
    );
    store.calls();
    assert_eq!(read(&n1, &foreign, NOW).await, Some(1));
    assert_eq!(store.calls(), 1);
    assert_eq!(label(&foreign), "n2");
    assert_eq!(credential.sid, elsewhere.record.sid);
}

#[tokio::test]
async fn a_session_that_moved_is_given_the_label_of_its_new_node() {
    let (n1, n2, _) = nodes();
    let (_, text) = login(&n1, NOW).await;
    let stays = held(&n1, &text, NOW).await;
    assert!(reissued(&n1, &text, &stays).is_none());
    let moved = held(&n2, &text, NOW).await;
    let text = reissued(&n2, &text, &moved).unwrap();
    assert_eq!(label(&text), "n2");
    let settled = held(&n2, &text, NOW).await;
    assert!(reissued(&n2, &text, &settled).is_none());
}

#[tokio::test]
async fn a_credential_that_says_less_than_was_read_is_given_anew() {
    let (n1, _, _) = nodes();
    let (_, old) = login(&n1, NOW).await;
    let new = write(&n1, &old, 1, NOW).await;
    let read = held(&n1, &old, NOW).await;
    assert_eq!(reissued(&n1, &old, &read).as_deref(), Some(&*new));
    assert!(reissued(&n1, &new, &read).is_none());
}

#[tokio::test]
async fn what_ended_here_is_not_given_out_again_by_a_straggler() {
    let (n1, _, _) = nodes();
    let (credential, old) = login(&n1, NOW).await;
    write(&n1, &old, 1, NOW).await;
    let straggler = held(&n1, &old, NOW).await;
    assert!(reissued(&n1, &old, &straggler).is_some());
    n1.end(credential.sid, NOW, after(MINUTE)).await.unwrap();
    assert!(reissued(&n1, &old, &straggler).is_none());
}

#[tokio::test]
async fn a_store_older_than_the_credential_is_stale_once_and_takes_no_write_unasked() {
    let (n1, _, store) = nodes();
    let (_, mut text) = login(&n1, NOW).await;
    for value in 1..=3 {
        text = write(&n1, &text, value, NOW).await;
    }
    store.revert(2);
    let restarted = node("n1", &store);
    let opened = open(&restarted, &text, NOW).await;
    assert_eq!(opened.arrival, Arrival::Stale);
    let stale = opened.into_held().unwrap();
    assert_eq!((stale.record.version, stale.known), (2, 4));
    assert_eq!(
        value_of(&stale.record),
        Some(1),
        "reads see the older state"
    );
    let refused = try_write(&restarted, &stale, 9, NOW).await.unwrap();
    let Outcome::Conflict(record) = refused else {
        panic!("{refused:?}");
    };
    assert!(record.version < stale.known);
    // A use is noted all the same: it is nobody's write.
    let mut note = touch(after(SECOND));
    note.raise_base(stale.known);
    let noted = restarted.apply(&stale.record, &note, None, NOW).await;
    assert!(matches!(noted, Ok(Outcome::Applied(_))));

    // Accepted, the write goes on after the highest version that anybody knows of.
    let mut patch = set("a", 9);
    patch.raise_base(stale.known);
    patch.accept_older();
    let accepted = restarted.apply(&stale.record, &patch, None, NOW).await;
    let Ok(Outcome::Applied(record)) = accepted else {
        panic!("{accepted:?}");
    };
    assert_eq!(record.version, 5);
}

#[tokio::test]
async fn on_a_stale_state_the_second_try_works() {
    let (n1, _, store) = nodes();
    let (_, text) = login(&n1, NOW).await;
    let text = write(&n1, &text, 1, NOW).await;
    store.revert(1);
    let later = after(REVALIDATE);
    let opened = open(&n1, &text, later).await;
    assert_eq!(opened.arrival, Arrival::Stale);
    let again = reissued(&n1, &text, opened.held().unwrap()).unwrap();
    write(&n1, &again, 2, later).await;
}

#[tokio::test]
async fn a_store_older_than_the_own_copy_is_stale() {
    let (n1, _, store) = nodes();
    let (_, old) = login(&n1, NOW).await;
    write(&n1, &old, 1, NOW).await;
    store.revert(1);
    // The client does not know of the write, by a parallel request; the node does.
    let opened = open(&n1, &old, after(REVALIDATE)).await;
    assert_eq!(opened.arrival, Arrival::Stale);
    assert_eq!(opened.held().unwrap().known, 2);
    assert_eq!(
        arrival(&n1, &old, after(REVALIDATE)).await,
        Arrival::Resumed,
        "told once"
    );
}

#[tokio::test]
async fn a_node_that_knows_better_writes_on_nothing_older() {
    let (n1, _, store) = nodes();
    let (_, old) = login(&n1, NOW).await;
    let slow = held(&n1, &old, NOW).await;
    write(&n1, &old, 1, NOW).await;
    store.revert(1);
    let refused = try_write(&n1, &slow, 2, NOW).await.unwrap_err();
    assert_eq!(refused.kind(), sessile_core::ErrorKind::Stale);
    write(&n1, &old, 2, after(REVALIDATE)).await;
}

#[tokio::test]
async fn a_verifier_that_the_store_forgot_is_a_lost_session() {
    let (n1, _, store) = nodes();
    let (_, old) = login(&n1, NOW).await;
    let renewed = renew(&n1, &old, NOW).await;
    store.revert(1);
    assert_eq!(
        arrival(&n1, &renewed, after(REVALIDATE)).await,
        Arrival::Lost
    );
    // Whoever never got the new one goes on.
    assert_eq!(
        arrival(&n1, &old, after(REVALIDATE)).await,
        Arrival::Resumed
    );
}

#[tokio::test]
async fn a_renew_on_one_node_locks_nobody_out_on_another() {
    let (n1, n2, _) = nodes();
    let (_, old) = login(&n1, NOW).await;
    read(&n2, &old, NOW).await;
    let new = renew(&n1, &old, NOW).await;
    for node in [&n1, &n2] {
        assert!(!held(node, &new, NOW).await.renewed);
        assert!(held(node, &old, NOW).await.renewed);
    }
}

#[tokio::test]
async fn a_reload_is_of_the_store_and_never_of_something_older() {
    let (n1, n2, store) = nodes();
    let (_, text) = login(&n1, NOW).await;
    let before = held(&n1, &text, NOW).await;
    write(&n2, &text, 1, NOW).await;
    let now = n1.reload(&before.record, NOW).await.unwrap().unwrap();
    assert_eq!(value_of(&now), Some(1));
    store.revert(1);
    let older = n1.reload(&now, NOW).await.unwrap_err();
    assert_eq!(older.kind(), sessile_core::ErrorKind::Stale);
}

#[tokio::test]
async fn a_verifier_used_after_its_grace_ends_the_session_in_the_store() {
    let (n1, n2, store) = nodes();
    let (credential, old) = login(&n1, NOW).await;
    let new = renew(&n1, &old, NOW).await;
    let owner = held(&n1, &new, NOW).await;
    let mut confirm = Patch::new(owner.known);
    confirm.confirm(after(GRACE));
    let confirmed = n1.apply(&owner.record, &confirm, None, NOW).await;
    assert!(matches!(confirmed, Ok(Outcome::Applied(_))));
    // The copy is fresh, and is not what says no.
    read(&n1, &new, after(GRACE)).await;
    let thief = open(&n1, &old, after(GRACE)).await;
    assert!(matches!(thief.found, sessile_core::Found::Reuse(sid) if sid == credential.sid));
    assert_eq!(thief.arrival, Arrival::Ended);
    assert!(store.record(&credential.sid).is_none());
    for node in [&n1, &n2] {
        assert_eq!(arrival(node, &new, after(GRACE)).await, Arrival::Ended);
    }
}
