//! Models of the index: logins, caps and revocations of one subject.

use std::num::NonZeroU32;

use crate::support::*;
use sessile_core::{Created, OnFull, SubjectCap};
use sessile_memory::Table;

fn revoke(table: &Table) -> usize {
    let listed = table.list(ANN, NOW);
    for candidate in &listed {
        table.end(&candidate.sid, later());
    }
    listed.len()
}

/// The list holds what is live, and nothing else.
fn assert_listed(table: &Table, numbers: &[u8]) {
    let listed = table.list(ANN, NOW);
    assert!(
        listed.iter().all(|candidate| candidate.record.is_some()),
        "one that is gone is listed"
    );
    let live = numbers.iter().filter(|number| is_live(table, **number));
    assert_eq!(listed.len(), live.count(), "one that is live is missing");
}

#[test]
fn the_index_holds_what_is_live_after_ends_and_a_login() {
    see(&[Created::Created, Created::Taken], || {
        let table = table(8);
        create(&table, 1, Some(ANN));
        let login = with(&table, |table| create(table, 2, Some(ANN)));
        let revoked = with(&table, |table| table.end(&id(2), later()).is_some());
        table.end(&id(1), later());
        let created = login.join().unwrap();
        assert_eq!(revoked.join().unwrap(), created == Created::Created);
        assert!(is_ended(&table, 1) && is_ended(&table, 2));
        assert_listed(&table, &[1, 2]);
        created
    });
}

#[test]
fn the_index_holds_what_is_live_after_logins_that_evict_each_other() {
    see(&[1, 2], || {
        let table = table(1);
        let other = with(&table, |table| create(table, 2, Some(ANN)));
        let sweep = with(&table, |table| table.sweep(NOW, 8));
        assert_eq!(create(&table, 1, Some(ANN)), Created::Created);
        assert_eq!(other.join().unwrap(), Created::Created);
        assert_eq!(sweep.join().unwrap(), 0);
        assert_eq!((table.count(NOW), table.evicted()), (1, 1));
        assert_listed(&table, &[1, 2]);
        if is_live(&table, 1) { 1 } else { 2 }
    });
}

/// A revocation of a subject, by list and end, against a login: either the login comes before
/// and is ended, or after and is live and listed.
#[test]
fn a_revocation_meets_a_login_before_or_after() {
    see(&[1, 2], || {
        let table = table(8);
        create(&table, 1, Some(ANN));
        let login = with(&table, |table| create(table, 2, Some(ANN)));
        let ended = revoke(&table);
        assert_eq!(login.join().unwrap(), Created::Created);
        assert!(is_ended(&table, 1));
        assert_eq!(is_ended(&table, 2), ended == 2);
        assert_eq!(is_live(&table, 2), ended == 1);
        assert_listed(&table, &[1, 2]);
        ended
    });
}

fn capped(on_full: OnFull, create: fn(&Table, u8, SubjectCap) -> Created) -> impl Fn() {
    move || {
        let max = NonZeroU32::MIN;
        let cap = SubjectCap { max, on_full };
        let table = table(8);
        let other = with(&table, move |table| create(table, 2, cap));
        let answers = [create(&table, 1, cap), other.join().unwrap()];
        let made = answers.iter().filter(|answer| **answer == Created::Created);
        let live = [1, 2].iter().filter(|number| is_live(&table, **number));
        assert_eq!(live.count(), 1, "the cap does not hold");
        match on_full {
            OnFull::Reject => assert_eq!(made.count(), 1),
            OnFull::EvictOldest => assert_eq!(made.count(), 2),
        }
        assert_listed(&table, &[1, 2]);
    }
}

#[test]
fn a_cap_is_exact() {
    for on_full in [OnFull::Reject, OnFull::EvictOldest] {
        loom::model(capped(on_full, |table, number, cap| {
            table.create(record(number, Some(ANN)), Some(cap), NOW)
        }));
    }
    refute(
        "the cap does not hold",
        capped(OnFull::Reject, |table, number, cap| {
            if table.list(ANN, NOW).len() < cap.max.get() as usize {
                create(table, number, Some(ANN))
            } else {
                Created::Full
            }
        }),
    );
}
