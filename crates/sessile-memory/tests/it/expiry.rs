//! Deadlines are exact, and what is past them is forgotten without anybody waiting for it.

use std::time::Duration;

use sessile_core::{Loaded, Outcome, Timestamp};
use sessile_memory::{Capacity, Table};

use crate::support::*;

const MILLI: Duration = Duration::from_millis(1);

/// Deadlines on both sides of a tick's border, and in its middle.
const LIVES: [u64; 6] = [1, 2048, 4095, 4096, 4097, 600_000];

#[test]
fn both_deadlines_are_exact_to_the_millisecond() {
    for (number, life) in (0..).zip(LIVES.map(Duration::from_millis)) {
        let table = Table::new(Capacity::default());
        draft(number).idle(life).put(&table);
        draft(number + 100).idle(DAY).absolute(life).put(&table);
        for number in [number, number + 100] {
            assert!(is_live(&table, number, after(life - MILLI)));
            assert!(matches!(
                table.load(&id(number), after(life)),
                Loaded::Expired
            ));
            let patch = set("a", 1);
            apply(&table, number, after(life - MILLI), &patch);
            let late = table.apply(&id(number), after(life), &patch).unwrap();
            assert!(matches!(late, Outcome::Gone));
        }
    }
}

#[test]
fn the_count_is_exact_to_the_millisecond() {
    let table = Table::new(Capacity::sessions(2000));
    let lives: Vec<u64> = (0..300_u64).map(|n| 1 + n * n % 9000).collect();
    for (number, life) in (0..).zip(&lives) {
        let draft = draft(number).idle(Duration::from_millis(*life));
        if number % 2 == 0 {
            draft.of("ann")
        } else {
            draft
        }
        .put(&table);
    }
    for elapsed in 0..=9001 {
        let expected = lives.iter().filter(|life| elapsed < **life).count() as u64;
        assert_eq!(table.count(after(Duration::from_millis(elapsed))), expected);
    }
}

/// The agenda then has two entries of one session at one tick.
#[test]
fn the_count_is_exact_when_a_deadline_went_back_and_forth() {
    let table = Table::new(Capacity::sessions(100));
    let long = MINUTE * 10 + SECOND;
    draft(1).put(&table);
    draft(2).of("ann").put(&table);
    for number in [1, 2] {
        apply(&table, number, NOW, &lifetime(long, DAY));
        apply(&table, number, NOW, &lifetime(MINUTE, DAY));
        apply(&table, number, NOW, &lifetime(long, DAY));
    }
    for elapsed in [MINUTE, MINUTE + TICK, long - MILLI] {
        assert_eq!(table.count(after(elapsed)), 2);
    }
    for elapsed in [long, long + SECOND, long + TICK] {
        assert_eq!(table.count(after(elapsed)), 0);
    }
}

/// Nobody sweeps here: each write does a little of what is overdue in its shard.
#[test]
fn writes_alone_forget_all_that_is_overdue() {
    const OVERDUE: u32 = 2000;
    let table = Table::new(Capacity::sessions(500_000));
    for number in 0..OVERDUE {
        let draft = draft(number).idle(MINUTE);
        if number % 2 == 0 {
            draft.of("ann")
        } else {
            draft
        }
        .put(&table);
        table.end(&id(1_000_000 + number), after(MINUTE));
    }
    draft(OVERDUE).put(&table);
    let later = after(MINUTE + TICK);
    assert!(matches!(table.load(&id(0), later), Loaded::Expired));
    let writes = OVERDUE..OVERDUE + 1280;
    writes
        .clone()
        .skip(1)
        .for_each(|number| draft(number).made(later).put(&table));
    assert_eq!(table.sweep(later, usize::MAX), 0, "nothing is left to do");
    assert!((0..OVERDUE).all(|number| matches!(table.load(&id(number), later), Loaded::Absent)));
    assert_eq!(table.list("ann", later).len(), 0);
    assert_eq!(live(&table, writes.clone(), later).len(), writes.len());
}

#[test]
fn a_touch_alone_forgets_too() {
    let table = Table::new(Capacity::sessions(100));
    (1..=50).for_each(|number| draft(number).idle(MINUTE).put(&table));
    draft(99).put(&table);
    let later = after(MINUTE * 2);
    for _ in 0..4 {
        apply(&table, 99, later, &touch(later));
    }
    assert_eq!(table.sweep(later, usize::MAX), 0);
}

#[test]
fn a_sweep_forgets_what_is_overdue_up_to_its_limit_and_says_how_much() {
    let table = Table::new(Capacity::sessions(100));
    (1..=60).for_each(|number| draft(number).idle(MINUTE).put(&table));
    (61..=80).for_each(|number| draft(number).put(&table));
    assert_eq!(table.sweep(NOW, usize::MAX), 0);
    let later = after(MINUTE + TICK);
    assert_eq!(table.sweep(later, 25), 25);
    assert_eq!(table.sweep(later, 25), 25);
    assert_eq!(table.sweep(later, 25), 10);
    assert_eq!(live(&table, 1..=80, later).len(), 20);
}

#[test]
fn a_shortened_lifetime_is_forgotten_in_time() {
    let table = Table::new(Capacity::sessions(100));
    draft(1).idle(DAY).absolute(DAY).put(&table);
    apply(&table, 1, NOW, &lifetime(MINUTE, DAY));
    assert_eq!(table.sweep(after(MINUTE - MILLI), usize::MAX), 0);
    assert!(is_live(&table, 1, after(MINUTE - MILLI)));
    assert!(!is_live(&table, 1, after(MINUTE)));
    assert_eq!(table.sweep(after(MINUTE + TICK), usize::MAX), 1);
}

#[test]
fn a_lengthened_lifetime_is_not_forgotten_at_the_old_deadline() {
    let table = Table::new(Capacity::sessions(100));
    draft(1).idle(MINUTE).put(&table);
    apply(&table, 1, NOW, &lifetime(DAY, DAY * 2));
    for later in [after(MINUTE + TICK), after(DAY - MILLI)] {
        assert_eq!(table.sweep(later, usize::MAX), 0);
        assert!(is_live(&table, 1, later));
    }
    assert_eq!(table.sweep(after(DAY + TICK), usize::MAX), 1);
}

#[test]
fn a_session_in_use_lives_on_to_its_absolute_deadline_and_no_longer() {
    let table = Table::new(Capacity::sessions(100));
    draft(1).idle(MINUTE).absolute(MINUTE * 30).put(&table);
    let mut elapsed = Duration::ZERO;
    while elapsed < MINUTE * 30 {
        apply(&table, 1, after(elapsed), &touch(after(elapsed)));
        table.sweep(after(elapsed), usize::MAX);
        elapsed += SECOND * 20;
    }
    assert!(is_live(&table, 1, after(MINUTE * 30 - MILLI)));
    assert!(!is_live(&table, 1, after(MINUTE * 30)));
    assert_eq!(table.sweep(after(MINUTE * 30 + TICK), usize::MAX), 1);
}

#[test]
fn a_clock_that_jumps_back_loses_nothing() {
    let table = Table::new(Capacity::sessions(1000));
    (0..100).for_each(|number| draft(number).of("ann").put(&table));
    table.end(&id(500), after(MINUTE));
    for back in [NOW.as_millis() - 1, NOW.as_millis() - 86_400_000, 1, 0] {
        let then = Timestamp::from_millis(back);
        for number in 0..100 {
            apply(&table, number, then, &touch(then));
            apply(&table, number, then, &set("a", back));
        }
        table.sweep(then, usize::MAX);
        assert_eq!(table.count(then), 100);
        assert_eq!(listed(&table, "ann", then).len(), 100);
        assert!(matches!(table.load(&id(500), then), Loaded::Ended));
    }
    assert_eq!(table.count(after(MINUTE * 30 - MILLI)), 100);
    assert_eq!(table.count(after(MINUTE * 30)), 0);
}

#[test]
fn a_clock_that_jumps_ahead_expires_everything_and_the_table_goes_on() {
    let ten_years = after(DAY * 3653);
    // Beyond what 32 bits of ticks can tell apart, and the end of time.
    let year_3000 = Timestamp::from_millis(32_503_680_000_000);
    let last = Timestamp::from_millis(Timestamp::MAX.as_millis() - 1);
    let table = Table::new(Capacity::sessions(1000));
    (0..100).for_each(|number| draft(number).of("ann").put(&table));
    for (number, then) in (100..).zip([ten_years, year_3000, last]) {
        assert_eq!(table.count(then), 0);
        draft(number).of("ann").made(then).put(&table);
        apply(&table, number, then, &touch(then));
        apply(&table, number, then, &lifetime(MINUTE, DAY));
        assert_eq!(table.sweep(then, usize::MAX), 0);
        assert_eq!(table.count(then), 1);
        assert_eq!(listed(&table, "ann", then), [id(number)]);
    }
    assert_eq!(table.count(Timestamp::MAX), 0);
}
