//! Migration: a service moves from one strategy to another, and nobody is logged out.
//!
//! [`Migration`] is itself a strategy, made of the one that is left and the one that is moved to.
//! `derived` names the new session of an old one, so that all nodes come to the same; `mover`
//! moves a session once, whoever meets it first; `ended` remembers whose credential is not to be
//! given out any more; `strategy` sends each session's operations to the strategy that keeps it.

mod derived;
mod ended;
mod mover;
mod strategy;

use std::sync::Arc;

use sessile_core::{MasterKey, Strategy, Writes};

use crate::{Error, ErrorKind, Result};
use mover::Mover;

/// How far a migration is: one deploy for each phase, and each only when the one before it has
/// reached all nodes. The last phase, in which old credentials are refused, is the new strategy
/// alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// Both kinds of credential are read; new sessions are still of the old kind, which the nodes
    /// that are not deployed yet can read.
    Accept,
    /// Both kinds are read; new sessions are of the new kind, and an old one is moved when it is
    /// first used.
    Issue,
}

/// Two strategies, and the way from one to the other: nobody is logged out.
///
/// A session is moved when it is first used. Its new id and verifier are derived from the old ones
/// with a key that all nodes have, so that requests that meet on several nodes come to the same
/// session, and the old credential opens the new session for as long as a client that missed the
/// answer may need it: until the new one is renewed, logged in or out. From then on it opens
/// nothing, and the session that it came from is ended.
///
/// While it lasts a request may cost some calls more: an old credential is looked up in the new
/// place first, a move is seven calls, and an end is told to both.
///
/// ```
/// use sessile::{MasterKey, MemoryStore, Migration, Phase, SessionLayer, Stored};
///
/// # fn main() -> sessile::Result<()> {
/// # let (old, new) = (Stored::new(MemoryStore::default()), Stored::new(MemoryStore::default()));
/// # let secret: [u8; 32] = std::array::from_fn(|i| i as u8);
/// // The same key on all nodes, for as long as the migration lasts.
/// let key = MasterKey::new("2026-11", secret)?;
/// let layer = SessionLayer::new(Migration::new(old, new, key)?.phase(Phase::Issue));
/// # let _ = layer;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Migration {
    mover: Arc<Mover>,
    phase: Phase,
}

impl Migration {
    /// From one strategy to another, in the phase [`Accept`](Phase::Accept).
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) if the strategy that is moved to has no store, and so
    /// nowhere to keep which sessions have moved: sticky without a backing store, tokens without
    /// revocation. And if those of the one that is left are in memory alone.
    pub fn new(from: impl Strategy, to: impl Strategy, key: MasterKey) -> Result<Self> {
        Self::between(Arc::new(from), Arc::new(to), key)
    }

    pub(crate) fn between(
        from: Arc<dyn Strategy>,
        to: Arc<dyn Strategy>,
        key: MasterKey,
    ) -> Result<Self> {
        if from.ledger().is_none() && from.guarantees().writes != Writes::LastResponseWins {
            return Err(Error::new(
                ErrorKind::Invalid,
                "the sessions that are left are in the memory of their process and end with it: there is nothing to migrate",
            ));
        }
        let Some(ledger) = to.ledger() else {
            return Err(Error::new(
                ErrorKind::Invalid,
                "nothing would remember which sessions have moved, and old credentials would open them again: give the strategy that is moved to a store, by `backing` or `revocation`",
            ));
        };
        Ok(Migration {
            mover: Arc::new(Mover::new(from, to, ledger, key)),
            phase: Phase::Accept,
        })
    }

    /// How far it is.
    #[must_use]
    pub fn phase(mut self, phase: Phase) -> Self {
        self.phase = phase;
        self
    }
}
