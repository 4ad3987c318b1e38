//! Why there is no answer, and what that says about the command.

use redis::{RedisError, ServerErrorKind};
use sessile_core::{Error, ErrorKind};

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// No server has seen the command.
    NotSent(RedisError),
    /// The server answered with an error. The scripts look before they write, and a server refuses
    /// a script as a whole: nothing was done.
    Refused(RedisError),
    /// The connection broke, or the answer was too late: it may have been done.
    Lost(RedisError),
}

impl Failure {
    /// The kind of the server's answer, if it was one.
    pub(crate) fn refusal(&self) -> Option<ServerErrorKind> {
        match self {
            Failure::Refused(error) => match error.kind() {
                redis::ErrorKind::Server(kind) => Some(kind),
                _ => None,
            },
            _ => None,
        }
    }

    /// The same failure, of a question that had to be asked before the command was sent.
    pub(crate) fn into_not_sent(self) -> Self {
        match self {
            Failure::NotSent(error) | Failure::Refused(error) | Failure::Lost(error) => {
                Failure::NotSent(error)
            }
        }
    }

    /// What the caller of the store is told.
    pub(crate) fn into_error(self, is_write: bool) -> Error {
        match self {
            Failure::NotSent(error) => {
                Error::new(ErrorKind::Unavailable, "Redis can't be reached").with_source(error)
            }
            Failure::Refused(error) if error.code() == Some("WRONGTYPE") => {
                let message = "a key of the session store holds another type of value";
                Error::new(ErrorKind::Corrupt, message).with_source(error)
            }
            Failure::Refused(error) => {
                Error::new(ErrorKind::Unavailable, "Redis refused the command").with_source(error)
            }
            Failure::Lost(error) if is_write => {
                let message = "Redis did not answer: the write may have been applied or not";
                Error::new(ErrorKind::Unknown, message).with_source(error)
            }
            Failure::Lost(error) => {
                Error::new(ErrorKind::Unavailable, "Redis did not answer").with_source(error)
            }
        }
    }
}
