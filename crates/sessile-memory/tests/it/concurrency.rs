//! Real threads on one table: updates are exact, plain writes of different keys never meet.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use sessile_core::{Loaded, Outcome, Patch, Record, Rotation, Text, Verifier};
use sessile_memory::{Capacity, Table};

use crate::support::*;

const THREADS: u64 = 8;
const TIMES: u64 = 1000;

fn table() -> Table {
    let table = Table::new(Capacity::sessions(100));
    draft(1).put(&table);
    table
}

fn load(table: &Table) -> std::sync::Arc<Record> {
    match table.load(&id(1), NOW) {
        Loaded::Live(record) => record,
        other => panic!("{other:?}"),
    }
}

fn number(record: &Record, key: &str) -> u64 {
    record
        .data
        .get(key)
        .map_or(0, |text| text.decode().unwrap())
}

/// One more than what `seen` holds.
fn increment(seen: &Record) -> Patch {
    let mut patch = Patch::new(seen.version);
    let value = number(seen, "n") + 1;
    patch.set(name("n"), Text::encode(&value).unwrap());
    patch
}

/// As above, on condition that it still holds that.
fn update(seen: &Record) -> Patch {
    let mut patch = increment(seen);
    patch.expect(name("n"), seen.data.get("n").cloned());
    patch
}

#[test]
fn additions_of_many_threads_sum_up_exactly() {
    let table = table();
    let conflicts = AtomicU64::new(0);
    let first = load(&table);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let mut seen = first.clone();
                for _ in 0..TIMES {
                    seen = loop {
                        match table.apply(&id(1), NOW, &update(&seen)).unwrap() {
                            Outcome::Applied(record) => break record,
                            Outcome::Conflict(current) => {
                                conflicts.fetch_add(1, Ordering::Relaxed);
                                seen = current;
                            }
                            other => panic!("{other:?}: nobody ended it"),
                        }
                    };
                }
            });
        }
    });
    let record = load(&table);
    assert_eq!(number(&record, "n"), THREADS * TIMES);
    assert_eq!(
        record.version,
        1 + THREADS * TIMES,
        "a conflict changes nothing"
    );
    assert!(
        conflicts.into_inner() >= THREADS - 1,
        "all start from the same view, so all but one had to try again"
    );
}

/// The control: the same two additions without the expectation, one between the other's read and
/// write.
#[test]
fn without_expectations_an_addition_is_lost() {
    let table = table();
    let (mine, theirs) = (load(&table), load(&table));
    apply(&table, 1, NOW, &increment(&theirs));
    let lost = apply(&table, 1, NOW, &increment(&mine));
    assert_eq!(number(&lost, "n"), 1, "of two");
}

#[test]
fn with_expectations_the_same_two_additions_are_both_kept() {
    let table = table();
    let (mine, theirs) = (load(&table), load(&table));
    apply(&table, 1, NOW, &update(&theirs));
    let answer = table.apply(&id(1), NOW, &update(&mine)).unwrap();
    let Outcome::Conflict(current) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(number(&apply(&table, 1, NOW, &update(&current)), "n"), 2);
}

#[test]
fn writes_of_different_keys_never_conflict_and_all_survive() {
    let table = table();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let table = &table;
            scope.spawn(move || {
                let key = format!("k{thread}");
                for value in 1..=TIMES {
                    // An expectation on the own key: disjoint updates do not meet either.
                    let mut patch = set(&key, value);
                    let before = (value > 1).then(|| Text::encode(&(value - 1)).unwrap());
                    patch.expect(name(&key), before);
                    apply(table, 1, NOW, &patch);
                }
            });
        }
    });
    let record = load(&table);
    for thread in 0..THREADS {
        assert_eq!(number(&record, &format!("k{thread}")), TIMES);
    }
    assert_eq!(record.version, 1 + THREADS * TIMES);
}

#[test]
fn of_rotations_from_one_verifier_exactly_one_wins() {
    let table = table();
    let old = Verifier::from_bytes([7; 16]);
    let winners: Vec<Verifier> = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    let new = Verifier::random();
                    let mut patch = Patch::new(0);
                    patch.rotate(Some(Rotation {
                        expect: old.hash(),
                        new: new.hash(),
                        wrapped: old.wrap(&id(1), &new),
                    }));
                    let applied = table.apply(&id(1), NOW, &patch).unwrap();
                    matches!(applied, Outcome::Applied(_)).then_some(new)
                })
            })
            .collect();
        let join = |thread: thread::ScopedJoinHandle<'_, _>| thread.join().unwrap();
        threads.into_iter().filter_map(join).collect()
    });
    assert_eq!(winners.len(), 1);
    let record = load(&table);
    assert_eq!(record.hash, winners[0].hash());
    let previous = record.previous.as_ref().unwrap();
    assert_eq!(
        old.unwrap(&id(1), &previous.wrapped).expose(),
        winners[0].expose()
    );
}

#[test]
fn what_is_acknowledged_is_in_the_last_state_and_nothing_is_acknowledged_after_the_end() {
    for round in 0..50 {
        let table = table();
        let ended = AtomicBool::new(false);
        let first = load(&table);
        let (acknowledged, last) = thread::scope(|scope| {
            let writer = scope.spawn(|| {
                let mut seen = first;
                for count in 0.. {
                    let was_ended = ended.load(Ordering::SeqCst);
                    match table.apply(&id(1), NOW, &update(&seen)).unwrap() {
                        Outcome::Applied(record) => seen = record,
                        Outcome::Gone => return count,
                        other => panic!("{other:?}: nobody else writes"),
                    }
                    assert!(!was_ended, "written after the end had returned");
                }
                unreachable!()
            });
            (0..round * 20).for_each(|_| drop(table.load(&id(1), NOW)));
            let last = table.end(&id(1), after(MINUTE)).unwrap();
            ended.store(true, Ordering::SeqCst);
            (writer.join().unwrap(), last)
        });
        assert_eq!(number(&last, "n"), acknowledged);
    }
}
