//! Every store against its real server: what no law of a store can see, and what only this one can
//! get wrong. The laws are in `tests/laws`.

#![allow(clippy::unwrap_used)] // in a test, a panic is the report

mod bridge;
mod budget;

mod samples;

mod redis;
mod refresh;

mod sql;

mod mariadb;
mod postgres;
mod sqlite;
