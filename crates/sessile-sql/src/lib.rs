//! Session stores over PostgreSQL, MySQL/MariaDB and SQLite.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod options;

#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

mod columns;
mod connections;
mod error;
mod parts;

#[cfg(feature = "mysql")]
pub use mysql::MySqlStore;
pub use options::SqlOptions;
#[cfg(feature = "postgres")]
pub use postgres::PostgresStore;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;
