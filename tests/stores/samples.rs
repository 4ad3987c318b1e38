//! Records and patches to try on a store: extreme ones, and random ones from a seed.

use std::sync::Arc;
use std::time::Duration;

use sessile_core::{
    Credential, Data, Lifetime, Name, Patch, Previous, Record, Rotation, Text, Timestamp, Verifier,
};

/// Where the clock of these tests stands: long ago, so that a store that reads its own is found out.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_000_000_000_000);

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

/// Keys and values that some store somewhere has changed.
pub(crate) fn extreme_data() -> Data {
    let long = "k".repeat(128);
    let keys = [
        "a",
        "A",
        "a ",
        "a b",
        "a.b",
        "$.a",
        "$[0]",
        "a\"b",
        "a\\b",
        "'",
        "%",
        "d:",
        "d:a",
        "f",
        "h",
        "käse",
        "\u{1f980}",
        "\u{10ffff}",
        "+x",
        "__proto__",
        &long,
    ];
    let values = [
        "null",
        "-0.0",
        "1e308",
        "18446744073709551615",
        "-9223372036854775808",
        "\"\"",
        "\"\\u0000\"",
        "\"\u{7f}\u{80}\u{800}\u{ffff}\u{10000}\"",
        "{",
        "",
        "[1, 2 ,3]",
        "\r\n",
        "\0",
        "'; DROP",
    ];
    let value = |at: usize| text(values[at % values.len()]);
    let entry = |(at, key): (usize, &&str)| (name(key), value(at));
    keys.iter().enumerate().map(entry).collect()
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

    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }

    /// An instant up to a minute before or after another.
    pub(crate) fn near(&mut self, time: Timestamp) -> Timestamp {
        Timestamp::from_millis((time.as_millis() + self.below(120_000)).saturating_sub(60_000))
    }

    fn name(&mut self) -> Name {
        name(self.pick(&["a", "b", "c", "käse", "d:a", "x \"y\"\\"]))
    }

    fn text(&mut self) -> Text {
        // Two large ones do not fit into one record.
        match self.below(8) {
            0 => text(&"ä".repeat(20_000)),
            1 => text(""),
            _ => text(&self.below(3).to_string()),
        }
    }

    pub(crate) fn record(&mut self) -> Record {
        let idle = Duration::from_millis(1 + self.below(100_000));
        let absolute = Duration::from_millis(1 + self.below(200_000));
        let lifetime = Lifetime::new(idle, absolute).unwrap();
        let mut record = Record::new(&Credential::random(), NOW, &lifetime);
        record.version = 1 + self.below(20);
        if self.once_in(20) {
            record.version = (1 << 53) - 40;
        }
        if self.once_in(2) {
            record.previous = Some(Box::new(Previous {
                hash: Verifier::random().hash(),
                wrapped: Verifier::random().wrap(&record.sid, &Verifier::random()),
                until: self.once_in(2).then(|| self.near(NOW)),
            }));
        }
        if self.once_in(2) {
            record.subject = Some("käse".into());
        }
        record.data = (0..self.below(5))
            .map(|_| (self.name(), self.text()))
            .collect();
        if record.data.check_limit().is_err() {
            record.data = Data::new();
        }
        record
    }

    /// A patch that has a chance to be applied to this record.
    pub(crate) fn patch(&mut self, record: &Record) -> Patch {
        let mut patch = Patch::new((record.version + 2).saturating_sub(self.below(5)));
        if self.once_in(3) {
            patch.accept_older();
        }
        if self.once_in(2) {
            let name = self.name();
            let stored = record.data.get(name.as_str()).cloned();
            let other = self.once_in(4).then(|| self.text());
            patch.expect(name, if self.once_in(4) { other } else { stored });
        }
        for _ in 0..self.below(4) {
            match self.below(6) {
                0 if self.once_in(3) => patch.clear(),
                0 | 1 => patch.remove(self.name()),
                _ => patch.set(self.name(), self.text()),
            }
        }
        if self.once_in(4) {
            let (old, new) = (Verifier::random(), Verifier::random());
            patch.rotate(Some(Rotation {
                expect: if self.once_in(4) {
                    old.hash()
                } else {
                    record.hash
                },
                new: new.hash(),
                wrapped: old.wrap(&record.sid, &new),
            }));
        }
        if self.once_in(4) {
            let millis = |random: &mut Self| Duration::from_millis(1 + random.below(200_000));
            let longest = Duration::from_secs(u64::MAX / 1000);
            let lifetime = if self.once_in(5) {
                Lifetime::new(longest, longest)
            } else {
                Lifetime::new(millis(self), millis(self))
            };
            patch.lifetime(lifetime.unwrap());
        }
        if self.once_in(3) {
            patch.touch(self.near(NOW));
        }
        if self.once_in(3) {
            patch.confirm(self.near(NOW));
        }
        patch
    }
}
