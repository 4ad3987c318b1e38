//! The agenda: which sessions to look at when, so that expiry costs what there is to expire.

use std::collections::BTreeMap;

use sessile_core::{SessionId, Timestamp};

/// The width of a tick in milliseconds. Sessions are looked at up to one tick after their
/// deadline; deadlines themselves are exact, every load checks them.
const WIDTH: u64 = 4096;

/// A stretch of time on the agenda.
pub(crate) type Tick = u32;

/// The first tick at whose begin the instant has passed.
pub(crate) fn tick_of(at: Timestamp) -> Tick {
    Tick::try_from(at.as_millis().div_ceil(WIDTH)).unwrap_or(Tick::MAX)
}

/// Ids by the tick in which they are to be looked at.
///
/// An entry is never searched for and removed: whoever takes one asks the table whether it still
/// counts. A session whose deadline moved on is put where it now belongs when its old tick comes,
/// so a touch costs nothing here.
#[derive(Debug, Default)]
pub(crate) struct Agenda(BTreeMap<Tick, Vec<SessionId>>);

impl Agenda {
    pub(crate) fn add(&mut self, tick: Tick, sid: SessionId) {
        self.0.entry(tick).or_default().push(sid);
    }

    /// Takes an entry whose tick has come.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Option<(Tick, SessionId)> {
        let current = now.as_millis() / WIDTH;
        if self
            .0
            .first_key_value()
            .is_some_and(|(tick, _)| u64::from(*tick) <= current)
        {
            self.take_first()
        } else {
            None
        }
    }

    /// Takes an entry of the earliest tick.
    pub(crate) fn take_first(&mut self) -> Option<(Tick, SessionId)> {
        let mut first = self.0.first_entry()?;
        let tick = *first.key();
        let sid = first.get_mut().pop();
        if first.get().is_empty() {
            first.remove();
        }
        sid.map(|sid| (tick, sid))
    }

    /// The entries of one tick.
    pub(crate) fn at(&self, tick: Tick) -> &[SessionId] {
        self.0.get(&tick).map_or(&[], Vec::as_slice)
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
    fn the_end_of_time_has_a_tick() {
        assert_eq!(tick_of(Timestamp::MAX), Tick::MAX);
    }
}
