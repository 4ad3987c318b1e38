//! An ended session stays ended, and nothing but a create ever makes one.

use std::num::NonZeroU32;

use sessile_core::{
    Created, Loaded, OnFull, Outcome, Patch, Rotation, SubjectCap, Timestamp, Verifier,
};
use sessile_memory::{Capacity, Table};

use crate::support::*;

fn table() -> Table {
    Table::new(Capacity::sessions(1000))
}

fn rotation() -> Patch {
    let (old, new) = (Verifier::from_bytes([7; 16]), Verifier::from_bytes([8; 16]));
    let mut patch = Patch::new(0);
    patch.rotate(Some(Rotation {
        expect: old.hash(),
        new: new.hash(),
        wrapped: old.wrap(&id(1), &new),
    }));
    patch
}

/// One patch of every kind, each of which a live session takes.
fn every_patch(now: Timestamp) -> Vec<Patch> {
    let mut older = set("a", 1);
    older.accept_older();
    let mut expecting = set("a", 1);
    expecting.expect(name("b"), None);
    let mut remove = Patch::new(1);
    remove.remove(name("a"));
    let mut clear = Patch::new(0);
    clear.clear();
    let mut confirm = Patch::new(0);
    confirm.confirm(now.after(MINUTE));
    vec![
        Patch::new(0),
        set("a", 1),
        older,
        expecting,
        remove,
        clear,
        touch(now),
        confirm,
        lifetime(MINUTE * 10, DAY),
        rotation(),
    ]
}

fn assert_no_patch_is_taken(table: &Table, number: u32, now: Timestamp) {
    for patch in every_patch(now) {
        let applied = table.apply(&id(number), now, &patch).unwrap();
        assert!(matches!(applied, Outcome::Gone), "{patch:?}: {applied:?}");
    }
}

#[test]
fn a_live_session_takes_every_patch_that_an_ended_one_refuses() {
    let table = table();
    draft(1).put(&table);
    for patch in every_patch(NOW) {
        apply(&table, 1, NOW, &patch);
    }
}

#[test]
fn an_ended_session_does_not_come_back_whatever_was_in_flight() {
    for subject in [None, Some("ann")] {
        let table = table();
        let draft = |number| match subject {
            Some(subject) => draft(number).of(subject),
            None => draft(number),
        };
        draft(1).put(&table);
        apply(&table, 1, NOW, &set("a", 1));
        let last = table.end(&id(1), after(MINUTE)).expect("it was there");
        assert_eq!(last.data.get("a").unwrap().as_str(), "1");

        for now in [NOW, after(SECOND), after(MINUTE - SECOND)] {
            assert!(matches!(table.load(&id(1), now), Loaded::Ended));
            assert_no_patch_is_taken(&table, 1, now);
            let late = draft(1).made(now).record();
            assert_eq!(table.create(late, None, now), Created::Taken);
            assert_eq!(table.count(now), 0);
            assert!(listed(&table, "ann", now).is_empty());
        }
        assert!(table.end(&id(1), after(MINUTE)).is_none());
    }
}

#[test]
fn a_tombstone_goes_at_its_time_and_not_before_whatever_is_swept() {
    let table = table();
    draft(1).put(&table);
    table.end(&id(1), after(MINUTE));
    let last = Timestamp::from_millis(after(MINUTE).as_millis() - 1);
    table.sweep(last, usize::MAX);
    assert!(matches!(table.load(&id(1), last), Loaded::Ended));
    assert!(matches!(table.load(&id(1), after(MINUTE)), Loaded::Absent));
    assert_no_patch_is_taken(&table, 1, after(MINUTE));
    assert_eq!(table.sweep(after(MINUTE + TICK), usize::MAX), 1);
}

#[test]
fn a_later_end_never_shortens_a_tombstone_and_may_lengthen_it() {
    let table = table();
    draft(1).put(&table);
    table.end(&id(1), after(MINUTE));
    table.end(&id(1), after(SECOND));
    assert!(matches!(table.load(&id(1), after(SECOND)), Loaded::Ended));
    table.end(&id(1), after(MINUTE * 5));
    // The agenda's entry for the first minute must not take it away.
    table.sweep(after(MINUTE * 2), usize::MAX);
    let late = draft(1).made(after(MINUTE * 2)).record();
    assert_eq!(table.create(late, None, after(MINUTE * 2)), Created::Taken);
    assert!(matches!(
        table.load(&id(1), after(MINUTE * 5)),
        Loaded::Absent
    ));
}

/// A revocation can come before the create of the login that it is to end.
#[test]
fn the_end_of_an_absent_session_leaves_a_tombstone() {
    let table = table();
    assert!(table.end(&id(1), after(MINUTE)).is_none());
    assert!(matches!(table.load(&id(1), NOW), Loaded::Ended));
    for record in [draft(1).record(), draft(1).of("ann").record()] {
        assert_eq!(table.create(record, None, NOW), Created::Taken);
    }
    assert!(table.list("ann", NOW).is_empty());
}

#[test]
fn an_expired_session_that_ends_is_ended() {
    let table = table();
    draft(1).idle(SECOND).put(&table);
    assert!(matches!(table.load(&id(1), after(SECOND)), Loaded::Expired));
    assert!(table.end(&id(1), after(MINUTE)).is_some());
    assert!(matches!(table.load(&id(1), after(SECOND)), Loaded::Ended));
}

#[test]
fn a_patch_never_creates() {
    let table = table();
    assert_no_patch_is_taken(&table, 1, NOW);
    assert!(matches!(table.load(&id(1), NOW), Loaded::Absent));
    assert_eq!(table.count(NOW), 0);
}

#[test]
fn an_id_that_is_taken_keeps_its_first_record() {
    let table = table();
    draft(1).of("ann").put(&table);
    apply(&table, 1, NOW, &set("a", 1));
    for second in [draft(1).record(), draft(1).of("bob").record()] {
        assert_eq!(table.create(second, None, NOW), Created::Taken);
    }
    let Loaded::Live(record) = table.load(&id(1), NOW) else {
        panic!("it is live");
    };
    assert_eq!(record.subject.as_deref(), Some("ann"));
    assert!(record.data.get("a").is_some());
    assert_eq!(listed(&table, "ann", NOW), [id(1)]);
    assert!(table.list("bob", NOW).is_empty());
    assert_eq!(table.count(NOW), 1);
}

/// The oldest session makes room for a new one only if there will be a new one.
#[test]
fn a_create_that_finds_its_id_taken_ends_nobody() {
    let cap = Some(SubjectCap {
        max: NonZeroU32::MIN,
        on_full: OnFull::EvictOldest,
    });
    let table = table();
    let create = |number| table.create(draft(number).of("ann").record(), cap, NOW);
    assert_eq!(create(1), Created::Created);
    assert_eq!(create(1), Created::Taken, "sent twice");
    assert!(is_live(&table, 1, NOW));
    table.end(&id(2), after(MINUTE));
    assert_eq!(create(2), Created::Taken, "revoked before it was made");
    assert!(is_live(&table, 1, NOW));
    assert_eq!(create(3), Created::Created);
    assert_eq!(live(&table, 1..=3, NOW), [3]);
    assert!(matches!(table.load(&id(1), NOW), Loaded::Ended));
}

#[test]
fn a_rotation_applies_once_and_after_an_end_not_at_all() {
    let table = table();
    draft(1).put(&table);
    apply(&table, 1, NOW, &rotation());
    let again = table.apply(&id(1), NOW, &rotation()).unwrap();
    assert!(matches!(again, Outcome::Conflict(_)), "{again:?}");
    let last = table.end(&id(1), after(MINUTE)).unwrap();
    assert_eq!(last.hash, Verifier::from_bytes([8; 16]).hash());
    let late = table.apply(&id(1), NOW, &rotation()).unwrap();
    assert!(matches!(late, Outcome::Gone));
}
