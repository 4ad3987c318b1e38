//! Stores that break a law each: what shows that the laws can fail.
//!
//! Each is the [`ModelStore`] with one [`Flaw`], of a kind that was found in
//! stores in use. [`Flaw::breaks`] says which laws catch it. A law of your own can be tried on them
//! too.
//!
//! ```
//! use sessile_conformance::broken::{BrokenStore, Flaw};
//! use sessile_conformance::laws;
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let law = laws().iter().find(|law| law.name() == "a_patch_never_creates").unwrap();
//! let violation = law.check(&|| async { BrokenStore::new(Flaw::Upserts) }).await.unwrap_err();
//! assert!(violation.to_string().contains("for nothing was answered applied"));
//! # });
//! ```

mod ending;
mod flaw;
mod looking;
mod making;
mod parts;
mod writing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use sessile_core::{
    Applied, Candidate, Created, Guarantees, Loaded, Patch, RECORD_LIMIT, Record, Result,
    SessionId, Store, SubjectCap, Timestamp,
};

pub use flaw::Flaw;

use crate::model::{ModelStore, Slots};

/// A store that is right but for one flaw.
#[derive(Debug)]
pub struct BrokenStore {
    flaw: Flaw,
    model: ModelStore,
    memory: Mutex<Memory>,
}

/// What a store would have to forget, and some flaws live on.
#[derive(Debug, Default)]
struct Memory {
    /// Every version of every record, as it was first.
    versions: BTreeMap<(SessionId, u64), Arc<Record>>,
    /// Sessions that are in no index.
    unlisted: BTreeSet<SessionId>,
    /// Sessions whose end has begun.
    ending: BTreeSet<SessionId>,
    /// The latest time that anybody told.
    latest: Timestamp,
}

impl BrokenStore {
    /// An empty store with this flaw.
    pub fn new(flaw: Flaw) -> Self {
        BrokenStore {
            flaw,
            model: ModelStore::new(),
            memory: Mutex::default(),
        }
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.model.lock()
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers a version of a record.
    fn remember(&self, record: &Arc<Record>) {
        let mut memory = self.memory();
        let version = (record.sid, record.version);
        memory
            .versions
            .entry(version)
            .or_insert_with(|| record.clone());
    }

    /// The record as it was in this version, or in the first one.
    fn as_of(&self, sid: &SessionId, version: u64) -> Option<Arc<Record>> {
        let memory = self.memory();
        let versions = memory.versions.range((*sid, 0)..=(*sid, version.max(1)));
        versions.last().map(|(_, record)| record.clone())
    }

    /// The newest version of a record, whatever became of it.
    fn newest(&self, sid: &SessionId) -> Option<Arc<Record>> {
        self.as_of(sid, u64::MAX)
    }

    /// The time that counts.
    fn time(&self, now: Timestamp) -> Timestamp {
        const YEAR_2020: Timestamp = Timestamp::from_millis(1_577_836_800_000);
        const YEAR_2090: Timestamp = Timestamp::from_millis(3_786_912_000_000);
        match self.flaw {
            Flaw::DistrustsTheCallersClock => now.clamp(YEAR_2020, YEAR_2090),
            Flaw::GoesByTheLatestClock => {
                let mut memory = self.memory();
                memory.latest = memory.latest.max(now);
                memory.latest
            }
            _ => now,
        }
    }
}

/// Lets everybody else go first.
async fn others() {
    for _ in 0..3 {
        tokio::task::yield_now().await;
    }
}

/// What is left of a number written with fourteen digits.
fn fourteen_digits(number: u64) -> u64 {
    let mut cut = 1;
    while number / cut >= 100_000_000_000_000 {
        cut *= 10;
    }
    number / cut * cut
}

#[async_trait]
impl Store for BrokenStore {
    async fn create(
        &self,
        record: Arc<Record>,
        cap: Option<SubjectCap>,
        now: Timestamp,
    ) -> Result<Created> {
        let created = making::create(self, record.clone(), cap, self.time(now)).await?;
        if created == Created::Created {
            self.remember(&record);
        }
        Ok(created)
    }

    async fn load(&self, sid: &SessionId, now: Timestamp) -> Result<Loaded> {
        Ok(looking::load(self, sid, self.time(now)))
    }

    async fn apply(&self, sid: &SessionId, now: Timestamp, patch: &Patch) -> Result<Applied> {
        let applied = writing::apply(self, sid, self.time(now), patch).await?;
        if let Some(record) = self.slots().record(sid) {
            self.remember(&record);
        }
        Ok(applied)
    }

    async fn end(
        &self,
        sid: &SessionId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Arc<Record>>> {
        Ok(ending::end(self, sid, self.time(now), until).await)
    }

    async fn list(&self, subject: &str, now: Timestamp) -> Result<Vec<Candidate>> {
        Ok(looking::list(self, subject, self.time(now)))
    }

    async fn count(&self, now: Timestamp) -> Result<Option<u64>> {
        match self.flaw {
            Flaw::CountsWhatEnded => Ok(Some(self.slots().kept.len() as u64)),
            _ => self.model.count(self.time(now)).await,
        }
    }

    async fn sweep(&self, now: Timestamp, limit: usize) -> Result<usize> {
        Ok(looking::sweep(self, self.time(now), limit))
    }

    async fn ping(&self) -> Result<()> {
        self.model.ping().await
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees::volatile(RECORD_LIMIT)
    }
}
