//! What is wrong with a configuration: everything, with the place of each.

use std::error::Error as StdError;
use std::fmt;

use super::document::ROOT;
use crate::{Error, ErrorKind};

/// Why a [`SessionConfig`](crate::SessionConfig) can't be used: everything that is wrong with it
/// at once.
///
/// Its text is a line for each [`problem`](ConfigError::problems): the field's path, what is
/// wrong, and what to write instead. No line holds a secret or the password of a URL.
pub struct ConfigError {
    problems: Vec<Problem>,
    source: Option<Error>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    path: String,
    message: String,
}

impl ConfigError {
    /// What is wrong, section by section.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// [`Invalid`](ErrorKind::Invalid) if the configuration is wrong. Otherwise it is a good one,
    /// and this is what the store said when it was asked.
    pub fn kind(&self) -> ErrorKind {
        self.source.as_ref().map_or(ErrorKind::Invalid, Error::kind)
    }

    /// A good configuration whose store could not be had.
    pub(super) fn away(path: &str, message: String, source: Error) -> Self {
        let mut problems = Problems::default();
        problems.add(path, message);
        ConfigError {
            problems: problems.0,
            source: Some(source),
        }
    }
}

impl Problem {
    /// The field, as in `token.keys.sign.alg`, from the configuration's own root; empty for the
    /// root itself.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is wrong, and what to write instead.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => f.write_str(&self.message),
            path => write!(f, "{path}: {}", self.message),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.problems[..] {
            [only] => write!(f, "the session configuration can't be used: {only}"),
            all => {
                let count = all.len();
                write!(f, "the session configuration has {count} problems:")?;
                all.iter()
                    .try_for_each(|problem| write!(f, "\n  {problem}"))
            }
        }
    }
}

impl fmt::Debug for ConfigError {
    /// The text, and the source behind it: a `main` that returns this error prints its `Debug`, and
    /// what it prints is read by whoever started the service.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)?;
        match &self.source {
            Some(source) => write!(f, "\n{source:?}"),
            None => Ok(()),
        }
    }
}

impl StdError for ConfigError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}

impl From<ConfigError> for Error {
    /// An error of the same kind and text.
    fn from(error: ConfigError) -> Self {
        let (kind, message) = (error.kind(), error.to_string());
        sessile_core::Error::new(kind, message)
            .with_source(error)
            .into()
    }
}

/// The problems found so far.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    pub(super) fn add(&mut self, path: &str, message: impl Into<String>) {
        self.0.push(Problem {
            path: path.to_owned(),
            message: message.into(),
        });
    }

    /// Keeps the message of a value that could not be made.
    pub(super) fn check<T, E: fmt::Display>(
        &mut self,
        path: &str,
        made: Result<T, E>,
    ) -> Option<T> {
        made.map_err(|error| self.add(path, error.to_string())).ok()
    }

    /// `value`, if there are none. They are told section by section: loaders differ in the order
    /// in which they give keys.
    pub(super) fn none_or<T>(mut self, value: Option<T>) -> Result<T, ConfigError> {
        self.0.sort_by_key(|problem| {
            let section = problem.path.split('.').next();
            ROOT.names()
                .position(|name| Some(name) == section)
                .unwrap_or(usize::MAX)
        });
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(ConfigError {
                problems: self.0,
                source: None,
            }),
        }
    }
}
