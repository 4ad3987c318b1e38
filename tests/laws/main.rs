//! The laws of a store, each on every store with a real server under it.

#![allow(clippy::unwrap_used)] // in a test, a panic is the report

mod beds;
mod matrix;

/// The laws, a test each, on each kind of store.
macro_rules! on {
    ($($name:ident),*) => {
        $(mod $name {
            sessile_conformance::store!(crate::beds::Bed::$name());
        })*
    };
}

on!(
    redis,
    redis_cluster,
    postgres,
    mariadb,
    sqlite,
    sqlite_memory
);
