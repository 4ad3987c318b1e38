//! What a full table does: the rule of eviction, as `Capacity` states it.

use std::time::Duration;

use sessile_core::{Created, Loaded, Outcome, Patch};
use sessile_memory::{Capacity, Table};

use crate::support::*;

/// So few sessions are in one shard, and their order of eviction is the table's.
fn table(sessions: usize) -> Table {
    Table::new(Capacity::sessions(sessions).bytes(usize::MAX))
}

#[test]
fn the_anonymous_session_nearest_to_its_deadline_goes_first() {
    let table = table(4);
    for (number, minutes) in [(1, 30), (2, 10), (3, 40), (4, 20)] {
        draft(number).idle(MINUTE * minutes).put(&table);
    }
    let mut left = vec![1, 2, 3, 4];
    for (new, evicted) in [(5, 2), (6, 4), (7, 1), (8, 3)] {
        draft(new).idle(DAY).absolute(DAY).put(&table);
        left.retain(|number| *number != evicted);
        assert_eq!(live(&table, [1, 2, 3, 4], NOW), left);
    }
    assert_eq!(live(&table, 5..=8, NOW), [5, 6, 7, 8]);
}

/// Were the newest to go, a visitor in a flood would be gone with the next request of the flood.
#[test]
fn of_equal_lifetimes_the_one_used_least_recently_goes_first_within_one_tick_too() {
    let table = table(4);
    (1..=4).for_each(|number| draft(number).put(&table));
    for new in 5..=100 {
        draft(new).put(&table);
        assert_eq!(
            live(&table, 1..=new, NOW),
            Vec::from_iter(new - 3..=new),
            "after {new}"
        );
    }
}

#[test]
fn a_session_that_was_touched_outlives_those_that_were_not() {
    let table = table(3);
    (1..=3).for_each(|number| draft(number).put(&table));
    let later = after(MINUTE * 5);
    apply(&table, 1, later, &touch(later));
    draft(4).made(later).put(&table);
    draft(5).made(later).put(&table);
    assert_eq!(live(&table, 1..=5, later), [1, 4, 5]);
}

#[test]
fn a_logged_in_session_goes_only_when_no_anonymous_one_is_left() {
    let table = table(4);
    // Those who are logged in are nearest to their deadlines: that must not count.
    (1..=3).for_each(|number| draft(number).of("ann").idle(MINUTE).put(&table));
    draft(4).put(&table);
    draft(5).of("ann").idle(MINUTE).put(&table);
    assert_eq!(live(&table, 1..=5, NOW), [1, 2, 3, 5]);
    draft(6).of("ann").put(&table);
    assert_eq!(
        live(&table, 1..=6, NOW),
        [2, 3, 5, 6],
        "then likewise among the others"
    );
}

#[test]
fn expired_sessions_go_before_live_ones_and_are_not_counted_as_evicted() {
    // By bytes: one large session needs the place of many small ones.
    let table = Table::new(Capacity::sessions(500).bytes(200_000));
    draft(1).put(&table);
    (10..80).for_each(|number| {
        draft(number)
            .of("ann")
            .idle(MINUTE)
            .holding(2000)
            .put(&table)
    });
    assert_eq!(table.evicted(), 0, "they fit so far");
    let later = after(MINUTE + TICK);
    draft(2).made(later).holding(150_000).put(&table);
    assert_eq!(live(&table, [1, 2], later), [1, 2]);
    assert_eq!(table.evicted(), 0);
    assert_eq!(table.last_eviction(), None);
}

#[test]
fn evictions_are_counted_and_dated() {
    let table = table(10);
    (0..10).for_each(|number| draft(number).put(&table));
    assert_eq!((table.evicted(), table.last_eviction()), (0, None));
    (10..17).for_each(|number| draft(number).made(after(SECOND)).put(&table));
    assert_eq!(
        (table.evicted(), table.last_eviction()),
        (7, Some(after(SECOND)))
    );
}

#[test]
fn an_evicted_session_is_absent_takes_no_patch_and_is_not_listed() {
    let table = table(2);
    (1..=3).for_each(|number| draft(number).of("ann").put(&table));
    assert!(matches!(table.load(&id(1), NOW), Loaded::Absent));
    assert!(matches!(
        table.apply(&id(1), NOW, &set("a", 1)).unwrap(),
        Outcome::Gone
    ));
    let candidates = table.list("ann", NOW);
    let sids: Vec<_> = candidates.iter().map(|candidate| candidate.sid).collect();
    assert_eq!(sids, [id(2), id(3)]);
}

/// The new session must be kept, so the first of a flood takes the place of one who is logged in
/// where nobody anonymous is left; the second one takes that place, and so on.
#[test]
fn a_flood_of_anonymous_sessions_evicts_one_logged_in_session_of_each_shard_at_the_most() {
    const SHARDS: usize = 4;
    let table = Table::new(Capacity::sessions(1024).bytes(usize::MAX));
    (0..1024).for_each(|number| draft(number).of("ann").put(&table));
    assert_eq!(table.evicted(), 0, "the ids are spread evenly");
    (1024..101_024).for_each(|number| draft(number).put(&table));
    assert_eq!(live(&table, 0..1024, NOW).len(), 1024 - SHARDS);
    assert_eq!(listed(&table, "ann", NOW).len(), 1024 - SHARDS);
    assert_eq!(table.evicted(), 100_000);
    assert_eq!(table.count(NOW), 1024);
}

/// Counted in bytes, a flood takes as much as its largest session needs, once.
#[test]
fn a_flood_of_large_anonymous_sessions_evicts_what_one_of_them_needs() {
    let table = Table::new(Capacity::sessions(500).bytes(300_000));
    (0..500).for_each(|number| draft(number).of("ann").holding(1000).put(&table));
    let before = table.count(NOW);
    (500..1500).for_each(|number| draft(number).holding(20_000).put(&table));
    let lost = before - listed(&table, "ann", NOW).len() as u64;
    assert!((10..=20_000 / 1000 + 1).contains(&lost), "{lost} are lost");
}

#[test]
fn the_bound_of_the_count_holds_after_every_create() {
    let table = Table::new(Capacity::sessions(1000).bytes(usize::MAX));
    for number in 0..3000 {
        let draft = draft(number);
        if number % 3 == 0 {
            draft.of("ann")
        } else {
            draft
        }
        .put(&table);
        assert!(table.count(NOW) <= 1000);
    }
    assert_eq!(table.count(NOW), 1000);
}

#[test]
fn the_bound_of_the_bytes_holds_after_every_create() {
    let table = Table::new(Capacity::sessions(500).bytes(100_000));
    for number in 0..100 {
        draft(number).holding(9_500).put(&table);
        assert!(table.count(NOW) <= 10, "keys, values and what is added");
    }
    assert!(table.count(NOW) >= 9);
}

#[test]
fn a_growing_session_evicts_others_and_not_itself() {
    let table = Table::new(Capacity::sessions(200).bytes(100_000));
    (1..=100).for_each(|number| {
        draft(number)
            .idle(MINUTE * number)
            .absolute(DAY)
            .put(&table)
    });
    assert_eq!(table.evicted(), 0);
    // The one that would have to go first grows.
    apply(&table, 1, NOW, &fill(60_000));
    let left = live(&table, 1..=100, NOW);
    assert_eq!(left[0], 1);
    assert_eq!(*left.last().unwrap(), 100);
    assert_eq!(
        Vec::from_iter(left[1]..=100),
        left[1..],
        "the nearest to their deadlines went"
    );
    assert_eq!(table.evicted() as usize, 100 - left.len());
}

#[test]
fn a_session_larger_than_the_whole_bound_is_kept_until_another_comes() {
    let table = Table::new(Capacity::sessions(200).bytes(30_000));
    (1..=10).for_each(|number| draft(number).put(&table));
    apply(&table, 5, NOW, &fill(60_000));
    assert_eq!(live(&table, 1..=10, NOW), [5]);
    draft(11).put(&table);
    assert_eq!(live(&table, 1..=11, NOW), [11]);
}

/// Whatever was made, grown, shrunk, ended, evicted or forgotten, what is left is weighed right.
#[test]
fn after_any_use_the_table_holds_as_much_as_a_new_one() {
    let room = |table: &Table, from: u32, now| {
        let before = table.evicted();
        (from..)
            .find(|number| {
                draft(*number).made(now).holding(100).put(table);
                table.evicted() > before
            })
            .unwrap()
            - from
    };
    let capacity = Capacity::sessions(500).bytes(64_000);
    let used = Table::new(capacity);
    for number in 0..600 {
        let draft = draft(number).holding(number as usize);
        if number % 3 == 0 {
            draft.of("ann")
        } else {
            draft
        }
        .put(&used);
        apply(&used, number, NOW, &fill(5000 - number as usize));
        let mut clear = Patch::new(0);
        clear.clear();
        apply(&used, number, NOW, &clear);
        if number % 5 == 0 {
            used.end(&id(number), after(SECOND));
        }
    }
    assert!(used.evicted() > 0);
    let later = after(DAY);
    used.sweep(later, usize::MAX);
    assert_eq!(
        room(&used, 1000, later),
        room(&Table::new(capacity), 1000, later)
    );
}

#[test]
fn tombstones_are_not_evicted() {
    let table = table(2);
    draft(1).put(&table);
    table.end(&id(1), after(MINUTE));
    (2..1000).for_each(|number| draft(number).put(&table));
    assert!(matches!(table.load(&id(1), NOW), Loaded::Ended));
    assert_eq!(table.create(draft(1).record(), None, NOW), Created::Taken);
}

#[test]
fn the_smallest_capacities_hold_one_session_of_each_shard() {
    for capacity in [Capacity::sessions(0), Capacity::sessions(1).bytes(0)] {
        let table = Table::new(capacity);
        for number in 1..=3 {
            draft(number).idle(Duration::from_secs(60)).put(&table);
            assert_eq!(live(&table, 1..=3, NOW), [number]);
        }
    }
}
