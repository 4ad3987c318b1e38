//! What an error of a database means to whoever called the store: not done, or nobody knows.

use std::fmt;

use sessile_core::{Error, ErrorKind};

/// How far an operation had got when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nothing that lasts had been asked for yet: it is not applied, whatever happened.
    Nothing,
    /// What lasts was on its way: without an answer, nobody knows.
    Sent,
}

/// An error of a database, as an error of the store.
pub(crate) fn of(error: sqlx::Error, phase: Phase) -> Error {
    let cause = match error {
        sqlx::Error::Database(answer) => {
            let code = answer.code().unwrap_or_default().into_owned();
            let is_told = matches!(
                code.get(..2),
                Some("08" | "28" | "3D" | "3F" | "40" | "42" | "53" | "55" | "57")
            );
            let cause = Answer {
                message: is_told.then(|| answer.message().to_owned()),
                code,
            };
            if phase == Phase::Sent && is_farewell(&*answer) {
                return unknown().with_source(cause);
            }
            return unavailable(answer_of(&cause.code)).with_source(cause);
        }
        sqlx::Error::Encode(_) | sqlx::Error::InvalidArgument(_) => {
            return Error::new(ErrorKind::Invalid, "a value can't be sent to the database")
                .with_source(error);
        }
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) if phase == Phase::Nothing => {
            // Its message names types, and can quote a value.
            return Error::new(
                ErrorKind::Corrupt,
                "a stored column is of another type than it should be",
            );
        }
        sqlx::Error::PoolTimedOut => {
            return unavailable(
                "the database could not be reached in time, or every connection is in use",
            )
            .with_source(error);
        }
        sqlx::Error::PoolClosed => {
            return unavailable("the store's connections were closed").with_source(error);
        }
        error => error,
    };
    match phase {
        Phase::Nothing => unavailable("the database can't be reached").with_source(cause),
        Phase::Sent => unknown().with_source(cause),
    }
}

/// The operation was rolled back because of others that ran at the same time, for certain, and may
/// be tried again.
pub(crate) fn is_rolled_back(error: &sqlx::Error) -> bool {
    let code = |error: &sqlx::Error| Some(error.as_database_error()?.code()?.into_owned());
    // Serialization failure and deadlock; MySQL tells of a deadlock by the first of them.
    matches!(code(error).as_deref(), Some("40001" | "40P01"))
}

/// Whether the connection may be used again: the database answered, and stays.
pub(crate) fn is_answer(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(|answer| !is_farewell(answer))
        && !is_read_only(error)
}

/// The database takes no writes: most likely another one has taken over, and new connections lead
/// there. What was asked of this one was not done.
pub(crate) fn is_read_only(error: &sqlx::Error) -> bool {
    let Some(answer) = error.as_database_error() else {
        return false;
    };
    #[cfg(feature = "mysql")]
    if let Some(answer) = answer.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() {
        // `read_only`; `innodb_read_only`; a read-only transaction.
        return matches!(answer.number(), 1290 | 1836 | 1792);
    }
    answer.code().as_deref() == Some("25006")
}

/// The database answered that it goes away, or does not know itself what became of a statement.
fn is_farewell(answer: &(dyn sqlx::error::DatabaseError + 'static)) -> bool {
    #[cfg(feature = "mysql")]
    if let Some(answer) = answer.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() {
        // Server shutdown; connection killed.
        return matches!(answer.number(), 1053 | 1927);
    }
    let code = answer.code().unwrap_or_default();
    #[cfg(feature = "sqlite")]
    if answer
        .try_downcast_ref::<sqlx::sqlite::SqliteError>()
        .is_some()
    {
        // SQLITE_IOERR in any of its forms: the disk failed, perhaps while it committed.
        return code.parse::<u32>().is_ok_and(|code| code & 0xff == 10);
    }
    matches!(&*code, "57P01" | "57P02" | "57P05" | "40003") || code.starts_with("08")
}

/// The row is there already.
#[cfg(feature = "mysql")]
pub(crate) fn is_duplicate(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(|answer| answer.is_unique_violation())
}

/// What an answer comes to, for people.
fn answer_of(code: &str) -> &'static str {
    match code {
        "42P01" | "42S02" | "42703" | "42S22" | "1" => {
            "the store's tables are not there: call `migrate` once, or run what `migrations` prints"
        }
        "40001" | "40P01" => "others kept changing the same sessions",
        "5" | "6" | "517" => "another process or connection kept the database locked",
        "25006" => "the database is read-only: another one may have taken over",
        "55P03" => "another transaction kept the session locked",
        _ if code.starts_with("28") => "the database refused the user or the password",
        _ if code.starts_with("3D") => "the database of this name is not there",
        _ => "the database refused the operation",
    }
}

pub(crate) fn unavailable(message: &'static str) -> Error {
    Error::new(ErrorKind::Unavailable, message)
}

fn unknown() -> Error {
    Error::new(
        ErrorKind::Unknown,
        "the connection broke before the database answered: it may have done the operation or not",
    )
}

/// The answer of a database without what it could quote: of data that it does not like, the code
/// alone is kept.
#[derive(Debug)]
struct Answer {
    code: String,
    message: Option<String>,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "code {}", self.code)?;
        match &self.message {
            Some(message) => write!(f, ": {message}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Answer {}
