//! The example programs as anybody runs them: processes of their own, real sockets, curl, and a
//! real browser.

#![allow(clippy::unwrap_used)] // in a test, a panic is the report

mod axum_login;
mod browser;
mod config;
mod curl;
mod examples;
mod identity;
mod nodes;
mod parallel;
mod process;
mod quickstart;
mod routes;
mod support;
mod token;
