//! A record as the fields of a hash, and back. The file `lua/record.lua` says what they are.

use std::borrow::Cow;

use redis::Value;
use sessile_core::encoding::{FORMAT, corrupt, entry};
use sessile_core::{
    Data, Name, Previous, Record, Result, SessionId, Text, Timestamp, VerifierHash,
};

use crate::call::{Argument, number, text};

/// What stands under a session's key.
#[derive(Debug)]
pub(crate) enum Kept {
    Nothing,
    /// A tombstone, until then.
    Ended(Timestamp),
    Record(Box<Record>),
}

/// Adds a record's fields, each with its value.
pub(crate) fn write<'a>(record: &'a Record, to: &mut Vec<Argument<'a>>) {
    let mut add = |name, value| to.extend([text(name), value]);
    add("f", number(FORMAT));
    add("h", Cow::Borrowed(record.hash.as_bytes()));
    add("v", number(record.version));
    add("c", time(record.created_at));
    add("l", time(record.last_seen));
    add("i", time(record.idle_deadline));
    add("a", time(record.absolute_deadline));
    if let Some(previous) = &record.previous {
        add("p", Cow::Owned(previous.to_bytes()));
    }
    if let Some(subject) = &record.subject {
        add("s", text(subject));
    }
    for (name, value) in record.data.iter() {
        to.push(Cow::Owned([b"d:", name.as_str().as_bytes()].concat()));
        to.push(text(value.as_str()));
    }
}

/// A time as an argument.
pub(crate) fn time(time: Timestamp) -> Argument<'static> {
    number(time.as_millis())
}

/// Reads what `HGETALL` answered.
pub(crate) fn read(sid: SessionId, value: Value) -> Result<Kept> {
    let fields = pairs(value).ok_or_else(|| corrupt("the stored session is not a hash"))?;
    if fields.is_empty() {
        return Ok(Kept::Nothing);
    }
    let find = |name: &[u8]| {
        let mut fields = fields.iter();
        fields
            .find(|(known, _)| known == name)
            .map(|(_, value)| &value[..])
    };
    if find(b"f") != Some(FORMAT.to_string().as_bytes()) {
        return Err(corrupt("the stored session is of another format"));
    }
    if let Some(until) = find(b"t") {
        return match fields.len() {
            2 => Ok(Kept::Ended(Timestamp::from_millis(millis(until)?))),
            _ => Err(corrupt("the stored tombstone has too many fields")),
        };
    }

    let hash = find(b"h").and_then(|hash| hash.try_into().ok());
    let hash = hash.ok_or_else(|| corrupt("the stored verifier's hash has a wrong length"))?;
    let at = |name: &[u8]| {
        let value = find(name).ok_or_else(|| corrupt("the stored session lacks a field"))?;
        millis(value)
    };
    let mut record = Record::blank(sid, VerifierHash::from_bytes(hash));
    record.version = at(b"v")?;
    record.created_at = Timestamp::from_millis(at(b"c")?);
    record.last_seen = Timestamp::from_millis(at(b"l")?);
    record.idle_deadline = Timestamp::from_millis(at(b"i")?);
    record.absolute_deadline = Timestamp::from_millis(at(b"a")?);
    record.previous = find(b"p")
        .map(Previous::from_bytes)
        .transpose()?
        .map(Box::new);
    record.subject = find(b"s").map(utf8).transpose()?.map(Into::into);
    record.data = fields.iter().filter_map(data).collect::<Result<Data>>()?;
    Ok(Kept::Record(Box::new(record.checked()?)))
}

/// A key of the session, an error, or `None` for the fields that every record has.
fn data((name, value): &(Vec<u8>, Vec<u8>)) -> Option<Result<(Name, Text)>> {
    match &name[..] {
        [b'd', b':', name @ ..] => {
            Some(utf8(name).and_then(|name| utf8(value).and_then(|value| entry(name, value))))
        }
        [b'a' | b'c' | b'f' | b'h' | b'i' | b'l' | b'p' | b's' | b'v'] => None,
        _ => Some(Err(corrupt("the stored session has an unknown field"))),
    }
}

fn utf8(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|_| corrupt("the stored session is not UTF-8"))
}

/// A whole number below 2^53, in digits.
fn millis(digits: &[u8]) -> Result<u64> {
    let read = || {
        let digits = std::str::from_utf8(digits).ok()?;
        let is_number = digits.len() <= 16 && digits.bytes().all(|digit| digit.is_ascii_digit());
        let number: u64 = is_number.then(|| digits.parse().ok())??;
        (number <= Timestamp::MAX.as_millis()).then_some(number)
    };
    read().ok_or_else(|| corrupt("a stored number is none, or out of range"))
}

/// Fields and values: a map, or from a script a list of both.
fn pairs(value: Value) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    let pair = |name, value| match (name, value) {
        (Value::BulkString(name), Value::BulkString(value)) => Some((name, value)),
        _ => None,
    };
    match value {
        Value::Map(pairs) => pairs.into_iter().map(|(a, b)| pair(a, b)).collect(),
        Value::Array(parts) => {
            let mut parts = parts.into_iter();
            let mut pairs = Vec::with_capacity(parts.len() / 2);
            while let Some(name) = parts.next() {
                pairs.push(pair(name, parts.next()?)?);
            }
            Some(pairs)
        }
        _ => None,
    }
}
