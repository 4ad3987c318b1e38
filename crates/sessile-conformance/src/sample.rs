//! Records and patches that look random, and are the same in every run.

use std::time::Duration;

use sessile_core::{
    Credential, Data, Lifetime, Name, Patch, Previous, Record, Rotation, Text, Timestamp, Verifier,
};

use crate::stage::name;

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

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }

    /// An instant up to a minute before or after another.
    pub(crate) fn near(&mut self, time: Timestamp) -> Timestamp {
        Timestamp::from_millis((time.as_millis() + self.below(120_000)).saturating_sub(60_000))
    }

    /// An instant up to 40 seconds after another.
    pub(crate) fn later(&mut self, time: Timestamp) -> Timestamp {
        time.after(Duration::from_millis(self.below(40_000)))
    }

    fn name(&mut self) -> Name {
        name(self.pick(&["a", "b", "c", "käse", "d:a", "x \"y\"\\"]))
    }

    fn text(&mut self) -> Text {
        // Two large ones do not fit into one record.
        match self.below(5) {
            0 => Text::from_encoded(&"ä".repeat(25_000)),
            1 => Text::from_encoded(""),
            _ => Text::from_encoded(&self.below(3).to_string()),
        }
    }

    /// A record that was made now, and does not live long.
    pub(crate) fn record(&mut self, now: Timestamp) -> Record {
        let idle = Duration::from_millis(1 + self.below(100_000));
        let absolute = Duration::from_millis(1 + self.below(200_000));
        let lifetime = Lifetime::new(idle, absolute).expect("a millisecond is possible");
        let mut record = Record::new(&Credential::random(), now, &lifetime);
        record.version = 1 + self.below(20);
        if self.once_in(20) {
            record.version = (1 << 53) - 40;
        }
        if self.once_in(2) {
            record.previous = Some(Box::new(Previous {
                hash: Verifier::random().hash(),
                wrapped: Verifier::random().wrap(&record.sid, &Verifier::random()),
                until: self.once_in(2).then(|| self.near(now)),
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
    pub(crate) fn patch(&mut self, record: &Record, now: Timestamp) -> Patch {
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
            patch.lifetime(lifetime.expect("a millisecond is possible"));
        }
        if self.once_in(3) {
            patch.touch(self.near(now));
        }
        if self.once_in(3) {
            patch.confirm(self.near(now));
        }
        patch
    }
}
