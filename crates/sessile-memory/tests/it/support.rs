//! What the laws are stated with: instants, ids, records and patches.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use sessile_core::{
    Created, Credential, Lifetime, Loaded, Name, Outcome, Patch, Record, SessionId, Text,
    Timestamp, Verifier,
};
use sessile_memory::Table;

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);
pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const DAY: Duration = Duration::from_secs(86_400);

/// Sessions are looked at up to this much after their deadline.
pub(crate) const TICK: Duration = Duration::from_millis(4096);

/// So long after [`NOW`].
pub(crate) fn after(by: Duration) -> Timestamp {
    NOW.after(by)
}

/// The same id each time. The first byte is the number's: it spreads over shards.
pub(crate) fn id(number: u32) -> SessionId {
    let mut bytes = [0; 16];
    bytes[0] = number.to_le_bytes()[0];
    // Where real ids have random bits, so that the place within a shard is as good as any.
    let spread = u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bytes[8..].copy_from_slice(&spread.to_le_bytes());
    SessionId::from_bytes(bytes)
}

/// A record as a login would make it, from parts.
pub(crate) struct Draft(Record);

/// Anonymous, made at [`NOW`], with the default lifetime and no keys.
pub(crate) fn draft(number: u32) -> Draft {
    // Hashing a verifier for each of a million records would be most of a test's time.
    static TEMPLATE: LazyLock<Record> = LazyLock::new(|| {
        let credential = Credential {
            sid: id(0),
            verifier: Verifier::from_bytes([7; 16]),
        };
        Record::new(&credential, NOW, &Lifetime::default())
    });
    let mut record = TEMPLATE.clone();
    record.sid = id(number);
    Draft(record)
}

impl Draft {
    pub(crate) fn of(mut self, subject: &str) -> Self {
        self.0.subject = Some(subject.into());
        self
    }

    pub(crate) fn made(mut self, now: Timestamp) -> Self {
        let (idle, absolute) = (
            self.0.idle(),
            self.0.absolute_deadline.since(self.0.created_at),
        );
        self.0.created_at = now;
        self.0.last_seen = now;
        self.0.idle_deadline = now.after(idle);
        self.0.absolute_deadline = now.after(absolute);
        self
    }

    pub(crate) fn idle(mut self, idle: Duration) -> Self {
        self.0.idle_deadline = self.0.last_seen.after(idle);
        self
    }

    pub(crate) fn absolute(mut self, absolute: Duration) -> Self {
        self.0.absolute_deadline = self.0.created_at.after(absolute);
        self
    }

    /// With one key of about so many bytes.
    pub(crate) fn holding(mut self, bytes: usize) -> Self {
        self.0.data = fill(bytes).sets().iter().cloned().collect();
        self
    }

    pub(crate) fn record(self) -> Arc<Record> {
        Arc::new(self.0)
    }

    /// Into a table, without a cap, at the moment it was made.
    pub(crate) fn put(self, table: &Table) {
        let now = self.0.created_at;
        assert_eq!(
            table.create(self.record(), None, now),
            Created::Created,
            "a fresh id is never taken"
        );
    }
}

pub(crate) fn name(name: &str) -> Name {
    Name::new(name).unwrap()
}

/// A plain write of one key.
pub(crate) fn set(key: &str, value: u64) -> Patch {
    let mut patch = Patch::new(0);
    patch.set(name(key), Text::encode(&value).unwrap());
    patch
}

/// A plain write of one key with about so many bytes.
pub(crate) fn fill(bytes: usize) -> Patch {
    let mut patch = Patch::new(0);
    patch.set(name("big"), Text::encode(&"x".repeat(bytes)).unwrap());
    patch
}

/// A use, written down.
pub(crate) fn touch(seen: Timestamp) -> Patch {
    let mut patch = Patch::new(0);
    patch.touch(seen);
    patch
}

/// A lifetime of the session's own.
pub(crate) fn lifetime(idle: Duration, absolute: Duration) -> Patch {
    let mut patch = Patch::new(0);
    patch.lifetime(Lifetime::new(idle, absolute).unwrap());
    patch
}

pub(crate) fn apply(table: &Table, number: u32, now: Timestamp, patch: &Patch) -> Arc<Record> {
    match table.apply(&id(number), now, patch).unwrap() {
        Outcome::Applied(record) => record,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn is_live(table: &Table, number: u32, now: Timestamp) -> bool {
    matches!(table.load(&id(number), now), Loaded::Live(_))
}

/// Which of these are live.
pub(crate) fn live(
    table: &Table,
    numbers: impl IntoIterator<Item = u32>,
    now: Timestamp,
) -> Vec<u32> {
    let mut numbers: Vec<u32> = numbers.into_iter().collect();
    numbers.retain(|number| is_live(table, *number, now));
    numbers
}

/// The live sessions of a subject, by what the index says.
pub(crate) fn listed(table: &Table, subject: &str, now: Timestamp) -> Vec<SessionId> {
    let candidates = table.list(subject, now).into_iter();
    candidates
        .filter(|candidate| candidate.record.is_some())
        .map(|candidate| candidate.sid)
        .collect()
}
