//! The agenda: which sessions to look at when, so that expiry costs what there is to expire.

use std::collections::{BTreeMap, HashSet, VecDeque};

use sessile_core::{SessionId, Timestamp};

/// The width of a tick in milliseconds. Sessions are looked at up to one tick after their
/// deadline; deadlines themselves are exact, every load checks them.
const WIDTH: u64 = 4096;

/// A stretch of time on the agenda.
pub(crate) type Tick = u64;

/// The first tick at whose begin the instant has passed.
pub(crate) fn tick_of(at: Timestamp) -> Tick {
    at.as_millis().div_ceil(WIDTH)
}

/// Ids by the tick in which they are to be looked at.
///
/// An entry is never searched for and removed: whoever takes one asks the table whether it still
/// counts. A session whose deadline moved on is put where it now belongs when its old tick comes,
/// so a touch costs nothing here. Within a tick, what was added first comes first.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    ticks: BTreeMap<Tick, VecDeque<SessionId>>,
    entries: usize,
}

impl Agenda {
    pub(crate) fn add(&mut self, tick: Tick, sid: SessionId) {
        self.ticks.entry(tick).or_default().push_back(sid);
        self.entries += 1;
    }

    /// How many entries there are, with those that no longer count.
    pub(crate) fn len(&self) -> usize {
        self.entries
    }

    /// Whether the tick of an entry has come.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        let first = self.ticks.first_key_value();
        first.is_some_and(|(tick, _)| *tick <= now.as_millis() / WIDTH)
    }

    /// Takes an entry whose tick has come.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Option<(Tick, SessionId)> {
        if self.is_due(now) {
            self.take_first()
        } else {
            None
        }
    }

    /// Takes an entry of the earliest tick.
    pub(crate) fn take_first(&mut self) -> Option<(Tick, SessionId)> {
        let mut first = self.ticks.first_entry()?;
        let tick = *first.key();
        let sid = first.get_mut().pop_front();
        if first.get().is_empty() {
            first.remove();
        }
        self.entries -= usize::from(sid.is_some());
        sid.map(|sid| (tick, sid))
    }

    /// The sessions of one tick, each once.
    pub(crate) fn at(&self, tick: Tick) -> HashSet<SessionId> {
        // One whose deadline went back and forth may have come to the same tick twice.
        self.ticks
            .get(&tick)
            .into_iter()
            .flatten()
            .copied()
            .collect()
    }

    /// Drops the entries that no longer count, and all but one of those of one session in one
    /// tick.
    pub(crate) fn tidy(&mut self, counts: impl Fn(Tick, &SessionId) -> bool) {
        self.entries = 0;
        self.ticks.retain(|tick, ids| {
            let mut seen = HashSet::new();
            ids.retain(|sid| counts(*tick, sid) && seen.insert(*sid));
            ids.shrink_to_fit();
            self.entries += ids.len();
            !ids.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_due_within_a_tick_of_its_deadline_and_never_before() {
        for at in [1, WIDTH - 1, WIDTH, WIDTH + 1, 1_767_225_600_123] {
            let deadline = Timestamp::from_millis(at);
            let mut agenda = Agenda::default();
            agenda.add(tick_of(deadline), SessionId::from_bytes([1; 16]));
            assert!(agenda.take_due(Timestamp::from_millis(at - 1)).is_none());
            assert!(
                agenda
                    .take_due(Timestamp::from_millis(at + WIDTH))
                    .is_some()
            );
            assert!(agenda.take_first().is_none());
        }
    }

    #[test]
    fn tidying_keeps_one_of_each_entry_that_counts_in_order() {
        let id = |byte| SessionId::from_bytes([byte; 16]);
        let mut agenda = Agenda::default();
        for (tick, byte) in [(2, 1), (1, 4), (2, 3), (2, 1), (2, 2), (3, 3)] {
            agenda.add(tick, id(byte));
        }
        agenda.tidy(|tick, sid| tick > 1 && *sid != id(2));
        assert_eq!(agenda.len(), 3);
        let left = std::iter::from_fn(|| agenda.take_first());
        assert_eq!(
            left.collect::<Vec<_>>(),
            [(2, id(1)), (2, id(3)), (3, id(3))]
        );
        assert_eq!(agenda.len(), 0);
    }
}
