//! What a configured strategy promises.

use std::fmt;
use std::time::Duration;

use crate::RECORD_LIMIT;

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

    /// The promises of sessions in a store that all nodes share, and that keeps what it has
    /// acknowledged as it says.
    pub const fn shared(durability: Durability) -> Self {
        Guarantees {
            scope: Scope::AllNodes,
            durability,
            any_node: true,
            ..Guarantees::volatile(RECORD_LIMIT)
        }
    }

    /// What can be promised where either of two strategies may keep a session.
    #[must_use]
    pub fn weaker(&self, other: &Self) -> Self {
        let revocation = match (self.revocation, other.revocation) {
            (Revocation::AtExpiry, _) | (_, Revocation::AtExpiry) => Revocation::AtExpiry,
            (Revocation::Within(a), Revocation::Within(b)) => Revocation::Within(a.max(b)),
            (within @ Revocation::Within(_), _) | (_, within) => within,
        };
        let durability = match (self.durability, other.durability) {
            (Durability::Volatile, _) | (_, Durability::Volatile) => Durability::Volatile,
            (Durability::Async, _) | (_, Durability::Async) => Durability::Async,
            (Durability::Acknowledged, Durability::Acknowledged) => Durability::Acknowledged,
        };
        Guarantees {
            revocation,
            writes: match self.writes {
                Writes::Merged => other.writes,
                Writes::LastResponseWins => self.writes,
            },
            scope: match self.scope {
                Scope::AllNodes => other.scope,
                Scope::ThisNode => self.scope,
            },
            durability,
            any_node: self.any_node && other.any_node,
            max_bytes: self.max_bytes.min(other.max_bytes),
        }
    }
}

impl fmt::Display for Revocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Revocation::Immediate => f.write_str("immediate"),
            Revocation::Within(bound) => write!(f, "within {bound:?}"),
            Revocation::AtExpiry => f.write_str("at_expiry"),
        }
    }
}

impl fmt::Display for Writes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Writes::Merged => "merged",
            Writes::LastResponseWins => "last_response_wins",
        })
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Scope::ThisNode => "this_node",
            Scope::AllNodes => "all_nodes",
        })
    }
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Durability::Volatile => "volatile",
            Durability::Async => "async",
            Durability::Acknowledged => "acknowledged",
        })
    }
}

impl fmt::Display for Guarantees {
    /// A line for each promise.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "revocation  {}", self.revocation)?;
        writeln!(f, "writes      {}", self.writes)?;
        writeln!(f, "scope       {}", self.scope)?;
        writeln!(f, "durability  {}", self.durability)?;
        writeln!(
            f,
            "any node    {}",
            if self.any_node { "yes" } else { "no" }
        )?;
        write!(f, "max bytes   {}", self.max_bytes)
    }
}
