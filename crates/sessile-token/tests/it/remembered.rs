//! Tokens that are remembered: in nothing but the work does it show that they are.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::{Just, Strategy as _, prop};
use proptest::{prop_oneof, proptest};
use sessile_core::Strategy;

use crate::support::*;

/// One that remembers, and one that verifies with every request. Their keys are the same.
struct Twins<R> {
    keys: LiveKeys<R>,
    remembers: Token,
    verifies: Token,
}

impl<R> Twins<R> {
    fn new(keys: impl Into<LiveKeys<R>>, token: fn(LiveKeys<R>) -> TokenBuilder) -> Self {
        let keys = keys.into();
        let with = |tokens| with(token(keys.clone()).remember(tokens));
        Twins {
            remembers: with(64),
            verifies: with(0),
            keys,
        }
    }

    /// What both say of a token, and make of a write to its session; it has to be the same.
    #[track_caller]
    fn open(&self, text: &str, carrier: &str, at: Timestamp) -> Option<Held> {
        let (held, twin) = self.opened(text, carrier, at)?;
        let written = [(&self.remembers, &held), (&self.verifies, &twin)].map(|(token, held)| {
            let next = write(token, held, at)?;
            Some((token.issue(&next, &held.verifier, carrier).ok()?, next))
        });
        match written {
            [Some((text, next)), Some((other, expected))] => {
                assert_eq!(next, expected);
                // Each is as good as the other, except for its random name.
                let texts = [text, other].map(|text| self.opened(&text, carrier, at));
                let [Some((a, _)), Some((b, _))] = &texts else {
                    panic!("what was written is refused at {at:?}: {texts:?}");
                };
                assert_eq!(a.record, b.record);
            }
            [None, None] => {}
            other => panic!("one could write at {at:?}, and one not: {other:?}"),
        }
        Some(held)
    }

    #[track_caller]
    fn opened(&self, text: &str, carrier: &str, at: Timestamp) -> Option<(Held, Held)> {
        let open = |token: &Token| {
            let mut presented = presented(text, at);
            presented.carrier = carrier;
            run(token.open(&presented, at)).unwrap()
        };
        let (remembers, verifies) = (open(&self.remembers), open(&self.verifies));
        assert_eq!(remembers.arrival, verifies.arrival, "{text} at {at:?}");
        let (held, twin) = (remembers.into_held(), verifies.into_held());
        assert_eq!(held.is_some(), twin.is_some());
        let (held, twin) = (held?, twin?);
        assert!(held.record.last_seen <= at && !held.record.is_touch_due(at));
        let mut record = Record::clone(&held.record);
        record.last_seen = twin.record.last_seen;
        assert_eq!(record, *twin.record);
        assert_eq!(
            (held.reissue, held.renewed, held.known),
            (twin.reissue, twin.renewed, twin.known)
        );
        Some((held, twin))
    }

    /// Whether a token that is presented twice is verified once.
    fn remembers(&self, text: &str, at: Timestamp) -> bool {
        let open = |token: &Token| open_at(token, text, at).into_held().unwrap().record;
        let is_shared = |token: &Token| Arc::ptr_eq(&open(token), &open(token));
        assert!(!is_shared(&self.verifies));
        is_shared(&self.remembers)
    }
}

/// The session after a write, if it can be written to.
fn write(token: &Token, held: &Held, at: Timestamp) -> Option<Arc<Record>> {
    let mut patch = Patch::new(held.known);
    patch.set(Name::new("n").unwrap(), Text::from_encoded("2"));
    match run(token.apply(&held.record, &patch, None, at)).unwrap() {
        Outcome::Applied(record) => Some(record),
        Outcome::Gone => None,
        other => panic!("{other:?}"),
    }
}

fn signed_twins() -> Twins<TokenKeys> {
    Twins::new(TokenKeys::new(hmac_key()), Token::signed)
}

fn sealed_twins() -> Twins<SealingKeys> {
    Twins::new(SealingKeys::new(sealing_key()), Token::sealed)
}

fn made<R>(twins: &Twins<R>) -> String {
    issue(
        &twins.verifies,
        &record(Some("ada"), &[("n", "1"), ("x", "\"y\"")], now()),
    )
}

#[test]
fn a_token_that_is_presented_again_is_verified_once() {
    let (signed, sealed) = (signed_twins(), sealed_twins());
    assert!(signed.remembers(&made(&signed), now()));
    assert!(sealed.remembers(&made(&sealed), now()));
}

#[test]
fn a_remembered_token_expires_to_the_millisecond() {
    let twins = signed_twins();
    let text = made(&twins);
    // Life is a quarter of an hour, and the leeway a minute.
    for (seconds, is_good) in [(0, true), (449, true), (959, true), (960, false), (0, true)] {
        let found = twins.open(&text, CARRIER, at(NOW + seconds));
        assert_eq!(found.is_some(), is_good, "after {seconds} s");
        let last = Timestamp::from_millis(at(NOW + seconds).as_millis() - 1);
        assert!(twins.open(&text, CARRIER, last).is_some());
    }
}

#[test]
fn a_remembered_token_is_made_anew_past_half_of_its_life() {
    let twins = signed_twins();
    let text = made(&twins);
    for seconds in (0..960).step_by(10) {
        let held = twins.open(&text, CARRIER, at(NOW + seconds)).unwrap();
        assert_eq!(held.reissue, seconds >= 450, "after {seconds} s");
        if !held.reissue {
            assert!(twins.remembers(&text, at(NOW + seconds)));
        }
    }
}

/// Or what was written would be of a time to come, and refused everywhere.
#[test]
fn a_clock_that_is_set_back_does_not_date_a_new_token_ahead() {
    let twins = signed_twins();
    let text = made(&twins);
    for seconds in [400, 10, 0, 400] {
        assert!(twins.open(&text, CARRIER, at(NOW + seconds)).is_some());
    }
}

#[test]
fn e20_a_remembered_token_ends_with_its_key_and_with_its_ring() {
    let other = || HmacKey::new(Algorithm::HS256, secret(7)).unwrap();
    let retired_at = at(NOW + 60);
    let old = VerifyingKey::from(hmac_key()).retired_at(retired_at);
    let twins = Twins::new(TokenKeys::new(other()).verify(old).unwrap(), Token::signed);
    let text = issue(&signed(), &record(None, &[], now()));
    assert!(twins.remembers(&text, at(NOW + 59)));
    assert!(twins.open(&text, CARRIER, retired_at).is_none());

    let twins = signed_twins();
    let text = made(&twins);
    assert!(twins.remembers(&text, now()));
    // The same keys once more, as when a file was written anew: what is good is verified again.
    twins.keys.replace(TokenKeys::new(hmac_key()));
    let before = twins.open(&text, CARRIER, now()).unwrap();
    assert!(twins.remembers(&text, now()));
    twins.keys.replace(TokenKeys::new(other()));
    assert!(twins.open(&text, CARRIER, now()).is_none());
    twins.keys.replace(TokenKeys::new(hmac_key()));
    let after = twins.open(&text, CARRIER, now()).unwrap();
    assert!(!Arc::ptr_eq(&before.record, &after.record));
}

#[test]
fn f03_a_remembered_token_does_not_move_to_another_cookie() {
    let twins = sealed_twins();
    let text = made(&twins);
    for (carrier, is_good) in [(CARRIER, true), ("other", false), (CARRIER, true)] {
        assert_eq!(twins.open(&text, carrier, now()).is_some(), is_good);
    }
    let twins = signed_twins();
    let text = made(&twins);
    // What is signed is the same in a cookie and in a header, and too long for a cookie only there.
    for carrier in [CARRIER, "authorization", CARRIER] {
        assert!(twins.open(&text, carrier, now()).is_some());
    }
    let long = format!("{{\"n\":\"{}\"}}", "x".repeat(3000));
    let text = forge(HEADER, claims_with("data", Some(&long)));
    for (carrier, is_good) in [("authorization", true), (CARRIER, false)] {
        assert_eq!(twins.open(&text, carrier, now()).is_some(), is_good);
    }
}

#[test]
fn e15_beside_a_remembered_token_any_changed_character_is_refused() {
    for text in [made(&signed_twins()), made(&sealed_twins())] {
        let (signed, sealed) = (signed_twins(), sealed_twins());
        let is_signed = text.matches('.').count() == 2;
        let open = |text: &str| match is_signed {
            true => signed.open(text, CARRIER, now()),
            false => sealed.open(text, CARRIER, now()),
        };
        assert!(open(&text).is_some());
        for index in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
            assert!(open(std::str::from_utf8(&changed).unwrap()).is_none());
        }
        assert!(open(&text[1..]).is_none());
        assert!(open(&[&text, "A"].concat()).is_none());
        assert!(open(&text).is_some());
    }
}

#[test]
fn forged_tokens_push_no_good_one_out() {
    let twins = signed_twins();
    let text = made(&twins);
    let before = twins.open(&text, CARRIER, now()).unwrap();
    for first in 0..1000_u32 {
        let forged = forge_with(
            &secret(7),
            HEADER,
            claims_with("ver", Some(&first.to_string())),
        );
        assert!(twins.open(&forged, CARRIER, now()).is_none());
    }
    let after = twins.open(&text, CARRIER, now()).unwrap();
    assert!(Arc::ptr_eq(&before.record, &after.record));
}

#[test]
fn no_more_are_remembered_than_is_said() {
    let keys = LiveKeys::from(TokenKeys::new(hmac_key()));
    let token = with(Token::signed(keys).remember(64));
    for _ in 0..1000 {
        let text = issue(&token, &record(None, &[], now()));
        assert_eq!(arrival(&token, &text), Arrival::Resumed);
    }
    let shown = format!("{token:?}");
    let (_, count) = shown.split_once("Remembered { tokens: ").unwrap();
    let (count, _) = count.split_once(',').unwrap();
    assert!((1..=64).contains(&count.parse().unwrap()), "{shown}");
}

#[test]
fn e18_a_remembered_token_ends_with_the_longest_life_of_a_revocable_one() {
    let store = MapStore::default();
    let token = |tokens| {
        let builder = Token::signed(TokenKeys::new(hmac_key())).revocation(store.clone());
        with(builder.longest(Duration::from_secs(600)).remember(tokens))
    };
    for token in [token(64), token(0)] {
        // It says of itself that it may live for twelve hours.
        let text = forge(HEADER, good_claims());
        let open = |seconds| {
            let now = at(NOW + seconds);
            run(token.open(&presented(&text, now), now)).unwrap()
        };
        assert_eq!(
            open(1).held().unwrap().record.absolute_deadline,
            at(NOW + 600)
        );
        assert_eq!(open(599).arrival, Arrival::Resumed);
        assert_eq!(open(600).arrival, Arrival::Expired);
        // The layer's lifetime may be longer, and is known from then on.
        token.attach(&lifetime(), now());
        assert_eq!(
            open(600).held().unwrap().record.absolute_deadline,
            at(NOW + 43200)
        );
    }
}

/// What may happen between two requests.
#[derive(Clone, Debug)]
enum Happens {
    /// Time goes on by so many milliseconds, or back.
    Time(i64),
    /// The ring is replaced by one of the key of all tokens, ..
    Own,
    /// of another one, ..
    Other,
    /// or of both, the first for so many seconds.
    Retires(u64),
}

type Steps = Vec<(Happens, usize, &'static str)>;

fn steps() -> impl proptest::strategy::Strategy<Value = Steps> {
    let happens = prop_oneof![
        6 => (-60_000_i64..400_000).prop_map(Happens::Time),
        1 => Just(Happens::Own),
        1 => Just(Happens::Other),
        1 => (0_u64..2_000).prop_map(Happens::Retires),
    ];
    let step = (
        happens,
        0_usize..4,
        prop_oneof![Just(CARRIER), Just("authorization")],
    );
    prop::collection::vec(step, 1..40)
}

fn walk<R>(twins: &Twins<R>, texts: &[String; 4], steps: Steps, replace: impl Fn(Happens)) {
    let mut clock = now();
    for (happens, which, carrier) in steps {
        match happens {
            Happens::Time(millis) => {
                let millis = clock.as_millis().saturating_add_signed(millis);
                clock = Timestamp::from_millis(millis);
            }
            happens => replace(happens),
        }
        for _ in 0..2 {
            twins.open(&texts[which], carrier, clock);
        }
    }
}

proptest! {
    #[test]
    fn what_is_remembered_changes_nothing(steps in steps()) {
        let other = HmacKey::new(Algorithm::HS256, secret(7)).unwrap();
        let twins = signed_twins();
        let lives = [(0, 900), (60, 300), (100, 10), (0, 86_401)];
        let texts = lives.map(|(from, life)| {
            let (issued, expires) = (NOW + from, NOW + from + life);
            let claims = good_claims()
                .replace(
                    &format!("\"iat\":{NOW},\"nbf\":{NOW}"),
                    &format!("\"iat\":{issued},\"nbf\":{issued}"),
                )
                .replace(&format!("\"exp\":{}", NOW + 900), &format!("\"exp\":{expires}"))
                .replace(&format!("\"sxp\":{}", NOW + 43200), &format!("\"sxp\":{}", NOW + 90_000));
            forge(HEADER, claims)
        });
        walk(&twins, &texts, steps, |happens| {
            let ring = || TokenKeys::new(other.clone());
            let old = VerifyingKey::from(hmac_key());
            twins.keys.replace(match happens {
                Happens::Retires(seconds) => ring().verify(old.retired_at(at(NOW + seconds))).unwrap(),
                Happens::Other => ring(),
                _ => TokenKeys::new(hmac_key()),
            });
        });
    }

    #[test]
    fn what_is_remembered_changes_nothing_of_what_is_sealed(steps in steps()) {
        let other = SealingKey::new(secret(7)).unwrap();
        let twins = sealed_twins();
        let texts = [0, 60, 100, 3600].map(|from| {
            issue(&twins.verifies, &record(Some("ada"), &[("x", "[]")], at(NOW + from)))
        });
        walk(&twins, &texts, steps, |happens| {
            let ring = || SealingKeys::new(other.clone());
            let old = sealing_key();
            twins.keys.replace(match happens {
                Happens::Retires(seconds) => ring().open(old.retired_at(at(NOW + seconds))).unwrap(),
                Happens::Other => ring(),
                _ => SealingKeys::new(sealing_key()),
            });
        });
    }
}
