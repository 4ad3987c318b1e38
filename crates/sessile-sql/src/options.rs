//! What a store over a database can be told.

use std::sync::Arc;
use std::time::Duration;

use sessile_core::{Error, ErrorKind, Result};

/// How a store uses its database. The defaults suit most services.
#[derive(Clone, Debug)]
pub struct SqlOptions {
    prefix: String,
    pub(crate) acquire_timeout: Duration,
    pub(crate) max_connections: u32,
}

/// What the names of tables and indexes begin with in every statement of this crate, until
/// [`SqlOptions::statement`] writes the configured prefix there.
const PREFIX: &str = "sessile_";

/// Leaves room for the rest of an index's name within the 63 bytes of PostgreSQL.
const LONGEST_PREFIX: usize = 32;

impl SqlOptions {
    /// The tables are called `sessile_…`, a connection is waited for during one second, and there
    /// are at most ten connections.
    pub fn new() -> Self {
        SqlOptions {
            prefix: PREFIX.to_owned(),
            acquire_timeout: Duration::from_secs(1),
            max_connections: 10,
        }
    }

    /// What the names of tables and indexes begin with, such as `shop_`: 1 to 32 lower-case
    /// letters, digits and underscores, a letter first.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for anything else: the prefix is the only thing that is ever written
    /// into a statement.
    pub fn table_prefix(mut self, prefix: &str) -> Result<Self> {
        let is_first = |first: char| first.is_ascii_lowercase();
        let is_any = |any: char| is_first(any) || any.is_ascii_digit() || any == '_';
        if prefix.len() > LONGEST_PREFIX
            || !prefix.starts_with(is_first)
            || !prefix.chars().all(is_any)
        {
            return Err(Error::new(
                ErrorKind::Invalid,
                "the table prefix can't be part of a statement: write 1 to 32 lower-case letters, \
                 digits and underscores, a letter first, such as `shop_`",
            ));
        }
        prefix.clone_into(&mut self.prefix);
        Ok(self)
    }

    /// How long an operation waits for a connection before it is
    /// [`Unavailable`](ErrorKind::Unavailable).
    #[must_use]
    pub fn acquire_timeout(mut self, timeout: Duration) -> Self {
        self.acquire_timeout = timeout;
        self
    }

    /// The most connections that are open at once; at least one.
    #[must_use]
    pub fn max_connections(mut self, most: u32) -> Self {
        self.max_connections = most.max(1);
        self
    }

    /// A statement of this crate, on the tables with this prefix.
    pub(crate) fn statement(&self, sql: &'static str) -> Arc<str> {
        sql.replace(PREFIX, &self.prefix).into()
    }
}

impl Default for SqlOptions {
    fn default() -> Self {
        SqlOptions::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_that_is_more_than_a_name_is_refused() {
        let long = "a".repeat(33);
        for bad in [
            "", "_a", "1a", "A", "a b", "a\"", "a;--", "a.b_", "ä", "a\0", &long,
        ] {
            let error = SqlOptions::new().table_prefix(bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{bad:?}");
        }
        let options = SqlOptions::new().table_prefix("shop_1_").unwrap();
        assert_eq!(
            &*options.statement("FROM sessile_sessions"),
            "FROM shop_1_sessions"
        );
    }
}
