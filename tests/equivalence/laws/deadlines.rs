//! Time: a process of its own whose sessions are short.

use sessile_e2e::{eventually, pause};

use crate::beds::Bed;

const SHORT: &str = "[lifetime]\nidle = \"3s\"\nabsolute = \"7s\"\n";

pub(super) fn the_absolute_deadline_holds(bed: &Bed) {
    let process = bed.process(SHORT);
    let mut busy = process.client();
    busy.get("/visits").is(200);
    for _ in 0..6 {
        pause(700);
        assert_eq!(busy.arrival(), "resumed", "used every 700 ms");
    }
    let end = eventually("the absolute deadline", || {
        Some(busy.arrival()).filter(|arrival| arrival != "resumed")
    });
    assert_eq!(end, "expired");
    assert_eq!(busy.get("/visits").is(200).body, "visit 1");
}

/// A token is good for a minute more, by which clocks may differ. It is told by that it is not
/// merged: its state travels.
pub(super) fn the_idle_deadline_holds(bed: &Bed) {
    let process = bed.process("[lifetime]\nidle = \"3s\"\n");
    let mut idle = process.client();
    idle.get("/visits").is(200);
    let leeway = if bed.promised.merges { 0 } else { 60_000 };
    pause(3100 + leeway);
    assert_eq!(idle.arrival(), "expired", "not used for 3 s");
    assert_eq!(idle.get("/visits").is(200).body, "visit 1");
}
