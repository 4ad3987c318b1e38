//! The laws of the plain data, against models simple enough to be obviously right.

#![allow(clippy::unwrap_used)] // in a test, a panic is the report

mod algebra;
mod rotation;
