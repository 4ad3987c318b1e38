//! How a node in front of a store is built.

use std::sync::Arc;
use std::time::Duration;

use sessile_core::{Result, Store};

use super::BackedSticky;
use super::protocol::Node;
use crate::Calls;
use crate::misrouted::Misrouted;
use crate::node::StickyBuilder;

/// A store behind a node, and how it is used: [`StickyBuilder::backing`].
#[derive(Debug)]
pub struct Backing {
    pub(super) calls: Calls,
    pub(super) revalidate: Duration,
    pub(super) quiet: Duration,
}

impl StickyBuilder {
    /// Keeps the sessions in this store, and copies of them in memory. All nodes need the same
    /// store.
    ///
    /// ```
    /// # fn main() -> sessile_core::Result<()> {
    /// use sessile_core::{KeyRing, MasterKey};
    /// use sessile_memory::{MemoryStore, Misrouted, Sticky};
    ///
    /// # let secret: Vec<u8> = (0..32).collect();
    /// let ring = KeyRing::new(MasterKey::new("2026-11", secret)?);
    /// let node = Sticky::node("n1")
    ///     .keys(ring)
    ///     .backing(MemoryStore::default()) // for a test; nodes share a database
    ///     .misrouted([Misrouted::Forward, Misrouted::Adopt])
    ///     .build()?;
    /// # let _ = node;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn backing(self, store: impl Store) -> StickyBuilder<Backing> {
        self.in_front_of(Backing {
            calls: Calls::new(store),
            revalidate: Duration::from_secs(5),
            quiet: Duration::from_secs(2),
        })
    }
}

impl StickyBuilder<Backing> {
    /// How long a copy is served without asking the store again. It bounds for how long a logout
    /// or a write by way of another node can go unseen here. With zero, every request that uses
    /// its session asks. Default: 5 seconds.
    #[must_use]
    pub fn revalidate(mut self, revalidate: Duration) -> Self {
        self.behind().revalidate = revalidate;
        self
    }

    /// How long the store may take to answer, and how long a commit starts over while others
    /// change what its updates had read. Beyond the first a read is `Unavailable` and a write
    /// `Unknown`, beyond the second an update is a `Conflict`. Default: 2 seconds.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.behind().calls.set_deadline(deadline);
        self
    }

    /// A node that is drained is done when for so long nobody came with its label. Default: 2
    /// seconds.
    #[must_use]
    pub fn quiet(mut self, quiet: Duration) -> Self {
        self.behind().quiet = quiet;
        self
    }

    /// A node whose sessions are in the store.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](sessile_core::ErrorKind::Invalid) for a label that is none, without keys, or if a misrouted session
    /// is to be given up: the store has it.
    pub fn build(self) -> Result<BackedSticky> {
        let (parts, behind) = self.parts(&[Misrouted::Adopt], |chain| {
            chain
                .gives_up()
                .then_some("Lost gives up what the backing store has: write Adopt or Fail")
        })?;
        Ok(BackedSticky(Arc::new(Node::new(parts, behind))))
    }
}
