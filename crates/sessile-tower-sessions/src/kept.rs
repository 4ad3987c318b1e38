//! Our record within a record of tower-sessions.
//!
//! Their data is a map of JSON values, which a store of theirs may keep as JSON, as MessagePack or
//! in a column of a database that has its own idea of JSON. So each part is a string without
//! control characters: numbers in decimal, bytes in base64url, and the session's data as the JSON
//! of encoded texts that [`Data::to_json`] makes.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sessile_core::encoding::{FORMAT, corrupt};
use sessile_core::{
    Data, Previous, Record, Result, SUBJECT_LIMIT, SessionId, Timestamp, VerifierHash,
};

use crate::theirs::Values;

/// What is kept under an id.
#[derive(Debug)]
pub(crate) enum Kept {
    Record(Arc<Record>),
    /// A tombstone.
    Ended {
        until: Timestamp,
    },
}

/// The parts, by the keys of their data.
mod part {
    /// The format's number: what has none is not ours.
    pub(super) const FORMAT: &str = "sessile";
    pub(super) const ENDED: &str = "sessile.ended_until";
    pub(super) const HASH: &str = "sessile.hash";
    pub(super) const PREVIOUS: &str = "sessile.previous";
    pub(super) const VERSION: &str = "sessile.version";
    pub(super) const CREATED: &str = "sessile.created_at";
    pub(super) const SEEN: &str = "sessile.last_seen";
    pub(super) const IDLE: &str = "sessile.idle_deadline";
    pub(super) const ABSOLUTE: &str = "sessile.absolute_deadline";
    /// As JSON, which writes every control character as letters.
    pub(super) const SUBJECT: &str = "sessile.subject";
    pub(super) const DATA: &str = "sessile.data";
}

impl Kept {
    /// The data of their record.
    pub(crate) fn write(&self) -> Values {
        let mut values = Values::from([(part::FORMAT.to_owned(), FORMAT.to_string().into())]);
        let mut put = |part: &str, text: String| {
            values.insert(part.to_owned(), Value::String(text));
        };
        let number = |time: Timestamp| time.as_millis().to_string();
        match self {
            Kept::Ended { until } => put(part::ENDED, number(*until)),
            Kept::Record(record) => {
                put(part::HASH, URL_SAFE_NO_PAD.encode(record.hash.as_bytes()));
                if let Some(previous) = &record.previous {
                    put(part::PREVIOUS, URL_SAFE_NO_PAD.encode(previous.to_bytes()));
                }
                put(part::VERSION, record.version.to_string());
                put(part::CREATED, number(record.created_at));
                put(part::SEEN, number(record.last_seen));
                put(part::IDLE, number(record.idle_deadline));
                put(part::ABSOLUTE, number(record.absolute_deadline));
                if let Some(subject) = record.subject.as_deref() {
                    put(part::SUBJECT, Value::from(subject).to_string());
                }
                put(part::DATA, record.data.to_json());
            }
        }
        values
    }

    /// Reads what [`write`](Self::write) wrote.
    ///
    /// # Errors
    ///
    /// Of kind `Corrupt` for anything else: a session of tower-sessions itself, or a format that a
    /// later release writes.
    pub(crate) fn read(sid: &SessionId, values: &Values) -> Result<Self> {
        let parts = Parts(values);
        if parts.number(part::FORMAT)? != u64::from(FORMAT) {
            return Err(corrupt(
                "the stored session has a format of another release",
            ));
        }
        if values.contains_key(part::ENDED) {
            let until = parts.time(part::ENDED)?;
            return Ok(Kept::Ended { until });
        }
        let hash = parts.bytes(part::HASH)?;
        let hash = hash
            .try_into()
            .map_err(|_| corrupt("the stored hash has a wrong length"))?;
        let mut record = Record::blank(*sid, VerifierHash::from_bytes(hash));
        if values.contains_key(part::PREVIOUS) {
            let previous = Previous::from_bytes(&parts.bytes(part::PREVIOUS)?)?;
            record.previous = Some(Box::new(previous));
        }
        record.version = parts.number(part::VERSION)?;
        record.created_at = parts.time(part::CREATED)?;
        record.last_seen = parts.time(part::SEEN)?;
        record.idle_deadline = parts.time(part::IDLE)?;
        record.absolute_deadline = parts.time(part::ABSOLUTE)?;
        if values.contains_key(part::SUBJECT) {
            record.subject = Some(parts.subject()?);
        }
        record.data = Data::from_json(parts.text(part::DATA)?)?;
        Ok(Kept::Record(Arc::new(record.checked()?)))
    }

    /// Until when it is needed.
    pub(crate) fn needed_until(&self) -> Timestamp {
        match self {
            Kept::Record(record) => record.expires_at(),
            Kept::Ended { until } => *until,
        }
    }
}

/// Their data, read part by part.
struct Parts<'a>(&'a Values);

impl Parts<'_> {
    fn text(&self, part: &'static str) -> Result<&str> {
        let value = self.0.get(part).and_then(Value::as_str);
        value.ok_or_else(|| corrupt(format!("the stored session has no `{part}`")))
    }

    fn number(&self, part: &'static str) -> Result<u64> {
        let number = self.text(part)?.parse();
        number.map_err(|_| corrupt(format!("the stored `{part}` is no number")))
    }

    fn time(&self, part: &'static str) -> Result<Timestamp> {
        let millis = self.number(part)?;
        if millis > Timestamp::MAX.as_millis() {
            return Err(corrupt(format!("the stored `{part}` is out of range")));
        }
        Ok(Timestamp::from_millis(millis))
    }

    fn bytes(&self, part: &'static str) -> Result<Vec<u8>> {
        let bytes = URL_SAFE_NO_PAD.decode(self.text(part)?);
        bytes.map_err(|_| corrupt(format!("the stored `{part}` is not base64url")))
    }

    fn subject(&self) -> Result<Arc<str>> {
        // serde_json's message could quote it.
        let subject: String = serde_json::from_str(self.text(part::SUBJECT)?)
            .map_err(|_| corrupt("the stored subject is no JSON string"))?;
        if subject.len() > SUBJECT_LIMIT {
            return Err(corrupt("the stored subject is too long"));
        }
        Ok(subject.into())
    }
}

#[cfg(test)]
mod tests {
    use sessile_core::{Credential, ErrorKind, Lifetime, Name, Text, Verifier};

    use super::*;

    fn record() -> Record {
        let credential = Credential::random();
        let now = Timestamp::from_millis(1_767_225_600_123);
        let mut record = Record::new(&credential, now, &Lifetime::default());
        record.previous = Some(Box::new(Previous {
            hash: Verifier::random().hash(),
            wrapped: credential.verifier.wrap(&record.sid, &Verifier::random()),
            until: Some(now),
        }));
        record.subject = Some("a \"b\" \\ \0 käse".into());
        record.data = [
            "\"NUL \\u0000\"",
            "-0.0",
            "18446744073709551615",
            "\0 no JSON",
        ]
        .iter()
        .zip(["a", "a \"b\" \\ c", "käse", "sessile"])
        .map(|(text, key)| (Name::new(key).unwrap(), Text::from_encoded(text)))
        .collect();
        record
    }

    #[test]
    fn a_record_comes_back_as_it_was_and_every_part_is_plain_text() {
        let record = record();
        let values = Kept::Record(Arc::new(record.clone())).write();
        for (key, value) in &values {
            let text = value.as_str().unwrap();
            assert!(!text.chars().any(char::is_control), "{key}: {text:?}");
        }
        match Kept::read(&record.sid, &values).unwrap() {
            Kept::Record(read) => assert_eq!(*read, record),
            Kept::Ended { .. } => panic!("a record was read as a tombstone"),
        }
    }

    #[test]
    fn a_tombstone_holds_its_time_and_nothing_else() {
        let until = Timestamp::from_millis(12);
        let values = Kept::Ended { until }.write();
        assert_eq!(values.len(), 2);
        let read = Kept::read(&SessionId::random(), &values).unwrap();
        assert!(matches!(read, Kept::Ended { until: read } if read == until));
    }

    #[test]
    fn what_is_not_ours_is_corrupt_and_not_quoted() {
        let record = record();
        let good = Kept::Record(Arc::new(record.clone())).write();
        let foreign = Values::from([("axum-login.data".to_owned(), "secret".into())]);
        let mut cases = vec![Values::new(), foreign];
        for part in good
            .keys()
            .filter(|part| ![part::PREVIOUS, part::SUBJECT].contains(&part.as_str()))
        {
            let mut without = good.clone();
            without.remove(part);
            cases.push(without);
        }
        for part in good.keys() {
            for wrong in [Value::from("secret ~"), Value::from(7), Value::Null] {
                let mut spoilt = good.clone();
                spoilt.insert(part.clone(), wrong);
                cases.push(spoilt);
            }
        }
        let mut later = good;
        later.insert(part::FORMAT.to_owned(), "2".into());
        cases.push(later);
        for values in cases {
            let error = Kept::read(&record.sid, &values).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{values:?}");
            assert!(!format!("{error:?}").contains("secret"));
        }
    }
}
