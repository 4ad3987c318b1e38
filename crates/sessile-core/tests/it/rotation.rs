//! Rotation, deadlines, sizes and notes of use, one law each.

use std::time::Duration;

use sessile_core::{
    Credential, ErrorKind, GRACE, Lifetime, Name, Patch, Patched, RECORD_LIMIT, Record, Rotation,
    Text, Timestamp, Verdict, Verifier,
};

const NOW: Timestamp = Timestamp::from_millis(1_000_000);

fn record() -> (Record, Credential) {
    let credential = Credential::random();
    (
        Record::new(&credential, NOW, &Lifetime::default()),
        credential,
    )
}

fn apply(patch: &Patch, record: &Record, now: Timestamp) -> Record {
    match patch.apply_to(record, now).unwrap() {
        Patched::Applied(record) => record,
        other => panic!("{other:?}"),
    }
}

fn rotation(old: &Credential, new: &Verifier) -> Patch {
    let mut patch = Patch::new(0);
    patch.rotate(Some(Rotation {
        expect: old.verifier.hash(),
        new: new.hash(),
        wrapped: old.verifier.wrap(&old.sid, new),
    }));
    patch
}

#[test]
fn a_verifier_gets_one_successor() {
    let (record, old) = record();
    let (first, second) = (Verifier::random(), Verifier::random());
    let rotated = apply(&rotation(&old, &first), &record, NOW);
    let lost = rotation(&old, &second).apply_to(&rotated, NOW).unwrap();
    assert!(matches!(lost, Patched::Conflict));
    match rotated.verify(&old.verifier, NOW) {
        Verdict::Previous { successor } => assert_eq!(successor.expose(), first.expose()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_grace_starts_when_the_successor_is_first_presented_and_is_not_prolonged() {
    let (record, old) = record();
    let rotated = apply(&rotation(&old, &Verifier::random()), &record, NOW);
    let mut confirm = Patch::new(0);
    confirm.confirm(NOW.after(GRACE));
    let confirmed = apply(&confirm, &rotated, NOW);
    confirm.confirm(NOW.after(GRACE * 2));
    let again = apply(&confirm, &confirmed, NOW);
    assert_eq!(
        again.previous.as_ref().unwrap().until,
        Some(NOW.after(GRACE))
    );
    assert_eq!(
        again.version, rotated.version,
        "a note of use is no new version"
    );
    assert!(matches!(
        again.verify(&old.verifier, NOW.after(GRACE)),
        Verdict::Reuse
    ));
}

#[test]
fn a_touch_only_grows_and_never_moves_a_deadline_back() {
    let (record, _) = record();
    let mut patch = Patch::new(0);
    patch.touch(NOW.after(Duration::from_secs(300)));
    let touched = apply(&patch, &record, NOW);
    assert_eq!(
        touched.idle_deadline.since(record.idle_deadline),
        Duration::from_secs(300)
    );
    assert_eq!(touched.absolute_deadline, record.absolute_deadline);
    assert_eq!(touched.version, record.version);
    patch.touch(NOW);
    assert_eq!(apply(&patch, &touched, NOW), touched);
}

#[test]
fn a_lifetime_of_its_own_survives_touches() {
    let (record, _) = record();
    let day = Duration::from_secs(86_400);
    let mut patch = Patch::new(0);
    patch.lifetime(Lifetime::new(7 * day, 30 * day).unwrap());
    let long = apply(&patch, &record, NOW);
    assert_eq!(long.absolute_deadline, NOW.after(30 * day));
    let mut touch = Patch::new(0);
    touch.touch(NOW.after(day));
    assert_eq!(
        apply(&touch, &long, NOW.after(day)).idle_deadline,
        NOW.after(8 * day)
    );
}

#[test]
fn nothing_is_applied_past_a_deadline() {
    let (record, _) = record();
    let at = record.idle_deadline;
    let mut patch = Patch::new(0);
    patch.set(Name::new("a").unwrap(), Text::encode(&1).unwrap());
    assert!(matches!(
        patch.apply_to(&record, at).unwrap(),
        Patched::Gone
    ));
}

#[test]
fn a_record_older_than_the_base_is_a_conflict_unless_accepted_and_continues_above_the_base() {
    let (record, _) = record();
    let mut patch = Patch::new(9);
    patch.set(Name::new("a").unwrap(), Text::encode(&1).unwrap());
    assert!(matches!(
        patch.apply_to(&record, NOW).unwrap(),
        Patched::Conflict
    ));
    patch.accept_older();
    assert_eq!(apply(&patch, &record, NOW).version, 10);
}

#[test]
fn a_record_does_not_grow_beyond_its_limit_but_may_shrink_from_above_it() {
    let (mut record, _) = record();
    let name = |name| Name::new(name).unwrap();
    let big = Text::encode(&"x".repeat(RECORD_LIMIT)).unwrap();
    let mut patch = Patch::new(0);
    patch.set(name("a"), big.clone());
    assert_eq!(
        patch.apply_to(&record, NOW).unwrap_err().kind(),
        ErrorKind::TooLarge
    );

    record.data = [(name("a"), big.clone()), (name("b"), big)]
        .into_iter()
        .collect();
    let mut patch = Patch::new(0);
    patch.remove(name("a"));
    assert_eq!(apply(&patch, &record, NOW).data.len(), 1);
}
