//! Durations as people write them.

use std::time::Duration;

/// From the largest, as it is shown.
const UNITS: [(&str, u64); 5] = [
    ("d", 24 * 3600 * 1000),
    ("h", 3600 * 1000),
    ("m", 60 * 1000),
    ("s", 1000),
    ("ms", 1),
];

pub(super) const NO_UNIT: &str =
    "has no unit: write ms, s, m, h or d behind the number, such as \"30m\"";
pub(super) const PATTERN: &str = "^[0-9]+(ms|s|m|h|d)$";

/// `500ms`, `30s`, `30m`, `12h`, `7d`.
pub(super) fn parse(text: &str) -> Result<Duration, &'static str> {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let number = &text[..text.len() - unit.len()];
    if number.is_empty() {
        return Err(
            "is no duration: write a whole number and its unit, such as \"30m\" (ms, s, m, h or d)",
        );
    }
    if unit.is_empty() {
        return Err(NO_UNIT);
    }
    let Some((_, millis)) = UNITS.iter().find(|(name, _)| *name == unit) else {
        return Err(
            "has a unit that is none: write one whole number and one unit, ms, s, m, h or d, such as \"90m\"",
        );
    };
    let number: Option<u64> = number.parse().ok();
    number
        .and_then(|number| number.checked_mul(*millis))
        .map(Duration::from_millis)
        .ok_or("is longer than time can be counted: write less, such as \"7d\"")
}

/// In the largest unit that is exact.
pub(super) fn show(duration: Duration) -> String {
    let millis = duration.as_millis();
    let exact = UNITS
        .iter()
        .find(|(_, unit)| millis != 0 && millis.is_multiple_of(u128::from(*unit)));
    match exact {
        Some((name, unit)) => format!("{}{name}", millis / u128::from(*unit)),
        None => "0s".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_read_and_shown() {
        for (text, millis) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("90m", 5_400_000),
            ("12h", 43_200_000),
            ("7d", 604_800_000),
            ("0s", 0),
        ] {
            let duration = parse(text).unwrap();
            assert_eq!(duration, Duration::from_millis(millis));
            assert_eq!(show(duration), text);
        }
        assert_eq!(show(Duration::from_secs(3600)), "1h");
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in [
            "",
            "30",
            "m",
            "-1s",
            "1.5h",
            "1h30m",
            "30 m",
            "30M",
            "30sec",
            "٣s",
            "1e3s",
            "99999999999999999999d",
            "18446744073709551615d",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
