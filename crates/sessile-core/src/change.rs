//! What a handler did, in order.

use std::fmt;
use std::sync::Arc;

use crate::{Lifetime, Name, Result, Text};

/// A function of one key's value that may run again on newer state: given the encoded value, or
/// `None` where there is none, it answers the new one, or `None` to remove the key.
pub type Rerun = Arc<dyn Fn(Option<&Text>) -> Result<Option<Text>> + Send + Sync>;

/// One thing a handler did to its session.
#[derive(Clone)]
#[non_exhaustive]
pub enum Change {
    /// Writes a value, whatever was there.
    Set(Name, Text),
    /// Removes a key, whatever was there.
    Remove(Name),
    /// Removes every key.
    Clear,
    /// Writes a function of the value that is there.
    Update(Name, Rerun),
    /// Asks for a new verifier.
    Renew,
    /// Gives this session a lifetime of its own.
    Lifetime(Lifetime),
    /// Moves on to a new session, bound to this subject, that inherits the data.
    Login(Arc<str>),
    /// Ends the session.
    Destroy,
}

/// Changes in the order in which they were made.
pub type Log = Vec<Change>;

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::Set(name, text) => f.debug_tuple("Set").field(name).field(text).finish(),
            Change::Remove(name) => f.debug_tuple("Remove").field(name).finish(),
            Change::Clear => f.write_str("Clear"),
            Change::Update(name, _) => f.debug_tuple("Update").field(name).field(&"..").finish(),
            Change::Renew => f.write_str("Renew"),
            Change::Lifetime(lifetime) => f.debug_tuple("Lifetime").field(lifetime).finish(),
            Change::Login(_) => f.write_str("Login(..)"),
            Change::Destroy => f.write_str("Destroy"),
        }
    }
}
