//! Calls to a store: each within a deadline, and changes that rest on what they read in turn.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use sessile_core::{
    Applied, Candidate, Created, Error, ErrorKind, Guarantees, Loaded, Outcome, Patch, Patched,
    Record, Result, SessionId, Store, SubjectCap, Timestamp, Turn,
};
use tokio::time::timeout;

use crate::turns::{Place, Turns};

/// A store, and how a strategy asks it. Cheap to clone; the clones share the store and the lines
/// in front of it.
///
/// Every call has a deadline. A read that took too long did nothing, so it is
/// [`Unavailable`](ErrorKind::Unavailable); a write may have been done, so it is
/// [`Unknown`](ErrorKind::Unknown). It needs a Tokio runtime with its timer.
#[derive(Clone, Debug)]
pub struct Calls {
    store: Arc<dyn Store>,
    deadline: Duration,
    turns: Arc<Turns>,
}

impl Calls {
    /// Calls to this store, with a deadline of 2 seconds.
    pub fn new(store: impl Store) -> Self {
        Calls {
            store: Arc::new(store),
            deadline: Duration::from_secs(2),
            turns: Arc::default(),
        }
    }

    /// How long the store may take to answer, and how long a change waits for its turn.
    pub fn set_deadline(&mut self, deadline: Duration) {
        self.deadline = deadline;
    }

    /// How long the store may take to answer.
    pub fn deadline(&self) -> Duration {
        self.deadline
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// What the store promises.
    pub fn guarantees(&self) -> Guarantees {
        self.store.guarantees()
    }

    /// See [`Store::create`].
    ///
    /// # Errors
    ///
    /// The store's, and [`Unknown`](ErrorKind::Unknown) beyond the deadline.
    pub async fn create(
        &self,
        record: Arc<Record>,
        cap: Option<SubjectCap>,
        now: Timestamp,
    ) -> Result<Created> {
        self.write(self.store.create(record, cap, now)).await
    }

    /// See [`Store::load`].
    ///
    /// # Errors
    ///
    /// The store's, and [`Unavailable`](ErrorKind::Unavailable) beyond the deadline.
    pub async fn load(&self, sid: &SessionId, now: Timestamp) -> Result<Loaded> {
        self.read(self.store.load(sid, now)).await
    }

    /// Applies a patch to the session that was read as `record`; see
    /// [`Strategy::apply`](sessile_core::Strategy::apply). One that expects something waits for
    /// its turn: in this process such changes go one after the other, a session at a time, first
    /// come first served.
    ///
    /// A note of use is taken by an older record too: nothing of the handler's depends on it.
    ///
    /// # Errors
    ///
    /// The store's, [`Unknown`](ErrorKind::Unknown) beyond the deadline, and
    /// [`Conflict`](ErrorKind::Conflict) if it passed before the turn came.
    pub async fn apply(
        &self,
        record: &Arc<Record>,
        patch: &Patch,
        turn: Option<Turn>,
        now: Timestamp,
    ) -> Result<Outcome> {
        if patch.is_note() {
            let mut note = patch.clone();
            note.accept_older();
            return self.apply_now(record, &note, now).await;
        }
        if patch.expects().is_empty() {
            return self.apply_now(record, patch, now).await;
        }
        let place = match turn.and_then(Turn::into_inner) {
            Some(place) => place,
            None => self.wait(record.sid).await?,
        };
        self.apply_in_turn(place, record, patch, now).await
    }

    /// See [`Store::end`].
    ///
    /// # Errors
    ///
    /// The store's, and [`Unknown`](ErrorKind::Unknown) beyond the deadline.
    pub async fn end(
        &self,
        sid: &SessionId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Arc<Record>>> {
        self.write(self.store.end(sid, now, until)).await
    }

    /// See [`Store::list`].
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub async fn list(&self, subject: &str, now: Timestamp) -> Result<Vec<Candidate>> {
        self.read(self.store.list(subject, now)).await
    }

    /// See [`Store::count`].
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub async fn count(&self, now: Timestamp) -> Result<Option<u64>> {
        self.read(self.store.count(now)).await
    }

    /// See [`Store::ping`].
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub async fn ping(&self) -> Result<()> {
        self.read(self.store.ping()).await
    }

    /// Sweeps the store until nothing is left to free, and says how much that was.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub async fn sweep(&self, now: Timestamp) -> Result<u64> {
        /// Few enough that a batch takes milliseconds and nobody waits behind it.
        const BATCH: usize = 1000;
        let mut swept = 0;
        loop {
            let batch = self.write(self.store.sweep(now, BATCH)).await?;
            swept += batch as u64;
            if batch < BATCH {
                return Ok(swept);
            }
        }
    }

    async fn apply_now(
        &self,
        record: &Arc<Record>,
        patch: &Patch,
        now: Timestamp,
    ) -> Result<Outcome> {
        let call = self.store.apply(&record.sid, now, patch);
        Ok(match self.write(call).await? {
            Applied::Applied {
                record: Some(record),
                ..
            } => Outcome::Applied(record),
            Applied::Applied { version, .. } => self.own_view(record, patch, version, now).await?,
            Applied::Conflict(record) => Outcome::Conflict(record),
            Applied::Gone => Outcome::Gone,
        })
    }

    /// The record after a patch that met its base: what was read, with the patch.
    async fn own_view(
        &self,
        record: &Arc<Record>,
        patch: &Patch,
        version: u64,
        now: Timestamp,
    ) -> Result<Outcome> {
        if record.version == patch.base() {
            // By the deadlines that were read it may have expired; by those of the store it had not.
            let next = patch.applied_to(record, now);
            if next.version == version {
                return Ok(Outcome::Applied(Arc::new(next)));
            }
        }
        // It was read at another version than the patch is based on, so this is not it.
        let loaded = self.load(&record.sid, now).await.map_err(|error| {
            // Not "not applied": it would be applied again.
            let message = "a change was applied, and what came of it could not be read";
            Error::new(ErrorKind::Unknown, message).with_source(error)
        })?;
        Ok(match loaded {
            Loaded::Live(record) => Outcome::Applied(record),
            _ => Outcome::Gone,
        })
    }

    async fn wait(&self, sid: SessionId) -> Result<Place> {
        let turn = self.turns.clone().wait(sid);
        timeout(self.deadline, turn).await.map_err(|_| {
            let message = "others kept changing this session until the deadline";
            Error::new(ErrorKind::Conflict, message)
        })
    }

    /// Applies a patch that rests on what it read, after those that came before it. Refused, it
    /// keeps its place.
    async fn apply_in_turn(
        &self,
        mut place: Place,
        record: &Arc<Record>,
        patch: &Patch,
        now: Timestamp,
    ) -> Result<Outcome> {
        // The store would say the same, a round trip later.
        if let Some(left) = place.left().filter(|left| left.version > record.version)
            && matches!(patch.apply_to(left, now), Ok(Patched::Conflict))
        {
            return Ok(Outcome::Retry(left.clone(), Turn::new(place)));
        }
        match self.apply_now(record, patch, now).await? {
            Outcome::Conflict(record) => {
                place.leave(&record);
                Ok(Outcome::Retry(record, Turn::new(place)))
            }
            outcome => {
                if let Outcome::Applied(record) = &outcome {
                    place.leave(record);
                }
                Ok(outcome)
            }
        }
    }

    async fn read<T>(&self, call: impl Future<Output = Result<T>>) -> Result<T> {
        self.within(ErrorKind::Unavailable, call).await
    }

    async fn write<T>(&self, call: impl Future<Output = Result<T>>) -> Result<T> {
        self.within(ErrorKind::Unknown, call).await
    }

    async fn within<T>(&self, late: ErrorKind, call: impl Future<Output = Result<T>>) -> Result<T> {
        timeout(self.deadline, call).await.unwrap_or_else(|_| {
            let message = format!("the store did not answer within {:?}", self.deadline);
            Err(Error::new(late, message))
        })
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use sessile_core::{Credential, Durability, Lifetime, Name, Text};

    use super::*;

    /// Applies everything, says no more of it than a version, and is away for whoever asks.
    #[derive(Debug)]
    struct Brief(u64);

    fn away<T>() -> Result<T> {
        Err(Error::new(ErrorKind::Unavailable, "away"))
    }

    #[async_trait]
    impl Store for Brief {
        async fn create(
            &self,
            _: Arc<Record>,
            _: Option<SubjectCap>,
            _: Timestamp,
        ) -> Result<Created> {
            away()
        }

        async fn load(&self, _: &SessionId, _: Timestamp) -> Result<Loaded> {
            away()
        }

        async fn apply(&self, _: &SessionId, _: Timestamp, _: &Patch) -> Result<Applied> {
            let (version, record) = (self.0, None);
            Ok(Applied::Applied { version, record })
        }

        async fn end(
            &self,
            _: &SessionId,
            _: Timestamp,
            _: Timestamp,
        ) -> Result<Option<Arc<Record>>> {
            away()
        }

        async fn list(&self, _: &str, _: Timestamp) -> Result<Vec<Candidate>> {
            away()
        }

        async fn count(&self, _: Timestamp) -> Result<Option<u64>> {
            away()
        }

        async fn sweep(&self, _: Timestamp, _: usize) -> Result<usize> {
            away()
        }

        async fn ping(&self) -> Result<()> {
            away()
        }

        fn guarantees(&self) -> Guarantees {
            Guarantees::shared(Durability::Acknowledged)
        }
    }

    /// A write by someone who read the session long ago, by whose view it has expired.
    async fn write(store: Brief) -> Result<Outcome> {
        let (then, lifetime) = (Timestamp::default(), Lifetime::default());
        let record = Arc::new(Record::new(&Credential::random(), then, &lifetime));
        let mut patch = Patch::new(record.version);
        patch.set(Name::new("a")?, Text::from_encoded("1"));
        let now = record.idle_deadline;
        assert!(!record.is_live(now));
        Calls::new(store).apply(&record, &patch, None, now).await
    }

    #[tokio::test]
    async fn what_was_applied_to_the_version_that_was_read_is_known_without_asking() {
        let Ok(Outcome::Applied(record)) = write(Brief(2)).await else {
            panic!("it was applied");
        };
        assert_eq!((record.version, record.data.len()), (2, 1));
    }

    #[tokio::test]
    async fn what_was_applied_and_cannot_be_read_is_unknown_and_not_unavailable() {
        let error = write(Brief(7)).await.unwrap_err();
        assert_eq!(
            error.kind(),
            ErrorKind::Unknown,
            "it would be applied again"
        );
    }
}
