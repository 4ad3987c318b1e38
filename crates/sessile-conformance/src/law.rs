//! A law: a name, a sentence, and a check that any store can be put to.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use sessile_core::Store;

use crate::{Depth, Violation};

/// One thing that every store must do, or must never do.
pub struct Law {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) check: for<'a> fn(Ground<'a>) -> Checking<'a>,
}

/// The check of a law, under way.
pub(crate) type Checking<'a> = Pin<Box<dyn Future<Output = Result<(), Violation>> + Send + 'a>>;

impl Law {
    /// The law's sentence in snake case: the name of its test.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What the law says and what it is for, in a sentence or two.
    pub fn about(&self) -> &'static str {
        self.about
    }

    /// Whether the law holds for the stores that `stores` makes, to the depth that the environment
    /// asks for ([`Depth::from_env`]). Needs to run within a runtime of tokio.
    ///
    /// # Errors
    ///
    /// What the store did that the law forbids; an error of the store itself is that too.
    pub async fn check(&self, stores: &dyn Factory) -> Result<(), Violation> {
        self.check_at(stores, Depth::from_env()).await
    }

    /// As [`check`](Self::check), to this depth.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check).
    pub async fn check_at(&self, stores: &dyn Factory, depth: Depth) -> Result<(), Violation> {
        (self.check)(Ground { stores, depth }).await
    }
}

impl fmt::Debug for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Law").field("name", &self.name).finish()
    }
}

/// Makes stores: every `async` function or closure that returns one.
///
/// Each store must be empty, and nobody else may write to it: a new database, or one that is
/// shared under a prefix or a table of its own.
pub trait Factory: Send + Sync {
    /// A store that is empty and that nobody else uses.
    fn fresh(&self) -> Pin<Box<dyn Future<Output = Arc<dyn Store>> + Send + '_>>;
}

impl<F, Making, S> Factory for F
where
    F: Fn() -> Making + Send + Sync,
    Making: Future<Output = S> + Send,
    S: Store,
{
    fn fresh(&self) -> Pin<Box<dyn Future<Output = Arc<dyn Store>> + Send + '_>> {
        Box::pin(async move { Arc::new(self().await) as Arc<dyn Store> })
    }
}

/// Where a law is tried: fresh stores, and how much of it is to be tried.
#[derive(Clone, Copy)]
pub(crate) struct Ground<'a> {
    stores: &'a dyn Factory,
    pub(crate) depth: Depth,
}

impl Ground<'_> {
    pub(crate) async fn store(&self) -> Arc<dyn Store> {
        self.stores.fresh().await
    }
}
