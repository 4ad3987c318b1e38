//! How long a session lives, and when a use of it must be written down.

use std::time::Duration;

use crate::{Error, ErrorKind, Result};

/// How long a session lives: until it was not used for `idle`, and never beyond `absolute` after
/// it was made. Both are enforced on the server, from the record.
///
/// The default is 30 minutes idle and 12 hours absolute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    idle: Duration,
    absolute: Duration,
}

/// Longer than any session needs, short enough that no sum overflows.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
const MINUTE: Duration = Duration::from_secs(60);

impl Lifetime {
    /// A session ends when it was not used for `idle`, at the latest `absolute` after it was made.
    ///
    /// Longer than 100 years is shortened to that; an `idle` longer than `absolute` is harmless.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if one of them is under a millisecond: every session would be dead
    /// when it is made.
    pub fn new(idle: Duration, absolute: Duration) -> Result<Self> {
        for (name, value) in [("idle", idle), ("absolute", absolute)] {
            if value < Duration::from_millis(1) {
                return Err(Error::new(
                    ErrorKind::Invalid,
                    format!(
                        "the {name} lifetime is {value:?}: write at least one millisecond, such as 30 minutes"
                    ),
                ));
            }
        }
        Ok(Lifetime {
            idle: idle.min(LONGEST),
            absolute: absolute.min(LONGEST),
        })
    }

    /// How long a session lives without being used.
    pub const fn idle(&self) -> Duration {
        self.idle
    }

    /// How long a session lives at the most.
    pub const fn absolute(&self) -> Duration {
        self.absolute
    }
}

impl Default for Lifetime {
    fn default() -> Self {
        Lifetime {
            idle: 30 * MINUTE,
            absolute: 12 * 60 * MINUTE,
        }
    }
}

/// How long after `last_seen` the next use is written down: `min(max(60 s, idle/10), idle/4)`. All
/// in milliseconds: this is asked by every request that has a session.
///
/// The effective idle time thus lies in `(idle − this, idle]`.
pub(crate) fn touch_interval(idle: u64) -> u64 {
    (idle / 10).max(60_000).min(idle / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn touch_interval_is_a_tenth_within_its_bounds() {
        let minutes = |minutes: u64| minutes * 60_000;
        assert_eq!(touch_interval(minutes(30)), minutes(3));
        assert_eq!(touch_interval(minutes(5)), minutes(1));
        assert_eq!(touch_interval(minutes(1)), minutes(1) / 4);
    }

    #[test]
    fn extreme_durations_are_taken_or_refused_without_a_panic() {
        assert_eq!(
            Lifetime::new(Duration::MAX, Duration::MAX)
                .unwrap()
                .absolute(),
            LONGEST
        );
        for (idle, absolute) in [(Duration::ZERO, MINUTE), (MINUTE, Duration::ZERO)] {
            assert_eq!(
                Lifetime::new(idle, absolute).unwrap_err().kind(),
                ErrorKind::Invalid
            );
        }
    }
}
