//! Session stores over PostgreSQL, MySQL/MariaDB and SQLite.
//!
//! ```no_run
//! # #[cfg(feature = "postgres")]
//! # async fn run() -> sessile_core::Result<()> {
//! use sessile_core::Store as _;
//! use sessile_sql::PostgresStore;
//!
//! let store = PostgresStore::connect("postgres://app@db.example/app").await?;
//! store.migrate().await?; // or run `PostgresStore::migrations()` as you run your own
//! store.ping().await?;
//! # Ok(())
//! # }
//! ```
//!
//! Each is a [`Store`](sessile_core::Store), a table, and a feature:
//!
//! | feature | what |
//! | --- | --- |
//! | `postgres` | `PostgresStore`: one statement and one round trip for each operation |
//! | `mysql` | `MySqlStore`: MySQL and MariaDB; one round trip to read, four to change |
//! | `sqlite` | `SqliteStore`: a file on this machine, or memory; brings SQLite along |
//! | `tls` | TLS to the server: rustls, and the certificates that the system trusts |
//!
//! # What all of them do
//!
//! - A patch is applied to the row as it is when it is locked, as
//!   [`Patch::apply_to`](sessile_core::Patch::apply_to) says: concurrent updates are exact, writes
//!   to different keys never conflict, and a session that ended does not come back.
//! - A value is kept as a string of its encoded text, so that no database reorders, rounds or
//!   refuses it. No path is ever made of a key. Everything is a bound parameter but the prefix of
//!   the table's name, which is checked ([`SqlOptions::table_prefix`]).
//! - The database's clock is never read. Call [`sweep`](sessile_core::Store::sweep) now and then,
//!   in batches, to free the space of what is over: records go an hour after their deadline,
//!   tombstones a minute.
//! - Waiting for a connection is bounded, by a second unless [`SqlOptions::acquire_timeout`] says
//!   otherwise, and waiting for a session that somebody else has locked, by five.
//! - An error says whether the operation was surely not applied
//!   ([`Unavailable`](sessile_core::ErrorKind::Unavailable)) or may have been
//!   ([`Unknown`](sessile_core::ErrorKind::Unknown)). What was rolled back because of others is
//!   tried again, and so is a read whose connection turned out to be dead; nothing else is. No
//!   error quotes a value.
//! - A future may be dropped at any time. A connection on which something was dropped is closed
//!   instead of used again, or, in SQLite, finishes or takes back what was begun.
//! - Subjects are at most 512 bytes long, and compared byte for byte.
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
mod options;

#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
mod columns;
#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
mod connections;
#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
mod error;
#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
mod parts;

#[cfg(feature = "mysql")]
pub use mysql::MySqlStore;
#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
pub use options::SqlOptions;
#[cfg(feature = "postgres")]
pub use postgres::PostgresStore;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;
