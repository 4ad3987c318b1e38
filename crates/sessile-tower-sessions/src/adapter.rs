//! A store of theirs as one of ours.

use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use sessile_core::{
    Applied, Candidate, Created, Durability, Error, ErrorKind, Guarantees, Loaded, Patch,
    RECORD_LIMIT, Record, Result, Revocation, SessionId, Store, SubjectCap, Timestamp, Writes,
};
use tokio::runtime::Handle;

use crate::sessions::Sessions;
use crate::theirs::TowerSessions;

/// Any store of tower-sessions as a [`Store`]. What it can promise, and what not, is in the
/// [crate's documentation](crate).
#[derive(Debug)]
pub struct TowerSessionsStore<T> {
    sessions: Arc<Sessions<T>>,
    sharing: Sharing,
    durability: Durability,
}

/// Who else writes to their store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sharing {
    Nobody,
    OtherProcesses,
}

impl<T: TowerSessions> TowerSessionsStore<T> {
    /// A store that no other process writes to, and nobody in this one but through this value.
    ///
    /// That is your word, and cannot be checked. With it, writes merge by key, updates are exact,
    /// and an ended session stays ended.
    pub fn alone(theirs: T) -> Self {
        TowerSessionsStore::new(theirs, Sharing::Nobody)
    }

    /// A store that other processes write to as well, through values of this type.
    ///
    /// Of two writes at the same time the last one wins as a whole, and one that is under way
    /// while another process ends its session can bring that session back.
    pub fn shared(theirs: T) -> Self {
        TowerSessionsStore::new(theirs, Sharing::OtherProcesses)
    }

    fn new(theirs: T, sharing: Sharing) -> Self {
        TowerSessionsStore {
            sessions: Arc::new(Sessions::new(theirs)),
            sharing,
            durability: Durability::Volatile,
        }
    }

    /// What their store promises for what it has acknowledged. It can't be asked; until it is said
    /// here, nothing is promised ([`Durability::Volatile`]).
    #[must_use]
    pub fn durability(self, durability: Durability) -> Self {
        TowerSessionsStore { durability, ..self }
    }
}

#[async_trait]
impl<T: TowerSessions> Store for TowerSessionsStore<T> {
    async fn create(
        &self,
        record: Arc<Record>,
        cap: Option<SubjectCap>,
        now: Timestamp,
    ) -> Result<Created> {
        if cap.is_some() && record.subject.is_some() {
            return Err(unsupported(
                "a store of tower-sessions can't count a subject's sessions: configure no cap",
            ));
        }
        let sessions = Arc::clone(&self.sessions);
        to_its_end(async move { sessions.create(record, now).await }).await
    }

    async fn load(&self, sid: &SessionId, now: Timestamp) -> Result<Loaded> {
        self.sessions.load(sid, now).await
    }

    async fn apply(&self, sid: &SessionId, now: Timestamp, patch: &Patch) -> Result<Applied> {
        let (sessions, sid, patch) = (Arc::clone(&self.sessions), *sid, patch.clone());
        to_its_end(async move { sessions.apply(&sid, now, &patch).await }).await
    }

    async fn end(
        &self,
        sid: &SessionId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Arc<Record>>> {
        let (sessions, sid) = (Arc::clone(&self.sessions), *sid);
        to_its_end(async move { sessions.end(&sid, now, until).await }).await
    }

    /// Their stores find a session by its id only.
    async fn list(&self, _subject: &str, _now: Timestamp) -> Result<Vec<Candidate>> {
        Err(unsupported(
            "a store of tower-sessions can't find a subject's sessions",
        ))
    }

    async fn count(&self, _now: Timestamp) -> Result<Option<u64>> {
        Ok(None)
    }

    /// Frees nothing: their stores do it themselves, or by a task of theirs
    /// (`continuously_delete_expired`).
    async fn sweep(&self, _now: Timestamp, _limit: usize) -> Result<usize> {
        Ok(0)
    }

    async fn ping(&self) -> Result<()> {
        self.sessions.ping().await
    }

    fn guarantees(&self) -> Guarantees {
        match self.sharing {
            Sharing::Nobody => {
                let mut guarantees = Guarantees::volatile(RECORD_LIMIT);
                guarantees.durability = self.durability;
                guarantees
            }
            Sharing::OtherProcesses => {
                let mut guarantees = Guarantees::shared(self.durability);
                guarantees.writes = Writes::LastResponseWins;
                // A write under way can undo an end, and then nothing ends the session but time.
                guarantees.revocation = Revocation::AtExpiry;
                guarantees
            }
        }
    }
}

/// Does a write to its end, in a task of its own, though the caller may have given it up.
///
/// A caller that drops the future of a save does not take back what a database has already been
/// told. Were the session's turn over with that, the next writer could read what was there before
/// the save, and the save arrive after its own.
async fn to_its_end<R: Send + 'static>(
    write: impl Future<Output = Result<R>> + Send + 'static,
) -> Result<R> {
    // Without a runtime of tokio, as the caller does it: there is nothing to give the task to.
    let Ok(runtime) = Handle::try_current() else {
        return write.await;
    };
    runtime.spawn(write).await.unwrap_or_else(|error| {
        let message = "the store of tower-sessions panicked, or its runtime is shutting down: \
                       the write may have been applied";
        Err(Error::new(ErrorKind::Unknown, message).with_source(error))
    })
}

fn unsupported(message: &'static str) -> Error {
    Error::new(ErrorKind::Unsupported, message)
}
