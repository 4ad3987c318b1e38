//! The scripts, and what they answer.

use std::sync::LazyLock;

use redis::Value;
use sessile_core::encoding::corrupt;
use sessile_core::{Error, ErrorKind, Result};

macro_rules! script {
    ($($file:literal),+) => {
        LazyLock::new(|| Script::new(concat!(
            include_str!("lua/record.lua"),
            $(include_str!(concat!("lua/", $file, ".lua"))),+
        )))
    };
}

/// [`Store::apply`](sessile_core::Store::apply).
pub(crate) static APPLY: LazyLock<Script> = script!("index", "apply");
/// [`Store::create`](sessile_core::Store::create).
pub(crate) static CREATE: LazyLock<Script> = script!("index", "create");
/// [`Store::end`](sessile_core::Store::end).
pub(crate) static END: LazyLock<Script> = script!("end");
/// Takes entries out of an index.
pub(crate) static DELIST: LazyLock<Script> = script!("index", "delist");
/// Keeps an entry of an index for longer.
pub(crate) static LENGTHEN: LazyLock<Script> = script!("index", "lengthen");
/// Takes a place in an index.
pub(crate) static RESERVE: LazyLock<Script> = script!("index", "reserve");

/// A script: what is sent once to each server, and its name from then on.
#[derive(Debug)]
pub(crate) struct Script {
    source: &'static str,
    hash: String,
}

impl Script {
    fn new(source: &'static str) -> Self {
        Script {
            source,
            hash: redis::Script::new(source).get_hash().to_owned(),
        }
    }

    pub(crate) fn source(&self) -> &str {
        self.source
    }

    pub(crate) fn hash(&self) -> &str {
        &self.hash
    }
}

/// A script's answer: a letter that says what happened, and the rest.
#[derive(Debug)]
pub(crate) struct Answer {
    letter: u8,
    rest: std::vec::IntoIter<Value>,
}

impl Answer {
    pub(crate) fn new(value: Value) -> Result<Self> {
        let Value::Array(parts) = value else {
            return Err(unexpected());
        };
        let mut rest = parts.into_iter();
        match rest.next() {
            Some(Value::BulkString(text)) if text.len() == 1 => Ok(Answer {
                letter: text[0],
                rest,
            }),
            _ => Err(unexpected()),
        }
    }

    pub(crate) fn letter(&self) -> u8 {
        self.letter
    }

    /// The next part, if there is one.
    pub(crate) fn part(&mut self) -> Option<Value> {
        self.rest.next()
    }

    pub(crate) fn text(&mut self) -> Result<String> {
        match self.part() {
            Some(Value::BulkString(text)) => String::from_utf8(text).map_err(|_| unexpected()),
            _ => Err(unexpected()),
        }
    }

    pub(crate) fn number(&mut self) -> Result<u64> {
        self.text()?.parse().map_err(|_| unexpected())
    }

    /// The error that this answer is, if it is none of those that the caller knows.
    pub(crate) fn into_error(self) -> Error {
        match self.letter {
            b'X' => corrupt("what Redis holds under this session's key can't be read"),
            _ => unexpected(),
        }
    }
}

/// Only a proxy that changes answers gets here; the write may have been applied.
fn unexpected() -> Error {
    Error::new(
        ErrorKind::Unknown,
        "Redis answered in a way that no script of this store does",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use sessile_core::encoding::FORMAT;
    use sessile_core::{RECORD_LIMIT, Timestamp};

    #[test]
    fn the_scripts_know_the_same_constants() {
        let largest = Timestamp::MAX.as_millis();
        for line in [
            format!("local FORMAT = '{FORMAT}'"),
            format!("local RECORD_LIMIT = {RECORD_LIMIT}"),
            format!("local LARGEST = {largest}"),
        ] {
            assert!(APPLY.source().lines().any(|known| known == line), "{line}");
        }
    }
}
