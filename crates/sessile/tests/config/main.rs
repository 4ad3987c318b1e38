//! Configurations: what is read, what is refused and in which words, and what is built.

#![allow(clippy::unwrap_used)] // in a test, a panic is the report

use sessile::{ConfigError, SessionConfig};

mod broken;
mod build;
mod defaults;
mod loaders;
#[cfg(feature = "token")]
mod migrate;
mod sample;
mod schema;
mod secrets;
mod strategies;

/// Reads TOML, with the problems as a list.
fn read(toml: &str) -> Result<SessionConfig, ConfigError> {
    SessionConfig::read(toml::Deserializer::parse(toml).unwrap())
}

/// The paths and messages of what is wrong.
fn problems(result: Result<(), ConfigError>) -> Vec<String> {
    let error = result.unwrap_err();
    error.problems().iter().map(ToString::to_string).collect()
}
