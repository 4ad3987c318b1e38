//! How much the table holds, and what goes when it is full.

use sessile_core::Record;

/// How much the table holds at the most. The default is a million sessions and 1 GiB.
///
/// **The rule of eviction.** When a new or growing session does not fit, expired sessions go
/// first; then, of the sessions nobody is logged in to, the one that is nearest to its deadline
/// (with equal lifetimes: the least recently used); then, of the others, likewise. The order of
/// deadlines is exact to a few seconds. So a flood of anonymous visitors evicts anonymous
/// visitors; where none is left, it takes the place that its largest session needs, once in each
/// shard. Each eviction is counted
/// ([`Table::evicted`](crate::Table::evicted)), and the client of an evicted session arrives as
/// `Lost`, not as a stranger.
///
/// Tombstones of ended sessions are kept beside the sessions, as many as those at the most (1,024
/// in each shard at the least); beyond that the one nearest to its time goes.
///
/// The bounds are divided among shards by the random bits of the ids, and hold in each; a table
/// fills evenly, but may evict a little before its sum is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    sessions: usize,
    bytes: usize,
}

impl Capacity {
    /// So many sessions, and 1 KiB for each on average.
    pub const fn sessions(sessions: usize) -> Self {
        Capacity {
            sessions,
            bytes: sessions.saturating_mul(1024),
        }
    }

    /// The bytes of all sessions together, keys, values and what the table adds, estimated from
    /// the sizes of its structures.
    #[must_use]
    pub const fn bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// How many shards a table of this capacity has: few enough that each holds hundreds.
    pub(crate) fn shards(&self) -> usize {
        (self.sessions / 256).clamp(1, 64).next_power_of_two()
    }

    /// The share of one of so many shards.
    pub(crate) fn share(&self, shards: usize) -> Capacity {
        Capacity {
            sessions: (self.sessions / shards).max(1),
            bytes: self.bytes / shards,
        }
    }

    /// How many tombstones are kept beside the sessions: 40 bytes each.
    pub(crate) fn tombstones(&self) -> usize {
        self.sessions.max(1024)
    }

    pub(crate) fn is_exceeded(&self, sessions: usize, bytes: usize) -> bool {
        sessions > self.sessions || bytes > self.bytes
    }
}

impl Default for Capacity {
    fn default() -> Self {
        Capacity {
            sessions: 1_000_000,
            bytes: 1 << 30,
        }
    }
}

/// What a record weighs: its own structure, its share of the table, the index and the agenda, and
/// its keys and values.
pub(crate) fn weight(record: &Record) -> usize {
    const RECORD: usize = size_of::<Record>() + 2 * size_of::<usize>();
    const PLACES: usize = 160;
    const ENTRY: usize = 48;
    RECORD
        + PLACES
        + record
            .subject
            .as_ref()
            .map_or(0, |subject| subject.len() + 16)
        + record.data.len() * ENTRY
        + record.data.bytes()
}
