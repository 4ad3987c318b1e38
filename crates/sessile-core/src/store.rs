//! The store: a place for records.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::{Guarantees, Patch, Record, Result, SessionId, Timestamp};

/// A place for records: memory, Redis, a database, or yours.
///
/// Every operation is atomic. Time is what the caller says (`now`); a store's own clock is never
/// read, but for freeing space with a wide margin.
///
/// # Errors
///
/// Of these kinds, whatever the operation:
///
/// - [`Unavailable`](crate::ErrorKind::Unavailable): *not applied*, for certain. A read that
///   failed, a connection that could not be had.
/// - [`Unknown`](crate::ErrorKind::Unknown): nobody can tell, such as when the connection broke
///   before the answer came. It is not tried again.
/// - [`Corrupt`](crate::ErrorKind::Corrupt): what is kept under this id can't be read, or is of a
///   format that a later release writes. It is never overwritten, only ended.
/// - [`TooLarge`](crate::ErrorKind::TooLarge): the data would grow beyond
///   [`RECORD_LIMIT`](crate::RECORD_LIMIT). Nothing changed.
///
/// Dropping a future that an operation returned leaves the operation done or not done, and the
/// store in good order.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// Keeps a new record, unless its id is taken by a record or a tombstone, or its subject has
    /// as many live sessions as `cap` allows and the policy is to reject. With
    /// [`OnFull::EvictOldest`] the oldest ones are ended to make room.
    async fn create(
        &self,
        record: Arc<Record>,
        cap: Option<SubjectCap>,
        now: Timestamp,
    ) -> Result<Created>;

    /// Reads what is kept under this id.
    async fn load(&self, sid: &SessionId, now: Timestamp) -> Result<Loaded>;

    /// Applies a patch to the record as it is when the patch is applied, as
    /// [`Patch::apply_to`] does. **Never creates a record.**
    async fn apply(&self, sid: &SessionId, now: Timestamp, patch: &Patch) -> Result<Applied>;

    /// Leaves a tombstone until `until` in place of the record, or of nothing, and returns the
    /// record as it was, expired or not. An earlier tombstone is never shortened.
    ///
    /// A record that can't be read is ended all the same; the error of kind
    /// [`Corrupt`](crate::ErrorKind::Corrupt) says that its last state can't be told.
    async fn end(
        &self,
        sid: &SessionId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Arc<Record>>>;

    /// Every session that may belong to a subject: too many if need be, never too few.
    async fn list(&self, subject: &str, now: Timestamp) -> Result<Vec<Candidate>>;

    /// How many sessions are live at `now`, where that can be told.
    async fn count(&self, now: Timestamp) -> Result<Option<u64>>;

    /// Frees at most `limit` records and tombstones that are past their time, and says how many.
    /// Garbage collection only: nothing depends on it but space.
    async fn sweep(&self, now: Timestamp, limit: usize) -> Result<usize>;

    /// Whether the store answers.
    async fn ping(&self) -> Result<()>;

    /// What sessions kept here are promised: whether other processes see them, and what an
    /// acknowledged write survives.
    fn guarantees(&self) -> Guarantees;
}

#[async_trait]
impl<S: Store + ?Sized> Store for Arc<S> {
    async fn create(
        &self,
        record: Arc<Record>,
        cap: Option<SubjectCap>,
        now: Timestamp,
    ) -> Result<Created> {
        (**self).create(record, cap, now).await
    }

    async fn load(&self, sid: &SessionId, now: Timestamp) -> Result<Loaded> {
        (**self).load(sid, now).await
    }

    async fn apply(&self, sid: &SessionId, now: Timestamp, patch: &Patch) -> Result<Applied> {
        (**self).apply(sid, now, patch).await
    }

    async fn end(
        &self,
        sid: &SessionId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Arc<Record>>> {
        (**self).end(sid, now, until).await
    }

    async fn list(&self, subject: &str, now: Timestamp) -> Result<Vec<Candidate>> {
        (**self).list(subject, now).await
    }

    async fn count(&self, now: Timestamp) -> Result<Option<u64>> {
        (**self).count(now).await
    }

    async fn sweep(&self, now: Timestamp, limit: usize) -> Result<usize> {
        (**self).sweep(now, limit).await
    }

    async fn ping(&self) -> Result<()> {
        (**self).ping().await
    }

    fn guarantees(&self) -> Guarantees {
        (**self).guarantees()
    }
}

/// How many live sessions one subject may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubjectCap {
    /// The most live sessions of one subject; at least 1.
    pub max: std::num::NonZeroU32,
    /// What happens to a login beyond that.
    pub on_full: OnFull,
}

/// What happens to a login beyond a [`SubjectCap`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFull {
    /// The login fails with [`ErrorKind::LimitReached`](crate::ErrorKind::LimitReached).
    Reject,
    /// The subject's oldest session ends.
    EvictOldest,
}

/// What [`Store::create`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// The record is kept.
    Created,
    /// Its id belongs to a record or a tombstone. Nothing changed.
    Taken,
    /// Its subject has as many sessions as it may. Nothing changed.
    Full,
}

/// What [`Store::load`] found.
#[derive(Clone, Debug)]
pub enum Loaded {
    /// A live record.
    Live(Arc<Record>),
    /// A record past a deadline.
    Expired,
    /// A tombstone.
    Ended,
    /// Nothing.
    Absent,
}

/// What [`Store::apply`] did.
#[derive(Clone, Debug)]
pub enum Applied {
    /// The patch was applied.
    Applied {
        /// The record's version now.
        version: u64,
        /// The record now; may be left out when its version was the patch's base, for then the
        /// caller's own view and the patch say it all.
        record: Option<Arc<Record>>,
    },
    /// An expectation failed, or the record is older than the base. Nothing changed.
    Conflict(Arc<Record>),
    /// There is no live record. Nothing changed.
    Gone,
}

/// A session that may belong to a subject.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Its id.
    pub sid: SessionId,
    /// Its record, if it is there, live and the subject's.
    pub record: Option<Arc<Record>>,
}
