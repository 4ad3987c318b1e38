//! What a configured strategy promises.

use std::fmt;
use std::time::Duration;

/// What a configured strategy promises, computed from its configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Guarantees {
    /// When a logout or revocation takes effect everywhere.
    pub revocation: Revocation,
    /// What becomes of concurrent writes.
    pub writes: Writes,
    /// How far an operator's call reaches.
    pub scope: Scope,
    /// What an acknowledged write survives.
    pub durability: Durability,
    /// Whether any node can serve any session.
    pub any_node: bool,
    /// How many bytes of keys and values a session can hold.
    pub max_bytes: usize,
}

/// When a logout or revocation takes effect everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Revocation {
    /// With the next request.
    Immediate,
    /// Within this time.
    Within(Duration),
    /// Not before the credential expires.
    AtExpiry,
}

/// What becomes of concurrent writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Writes {
    /// Merged by key; updates are exact.
    Merged,
    /// The last response to reach the client wins, as a whole.
    LastResponseWins,
}

/// How far an operator's call reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scope {
    /// The sessions of this process.
    ThisNode,
    /// All sessions.
    AllNodes,
}

/// What an acknowledged write survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// Nothing: it goes with the process.
    Volatile,
    /// The process; the store's fail-over can undo it.
    Async,
    /// Whatever the store promises for what it has acknowledged.
    Acknowledged,
}

impl Guarantees {
    /// The promises of sessions in the memory of one process.
    pub const fn volatile(max_bytes: usize) -> Self {
        Guarantees {
            revocation: Revocation::Immediate,
            writes: Writes::Merged,
            scope: Scope::ThisNode,
            durability: Durability::Volatile,
            any_node: false,
            max_bytes,
        }
    }
}

impl fmt::Display for Guarantees {
    /// A line for each promise.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.revocation {
            Revocation::Immediate => writeln!(f, "revocation  immediate")?,
            Revocation::Within(bound) => writeln!(f, "revocation  within {bound:?}")?,
            Revocation::AtExpiry => writeln!(f, "revocation  at expiry")?,
        }
        let writes = match self.writes {
            Writes::Merged => "merged by key, updates exact",
            Writes::LastResponseWins => "last response wins",
        };
        let scope = match self.scope {
            Scope::ThisNode => "this node",
            Scope::AllNodes => "all nodes",
        };
        let durability = match self.durability {
            Durability::Volatile => "volatile",
            Durability::Async => "async",
            Durability::Acknowledged => "acknowledged",
        };
        writeln!(f, "writes      {writes}")?;
        writeln!(f, "scope       {scope}")?;
        writeln!(f, "durability  {durability}")?;
        writeln!(
            f,
            "any node    {}",
            if self.any_node { "yes" } else { "no" }
        )?;
        write!(f, "max bytes   {}", self.max_bytes)
    }
}
