//! Instants, here in milliseconds and there as a date.

use sessile_core::Timestamp;
use time::{OffsetDateTime, PrimitiveDateTime};

/// Rounded down to the millisecond; what is before 1970 becomes the beginning of it.
pub(crate) fn from_date(date: OffsetDateTime) -> Timestamp {
    let millis = date.unix_timestamp_nanos().max(0) / 1_000_000;
    Timestamp::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
}

/// What is after the year 9999 becomes the end of it.
pub(crate) fn to_date(instant: Timestamp) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(instant.as_millis()) * 1_000_000)
        .unwrap_or(PrimitiveDateTime::MAX.assume_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_survive_and_what_is_out_of_range_is_its_limit() {
        let now = Timestamp::from_millis(1_767_225_600_123);
        assert_eq!(from_date(to_date(now)), now);
        let last = to_date(Timestamp::MAX);
        assert_eq!(last.year(), 9999);
        assert!(from_date(last) > now);
        let before = PrimitiveDateTime::MIN.assume_utc();
        assert_eq!(from_date(before), Timestamp::default());
    }
}
