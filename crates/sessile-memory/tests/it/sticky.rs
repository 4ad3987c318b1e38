//! The strategy: in which state a credential arrives, and what becomes of it.

use std::time::Duration;

use sessile_core::OnReuse;
use sessile_core::{
    Arrival, Created, Credential, Found, GRACE, Held, KeyRing, Lifetime, MasterKey, Opened,
    Outcome, Patch, Presented, Record, Revocation, Rotation, Scope, SessionId, Step, Strategy,
    TOMBSTONE, Timestamp, Verifier,
};
use sessile_memory::{Capacity, Sticky};

use crate::support::*;

const CARRIER: &str = "__Host-sid";
const IDLE: Duration = Duration::from_secs(30 * 60);
/// When the process of most tests started: long enough ago to know that it has lost nothing.
const STARTED: Timestamp = Timestamp::from_millis(NOW.as_millis() - 86_400_000);

fn ring() -> KeyRing {
    KeyRing::new(MasterKey::new("k", (0..32).collect::<Vec<u8>>()).unwrap())
}

fn sticky(started: Timestamp) -> Sticky {
    attached(Sticky::new().keys(ring()), started)
}

fn attached(sticky: Sticky, started: Timestamp) -> Sticky {
    sticky.attach(&Lifetime::default(), started);
    sticky
}

/// Memory never waits.
fn done<T>(step: Step<sessile_core::Result<T>>) -> T {
    match step {
        Step::Ready(ready) => ready.into_inner().unwrap(),
        Step::Waiting(_) => panic!("sessions in memory are there at once"),
    }
}

fn open(sticky: &Sticky, text: &str, now: Timestamp) -> Opened {
    let presented = Presented {
        text: text.as_bytes(),
        carrier: CARRIER,
        arrived: now,
    };
    done(sticky.open(&presented, now))
}

fn held(opened: &Opened) -> Held {
    opened.held().expect("there is a session").clone()
}

fn reused(opened: &Opened) -> Option<SessionId> {
    match opened.found {
        Found::Reuse(sid) => Some(sid),
        _ => None,
    }
}

fn arrival(sticky: &Sticky, text: &str, now: Timestamp) -> Arrival {
    let opened = open(sticky, text, now);
    assert_eq!(opened.held().is_some(), opened.arrival == Arrival::Resumed);
    opened.arrival
}

/// A session made at `now`, and what its client was given.
fn login(sticky: &Sticky, now: Timestamp) -> (Credential, String) {
    let credential = Credential::random();
    let record = Record::new(&credential, now, &Lifetime::default());
    let text = sticky
        .issue(&record, &credential.verifier, CARRIER)
        .unwrap();
    assert_eq!(done(sticky.create(record.into(), now)), Created::Created);
    (credential, text)
}

/// Renews, and returns what the client is given then.
fn renew(sticky: &Sticky, old: &Credential, text: &str, now: Timestamp) -> (Verifier, String) {
    let record = held(&open(sticky, text, now)).record;
    let new = Verifier::random();
    let mut patch = Patch::new(record.version);
    patch.rotate(Some(Rotation {
        expect: old.verifier.hash(),
        new: new.hash(),
        wrapped: old.verifier.wrap(&old.sid, &new),
    }));
    let Outcome::Applied(record) = done(sticky.apply(&record, &patch, None, now)) else {
        panic!("nobody else renews");
    };
    let text = sticky.issue(&record, &new, CARRIER).unwrap();
    (new, text)
}

#[test]
fn what_was_issued_resumes() {
    let sticky = sticky(STARTED);
    let (credential, text) = login(&sticky, NOW);
    let opened = open(&sticky, &text, NOW);
    assert_eq!(opened.arrival, Arrival::Resumed);
    assert!(matches!(opened.found, Found::Session(_)));
    let Held {
        record,
        verifier,
        known,
        renewed,
        reissue,
    } = held(&opened);
    assert_eq!(record.sid, credential.sid);
    assert_eq!(verifier.expose(), credential.verifier.expose());
    assert_eq!((known, renewed, reissue), (1, false, false));
    let again = done(sticky.reload(&record, NOW));
    assert_eq!(again.as_deref(), Some(&*record));
}

#[test]
fn what_we_never_issued_is_unknown() {
    let sticky = sticky(NOW);
    let (credential, text) = login(&sticky, NOW);
    let record = Record::new(&credential, NOW, &Lifetime::default());
    let wrong = Credential {
        sid: credential.sid,
        verifier: Verifier::random(),
    };
    let stranger = Sticky::new();
    let absent = Credential::random();
    for forged in [
        "",
        ".",
        "s..",
        &credential.encode(),
        &text[..text.len() - 1],
        &text.replacen("s.", "t.", 1),
        &"s".repeat(84),
        // The wrong verifier, even with our own signature; and no session by a foreign one.
        &sticky.issue(&record, &wrong.verifier, CARRIER).unwrap(),
        &stranger.issue(&record, &wrong.verifier, CARRIER).unwrap(),
        &stranger.issue(&record, &absent.verifier, CARRIER).unwrap(),
        // Ours, but for another carrier.
        &sticky.issue(&record, &absent.verifier, "sid").unwrap(),
    ] {
        let opened = arrival(&sticky, forged, NOW);
        assert_eq!(opened, Arrival::Unknown, "{forged:?}");
    }
    assert_eq!(done(sticky.count(NOW)), Some(1), "nothing is adopted");
    // Neither an end nor a deadline is told to whoever can't prove to have held the session.
    let guess = stranger
        .issue(&record, &credential.verifier, CARRIER)
        .unwrap();
    let expired = NOW.after(IDLE);
    assert_eq!(arrival(&sticky, &text, expired), Arrival::Expired);
    assert_eq!(arrival(&sticky, &guess, expired), Arrival::Unknown);
    done(sticky.end(credential.sid, NOW, NOW.after(TOMBSTONE)));
    assert_eq!(arrival(&sticky, &text, NOW), Arrival::Ended);
    assert_eq!(arrival(&sticky, &guess, NOW), Arrival::Unknown);
}

#[test]
fn an_ended_session_arrives_as_such_while_its_tombstone_stands() {
    let sticky = sticky(STARTED);
    let (credential, text) = login(&sticky, NOW);
    let last = done(sticky.end(credential.sid, NOW, NOW.after(TOMBSTONE)));
    assert_eq!(last.unwrap().sid, credential.sid);
    for elapsed in [Duration::ZERO, TOMBSTONE - SECOND] {
        assert_eq!(arrival(&sticky, &text, after(elapsed)), Arrival::Ended);
    }
    // Then nothing of it is left that would tell it from one that idled away.
    assert_eq!(arrival(&sticky, &text, after(TOMBSTONE)), Arrival::Expired);
}

#[test]
fn past_its_deadline_a_session_is_expired_before_and_after_it_was_forgotten() {
    let sticky = sticky(STARTED);
    let (_, text) = login(&sticky, NOW);
    let last = Timestamp::from_millis(NOW.after(IDLE).as_millis() - 1);
    assert_eq!(arrival(&sticky, &text, last), Arrival::Resumed);
    assert_eq!(arrival(&sticky, &text, NOW.after(IDLE)), Arrival::Expired);
    let later = NOW.after(IDLE + TICK);
    assert_eq!(done(sticky.sweep(later)), 1);
    assert_eq!(arrival(&sticky, &text, later), Arrival::Expired);
}

#[test]
fn after_a_restart_a_session_is_lost_until_it_could_have_idled_away_and_is_never_adopted() {
    let (_, text) = login(&sticky(STARTED), NOW);
    let restarted = sticky(after(SECOND));
    let knows = after(SECOND + IDLE);
    for now in [after(SECOND), Timestamp::from_millis(knows.as_millis() - 1)] {
        assert_eq!(arrival(&restarted, &text, now), Arrival::Lost);
    }
    assert_eq!(arrival(&restarted, &text, knows), Arrival::Expired);
    assert_eq!(done(restarted.count(NOW)), Some(0));
    // With other keys, the text is a stranger's.
    let other = attached(Sticky::new(), NOW);
    assert_eq!(arrival(&other, &text, after(SECOND)), Arrival::Unknown);
    // A process started past the absolute deadline, which the text itself tells, lost nothing.
    let late = sticky(after(DAY));
    assert_eq!(arrival(&late, &text, after(DAY)), Arrival::Expired);
}

#[test]
fn another_layer_over_the_same_strategy_does_not_make_the_process_younger() {
    let (_, text) = login(&sticky(STARTED), NOW);
    let old = sticky(STARTED);
    old.attach(&Lifetime::default(), NOW);
    assert_eq!(arrival(&old, &text, after(SECOND)), Arrival::Expired);
}

#[test]
fn an_evicted_session_is_lost_until_it_could_have_idled_away() {
    let small = Sticky::new().keys(ring()).capacity(Capacity::sessions(1));
    let sticky = attached(small, STARTED);
    let (_, text) = login(&sticky, NOW);
    let (_, newer) = login(&sticky, after(SECOND));
    assert_eq!(sticky.table().evicted(), 1);
    assert_eq!(arrival(&sticky, &newer, after(SECOND)), Arrival::Resumed);
    assert_eq!(arrival(&sticky, &text, after(SECOND)), Arrival::Lost);
    let knows = after(SECOND + IDLE);
    assert_eq!(arrival(&sticky, &text, knows), Arrival::Expired);
}

#[test]
fn the_previous_credential_is_answered_with_its_successor_within_the_grace() {
    let sticky = sticky(STARTED);
    let (old, text) = login(&sticky, NOW);
    let (new, renewed) = renew(&sticky, &old, &text, NOW);
    assert!(!open(&sticky, &renewed, NOW).held().unwrap().renewed);

    // Open-ended as long as nobody has shown the successor: the response may have been lost.
    let held = held(&open(&sticky, &text, after(GRACE * 2)));
    assert!(held.renewed);
    assert_eq!(held.verifier.expose(), new.expose());

    let mut confirm = Patch::new(0);
    confirm.confirm(after(GRACE));
    done(sticky.apply(&held.record, &confirm, None, NOW));
    let last = Timestamp::from_millis(after(GRACE).as_millis() - 1);
    assert!(open(&sticky, &text, last).held().unwrap().renewed);
    // What counts is when the head arrived, not when the body was read.
    let slow = Presented {
        text: text.as_bytes(),
        carrier: CARRIER,
        arrived: last,
    };
    assert!(done(sticky.open(&slow, after(GRACE * 2))).held().is_some());
}

fn reuse(on_reuse: OnReuse) -> (Sticky, SessionId, String, Opened) {
    let sticky = attached(Sticky::new().on_reuse(on_reuse), STARTED);
    let (old, text) = login(&sticky, NOW);
    let (_, renewed) = renew(&sticky, &old, &text, NOW);
    let record = open(&sticky, &renewed, NOW).held().unwrap().record.clone();
    let mut confirm = Patch::new(0);
    confirm.confirm(after(GRACE));
    done(sticky.apply(&record, &confirm, None, NOW));
    let opened = open(&sticky, &text, after(GRACE));
    (sticky, old.sid, renewed, opened)
}

#[test]
fn reuse_after_the_grace_ends_the_session_for_both() {
    let (sticky, sid, renewed, opened) = reuse(OnReuse::End);
    assert_eq!(
        (opened.arrival, reused(&opened)),
        (Arrival::Ended, Some(sid))
    );
    assert!(opened.held().is_none());
    assert_eq!(arrival(&sticky, &renewed, after(GRACE)), Arrival::Ended);
    let last = Timestamp::from_millis(after(GRACE + TOMBSTONE).as_millis() - 1);
    assert_eq!(arrival(&sticky, &renewed, last), Arrival::Ended);
}

#[test]
fn reuse_may_be_no_more_than_an_event() {
    let (sticky, sid, renewed, opened) = reuse(OnReuse::Event);
    assert_eq!(
        (opened.arrival, reused(&opened)),
        (Arrival::Unknown, Some(sid))
    );
    assert!(opened.held().is_none());
    assert_eq!(arrival(&sticky, &renewed, after(GRACE)), Arrival::Resumed);
}

/// Computed with Python's `hmac`, `hashlib` and `base64` from the description of the format: a
/// credential made by one release is read by the next.
#[test]
fn the_wire_format_is_fixed() {
    let credential = Credential {
        sid: SessionId::from_bytes([1; 16]),
        verifier: Verifier::from_bytes([2; 16]),
    };
    let mut record = Record::new(&credential, NOW, &Lifetime::default());
    record.version = 3;
    record.absolute_deadline = Timestamp::from_millis(29_000_000 * 60_000 - 1);
    let text = sticky(NOW)
        .issue(&record, &credential.verifier, CARRIER)
        .unwrap();
    assert_eq!(
        text,
        "s.AQEBAQEBAQEBAQEBAQEBAQICAgICAgICAgICAgICAgIAAAAAAAAAAwG6gUA.XNWkueq3YRx0hnACeuHXOQ"
    );
}

#[test]
fn its_promises_are_those_of_one_process() {
    let promises = Sticky::new().guarantees();
    assert_eq!(promises.revocation, Revocation::Immediate);
    assert_eq!(promises.scope, Scope::ThisNode);
    assert!(!promises.any_node);
}
