//! What a bounded table costs in memory of the process. In a binary of its own, one test after
//! the other: what the system counts as resident is the whole process's.

#![cfg(all(target_os = "linux", not(loom)))]
#![allow(clippy::unwrap_used)] // in a test, a panic is the report

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use sessile_core::{Created, Credential, Lifetime, Record, SessionId, Timestamp};
use sessile_memory::{Capacity, Table};

const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);
const MEBI: usize = 1 << 20;

fn resident() -> usize {
    const PAGE: usize = 4096; // where pages are larger, the bounds below are looser than they say
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = pages.split(' ').nth(1).unwrap().parse().unwrap();
    pages * PAGE
}

/// Makes sessions quickly: the verifier's hash is made once, and the ids are only spread evenly.
struct Maker {
    template: Record,
    made: Cell<u64>,
}

impl Maker {
    fn new() -> Self {
        let lifetime = Lifetime::new(Duration::from_secs(86_400), Duration::from_secs(86_400));
        Maker {
            template: Record::new(&Credential::random(), NOW, &lifetime.unwrap()),
            made: Cell::new(0),
        }
    }

    fn put(&self, table: &Table, now: Timestamp) -> SessionId {
        self.made.set(self.made.get() + 1);
        let spread = self.made.get().wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&spread.to_be_bytes());
        bytes[8..].copy_from_slice(&spread.to_le_bytes());
        let mut record = self.template.clone();
        record.sid = SessionId::from_bytes(bytes);
        let sid = record.sid;
        assert_eq!(table.create(Arc::new(record), None, now), Created::Created);
        sid
    }
}

#[test]
fn the_memory_of_a_table_is_bounded_whatever_passes_through_it() {
    let maker = Maker::new();

    // A flood: two hundred thousand sessions through a table of a thousand.
    let table = Table::new(Capacity::sessions(1000));
    let before = resident();
    for _ in 0..200_000 {
        maker.put(&table, NOW);
    }
    assert!(table.count(NOW) <= 1000);
    assert!(table.count(NOW) >= 900, "the ids are spread evenly");
    let grown = resident().saturating_sub(before);
    assert!(grown < MEBI, "a flood grew the process by {grown} bytes");

    // Logins and logouts, forty a second: what is left of them goes with their tombstones,
    // not with the deadlines that they would have had the day after.
    let table = Table::new(Capacity::sessions(1000));
    let before = resident();
    for step in 0..200_000_u64 {
        let now = NOW.after(Duration::from_millis(step * 25));
        let sid = maker.put(&table, now);
        table.end(&sid, now.after(Duration::from_secs(60)));
    }
    assert_eq!(table.count(NOW), 0);
    let grown = resident().saturating_sub(before);
    assert!(
        grown < 2 * MEBI,
        "logouts grew the process by {grown} bytes"
    );

    // A hundred thousand sessions that expire together: a sweep gives their memory back. What
    // the allocator keeps for itself is not the table's, so it is asked by using it again.
    let mut peaks = [0; 2];
    for peak in &mut peaks {
        let table = Table::new(Capacity::default());
        for _ in 0..100_000 {
            maker.put(&table, NOW);
        }
        *peak = resident();
        let swept = table.sweep(NOW.after(Duration::from_secs(90_000)), usize::MAX);
        assert_eq!(swept, 100_000);
        // Not dropped: a table that kept its memory would show in the second peak.
        std::mem::forget(table);
    }
    let grown = peaks[1].saturating_sub(peaks[0]);
    assert!(grown < MEBI, "a swept table keeps {grown} bytes");
}
