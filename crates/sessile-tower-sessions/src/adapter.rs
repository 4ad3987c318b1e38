//! A store of theirs as one of ours.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sessile_core::{
    Applied, Candidate, Clock as _, Created, Durability, Error, ErrorKind, Guarantees, Loaded,
    Patch, Patched, RECORD_LIMIT, Record, Result, Revocation, SessionId, Store, SubjectCap,
    SystemClock, Timestamp, Writes,
};

use crate::instant;
use crate::kept::Kept;
use crate::theirs::{Entry, Failure, TowerSessions};
use crate::turns::Turns;

/// How much longer their store keeps something than it is needed: enough for clocks that differ,
/// and for a client to be told that its session has expired rather than that there was none.
const MARGIN: Duration = Duration::from_secs(3600);

/// How often an operation starts anew when another process was faster.
const TRIES: usize = 4;

/// Any store of tower-sessions as a [`Store`]. What it can promise, and what not, is in the
/// [crate's documentation](crate).
#[derive(Debug)]
pub struct TowerSessionsStore<T> {
    theirs: T,
    turns: Turns,
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
            theirs,
            turns: Turns::default(),
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

    async fn read(&self, sid: &SessionId) -> Result<Option<Kept>> {
        let entry = self.theirs.load(to_id(sid)).await.map_err(not_read)?;
        entry.map(|entry| Kept::read(sid, &entry.data)).transpose()
    }

    async fn replace(&self, sid: &SessionId, kept: &Kept, now: Timestamp) -> Result<()> {
        let saved = self.theirs.save(entry(sid, kept, now)).await;
        saved.map_err(not_written)
    }

    /// Keeps what was not there; or says that by now it is.
    async fn insert(&self, sid: &SessionId, kept: &Kept, now: Timestamp) -> Result<bool> {
        let id = to_id(sid);
        let kept_under = self.theirs.create(entry(sid, kept, now)).await;
        let kept_under = kept_under.map_err(not_written)?;
        if kept_under == id {
            return Ok(true);
        }
        // Under an id that was not asked for. Nobody knows it, so if it can't be removed it only
        // takes space, until it expires.
        let _ = self.theirs.delete(kept_under).await;
        Ok(false)
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
        record.data.check_limit()?;
        let sid = record.sid;
        let _turn = self.turns.take(&sid).await;
        match self.theirs.load(to_id(&sid)).await {
            Ok(None) => {}
            Ok(Some(entry)) => match Kept::read(&sid, &entry.data) {
                Ok(Kept::Ended { until }) if until <= now => {
                    let deleted = self.theirs.delete(to_id(&sid)).await;
                    deleted.map_err(not_written)?;
                }
                _ => return Ok(Created::Taken),
            },
            Err(Failure::Decode | Failure::Encode) => return Ok(Created::Taken),
            Err(failure) => return Err(not_read(failure)),
        }
        let created = self.insert(&sid, &Kept::Record(record), now).await?;
        Ok(if created {
            Created::Created
        } else {
            Created::Taken
        })
    }

    async fn load(&self, sid: &SessionId, now: Timestamp) -> Result<Loaded> {
        Ok(match self.read(sid).await? {
            Some(Kept::Record(record)) if record.is_live(now) => Loaded::Live(record),
            Some(Kept::Record(_)) => Loaded::Expired,
            Some(Kept::Ended { until }) if now < until => Loaded::Ended,
            Some(Kept::Ended { .. }) | None => Loaded::Absent,
        })
    }

    async fn apply(&self, sid: &SessionId, now: Timestamp, patch: &Patch) -> Result<Applied> {
        let _turn = self.turns.take(sid).await;
        let Some(Kept::Record(record)) = self.read(sid).await? else {
            return Ok(Applied::Gone);
        };
        Ok(match patch.apply_to(&record, now)? {
            Patched::Applied(next) => {
                let next = Arc::new(next);
                if next != record {
                    let kept = Kept::Record(Arc::clone(&next));
                    self.replace(sid, &kept, now).await?;
                }
                Applied::Applied {
                    version: next.version,
                    record: (record.version != patch.base()).then_some(next),
                }
            }
            Patched::Conflict => Applied::Conflict(record),
            Patched::Gone => Applied::Gone,
        })
    }

    async fn end(
        &self,
        sid: &SessionId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Arc<Record>>> {
        let _turn = self.turns.take(sid).await;
        for _ in 0..TRIES {
            let found = match self.theirs.load(to_id(sid)).await {
                Ok(found) => found.map(|entry| Kept::read(sid, &entry.data)),
                Err(failure @ Failure::Backend(_)) => return Err(not_read(failure)),
                Err(failure) => Some(Err(not_read(failure))),
            };
            let until = match &found {
                Some(Ok(Kept::Ended { until: earlier })) => until.max(*earlier),
                _ => until,
            };
            let tombstone = Kept::Ended { until };
            // Some of their stores save only what is there already, and others create anew what
            // is there: each is asked for what it does.
            let Some(found) = found else {
                if self.insert(sid, &tombstone, now).await? {
                    return Ok(None);
                }
                continue;
            };
            self.replace(sid, &tombstone, now).await?;
            return Ok(match found? {
                Kept::Record(record) => Some(record),
                Kept::Ended { .. } => None,
            });
        }
        let message = "the store finds nothing under an id, and says that it is taken";
        Err(Error::new(ErrorKind::Unavailable, message))
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
        match self.theirs.load(0).await {
            Err(failure @ Failure::Backend(_)) => Err(not_read(failure)),
            _ => Ok(()),
        }
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

/// Their id, whose text is the same as that of ours.
fn to_id(sid: &SessionId) -> i128 {
    i128::from_le_bytes(*sid.as_bytes())
}

/// Their record. Its expiry is counted from the system's clock, as they do it, and is there to
/// free space: whether a session is over is told from our deadlines.
fn entry(sid: &SessionId, kept: &Kept, now: Timestamp) -> Entry {
    let needed = kept.needed_until().since(now);
    Entry {
        id: to_id(sid),
        data: kept.write(),
        expiry: instant::to_date(SystemClock.now().after(needed).after(MARGIN)),
    }
}

fn not_read(failure: Failure) -> Error {
    match failure {
        Failure::Backend(said) => {
            let message = "the store of tower-sessions could not be read";
            Error::new(ErrorKind::Unavailable, message).with_source(said)
        }
        Failure::Encode | Failure::Decode => {
            let message = "what the store of tower-sessions keeps can't be read";
            Error::new(ErrorKind::Corrupt, message)
        }
    }
}

/// Their errors do not tell whether the write was made.
fn not_written(failure: Failure) -> Error {
    match failure {
        Failure::Backend(said) => {
            let message = "the store of tower-sessions failed: the write may have been applied";
            Error::new(ErrorKind::Unknown, message).with_source(said)
        }
        Failure::Encode | Failure::Decode => {
            let message = "the store of tower-sessions could not encode the session";
            Error::new(ErrorKind::Unavailable, message)
        }
    }
}

fn unsupported(message: &'static str) -> Error {
    Error::new(ErrorKind::Unsupported, message)
}
