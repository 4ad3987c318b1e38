//! The operator's handle: all sessions behind a layer.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sessile_core::{Guarantees, Record, Revocation, SessionId, TOMBSTONE};

use crate::layer::Shared;
use crate::{Error, ErrorKind, Result, Session};

/// The sessions behind a layer: to list, revoke, count and clean up. From
/// [`SessionLayer::sessions`](crate::SessionLayer::sessions); cheap to clone, mostly kept in the
/// application's state.
#[derive(Clone)]
pub struct Sessions {
    shared: Arc<Shared>,
}

/// What an operator or its owner may know of a session. It opens nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionInfo {
    /// The public id.
    pub id: SessionId,
    /// When the session was made.
    pub created_at: SystemTime,
    /// When its use was last written down: up to the touch interval ago.
    pub last_seen: SystemTime,
    /// When it expires if it is not used.
    pub expires_at: SystemTime,
    /// Who is logged in.
    pub subject: Option<Arc<str>>,
}

impl Sessions {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Sessions { shared }
    }

    /// The live sessions of a subject, the oldest first.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](crate::ErrorKind::Unsupported) if the strategy keeps no such list.
    pub async fn list(&self, subject: &str) -> Result<Vec<SessionInfo>> {
        let now = self.shared.clock.now();
        let candidates = self.shared.strategy.list(subject, now).await?;
        let live = candidates
            .into_iter()
            .filter_map(|candidate| candidate.record);
        let mut list: Vec<_> = live.map(|record| SessionInfo::new(&record)).collect();
        list.sort_by_key(|info| info.created_at);
        Ok(list)
    }

    /// Ends a session, and says whether it was there, even if it could not be read. Its clients
    /// arrive as `Ended`.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](crate::ErrorKind::Unavailable) if the store is away: the session may still
    /// be used. [`Unsupported`](crate::ErrorKind::Unsupported) if sessions end only when they
    /// expire.
    pub async fn revoke(&self, id: &SessionId) -> Result<bool> {
        if self.guarantees().revocation == Revocation::AtExpiry {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "this strategy can't take a session back from its client: give it a revocation store",
            ));
        }
        let now = self.shared.clock.now();
        let ended = self.shared.strategy.end(*id, now, now.after(TOMBSTONE));
        match ended.await {
            Ok(last) => Ok(last.is_some_and(|record| record.is_live(now))),
            // It was there and has ended; nobody can tell whether it had expired.
            Err(error) if error.kind() == ErrorKind::Corrupt => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    /// Ends every session of a subject, and says how many there were. Call it when a password
    /// changes.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list) and [`revoke`](Self::revoke). A session that could not be ended
    /// stops nothing: the others are ended, and the first error is told. Call it again then.
    pub async fn revoke_all(&self, subject: &str) -> Result<u64> {
        self.revoke_but(subject, &[]).await
    }

    /// Ends every session of this session's subject but this one, and says how many there were:
    /// none if nobody is logged in to this one.
    ///
    /// # Errors
    ///
    /// As [`revoke_all`](Self::revoke_all).
    pub async fn revoke_others(&self, session: &Session) -> Result<u64> {
        let Some(subject) = session.subject() else {
            return Ok(0);
        };
        // With a login under way that is two: the one it makes, and the one that it leaves.
        let (this, left) = (session.id(), session.stored_id());
        let mut these: Vec<_> = std::iter::once(this).chain(left).collect();
        // During a migration each may be known by the id that it gets there, too.
        let moved = |sid| self.shared.strategy.moved_sid(sid);
        these.extend(these.clone().iter().filter_map(moved));
        self.revoke_but(&subject, &these).await
    }

    async fn revoke_but(&self, subject: &str, these: &[SessionId]) -> Result<u64> {
        let now = self.shared.clock.now();
        self.shared.strategy.revoke_all(subject, these, now).await?;
        let candidates = self.shared.strategy.list(subject, now).await?;
        let is_spared = |sid: &SessionId| {
            let moved = || self.shared.strategy.moved_sid(sid);
            these.contains(sid) || moved().is_some_and(|moved| these.contains(&moved))
        };
        let (mut revoked, mut failed) = (0, None);
        for candidate in candidates
            .iter()
            .filter(|candidate| !is_spared(&candidate.sid))
        {
            // What is not there may be a login in flight: its tombstone is there first.
            match self.revoke(&candidate.sid).await {
                Ok(was_there) => revoked += u64::from(was_there),
                Err(error) => {
                    failed.get_or_insert(error);
                }
            }
        }
        failed.map_or(Ok(revoked), Err)
    }

    /// How many sessions are live; `None` where that can't be told.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](crate::ErrorKind::Unavailable) if the store is away.
    pub async fn count(&self) -> Result<Option<u64>> {
        Ok(self.shared.strategy.count(self.shared.clock.now()).await?)
    }

    /// How many live sessions are left where a migration comes from: with none left, its last
    /// phase can begin. `None` without a migration, and where that can't be told, such as of
    /// tokens, of which none is left when the longest absolute lifetime has passed.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](crate::ErrorKind::Unavailable) if the store is away.
    pub async fn left(&self) -> Result<Option<u64>> {
        Ok(self.shared.strategy.left(self.shared.clock.now()).await?)
    }

    /// Frees the space of what has expired, and says how many sessions and tombstones that were.
    /// Nothing depends on it but space, and in memory not even that for long: every write does
    /// some of it.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](crate::ErrorKind::Unavailable) if the store is away.
    pub async fn sweep(&self) -> Result<u64> {
        Ok(self.shared.strategy.sweep(self.shared.clock.now()).await?)
    }

    /// Whether what the sessions are kept in answers: for a readiness check.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](crate::ErrorKind::Unavailable) if the store is away.
    pub async fn ping(&self) -> Result<()> {
        Ok(self.shared.strategy.ping().await?)
    }

    /// Hands the sessions of this node over before it stops: from now on, for good, every session
    /// that is used or made here is nobody's, and balancers send its client anywhere. It is over
    /// when clients have stopped coming with this node's label, or after `deadline`; the node
    /// serves until then, so its readiness must not change before. Requests that bring a
    /// credential and don't use it are not waited for.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](crate::ErrorKind::Unsupported) if there is nowhere to hand them over to: they end with the
    /// process.
    pub async fn drain(&self, deadline: Duration) -> Result<()> {
        let now = self.shared.clock.now();
        Ok(self.shared.strategy.drain(now, now.after(deadline)).await?)
    }

    /// What the configured strategy promises.
    pub fn guarantees(&self) -> Guarantees {
        self.shared.strategy.guarantees()
    }
}

impl SessionInfo {
    fn new(record: &Record) -> Self {
        SessionInfo {
            id: record.sid,
            created_at: record.created_at.into(),
            last_seen: record.last_seen.into(),
            expires_at: record.expires_at().into(),
            subject: record.subject.clone(),
        }
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions")
            .field("shared", &self.shared)
            .finish()
    }
}
