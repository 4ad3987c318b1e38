//! How a token slides, changes and ends, without a store.

use std::time::Duration;

use crate::support::*;

fn patch(record: &Record, key: &str, text: &str) -> Patch {
    let mut patch = Patch::new(record.version);
    patch.set(Name::new(key).unwrap(), Text::from_encoded(text));
    patch
}

fn apply(token: &Token, record: &Arc<Record>, patch: &Patch, at: Timestamp) -> Outcome {
    match token.apply(record, patch, None, at) {
        step @ Step::Ready(_) => run(step).unwrap(),
        Step::Waiting(_) => panic!("it had to wait"),
    }
}

use std::sync::Arc;

fn applied(outcome: Outcome) -> Arc<Record> {
    match outcome {
        Outcome::Applied(record) => record,
        other => panic!("{other:?}"),
    }
}

fn held(token: &Token, text: &str, at: Timestamp) -> Held {
    open_at(token, text, at)
        .into_held()
        .expect("it was refused")
}

#[test]
fn without_revocation_nothing_has_to_wait() {
    for token in [signed(), sealed()] {
        let made = Arc::new(record(Some("ada"), &[], now()));
        assert!(matches!(token.create(made.clone(), now()), Step::Ready(_)));
        let text = issue(&token, &made);
        let held = held(&token, &text, now());
        assert_eq!(held.known, 1);
        assert!(matches!(token.reload(&held.record, now()), Step::Ready(_)));
        let ended = token.end(held.record.sid, now(), now());
        assert!(matches!(ended, Step::Ready(_)));
        assert!(run(ended).unwrap().is_some());
    }
}

#[test]
fn a_token_is_made_anew_past_half_of_its_life_and_not_before() {
    let token = signed();
    let text = issue(&token, &record(None, &[], now()));
    let just_before = Timestamp::from_millis((NOW + 450) * 1000 - 1);
    assert!(!held(&token, &text, just_before).reissue);
    let half = held(&token, &text, at(NOW + 450));
    assert!(half.reissue);
    let slid = issue(&token, &half.record);
    assert_eq!(
        held(&token, &slid, at(NOW + 450)).record.expires_at(),
        at(NOW + 450 + 900)
    );
    // No use of it in between is noted: it costs neither a commit nor a header.
    assert!(
        !held(&token, &text, just_before)
            .record
            .is_touch_due(just_before)
    );
}

#[test]
fn the_effective_idle_time_lies_between_half_a_life_and_a_whole_one() {
    let token = signed();
    for used in 0..900 {
        let mut text = issue(&token, &record(None, &[], now()));
        let last = held(&token, &text, at(NOW + used));
        if last.reissue {
            text = issue(&token, &last.record);
        }
        // Past half a life after the last use it is still good, past a whole one and the leeway
        // no more.
        assert!(
            open_at(&token, &text, at(NOW + used + 450))
                .held()
                .is_some()
        );
        assert_eq!(
            open_at(&token, &text, at(NOW + used + 960)).arrival,
            Arrival::Expired
        );
    }
}

#[test]
fn a_session_in_use_lives_to_its_absolute_end_and_no_longer() {
    let token = signed();
    let made = record(None, &[], now());
    let mut text = issue(&token, &made);
    let mut second = NOW;
    while second + 400 < NOW + 43200 {
        second += 400;
        let held = held(&token, &text, at(second));
        assert_eq!(held.record.absolute_deadline, made.absolute_deadline);
        assert_eq!(held.record.created_at, made.created_at);
        if held.reissue {
            text = issue(&token, &held.record);
        }
    }
    assert!(open_at(&token, &text, at(NOW + 43199)).held().is_some());
    // In the last life there is nothing to be won by a new token.
    assert!(!held(&token, &text, at(NOW + 43199)).reissue);
    assert_eq!(
        open_at(&token, &text, at(NOW + 43200)).arrival,
        Arrival::Expired
    );
}

#[test]
fn a_write_makes_a_newer_version_and_a_whole_life() {
    let token = signed();
    let text = issue(&token, &record(Some("ada"), &[("a", "1")], now()));
    let later = at(NOW + 100);
    let held_before = held(&token, &text, later);
    let written = applied(apply(
        &token,
        &held_before.record,
        &patch(&held_before.record, "b", "2"),
        later,
    ));
    assert_eq!(written.version, 2);
    let again = held(&token, &issue(&token, &written), later);
    assert_eq!(again.record.data.len(), 2);
    assert_eq!(again.record.expires_at(), at(NOW + 1000));
    assert_eq!(again.record.sid, held_before.record.sid);
    assert_eq!(again.record.subject.as_deref(), Some("ada"));
}

#[test]
fn a05_a_renewed_token_is_another_one_of_the_same_session() {
    let token = signed();
    let text = issue(&token, &record(None, &[], now()));
    let held = held(&token, &text, now());
    let (old, new) = (&held.verifier, Verifier::random());
    let mut patch = Patch::new(held.known);
    patch.rotate(Some(Rotation {
        expect: held.record.hash,
        new: new.hash(),
        wrapped: old.wrap(&held.record.sid, &new),
    }));
    let renewed = applied(apply(&token, &held.record, &patch, now()));
    assert!(renewed.previous.is_none());
    let renewed_text = issue(&token, &renewed);
    assert_ne!(renewed_text, text);
    let opened = open(&token, &renewed_text);
    assert_eq!(opened.held().unwrap().record.sid, held.record.sid);
}

#[test]
fn expectations_are_held_against_what_the_client_sent() {
    let token = signed();
    let text = issue(&token, &record(None, &[("n", "1")], now()));
    let held = held(&token, &text, now());
    let mut good = patch(&held.record, "n", "2");
    good.expect(Name::new("n").unwrap(), Some(Text::from_encoded("1")));
    applied(apply(&token, &held.record, &good, now()));
    let mut bad = patch(&held.record, "n", "2");
    bad.expect(Name::new("n").unwrap(), Some(Text::from_encoded("7")));
    assert!(matches!(
        apply(&token, &held.record, &bad, now()),
        Outcome::Conflict(_)
    ));
}

#[test]
fn a_session_with_a_lifetime_of_its_own_keeps_it() {
    let token = signed();
    let text = issue(&token, &record(None, &[], now()));
    let opened = held(&token, &text, now());
    let mut patch = Patch::new(opened.known);
    let short = Lifetime::new(Duration::from_secs(300), Duration::from_secs(90_000)).unwrap();
    patch.lifetime(short);
    let record = applied(apply(&token, &opened.record, &patch, now()));
    let text = issue(&token, &record);
    let opened = held(&token, &text, at(NOW + 200));
    assert!(opened.reissue);
    assert_eq!(opened.record.absolute_deadline, at(NOW + 90_000));
    let text = issue(&token, &opened.record);
    assert_eq!(
        held(&token, &text, at(NOW + 200)).record.expires_at(),
        at(NOW + 500)
    );
    // A longer idle time than a token's life is not to be had: that is what a life is.
    let mut patch = Patch::new(opened.known);
    patch.lifetime(Lifetime::default());
    let record = applied(apply(&token, &opened.record, &patch, at(NOW + 200)));
    let text = issue(&token, &record);
    assert_eq!(
        held(&token, &text, at(NOW + 200)).record.expires_at(),
        at(NOW + 1100)
    );
}

#[test]
fn a_session_that_expired_in_mid_request_is_gone() {
    let token = signed();
    let text = issue(&token, &record(None, &[], now()));
    let held = held(&token, &text, now());
    let outcome = apply(
        &token,
        &held.record,
        &patch(&held.record, "n", "1"),
        at(NOW + 900),
    );
    assert!(matches!(outcome, Outcome::Gone));
}

#[test]
fn what_could_add_claims_of_its_own_is_not_signed() {
    let token = signed();
    for bad in [
        "1},\"sub\":\"eve\"",
        "1,\"n\":2",
        "",
        " 1",
        "1 ",
        "{",
        "nul",
    ] {
        let made = record(None, &[("n", bad)], now());
        let error = token
            .issue(&made, &Verifier::random(), CARRIER)
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Encode, "{bad}");
    }
    let deep = format!("{}{}", "[".repeat(31), "]".repeat(31));
    let made = record(None, &[("n", &deep)], now());
    assert!(token.issue(&made, &Verifier::random(), CARRIER).is_err());
    assert!(token.room(None, None, &made.data, CARRIER, 4096).is_err());
}

#[test]
fn the_room_that_is_left_is_exact() {
    for token in [signed(), sealed()] {
        let limit = 4096;
        for subject in [None, Some("ada"), Some("\"käse\"")] {
            let text = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
            let small = text(10);
            let made = record(subject, &[("n", &small)], now());
            let room = token
                .room(None, subject, &made.data, CARRIER, limit)
                .unwrap()
                .unwrap();
            let fits = text(10 + usize::try_from(room).unwrap());
            let mut made = record(subject, &[("n", &fits)], now());
            assert_eq!(
                token
                    .room(None, subject, &made.data, CARRIER, limit)
                    .unwrap(),
                Some(0)
            );
            // The widest numbers that a token can hold.
            made.version = Timestamp::MAX.as_millis();
            assert!(issue(&token, &made).len() <= limit);
            made.data = record(
                subject,
                &[("n", &text(11 + usize::try_from(room).unwrap()))],
                now(),
            )
            .data;
            assert_eq!(
                token
                    .room(None, subject, &made.data, CARRIER, limit)
                    .unwrap(),
                Some(-1)
            );
            let error = token
                .issue(&made, &Verifier::random(), CARRIER)
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TooLarge);
        }
    }
}

#[test]
fn the_guarantees_say_what_a_token_cannot() {
    let guarantees = signed().guarantees();
    assert_eq!(guarantees.writes, Writes::LastResponseWins);
    assert_eq!(guarantees.revocation, Revocation::AtExpiry);
    assert_eq!(guarantees.scope, Scope::AllNodes);
    assert!(guarantees.any_node);
    assert!(
        (2000..3000).contains(&guarantees.max_bytes),
        "{}",
        guarantees.max_bytes
    );
    let unsupported = run(signed().list("ada", now())).unwrap_err();
    assert_eq!(unsupported.kind(), ErrorKind::Unsupported);
}

/// F11: what a signed token alone cannot prevent, and says that it does not.
#[test]
fn f11_an_older_token_of_a_session_brings_its_older_state_back() {
    let token = signed();
    let old = issue(&token, &record(None, &[("n", "1")], now()));
    let held_old = held(&token, &old, now());
    applied(apply(
        &token,
        &held_old.record,
        &patch(&held_old.record, "n", "2"),
        now(),
    ));
    let replayed = held(&token, &old, at(NOW + 899));
    assert_eq!(replayed.record.data.get("n").unwrap().as_str(), "1");
    assert_eq!(
        open_at(&token, &old, at(NOW + 960)).arrival,
        Arrival::Expired
    );
}
