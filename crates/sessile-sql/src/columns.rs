//! The columns of a row, and the record or tombstone that they are.

use std::sync::Arc;

use sessile_core::encoding::{FORMAT, corrupt};
use sessile_core::{
    Candidate, Data, ErrorKind, Loaded, Previous, Record, Result, SUBJECT_LIMIT, SessionId,
    Timestamp, VerifierHash,
};
use sqlx::{ColumnIndex, Decode, FromRow, Row, Type};

/// By how much the clock of another node may be behind: what has expired here is still served there.
const SKEW: u64 = 60_000;

/// The time on the slowest clock.
pub(crate) fn by_a_slower_clock(now: Timestamp) -> Timestamp {
    Timestamp::from_millis(now.as_millis().saturating_sub(SKEW))
}

/// A row as it is stored, in the order of the columns of every `SELECT` and `RETURNING`.
#[derive(Debug)]
pub(crate) struct Columns {
    sid: Vec<u8>,
    format: i64,
    hash: Option<Vec<u8>>,
    previous: Option<Vec<u8>>,
    version: Option<i64>,
    created_at: Option<i64>,
    last_seen: Option<i64>,
    idle_deadline: Option<i64>,
    absolute_deadline: Option<i64>,
    subject: Option<Vec<u8>>,
    /// Text in some databases and bytes in others.
    data: Option<Vec<u8>>,
    ended_until: Option<i64>,
}

/// What a row is.
#[derive(Debug)]
pub(crate) enum Kept {
    Record(Arc<Record>),
    /// A session that ended, and until when that is to be known.
    Tombstone(Timestamp),
}

impl Kept {
    /// What a row, or none, is to whoever loads it at `now`.
    pub(crate) fn loaded(kept: Option<Kept>, now: Timestamp) -> Loaded {
        match kept {
            Some(Kept::Record(record)) if record.is_live(now) => Loaded::Live(record),
            Some(Kept::Record(_)) => Loaded::Expired,
            Some(Kept::Tombstone(until)) if now < until => Loaded::Ended,
            Some(Kept::Tombstone(_)) | None => Loaded::Absent,
        }
    }

    /// The record, unless it is a tombstone.
    pub(crate) fn record(self) -> Option<Arc<Record>> {
        match self {
            Kept::Record(record) => Some(record),
            Kept::Tombstone(_) => None,
        }
    }
}

impl Columns {
    /// The id, whatever the rest is.
    pub(crate) fn sid(&self) -> Result<SessionId> {
        let bytes = self.sid.as_slice().try_into();
        bytes
            .map(SessionId::from_bytes)
            .map_err(|_| corrupt("a stored id has a wrong length"))
    }

    /// The version alone.
    #[cfg(feature = "postgres")]
    pub(crate) fn version(&self) -> Result<u64> {
        millis(self.version, "version")
    }

    /// Whether the statement gave the data too.
    #[cfg(feature = "postgres")]
    pub(crate) fn has_data(&self) -> bool {
        self.data.is_some()
    }

    /// As an entry of a subject's list: what can't be read, or has expired by the caller's clock,
    /// is listed too, so that it can be ended.
    pub(crate) fn candidate(self, now: Timestamp) -> Result<Candidate> {
        let sid = self.sid()?;
        let record = self.kept().ok().and_then(Kept::record);
        let record = record.filter(|record| record.is_live(now));
        Ok(Candidate { sid, record })
    }

    /// What the row is.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`] if it is neither a record nor a tombstone that could have been
    /// written. Nothing of it is quoted.
    pub(crate) fn kept(self) -> Result<Kept> {
        if let Some(until) = self.ended_until {
            return Ok(Kept::Tombstone(instant(Some(until), "end")?));
        }
        if self.format != i64::from(FORMAT) {
            return Err(corrupt(
                "the record is of a format that this release can't read",
            ));
        }
        let hash = self.hash.as_deref().and_then(|hash| hash.try_into().ok());
        let hash = hash.ok_or_else(|| corrupt("the stored verifier's hash has a wrong length"))?;
        let mut record = Record::blank(self.sid()?, VerifierHash::from_bytes(hash));
        if let Some(previous) = self.previous {
            record.previous = Some(Box::new(Previous::from_bytes(&previous)?));
        }
        record.version = millis(self.version, "version")?;
        record.created_at = instant(self.created_at, "time of creation")?;
        record.last_seen = instant(self.last_seen, "last use")?;
        record.idle_deadline = instant(self.idle_deadline, "idle deadline")?;
        record.absolute_deadline = instant(self.absolute_deadline, "absolute deadline")?;
        if let Some(subject) = self.subject {
            record.subject = Some(text(&subject, "subject")?.into());
        }
        let data = self
            .data
            .ok_or_else(|| corrupt("the stored data is missing"))?;
        record.data = Data::from_json(text(&data, "data")?)?;
        Ok(Kept::Record(Arc::new(record.checked()?)))
    }
}

/// A number that every store keeps exactly: not negative, and below 2^53.
fn millis(number: Option<i64>, what: &str) -> Result<u64> {
    number
        .and_then(|number| u64::try_from(number).ok())
        .filter(|number| *number <= Timestamp::MAX.as_millis())
        .ok_or_else(|| corrupt(format!("the stored {what} is missing or out of range")))
}

fn instant(number: Option<i64>, what: &str) -> Result<Timestamp> {
    millis(number, what).map(Timestamp::from_millis)
}

fn text<'a>(bytes: &'a [u8], what: &str) -> Result<&'a str> {
    std::str::from_utf8(bytes).map_err(|_| corrupt(format!("the stored {what} is not UTF-8")))
}

impl<'r, R> FromRow<'r, R> for Columns
where
    R: Row,
    usize: ColumnIndex<R>,
    i64: Type<R::Database> + Decode<'r, R::Database>,
    Vec<u8>: Type<R::Database> + Decode<'r, R::Database>,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        // Text is taken as its bytes, so that whether it is text is told here and not by a driver.
        let bytes = |at: usize| row.try_get_unchecked::<Option<Vec<u8>>, _>(at);
        let number = |at: usize| row.try_get::<Option<i64>, _>(at);
        Ok(Columns {
            sid: bytes(0)?.unwrap_or_default(),
            format: number(1)?.unwrap_or_default(),
            hash: bytes(2)?,
            previous: bytes(3)?,
            version: number(4)?,
            created_at: number(5)?,
            last_seen: number(6)?,
            idle_deadline: number(7)?,
            absolute_deadline: number(8)?,
            subject: bytes(9)?,
            data: bytes(10)?,
            ended_until: number(11)?,
        })
    }
}

/// Refuses a record that a database could not keep as it is.
pub(crate) fn check_new(record: &Record) -> Result<()> {
    if record
        .subject
        .as_ref()
        .is_some_and(|subject| subject.len() > SUBJECT_LIMIT)
    {
        return Err(sessile_core::Error::new(
            ErrorKind::Invalid,
            format!("the subject is too long: write at most {SUBJECT_LIMIT} bytes, such as an id"),
        ));
    }
    record.data.check_limit()?;
    check_texts(record.data.iter().map(|(_, text)| text))
}

/// Encoded JSON never holds the character NUL itself, only its escape; databases refuse it.
pub(crate) fn check_texts<'a>(texts: impl Iterator<Item = &'a sessile_core::Text>) -> Result<()> {
    for text in texts {
        if text.as_str().contains('\0') {
            return Err(sessile_core::Error::new(
                ErrorKind::Invalid,
                "a value is not encoded JSON: it holds the character NUL, which is written \\u0000",
            ));
        }
    }
    Ok(())
}
