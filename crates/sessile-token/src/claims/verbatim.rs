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
    let issued = rest.skip(r#","iat":"#).and_then(|()| rest.digits())?;
    let not_before = rest.skip(r#","nbf":"#).and_then(|()| rest.digits())?;
    (not_before == issued).then_some(())?;
    let terms = Terms {
        sid: base64::decode_array(sid).map(SessionId::from_bytes)?,
        issued: issued.parse().ok().and_then(in_range)?,
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
        let mut bytes = self.0.bytes();
        let end = bytes.position(|byte| !json::stands_for_itself(byte))?;
        let (string, rest) = self.0.split_at(end);
        self.0 = rest.strip_prefix('"')?;
        (!string.is_empty()).then_some(string)
    }

    fn digits(&mut self) -> Option<&'a str> {
        let end = self.0.bytes().position(|byte| !byte.is_ascii_digit())?;
        let (digits, rest) = self.0.split_at(end);
        self.0 = rest;
        // JSON has no leading zeros.
        (end == 1 || !digits.starts_with('0')).then_some(digits)
    }

    fn integer(&mut self) -> Option<u64> {
        self.digits()?.parse().ok()
    }

    fn date(&mut self, name: &str) -> Option<Timestamp> {
        self.skip(name)?;
        self.integer().and_then(in_range)
    }
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
