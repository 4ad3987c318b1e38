//! The session before anybody asked for it.

use std::sync::Arc;

use http::Extensions;

use crate::handle::Handle;
use crate::{Result, Session};

/// A session that nobody has asked for yet: what the layer puts into a request's extensions. As
/// long as nobody calls [`load`](LazySession::load) it costs nothing: no lookup, no signature
/// check, no header.
///
/// With layers of several cookie names the extensions hold the innermost one;
/// [`named`](LazySession::named) finds the others.
#[derive(Clone, Debug)]
pub struct LazySession(Arc<Handle>);

impl LazySession {
    pub(crate) fn new(handle: Arc<Handle>) -> Self {
        LazySession(handle)
    }

    /// The session whose cookie has this name.
    pub fn named(extensions: &Extensions, name: &str) -> Option<LazySession> {
        extensions.get::<LazySession>()?.find(name).cloned()
    }

    pub(crate) fn find(&self, name: &str) -> Option<&LazySession> {
        let mut lazy = self;
        while lazy.0.name() != name {
            lazy = lazy.0.outer.as_ref()?;
        }
        Some(lazy)
    }

    /// The session's cookie name.
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// Finds the session of this request; a new visitor's is empty, and is made when something is
    /// written to it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) if the store is away: never an
    /// empty session instead.
    pub async fn load(&self) -> Result<Session> {
        self.0.load().await?;
        Ok(Session::new(self.0.clone()))
    }

    /// As [`load`](Self::load), and `None` if the client has no session. Never makes one.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load): a store that is away is an error, not `None`.
    pub async fn load_existing(&self) -> Result<Option<Session>> {
        if !self.0.has_credential() {
            // The answer depends on the cookie all the same.
            self.0.load().await?;
            return Ok(None);
        }
        let session = self.load().await?;
        Ok(session.exists().then_some(session))
    }
}
