//! Reading claims that stand to the letter as this crate writes them: most do, and are read in a
//! third of the time. What is read here the long road reads as well, and to the same effect.

use std::sync::Arc;

use sessile_core::{SessionId, Timestamp};

use super::read::{in_range, read_data};
use super::{Claims, Parties, Terms};
use crate::{base64, json};

/// The claims, or `None` where they are written in any other way: that is no refusal.
pub(super) fn read(text: &str, parties: &Parties) -> Option<Claims> {
    let mut rest = Rest(text.strip_prefix(&*parties.head)?);
    let subject = match rest.skip(r#","sub":""#) {
        Some(()) => Some(Arc::from(rest.string()?)),
        None => None,
    };
    let sid = rest.skip(r#","sid":""#).and_then(|()| rest.string())?;
    let _token_id = rest.skip(r#","jti":""#).and_then(|()| rest.string())?;
    rest.skip(r#","iat":"#)?;
    let before = rest.0;
    let issued = rest.integer().and_then(in_range)?;
    let digits = &before[..before.len() - rest.0.len()];
    rest.skip(r#","nbf":"#)?;
    rest.skip(digits)?;
    let terms = Terms {
        sid: base64::decode_array(sid).map(SessionId::from_bytes)?,
        issued,
        expires: rest.date(r#","exp":"#)?,
        created: rest.date(r#","sct":"#)?,
        ends: rest.date(r#","sxp":"#)?,
        version: rest.skip(r#","ver":"#).and_then(|()| rest.integer())?,
        epoch: match rest.skip(r#","sep":"#) {
            Some(()) => Some(rest.integer()?),
            None => None,
        },
    };
    rest.skip(r#","data":"#)?;
    Some(Claims {
        terms,
        subject,
        data: read_data(rest.0.strip_suffix('}')?)?,
    })
}

/// What is left to read.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn skip(&mut self, literal: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(literal)?;
        Some(())
    }

    /// A string that is not empty and has no escapes, from behind its first quotation mark.
    fn string(&mut self) -> Option<&'a str> {
        let (string, rest) = self.0.split_at(json::plain(self.0.as_bytes()));
        self.0 = rest.strip_prefix('"')?;
        (!string.is_empty()).then_some(string)
    }

    /// Digits, without leading zeros: JSON has none.
    fn integer(&mut self) -> Option<u64> {
        let bytes = self.0.as_bytes();
        let eight = bytes.first_chunk().and_then(|bytes| eight_digits(*bytes));
        let (mut number, mut end) = eight.map_or((0, 0), |number| (number, 8));
        while let Some(byte @ b'0'..=b'9') = bytes.get(end) {
            number = u64::checked_mul(number, 10)?.checked_add(u64::from(byte - b'0'))?;
            end += 1;
        }
        (end == 1 || end > 1 && bytes[0] != b'0').then_some(())?;
        self.0 = &self.0[end..];
        Some(number)
    }

    fn date(&mut self, name: &str) -> Option<Timestamp> {
        self.skip(name)?;
        self.integer().and_then(in_range)
    }
}

/// The number that eight digits are, all at once: a token has six times ten.
fn eight_digits(bytes: [u8; 8]) -> Option<u64> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let text = u64::from_le_bytes(bytes);
    // The upper half of each byte is that of a digit, and stays so when 6 is added.
    let upper = |text: u64| text & (0xf0 * ONES) == 0x30 * ONES;
    let are_digits = upper(text) && upper(text.wrapping_add(6 * ONES));
    are_digits.then(|| {
        let ones = text & (0x0f * ONES);
        // Neighbours become pairs, pairs quadruples, and those the number.
        let pairs = (ones * 10 + (ones >> 8)) & 0x00ff_00ff_00ff_00ff;
        let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
        (fours * 10_000 + (fours >> 32)) & 0xffff_ffff
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sessile_core::{Data, Name, Text};

    use super::super::read::read as read_any;
    use super::*;

    fn parties() -> Parties {
        Parties::new("https://app.example", "app")
    }

    fn written(subject: Option<&str>, epoch: Option<u64>, keys: usize) -> String {
        let at = |seconds: u64| Timestamp::from_millis(seconds * 1000);
        let terms = Terms {
            sid: SessionId::from_bytes([7; 16]),
            issued: at(1_767_225_600),
            expires: at(1_767_226_500),
            created: at(0),
            ends: at(1_767_268_800),
            version: 10,
            epoch,
        };
        let entries = ["a", "b \"c\"", "é"].map(|name| {
            let name = Name::new(name).unwrap();
            (name, Text::from_encoded(r#"{"x":[1,"\n"]}"#))
        });
        let data: Data = entries.into_iter().take(keys).collect();
        let bytes = terms.write(&parties(), subject, &data, [1; 16]).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn what_is_written_here_is_read_here_and_is_what_the_long_road_reads() {
        for subject in [None, Some("user-42"), Some("é")] {
            for epoch in [None, Some(0), Some(7)] {
                for keys in 0..=3 {
                    let text = written(subject, epoch, keys);
                    let short = read(&text, &parties()).unwrap();
                    let long = read_any(&text, &parties()).unwrap();
                    assert_eq!(format!("{short:?}"), format!("{long:?}"));
                    assert_eq!(short.data, long.data);
                    assert_eq!(short.data.len(), keys);
                }
            }
        }
    }

    #[test]
    fn what_is_written_in_another_way_is_left_to_the_long_road() {
        let text = written(Some("user"), Some(7), 1);
        let (nbf, exp) = (r#""nbf":1767225600"#, r#""exp":1767226500"#);
        for (from, to) in [
            (r#""sub":"user""#, r#""sub":"\u0075ser""#),
            (r#""ver":10"#, r#""ver": 10"#),
            (r#""ver":10"#, r#""ver":10,"new":1"#),
            (nbf, r#""nbf":1767225599"#),
            (&format!("{nbf},{exp}"), &format!("{exp},{nbf}")),
        ] {
            let other = text.replace(from, to);
            assert!(read(&other, &parties()).is_none(), "{other}");
            assert!(read_any(&other, &parties()).is_some(), "{other}");
        }
    }

    #[test]
    fn eight_digits_are_read_at_once_and_anything_else_is_not() {
        for number in [0, 1, 12_345_678, 90_000_009, 99_999_999] {
            let text = format!("{number:08}");
            let bytes = *text.as_bytes().first_chunk().unwrap();
            assert_eq!(eight_digits(bytes), Some(number));
            for at in 0..8 {
                for other in (0..=255).filter(|byte: &u8| !byte.is_ascii_digit()) {
                    let mut bytes = bytes;
                    bytes[at] = other;
                    assert_eq!(eight_digits(bytes), None, "{bytes:?}");
                }
            }
        }
    }

    #[test]
    fn a_number_has_no_leading_zeros_and_fits() {
        let read = |text: &str| Rest(text).integer();
        for number in [0, 9, 10, 1_767_225_600, 123_456_789_012_345_678, u64::MAX] {
            assert_eq!(read(&format!("{number},")), Some(number));
        }
        for bad in [
            "",
            "x",
            "-1",
            "00",
            "01",
            "000000001",
            "18446744073709551616",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    proptest! {
        /// A character more, less or exchanged anywhere: what the short road takes, the long one
        /// takes too, and for the same.
        #[test]
        fn the_short_road_takes_nothing_that_the_long_one_refuses(
            has_subject: bool,
            has_epoch: bool,
            at in 0_usize..300,
            cut in 0_usize..3,
            put in "[0-9a\"\\\\{}\\[\\],:e. +-]{0,3}",
        ) {
            let subject = has_subject.then_some("user");
            let mut text = written(subject, has_epoch.then_some(7), 2);
            let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap();
            let end = (at + cut..=text.len()).find(|end| text.is_char_boundary(*end)).unwrap_or(at);
            text.replace_range(at..end, &put);
            if let Some(short) = read(&text, &parties()) {
                let long = read_any(&text, &parties());
                prop_assert!(long.is_some(), "{}", text);
                let long = long.unwrap();
                prop_assert_eq!(format!("{short:?}"), format!("{long:?}"));
                prop_assert_eq!(short.data, long.data);
            }
        }
    }
}
