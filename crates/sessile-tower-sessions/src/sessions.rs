//! Our sessions in a store of theirs: what four operations without a compare-and-swap allow.

use std::sync::Arc;
use std::time::Duration;

use sessile_core::{
    Applied, Clock as _, Created, Error, ErrorKind, Loaded, Patch, Patched, Record, Result,
    SessionId, SystemClock, Timestamp,
};

use crate::instant;
use crate::kept::Kept;
use crate::theirs::{Entry, Failure, TowerSessions};
use crate::turns::Turns;

/// How much longer their store keeps something than it is needed: enough for clocks that differ,
/// and for a client to be told that its session has expired rather than that there was none.
const MARGIN: Duration = Duration::from_secs(3600);

/// How often an end starts anew when another process made the session meanwhile.
const TRIES: usize = 4;

/// Their store, and whose turn it is to write to which session.
#[derive(Debug)]
pub(crate) struct Sessions<T> {
    theirs: T,
    turns: Turns,
}

impl<T: TowerSessions> Sessions<T> {
    pub(crate) fn new(theirs: T) -> Self {
        Sessions {
            theirs,
            turns: Turns::default(),
        }
    }

    pub(crate) async fn create(&self, record: Arc<Record>, now: Timestamp) -> Result<Created> {
        record.data.check_limit()?;
        let sid = record.sid;
        let _turn = self.turns.take(&sid).await;
        match self.theirs.load(to_id(&sid)).await {
            Ok(None) => {}
            Ok(Some(entry)) => match Kept::read(&sid, &entry.data) {
                Ok(Kept::Ended { until }) if until <= now => {
                    // Only a create is refused where somebody else was faster.
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

    pub(crate) async fn load(&self, sid: &SessionId, now: Timestamp) -> Result<Loaded> {
        Ok(match self.read(sid).await? {
            Some(Kept::Record(record)) if record.is_live(now) => Loaded::Live(record),
            Some(Kept::Record(_)) => Loaded::Expired,
            Some(Kept::Ended { until }) if now < until => Loaded::Ended,
            Some(Kept::Ended { .. }) | None => Loaded::Absent,
        })
    }

    pub(crate) async fn apply(
        &self,
        sid: &SessionId,
        now: Timestamp,
        patch: &Patch,
    ) -> Result<Applied> {
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

    pub(crate) async fn end(
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
            // Some of their stores save only what is there already, and say nothing.
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

    pub(crate) async fn ping(&self) -> Result<()> {
        match self.theirs.load(0).await {
            Err(failure @ Failure::Backend(_)) => Err(not_read(failure)),
            _ => Ok(()),
        }
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
        let kept_under = self.theirs.create(entry(sid, kept, now)).await;
        let kept_under = kept_under.map_err(not_written)?;
        if kept_under == to_id(sid) {
            return Ok(true);
        }
        // Under an id that was not asked for. Nobody knows it, so if it can't be removed it only
        // takes space, until it expires.
        let _ = self.theirs.delete(kept_under).await;
        Ok(false)
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
