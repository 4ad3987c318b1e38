//! The store that a URL names.

use std::sync::Arc;

use sessile_core::{Error, ErrorKind, Store};
use sessile_memory::MemoryStore;

use super::Stored;
use crate::Result;

/// Each scheme, the feature that brings its store, and whether this build has it.
const SCHEMES: [(&str, Option<&str>, bool); 12] = [
    ("memory", None, true),
    ("redis", Some("redis"), false),
    ("rediss", Some("redis"), false),
    ("redis+cluster", Some("redis"), false),
    ("rediss+cluster", Some("redis"), false),
    ("redis+sentinel", Some("redis"), false),
    ("rediss+sentinel", Some("redis"), false),
    ("postgres", Some("postgres"), false),
    ("postgresql", Some("postgres"), false),
    ("mysql", Some("mysql"), false),
    ("mariadb", Some("mysql"), false),
    ("sqlite", Some("sqlite"), false),
];

impl Stored {
    /// Sessions in the store that this URL names. Databases get their tables if they have none.
    ///
    /// | URL | feature | store |
    /// |---|---|---|
    /// | `memory:` | | the memory of this process: for tests |
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid) for a URL that names no store of this build, and says
    /// what to write or which feature to enable; what the store answers where it is asked.
    pub async fn connect(url: &str) -> Result<Stored> {
        Ok(Stored::new(connect(url).await?))
    }
}

/// The store of this URL. A new kind of store has an arm here, and a row above.
pub(crate) async fn connect(url: &str) -> Result<Arc<dyn Store>, Error> {
    match scheme(url) {
        "memory" => Ok(Arc::new(MemoryStore::default())),
        other => Err(missing(other)),
    }
}

/// Whether this build has a store for this scheme; if not, the feature that would bring it.
pub(crate) fn check_scheme(scheme: &str) -> Result<(), Option<&'static str>> {
    match SCHEMES.iter().find(|(name, ..)| *name == scheme) {
        Some((_, _, true)) => Ok(()),
        Some((_, feature, false)) => Err(*feature),
        None => Err(None),
    }
}

/// Every scheme that there is, with all features.
pub(crate) fn schemes() -> impl Iterator<Item = &'static str> {
    SCHEMES.iter().map(|(name, ..)| *name)
}

fn missing(scheme: &str) -> Error {
    let message = match check_scheme(scheme) {
        Err(Some(feature)) => {
            format!("this build has no store for {scheme}: enable the feature `{feature}`")
        }
        _ => format!(
            "no store has the scheme {scheme:?}: write one of {}",
            schemes().collect::<Vec<_>>().join(", ")
        ),
    };
    Error::new(ErrorKind::Invalid, message)
}

/// What stands before the first colon.
fn scheme(url: &str) -> &str {
    url.split(':').next().unwrap_or(url)
}
