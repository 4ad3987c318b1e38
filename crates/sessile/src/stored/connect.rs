//! The store that a URL names.

use std::sync::Arc;

use sessile_core::{Error, ErrorKind, Store};
use sessile_memory::MemoryStore;

use super::Stored;
use crate::Result;

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

async fn connect(url: &str) -> Result<Arc<dyn Store>, Error> {
    match scheme(url) {
        "memory" => Ok(Arc::new(MemoryStore::default())),
        other => Err(Error::new(
            ErrorKind::Invalid,
            format!("no store has the scheme {other:?}: write memory:"),
        )),
    }
}

/// What stands before the first colon.
fn scheme(url: &str) -> &str {
    url.split(':').next().unwrap_or(url)
}
