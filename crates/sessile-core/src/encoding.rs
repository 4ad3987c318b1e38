//! The parts of a record as a store keeps them: text and bytes that any release can read.
//!
//! A store that is a language of its own (a script, a statement) keeps a record in parts, so that
//! it can tell and change them: numbers as numbers, the rest as here. Whatever can't be read back
//! is an error of kind [`Corrupt`](ErrorKind::Corrupt), never a panic and never a guess.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::ser::{SerializeMap as _, Serializer as _};

use crate::{
    Data, Error, ErrorKind, Name, Previous, RECORD_LIMIT, Record, Result, SessionId, Text,
    Timestamp, VerifierHash, Wrapped,
};

/// The format in which a record's parts are kept. A store keeps this number beside them, and
/// neither reads nor changes a record that has another one.
pub const FORMAT: u8 = 1;

/// An error of kind [`Corrupt`](ErrorKind::Corrupt): what a store kept can't be read. The message
/// must not quote it.
pub fn corrupt(message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Corrupt, message)
}

impl Data {
    /// A JSON object of strings: each value is the *encoded text* as a string, for a database that
    /// knows JSON would reorder, round or refuse the values themselves.
    ///
    /// ```
    /// use sessile_core::{Data, Name, Text};
    ///
    /// let data = Data::from_iter([(Name::new("cart")?, Text::from_encoded("[1, 1e308]"))]);
    /// assert_eq!(data.to_json(), r#"{"cart":"[1, 1e308]"}"#);
    /// assert_eq!(Data::from_json(&data.to_json())?, data);
    /// # Ok::<(), sessile_core::Error>(())
    /// ```
    pub fn to_json(&self) -> String {
        to_json(self.iter().map(|(name, text)| (name, Some(text))))
    }

    /// Reads what [`to_json`](Self::to_json) wrote, however a database has spaced and ordered it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`] for anything else.
    pub fn from_json(json: &str) -> Result<Self> {
        let entries: BTreeMap<Cow<'_, str>, Cow<'_, str>> =
            serde_json::from_str(json).map_err(|error| {
                // Its message could quote a value; only the place is kept.
                let at = format!("{:?} at column {}", error.classify(), error.column());
                corrupt("the stored data is not a JSON object of strings").with_source(at)
            })?;
        entries
            .iter()
            .map(|(name, text)| entry(name, text))
            .collect()
    }
}

/// Reads one key and its encoded text.
///
/// # Errors
///
/// [`ErrorKind::Corrupt`] if the name could never have been written.
pub fn entry(name: &str, text: &str) -> Result<(Name, Text)> {
    let name = Name::new(name)
        .map_err(|error| corrupt("a stored key has no valid name").with_source(error))?;
    Ok((name, Text::from_encoded(text)))
}

/// A JSON object of strings, or of `null` where a key has no value: for what a
/// [`Patch`](crate::Patch) sets and expects.
pub fn to_json<'a>(entries: impl Iterator<Item = (&'a Name, Option<&'a Text>)>) -> String {
    let mut json = Vec::new();
    let mut serializer = serde_json::Serializer::new(&mut json);
    let write = || {
        let mut map = serializer.serialize_map(None)?;
        for (name, text) in entries {
            map.serialize_entry(name.as_str(), &text.map(Text::as_str))?;
        }
        map.end()
    };
    write().expect("strings always have a JSON form");
    String::from_utf8(json).expect("serde_json writes UTF-8 only")
}

impl Previous {
    /// 48 bytes, hash and wrapped successor, and 8 more for the end of the grace if it is fixed:
    /// milliseconds, most significant byte first.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(56);
        bytes.extend(self.hash.as_bytes());
        bytes.extend(self.wrapped.as_bytes());
        if let Some(until) = self.until {
            bytes.extend(until.as_millis().to_be_bytes());
        }
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`] for any other length.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let read = || {
            let (hash, rest) = bytes.split_first_chunk::<32>()?;
            let (wrapped, rest) = rest.split_first_chunk::<16>()?;
            let until = match rest {
                [] => None,
                rest => Some(Timestamp::from_millis(u64::from_be_bytes(
                    rest.try_into().ok()?,
                ))),
            };
            Some(Previous {
                hash: VerifierHash::from_bytes(*hash),
                wrapped: Wrapped::from_bytes(*wrapped),
                until,
            })
        };
        read().ok_or_else(|| corrupt("the stored previous verifier has a wrong length"))
    }
}

impl Record {
    /// A record to be filled in by a store that reads its parts: every public field that is not
    /// given here is empty. Then [`checked`](Self::checked).
    pub fn blank(sid: SessionId, hash: VerifierHash) -> Self {
        Record {
            sid,
            hash,
            previous: None,
            version: 0,
            created_at: Timestamp::default(),
            last_seen: Timestamp::default(),
            idle_deadline: Timestamp::default(),
            absolute_deadline: Timestamp::default(),
            subject: None,
            data: Data::new(),
            away: false,
        }
    }

    /// The record, if it is one that could have been written.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`] if its version or a time is out of range, or its data is larger than
    /// [`RECORD_LIMIT`].
    pub fn checked(self) -> Result<Self> {
        if self.version == 0 || self.version > Timestamp::MAX.as_millis() {
            return Err(corrupt("the stored version is out of range"));
        }
        if self.idle_deadline < self.last_seen {
            return Err(corrupt("the stored idle deadline is before the last use"));
        }
        let bytes = self.data.bytes();
        if bytes > RECORD_LIMIT {
            let message = format!("the stored data has {bytes} bytes; {RECORD_LIMIT} is the limit");
            return Err(corrupt(message));
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Credential, Lifetime};

    fn name(name: &str) -> Name {
        Name::new(name).unwrap()
    }

    #[test]
    fn values_of_every_kind_survive_as_strings() {
        let texts = [
            "null",
            "-0.0",
            "1e308",
            r#""\u0000 \" \\""#,
            "18446744073709551615",
            "{",
        ];
        let keys = ["a", "a \"b\" \\ c", "käse", "$.x[0]", "__proto__", "a.b"];
        let entry = |(key, text): (&&str, &&str)| (name(key), Text::from_encoded(text));
        let data: Data = keys.iter().zip(&texts).map(entry).collect();
        assert_eq!(Data::from_json(&data.to_json()).unwrap(), data);
        assert_eq!(Data::from_json(" {} ").unwrap(), Data::new());
    }

    #[test]
    fn what_is_no_data_is_corrupt_and_not_quoted() {
        let long = format!("{{\"{}\":\"1\"}}", "k".repeat(129));
        for bad in [
            "",
            "null",
            "[]",
            "{\"a\":1}",
            "{\"\":\"1\"}",
            "{\"secret\":",
            &long,
        ] {
            let error = Data::from_json(bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{bad}");
            assert!(!format!("{error:?}").contains("secret"));
        }
    }

    #[test]
    fn a_previous_verifier_is_48_or_56_bytes() {
        let mut previous = Previous {
            hash: VerifierHash::from_bytes([7; 32]),
            wrapped: Wrapped::from_bytes([9; 16]),
            until: None,
        };
        for (until, length) in [(None, 48), (Some(Timestamp::from_millis(258)), 56)] {
            previous.until = until;
            let bytes = previous.to_bytes();
            assert_eq!(bytes.len(), length);
            assert_eq!(Previous::from_bytes(&bytes).unwrap(), previous);
        }
        assert_eq!(previous.to_bytes()[48..], [0, 0, 0, 0, 0, 0, 1, 2]);
        for length in [0, 1, 47, 49, 55, 57] {
            let error = Previous::from_bytes(&vec![0; length]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt);
        }
    }

    #[test]
    fn a_record_that_nobody_could_have_written_is_corrupt() {
        let good = Record::new(&Credential::random(), Timestamp::MAX, &Lifetime::default());
        assert!(good.clone().checked().is_ok());
        let spoil: [fn(&mut Record); 4] = [
            |record| record.version = 0,
            |record| record.version = 1 << 53,
            |record| record.idle_deadline = Timestamp::default(),
            |record| {
                let text = Text::from_encoded(&"x".repeat(RECORD_LIMIT));
                record.data = Data::from_iter([(name("k"), text)]);
            },
        ];
        for spoil in spoil {
            let mut record = good.clone();
            spoil(&mut record);
            assert_eq!(record.checked().unwrap_err().kind(), ErrorKind::Corrupt);
        }
    }
}
