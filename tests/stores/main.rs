//! Every store against its real server: the laws, and what only this store can get wrong.

#![allow(clippy::unwrap_used)] // in a test, a panic is the report
#![allow(missing_docs, unreachable_pub)] // the names of the tests say it

mod broken_postgres;
mod mariadb;
mod postgres;
mod redis;
mod samples;
mod sql;
mod sqlite;
