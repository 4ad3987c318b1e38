//! What the tests of stores are stated with: an instant, records, patches, and numbers that look
//! random.

use std::sync::Arc;
use std::time::Duration;

use sessile_core::{Credential, Lifetime, Name, Patch, Record, Text, Timestamp};

/// Where the clock of these tests stands: long ago, so that a store that reads its own is found out.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_000_000_000_000);

/// So many milliseconds after that.
pub(crate) fn after(millis: u64) -> Timestamp {
    NOW.after(Duration::from_millis(millis))
}

/// The name of a key.
pub(crate) fn name(name: &str) -> Name {
    Name::new(name).unwrap()
}

/// An encoded value.
pub(crate) fn text(text: &str) -> Text {
    Text::from_encoded(text)
}

/// An hour and a day.
pub(crate) fn lifetime() -> Lifetime {
    Lifetime::new(Duration::from_secs(3600), Duration::from_secs(86400)).unwrap()
}

/// A new record with nothing in it.
pub(crate) fn blank() -> Record {
    Record::new(&Credential::random(), NOW, &lifetime())
}

/// A new record of a subject.
pub(crate) fn of(subject: &str) -> Arc<Record> {
    let mut record = blank();
    record.subject = Some(subject.into());
    Arc::new(record)
}

/// A patch that sets one key, by someone who knows of version `base`.
pub(crate) fn set(base: u64, key: &str, value: &str) -> Patch {
    let mut patch = Patch::new(base);
    patch.set(name(key), text(value));
    patch
}

/// Numbers that look random and are the same for the same seed.
#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Random(seed)
    }

    /// Below `bound`. The generator is SplitMix64.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    /// Once in so many times.
    pub(crate) fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}
