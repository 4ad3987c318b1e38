//! A patch in the parts that a statement takes.

#[cfg(any(feature = "postgres", feature = "sqlite"))]
use std::time::Duration;

#[cfg(any(feature = "postgres", feature = "sqlite"))]
use sessile_core::VERSION_LIMIT;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
use sessile_core::encoding::to_json;
use sessile_core::{Patch, Result, Timestamp};

use crate::columns::check_texts;

/// A patch as the parameters of a statement.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) base: i64,
    pub(crate) accept_older: bool,
    pub(crate) clear: bool,
    /// A JSON object of strings.
    pub(crate) set: String,
    /// A JSON object of strings, and of `null` for a key that must be absent.
    pub(crate) expect: String,
    pub(crate) rotation: Option<RotationParts>,
    pub(crate) confirm: Option<i64>,
    /// The absolute and idle time of a new lifetime.
    pub(crate) absolute: Option<i64>,
    pub(crate) idle: Option<i64>,
    pub(crate) touch: Option<i64>,
    pub(crate) is_write: bool,
}

/// A rotation as the parameters of a statement.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
#[derive(Debug)]
pub(crate) struct RotationParts {
    pub(crate) expect: Vec<u8>,
    pub(crate) new: Vec<u8>,
    pub(crate) wrapped: Vec<u8>,
}

#[cfg(any(feature = "postgres", feature = "sqlite"))]
impl Parts {
    /// # Errors
    ///
    /// [`Invalid`](sessile_core::ErrorKind::Invalid) if it holds what no database keeps.
    pub(crate) fn new(patch: &Patch) -> Result<Self> {
        check(patch)?;
        let lifetime = patch.new_lifetime();
        Ok(Parts {
            base: number(patch.base().min(VERSION_LIMIT)),
            accept_older: patch.accepts_older(),
            clear: patch.clears(),
            set: to_json(patch.sets().iter().map(|(name, text)| (name, Some(text)))),
            expect: to_json(
                patch
                    .expects()
                    .iter()
                    .map(|(name, text)| (name, text.as_ref())),
            ),
            rotation: patch.rotation().map(|rotation| RotationParts {
                expect: rotation.expect.as_bytes().to_vec(),
                new: rotation.new.as_bytes().to_vec(),
                wrapped: rotation.wrapped.as_bytes().to_vec(),
            }),
            confirm: patch.confirmed().map(at),
            absolute: lifetime.map(|lifetime| span(lifetime.absolute())),
            idle: lifetime.map(|lifetime| span(lifetime.idle())),
            touch: patch.touched().map(at),
            is_write: patch.is_write(),
        })
    }
}

/// Refuses what no database keeps.
///
/// # Errors
///
/// [`Invalid`](sessile_core::ErrorKind::Invalid), and nothing has been asked of the database.
pub(crate) fn check(patch: &Patch) -> Result<()> {
    let expected = patch.expects().iter().filter_map(|(_, text)| text.as_ref());
    check_texts(patch.sets().iter().map(|(_, text)| text).chain(expected))
}

/// An instant as a database keeps it.
pub(crate) fn at(instant: Timestamp) -> i64 {
    number(instant.as_millis())
}

#[cfg(any(feature = "postgres", feature = "sqlite"))]
fn span(duration: Duration) -> i64 {
    let most = Timestamp::MAX.as_millis();
    number(u64::try_from(duration.as_millis()).map_or(most, |millis| millis.min(most)))
}

/// Numbers here are below 2^53.
pub(crate) fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
