//! What a store did that a law forbids.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

/// What a store did that a law forbids, in words.
#[derive(Debug)]
pub struct Violation {
    message: Cow<'static, str>,
    source: Option<sessile_core::Error>,
}

impl Violation {
    pub(crate) fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Violation {
            message: message.into(),
            source: None,
        }
    }

    /// The same, said of a certain case.
    pub(crate) fn of(mut self, case: impl fmt::Display) -> Self {
        self.message = format!("{case}: {}", self.message).into();
        self
    }
}

impl From<sessile_core::Error> for Violation {
    /// No law allows a store that is there to fail, but where it says so.
    fn from(error: sessile_core::Error) -> Self {
        Violation {
            message: format!("the store failed ({}): {error}", error.kind()).into(),
            source: Some(error),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Violation {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().and_then(StdError::source)
    }
}

/// Whether a law holds.
pub(crate) type Holds = Result<(), Violation>;

/// Fails the law unless this is so; the rest says what was wrong.
macro_rules! ensure {
    ($holds:expr, $($wrong:tt)+) => {
        if !$holds {
            return Err($crate::violation::Violation::new(format!($($wrong)+)));
        }
    };
}
pub(crate) use ensure;
