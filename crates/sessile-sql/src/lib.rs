//! Session stores over PostgreSQL, MySQL/MariaDB and SQLite.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod options;

#[cfg(feature = "postgres")]
mod postgres;

mod columns;
mod connections;
mod error;
mod parts;

pub use options::SqlOptions;
#[cfg(feature = "postgres")]
pub use postgres::PostgresStore;
