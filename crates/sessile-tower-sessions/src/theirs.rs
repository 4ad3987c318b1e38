//! What every version of tower-sessions asks of its stores, in types of no version.

use std::collections::HashMap;
use std::fmt;

use async_trait::async_trait;
use serde_json::Value;
use time::OffsetDateTime;

/// A store of some version of tower-sessions, wrapped to say which: `V0_14` or `V0_15`.
pub trait TowerSessions: Calls {}

/// Their four operations. In a private module: nobody else implements it.
#[async_trait]
pub trait Calls: fmt::Debug + Send + Sync + 'static {
    /// Keeps a new entry, and says under which id: another one, if its own was taken.
    async fn create(&self, entry: Entry) -> Result<i128, Failure>;

    /// Keeps an entry in place of the one that is there. In most of their stores, in place of
    /// nothing too.
    async fn save(&self, entry: Entry) -> Result<(), Failure>;

    /// What is kept under an id, unless it has expired by the store's own clock.
    async fn load(&self, id: i128) -> Result<Option<Entry>, Failure>;

    /// Forgets what is kept under an id.
    async fn delete(&self, id: i128) -> Result<(), Failure>;
}

/// Their record.
pub struct Entry {
    pub(crate) id: i128,
    pub(crate) data: Values,
    pub(crate) expiry: OffsetDateTime,
}

/// The data of their record.
pub(crate) type Values = HashMap<String, Value>;

impl fmt::Debug for Entry {
    /// Without id and values: in their hands the one is secret, and the others are the users' own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("keys", &self.data.len())
            .field("expiry", &self.expiry)
            .finish_non_exhaustive()
    }
}

/// Their error.
#[derive(Debug)]
pub enum Failure {
    /// The entry could not be written as bytes. What was wrong is left out: it may quote a value.
    Encode,
    /// What is kept could not be read. What was wrong is left out: it may quote a value.
    Decode,
    /// Whatever the database said.
    Backend(String),
}
