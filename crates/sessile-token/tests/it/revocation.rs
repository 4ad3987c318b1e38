//! E18, E19, R26 and F08: logouts and revocations over a store.

use std::sync::Arc;
use std::time::Duration;

use crate::support::*;

/// Two nodes with one store.
struct Nodes {
    store: MapStore,
    a: Token,
    b: Token,
}

fn node(store: &MapStore) -> Token {
    let token = with(builder(store));
    token.attach(&lifetime(), now());
    token
}

fn builder(store: &MapStore) -> TokenBuilder {
    Token::signed(TokenKeys::new(hmac_key())).revocation(store.clone())
}

fn nodes() -> Nodes {
    let store = MapStore::default();
    Nodes {
        a: node(&store),
        b: node(&store),
        store,
    }
}

fn open_now(token: &Token, text: &str, at: Timestamp) -> Opened {
    run(token.open(&presented(text, at), at)).unwrap()
}

fn login(token: &Token, subject: &str, at: Timestamp) -> (SessionId, String) {
    let made = Arc::new(record(Some(subject), &[], at));
    assert_eq!(
        run(token.create(made.clone(), at)).unwrap(),
        Created::Created
    );
    (made.sid, issue(token, &made))
}

fn end(token: &Token, sid: SessionId, at: Timestamp) -> bool {
    let until = at.after(TOMBSTONE);
    run(token.end(sid, at, until)).unwrap().is_some()
}

fn write(token: &Token, record: &Arc<Record>, at: Timestamp) -> Result<Outcome> {
    let mut patch = Patch::new(record.version);
    patch.set(Name::new("n").unwrap(), Text::from_encoded("1"));
    run(token.apply(record, &patch, None, at))
}

#[test]
fn e19_a_logout_holds_at_once_here_and_within_the_bound_elsewhere() {
    let Nodes { a, b, .. } = nodes();
    let (sid, text) = login(&a, "ada", now());
    // Both have looked a moment ago.
    assert_eq!(open_now(&a, &text, now()).arrival, Arrival::Resumed);
    assert_eq!(open_now(&b, &text, now()).arrival, Arrival::Resumed);
    assert!(end(&a, sid, now()));
    assert_eq!(open_now(&a, &text, now()).arrival, Arrival::Ended);
    let bound = now().after(Duration::from_secs(5));
    let last = Timestamp::from_millis(bound.as_millis() - 1);
    assert_eq!(open_now(&b, &text, last).arrival, Arrival::Resumed);
    assert_eq!(open_now(&b, &text, bound).arrival, Arrival::Ended);
    assert_eq!(
        a.guarantees().revocation,
        Revocation::Within(Duration::from_secs(5))
    );
}

#[test]
fn e19_with_a_bound_of_zero_every_request_reads() {
    let store = MapStore::default();
    let token = with(builder(&store).within(Duration::ZERO));
    let other = with(builder(&store).within(Duration::ZERO));
    let (sid, text) = login(&token, "ada", now());
    assert_eq!(open_now(&other, &text, now()).arrival, Arrival::Resumed);
    assert!(end(&token, sid, now()));
    assert_eq!(open_now(&other, &text, now()).arrival, Arrival::Ended);
    assert_eq!(token.guarantees().revocation, Revocation::Immediate);
}

#[test]
fn e19_a_read_within_the_bound_costs_no_call_and_does_not_wait() {
    let Nodes { store, a, .. } = nodes();
    let (_, text) = login(&a, "ada", now());
    open_now(&a, &text, now());
    let calls = store.calls();
    for second in 1..5 {
        let at = at(NOW + second);
        assert!(matches!(a.open(&presented(&text, at), at), Step::Ready(_)));
    }
    assert_eq!(store.calls(), calls);
}

#[test]
fn e19_whoever_is_given_a_new_token_is_looked_up_for_that_in_the_same_request() {
    let Nodes { a, b, .. } = nodes();
    let (sid, text) = login(&a, "ada", now());
    // Past half of its life, it would be made anew: node B has looked a moment ago and looks again.
    let half = at(NOW + 500);
    let early = Timestamp::from_millis(half.as_millis() - 51_000);
    open_now(&b, &text, early);
    assert!(end(&a, sid, half));
    assert_eq!(open_now(&b, &text, half).arrival, Arrival::Ended);

    // A write makes a new token, too.
    let (sid, text) = login(&a, "ada", now());
    let held = open_now(&b, &text, now()).into_held().unwrap();
    assert!(end(&a, sid, now()));
    assert!(matches!(
        write(&b, &held.record, now()).unwrap(),
        Outcome::Gone
    ));
    assert!(run(b.reload(&held.record, now())).unwrap().is_none());
    // Control: without the logout it is written.
    let (_, text) = login(&a, "ada", now());
    let held = open_now(&b, &text, now()).into_held().unwrap();
    assert!(matches!(
        write(&b, &held.record, now()).unwrap(),
        Outcome::Applied(_)
    ));
}

/// Every way to a token that slides, on two nodes, for hours after the logout.
#[test]
fn f08_no_slid_token_outlives_its_logout() {
    for logged_in in [true, false] {
        let Nodes { a, b, .. } = nodes();
        let (sid, mut text) = if logged_in {
            login(&a, "ada", now())
        } else {
            let made = Arc::new(record(None, &[], now()));
            run(a.create(made.clone(), now())).unwrap();
            (made.sid, issue(&a, &made))
        };
        // Somebody keeps a copy of every token that there ever was.
        let mut copies = vec![text.clone()];
        let mut second = NOW;
        while second < NOW + 7200 {
            second += 455;
            let held = open_now(&b, &text, at(second)).into_held().unwrap();
            assert!(held.reissue);
            text = issue(&b, &held.record);
            copies.push(text.clone());
        }
        let logout = second;
        assert!(end(&a, sid, at(logout)));
        let bound = logout + 5;
        let mut tried = 0;
        for second in (bound..NOW + 43200 + 7200).step_by(97) {
            for node in [&a, &b] {
                for copy in &copies {
                    let opened = open_now(node, copy, at(second));
                    assert!(opened.held().is_none(), "{} s after", second - logout);
                    tried += 1;
                }
            }
        }
        assert!(tried > 10_000);
    }
}

#[test]
fn e18_a_revocation_is_kept_until_no_token_of_the_session_can_be_good() {
    let store = MapStore::default();
    let month = Duration::from_secs(30 * 24 * 3600);
    let make = || {
        let token = with(builder(&store).longest(month));
        token.attach(&lifetime(), now());
        token
    };
    let (a, operator) = (make(), make());
    let (sid, text) = login(&a, "ada", now());
    let held = open_now(&a, &text, now()).into_held().unwrap();
    let mut patch = Patch::new(held.known);
    patch.lifetime(Lifetime::new(Duration::from_secs(900), month).unwrap());
    let Outcome::Applied(long) = run(a.apply(&held.record, &patch, None, now())).unwrap() else {
        panic!("it was not applied")
    };
    // An operator's node that never saw the session, and does not know how long it lives.
    assert!(end(&operator, sid, at(NOW + 10)));
    let last = long.absolute_deadline.as_millis() / 1000;
    let mut late = (*long).clone();
    for second in [last - 30_000, last - 900, last - 1, last, last + 59] {
        // Whatever else could still be signed for it.
        late.last_seen = at(second - 1);
        late.idle_deadline = at(second + 899);
        let copy = issue(&a, &late);
        assert!(open_now(&operator, &copy, at(second)).held().is_none());
        assert!(open_now(&a, &copy, at(second)).held().is_none());
    }
}

#[test]
fn e18_a_session_that_would_outlive_its_revocation_is_refused() {
    let Nodes { a, .. } = nodes();
    let (_, text) = login(&a, "ada", now());
    let held = open_now(&a, &text, now()).into_held().unwrap();
    let mut patch = Patch::new(held.known);
    let long = Lifetime::new(Duration::from_secs(900), Duration::from_secs(43_201)).unwrap();
    patch.lifetime(long);
    let error = run(a.apply(&held.record, &patch, None, now())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("longest"));
    // A token that says so itself, made before there was revocation, ends in time all the same.
    let claims = claims_with("sxp", Some(&(NOW + 90_000).to_string()));
    let claims = claims.replace(
        &format!("\"exp\":{}", NOW + 900),
        &format!("\"exp\":{}", NOW + 50_000),
    );
    let text = forge(HEADER, claims);
    assert_eq!(
        open_now(&a, &text, at(NOW + 43_199)).arrival,
        Arrival::Resumed
    );
    assert_eq!(
        open_now(&a, &text, at(NOW + 43_200)).arrival,
        Arrival::Expired
    );
}

#[test]
fn e18_the_twin_of_a_revoked_signature_is_revoked() {
    let store = MapStore::default();
    let key = PrivateKey::from_pem(Algorithm::ES256, &crate::golden::pem("ES256")).unwrap();
    let token = with(Token::signed(TokenKeys::new(key)).revocation(store));
    let (sid, text) = login(&token, "ada", now());
    let twin = twin(&text);
    assert_ne!(twin, text);
    // ECDSA is malleable: both are signatures of the same message.
    for text in [&text, &twin] {
        assert_eq!(open_now(&token, text, now()).arrival, Arrival::Resumed);
    }
    assert!(end(&token, sid, now()));
    for text in [&text, &twin] {
        assert_eq!(open_now(&token, text, now()).arrival, Arrival::Ended);
    }
}

/// The same token with `n - s` in the place of `s`.
fn twin(text: &str) -> String {
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc,
        0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let (message, signature) = text.rsplit_once('.').unwrap();
    let mut signature = base64_simd::URL_SAFE_NO_PAD
        .decode_to_vec(signature)
        .unwrap();
    let mut borrow = 0;
    for (s, n) in signature[32..].iter_mut().zip(ORDER).rev() {
        let difference = i16::from(n) - i16::from(*s) - borrow;
        borrow = i16::from(difference < 0);
        *s = difference.rem_euclid(256) as u8;
    }
    format!(
        "{message}.{}",
        base64_simd::URL_SAFE_NO_PAD.encode_to_string(signature)
    )
}

#[test]
fn e19_all_sessions_of_a_subject_end_with_one_write_also_those_that_nobody_knows_of() {
    let Nodes { a, b, .. } = nodes();
    let (_, first) = login(&a, "ada", now());
    let (_, other) = login(&a, "eve", now());
    // One that was never written down, as before there was a store.
    let unknown = forge(HEADER, good_claims());
    let at_once = at(NOW + 1);
    run(a.revoke_all("ada", &[], at_once)).unwrap();
    for text in [&first, &unknown] {
        assert_eq!(open_now(&a, text, at_once).arrival, Arrival::Ended);
        assert_eq!(open_now(&b, text, at_once).arrival, Arrival::Ended);
    }
    assert_eq!(open_now(&a, &other, at_once).arrival, Arrival::Resumed);
    // The next login is another epoch's, in the same millisecond, and on a node whose clock is
    // behind.
    for (node, at) in [(&a, at_once), (&b, at(NOW - 30))] {
        let (_, text) = login(node, "ada", at);
        assert_eq!(open_now(node, &text, at).arrival, Arrival::Resumed);
        // Sliding keeps it.
        let later = Timestamp::from_millis(at.as_millis() + 600_000);
        let held = open_now(node, &text, later).into_held().unwrap();
        assert!(held.reissue);
        let slid = issue(node, &held.record);
        assert_eq!(open_now(node, &slid, later).arrival, Arrival::Resumed);
    }
    // And ends with the next.
    let (_, text) = login(&a, "ada", at_once);
    run(b.revoke_all("ada", &[], at_once)).unwrap();
    assert_eq!(open_now(&b, &text, at_once).arrival, Arrival::Ended);
}

#[test]
fn e19_others_end_and_this_one_stays_also_when_it_slides() {
    let Nodes { a, b, .. } = nodes();
    let (sid, mine) = login(&a, "ada", now());
    let (_, other) = login(&a, "ada", now());
    run(a.revoke_all("ada", &[sid], at(NOW + 1))).unwrap();
    let mut text = mine;
    for step in 0..8 {
        let second = at(NOW + 10 + step * 455);
        let held = open_now(&b, &text, second).into_held().expect("it ended");
        text = issue(&b, &held.record);
    }
    assert_eq!(open_now(&b, &other, at(NOW + 10)).arrival, Arrival::Ended);
    // The exception is for that revocation, not for the next one.
    run(a.revoke_all("ada", &[], at(NOW + 4000))).unwrap();
    assert_eq!(open_now(&a, &text, at(NOW + 4000)).arrival, Arrival::Ended);
}

#[test]
fn e19_a_login_in_flight_does_not_survive_a_revocation_of_all() {
    let Nodes { a, b, .. } = nodes();
    let made = Arc::new(record(Some("ada"), &[], now()));
    assert_eq!(
        run(a.create(made.clone(), now())).unwrap(),
        Created::Created
    );
    run(b.revoke_all("ada", &[], at(NOW + 1))).unwrap();
    // Another login of the subject, on the same node, has read the newer epoch meanwhile.
    login(&a, "ada", at(NOW + 1));
    let text = issue(&a, &made);
    assert_eq!(open_now(&a, &text, at(NOW + 2)).arrival, Arrival::Ended);
}

#[test]
fn e19_epochs_only_grow_whatever_the_clocks_say() {
    let Nodes { a, b, .. } = nodes();
    let revoke = |node: &Token, at| run(node.revoke_all("ada", &[], at)).unwrap();
    revoke(&a, at(NOW + 1000));
    let (_, text) = login(&a, "ada", now());
    revoke(&b, at(NOW - 1000));
    assert_eq!(open_now(&b, &text, now()).arrival, Arrival::Ended);
}

#[test]
fn a_session_ends_once_and_whoever_is_second_is_told_so() {
    for subject in [Some("ada"), None] {
        let Nodes { a, b, .. } = nodes();
        let made = Arc::new(record(subject, &[], now()));
        run(a.create(made.clone(), now())).unwrap();
        assert!(end(&a, made.sid, now()));
        assert!(!end(&b, made.sid, now()));
        assert!(!end(&a, made.sid, at(NOW + 300)));
    }
}

#[test]
fn a09_the_sessions_of_a_subject_are_listed_and_nothing_in_the_list_opens_them() {
    let Nodes { a, b, .. } = nodes();
    let (first, text) = login(&a, "ada", now());
    let (second, _) = login(&a, "ada", at(NOW + 1));
    login(&a, "eve", now());
    let list = |at| {
        let mut list: Vec<_> = run(b.list("ada", at)).unwrap();
        list.sort_by_key(|candidate| candidate.record.as_ref().unwrap().created_at);
        list.iter()
            .map(|candidate| candidate.sid)
            .collect::<Vec<_>>()
    };
    assert_eq!(list(at(NOW + 2)), [first, second]);
    let shown = format!("{:?}", run(b.list("ada", now())).unwrap());
    assert!(!text.split('.').any(|part| shown.contains(part)));
    assert!(end(&a, first, at(NOW + 3)));
    assert_eq!(list(at(NOW + 4)), [second]);
    assert_eq!(list(at(NOW + 43_300)), []);
}

#[test]
fn r26_while_the_store_is_away_no_revoked_token_is_accepted() {
    let Nodes { store, a, b } = nodes();
    let (_, text) = login(&a, "ada", now());
    let (revoked, dead) = login(&a, "ada", now());
    assert!(end(&a, revoked, now()));
    let held = open_now(&b, &text, now()).into_held().unwrap();
    store.set_away(true);
    let later = at(NOW + 10);
    for text in [&text, &dead] {
        for node in [&a, &b] {
            let error = run(node.open(&presented(text, later), later)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unavailable);
        }
    }
    assert_eq!(
        write(&b, &held.record, later).unwrap_err().kind(),
        ErrorKind::Unavailable
    );
    let made = Arc::new(record(Some("ada"), &[], later));
    assert!(run(a.create(made, later)).is_err());
    assert!(run(a.end(held.record.sid, later, later)).is_err());
    assert!(run(a.revoke_all("ada", &[], later)).is_err());
    store.set_away(false);
    assert_eq!(open_now(&b, &text, later).arrival, Arrival::Resumed);
    assert_eq!(open_now(&b, &dead, later).arrival, Arrival::Ended);
}

#[test]
fn r26_whoever_chooses_to_trust_reads_and_neither_writes_nor_slides() {
    let store = MapStore::default();
    let token = with(builder(&store).when_away(WhenAway::Trust));
    let (_, text) = login(&token, "ada", now());
    store.set_away(true);
    let later = at(NOW + 500);
    let held = open_now(&token, &text, later).into_held().unwrap();
    assert!(!held.reissue);
    assert_eq!(
        write(&token, &held.record, later).unwrap_err().kind(),
        ErrorKind::Unavailable
    );
}

#[test]
fn a_clock_that_is_set_back_does_not_stretch_the_bound() {
    let Nodes { a, b, .. } = nodes();
    let (sid, text) = login(&a, "ada", now());
    open_now(&b, &text, at(NOW + 3600 - 3000));
    assert!(end(&a, sid, at(NOW + 1)));
    // B's clock was ahead and is right again: what it remembers is from the future.
    assert_eq!(open_now(&b, &text, at(NOW + 2)).arrival, Arrival::Ended);
}

#[test]
fn a_sealed_session_is_revoked_as_a_signed_one() {
    let store = MapStore::default();
    let token = with(Token::sealed(SealingKeys::new(sealing_key())).revocation(store));
    let (sid, text) = login(&token, "ada", now());
    assert_eq!(open_now(&token, &text, now()).arrival, Arrival::Resumed);
    assert!(end(&token, sid, now()));
    assert_eq!(open_now(&token, &text, now()).arrival, Arrival::Ended);
}
