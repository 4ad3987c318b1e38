//! The sessions of a subject: listed, capped and revoked exactly.

use std::num::NonZeroU32;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use sessile_core::{Created, Loaded, OnFull, SubjectCap};
use sessile_memory::{Capacity, Table};

use crate::support::*;

const LOGINS: u32 = 100;

fn cap(max: u32, on_full: OnFull) -> Option<SubjectCap> {
    let max = NonZeroU32::new(max).unwrap();
    Some(SubjectCap { max, on_full })
}

/// All at once: what each of a hundred logins of one subject was answered.
fn logins(table: &Table, cap: Option<SubjectCap>) -> Vec<Created> {
    let start = Barrier::new(LOGINS as usize);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..LOGINS)
            .map(|number| {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    table.create(draft(number).of("ann").record(), cap, NOW)
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    })
}

#[test]
fn sessions_are_listed_in_the_order_in_which_they_were_made() {
    let table = Table::new(Capacity::default());
    (1..=5)
        .rev()
        .for_each(|number| draft(number).of("ann").put(&table));
    draft(6).of("bob").put(&table);
    draft(7).put(&table);
    assert_eq!(listed(&table, "ann", NOW), [5, 4, 3, 2, 1].map(id));
    table.end(&id(3), after(MINUTE));
    assert_eq!(listed(&table, "ann", NOW), [5, 4, 2, 1].map(id));
    assert_eq!(listed(&table, "bob", NOW), [id(6)]);
    assert!(table.list("eve", NOW).is_empty());
}

#[test]
fn a_cap_that_rejects_is_exact_under_parallel_logins() {
    let table = Table::new(Capacity::default());
    let answers = logins(&table, cap(7, OnFull::Reject));
    let made = answers.iter().filter(|answer| **answer == Created::Created);
    assert_eq!(made.count(), 7);
    let full = answers.iter().filter(|answer| **answer == Created::Full);
    assert_eq!(full.count(), LOGINS as usize - 7);
    assert_eq!(listed(&table, "ann", NOW).len(), 7);
    assert_eq!(table.count(NOW), 7);
}

#[test]
fn a_cap_that_evicts_the_oldest_is_exact_under_parallel_logins() {
    let table = Table::new(Capacity::default());
    let answers = logins(&table, cap(7, OnFull::EvictOldest));
    assert!(answers.iter().all(|answer| *answer == Created::Created));
    assert_eq!(listed(&table, "ann", NOW).len(), 7);
    assert_eq!(table.count(NOW), 7);
    let ended = (0..LOGINS).filter(|number| matches!(table.load(&id(*number), NOW), Loaded::Ended));
    assert_eq!(ended.count(), LOGINS as usize - 7, "each is told so");
    assert_eq!(table.list("ann", NOW).len(), 7, "and is listed no more");
    assert_eq!(table.evicted(), 0, "that counts what did not fit the table");
}

/// The control: in two steps, first counted, then made, the cap does not hold.
#[test]
fn a_cap_that_is_checked_before_the_create_lets_too_many_in() {
    let table = Table::new(Capacity::default());
    let seen: Vec<usize> = (0..8).map(|_| listed(&table, "ann", NOW).len()).collect();
    for (number, seen) in (0..).zip(seen) {
        if seen < 7 {
            draft(number).of("ann").put(&table);
        }
    }
    assert_eq!(listed(&table, "ann", NOW).len(), 8);
}

#[test]
fn only_live_sessions_of_the_same_subject_count_towards_a_cap() {
    let table = Table::new(Capacity::default());
    let cap = cap(2, OnFull::Reject);
    let create = |number, subject: &str, now| {
        let record = draft(number).of(subject).made(now).idle(MINUTE).record();
        table.create(record, cap, now)
    };
    assert_eq!(create(1, "ann", NOW), Created::Created);
    assert_eq!(create(2, "ann", NOW), Created::Created);
    assert_eq!(create(3, "ann", NOW), Created::Full);
    assert_eq!(create(4, "bob", NOW), Created::Created);
    table.end(&id(1), after(MINUTE));
    assert_eq!(create(5, "ann", NOW), Created::Created);
    // At the deadline, and before anything was forgotten.
    assert_eq!(create(6, "ann", after(MINUTE)), Created::Created);
    assert_eq!(create(7, "ann", after(MINUTE)), Created::Created);
    assert_eq!(create(8, "ann", after(MINUTE)), Created::Full);
}

#[test]
fn a_lower_cap_ends_as_many_as_are_too_many() {
    let table = Table::new(Capacity::default());
    (1..=5).for_each(|number| draft(number).of("ann").put(&table));
    let late = draft(6).of("ann").record();
    let created = table.create(late, cap(2, OnFull::EvictOldest), NOW);
    assert_eq!(created, Created::Created);
    assert_eq!(listed(&table, "ann", NOW), [5, 6].map(id));
}

/// Logins go on while one subject is revoked again and again: what was listed is ended for good,
/// and after the last revocation nothing of the subject is left.
#[test]
fn a_revocation_ends_all_that_it_lists_while_logins_go_on() {
    let table = Table::new(Capacity::default());
    let (next, done) = (AtomicU32::new(0), AtomicBool::new(false));
    let revoke = || {
        let listed = table.list("ann", NOW);
        for candidate in &listed {
            table.end(&candidate.sid, after(MINUTE));
        }
        listed
    };
    thread::scope(|scope| {
        let creators: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..2000 {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        draft(number).of("ann").put(&table);
                        let _ = table.apply(&id(number), NOW, &set("a", 1)).unwrap();
                    }
                })
            })
            .collect();
        let revoker = scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                for candidate in revoke() {
                    assert!(matches!(table.load(&candidate.sid, NOW), Loaded::Ended));
                }
            }
        });
        creators
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        done.store(true, Ordering::Release);
        revoker.join().unwrap();
    });
    revoke();
    assert!(table.list("ann", NOW).is_empty());
    assert_eq!(table.count(NOW), 0);
}

/// Everything at once in a table that is always full: nothing waits for itself, and in the end
/// the index holds what the table holds.
#[test]
fn the_index_agrees_with_a_full_table_under_every_kind_of_operation() {
    let subjects = ["ann", "bob", "eve"];
    let table = Table::new(Capacity::sessions(600).bytes(usize::MAX));
    thread::scope(|scope| {
        for worker in 0..4_u32 {
            let table = &table;
            scope.spawn(move || {
                for step in 0..3000_u32 {
                    let number = worker * 100_000 + step;
                    let subject = subjects[(number % 3) as usize];
                    // One subject is kept small, so that the others fill the table.
                    let cap = cap(100, OnFull::EvictOldest).filter(|_| subject == "ann");
                    let record = draft(number).of(subject).record();
                    assert_eq!(table.create(record, cap, NOW), Created::Created);
                    let _ = table.apply(&id(number / 2), NOW, &fill(100)).unwrap();
                    if step % 7 == 0 {
                        table.end(&id(number - step % 3), after(MINUTE));
                    }
                    if step % 100 == 0 {
                        table.list(subject, NOW);
                        table.sweep(NOW, 10);
                        assert!(table.count(NOW) <= 600);
                    }
                }
            });
        }
    });
    assert!(table.evicted() > 0);
    let mut sum = 0;
    for subject in subjects {
        let candidates = table.list(subject, NOW);
        assert!(
            candidates
                .iter()
                .all(|candidate| candidate.record.is_some()),
            "what is gone is listed no more"
        );
        sum += candidates.len() as u64;
    }
    assert_eq!(sum, table.count(NOW));
}
