//! Models of one session: updates, rotations, its end.

use std::sync::Arc;

use crate::support::*;
use sessile_core::{Created, Loaded, Patch, Record, Timestamp, Verifier};
use sessile_memory::Table;

fn additions(threads: usize, patch: fn(&Record) -> Patch) -> impl Fn() {
    move || {
        let table = table(2);
        create(&table, 1, None);
        let adding: Vec<_> = (1..threads)
            .map(|_| with(&table, move |table| add(table, 1, patch)))
            .collect();
        assert!(add(&table, 1, patch));
        for thread in adding {
            assert!(thread.join().unwrap());
        }
        let Loaded::Live(record) = table.load(&id(1), NOW) else {
            panic!("nobody ended it");
        };
        assert_eq!(counted(&record), threads as u64, "an addition is lost");
    }
}

#[test]
fn additions_are_exact() {
    loom::model(additions(2, update));
    loom::model(additions(3, update));
    refute("an addition is lost", additions(2, increment));
}

/// An end against a write that is in flight, with a tombstone until `until`.
fn ending(until: Timestamp, subject: Option<&'static str>, write: fn(&Table)) -> impl Fn() {
    move || {
        let table = table(2);
        create(&table, 1, subject);
        let writing = with(&table, write);
        assert!(table.end(&id(1), until).is_some());
        writing.join().unwrap();
        assert!(!is_live(&table, 1), "it came back");
        assert_eq!(is_ended(&table, 1), NOW < until);
        assert!(table.list(ANN, NOW).is_empty());
        assert_eq!(table.count(NOW), 0);
    }
}

#[test]
fn an_end_is_final_whatever_is_in_flight() {
    let writes: [fn(&Table); 5] = [
        |table| assert!(add(table, 1, update) || !is_live(table, 1)),
        |table| assert!(rotate(table, 8) || !is_live(table, 1)),
        |table| assert_eq!(create(table, 1, None), Created::Taken),
        |table| assert_eq!(create(table, 1, Some(ANN)), Created::Taken),
        upsert,
    ];
    for subject in [None, Some(ANN)] {
        for write in writes {
            loom::model(ending(later(), subject, write));
        }
    }
    // Without a tombstone, a write that makes what it does not find undoes the end.
    refute("it came back", ending(NOW, None, upsert));
}

fn upsert(table: &Table) {
    if !add(table, 1, update) {
        create(table, 1, None);
    }
}

#[test]
fn what_was_acknowledged_is_in_the_last_state() {
    let model = |end: fn(&Table) -> Option<Arc<Record>>| {
        move || {
            let table = table(2);
            create(&table, 1, None);
            let adding = with(&table, |table| add(table, 1, update));
            let last = end(&table).unwrap();
            let acknowledged = adding.join().unwrap();
            assert_eq!(counted(&last) > 0, acknowledged, "a write is lost");
        }
    };
    loom::model(model(|table| table.end(&id(1), later())));
    refute(
        "a write is lost",
        model(|table| match table.load(&id(1), NOW) {
            Loaded::Live(record) => table.end(&id(1), later()).map(|_| record),
            _ => None,
        }),
    );
}

fn rotations(rotate: fn(&Table, u8) -> bool) -> impl Fn() -> bool {
    move || {
        let table = table(2);
        create(&table, 1, None);
        let first = with(&table, move |table| rotate(table, 8));
        let second = rotate(&table, 9);
        let first = first.join().unwrap();
        assert!(first != second, "not exactly one has won");
        let Loaded::Live(record) = table.load(&id(1), NOW) else {
            panic!("nobody ended it");
        };
        let winner = Verifier::from_bytes([if first { 8 } else { 9 }; 16]);
        assert_eq!(record.hash, winner.hash());
        let wrapped = record.previous.as_ref().unwrap().wrapped;
        assert_eq!(OLD.unwrap(&id(1), &wrapped).expose(), winner.expose());
        first
    }
}

#[test]
fn a_verifier_gets_one_successor() {
    see(&[true, false], rotations(rotate));
    // Were the expected verifier read from the record instead of from the client.
    let blind = rotations(|table, new| {
        let Loaded::Live(record) = table.load(&id(1), NOW) else {
            return false;
        };
        rotate_from(table, record.hash, new)
    });
    refute("not exactly one has won", move || {
        blind();
    });
}

/// A session that is written, ended and evicted at once is gone, and its place is the other's.
#[test]
fn an_end_is_final_while_the_session_is_evicted() {
    see(&[0, 1], || {
        let table = table(1);
        create(&table, 1, Some(ANN));
        let adding = with(&table, |table| add(table, 1, update));
        let evicting = with(&table, |table| create(table, 2, None));
        table.end(&id(1), later());
        adding.join().unwrap();
        assert_eq!(evicting.join().unwrap(), Created::Created);
        assert!(is_ended(&table, 1) && is_live(&table, 2));
        assert!(table.list(ANN, NOW).is_empty());
        assert_eq!(table.count(NOW), 1);
        table.evicted()
    });
}
