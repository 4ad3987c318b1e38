//! A store that can list, made of one that can't: for the laws that look into a list only to see
//! what became of something else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use sessile_core::{
    Applied, Candidate, Created, Guarantees, Loaded, Patch, Record, Result, SessionId, Store,
    SubjectCap, Timestamp,
};

/// Remembers who was created.
#[derive(Debug)]
pub(crate) struct Listed<S> {
    pub(crate) store: S,
    created: Mutex<HashMap<Arc<str>, Vec<SessionId>>>,
}

impl<S> Listed<S> {
    pub(crate) fn new(store: S) -> Self {
        Listed {
            store,
            created: Mutex::default(),
        }
    }
}

#[async_trait::async_trait]
impl<S: Store> Store for Listed<S> {
    async fn create(
        &self,
        record: Arc<Record>,
        cap: Option<SubjectCap>,
        now: Timestamp,
    ) -> Result<Created> {
        if let Some(subject) = record.subject.clone() {
            let mut created = self.created.lock().unwrap();
            created.entry(subject).or_default().push(record.sid);
        }
        self.store.create(record, cap, now).await
    }

    async fn load(&self, sid: &SessionId, now: Timestamp) -> Result<Loaded> {
        self.store.load(sid, now).await
    }

    async fn apply(&self, sid: &SessionId, now: Timestamp, patch: &Patch) -> Result<Applied> {
        self.store.apply(sid, now, patch).await
    }

    async fn end(
        &self,
        sid: &SessionId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Arc<Record>>> {
        self.store.end(sid, now, until).await
    }

    async fn list(&self, subject: &str, now: Timestamp) -> Result<Vec<Candidate>> {
        let sids = self.created.lock().unwrap().get(subject).cloned();
        let mut candidates = Vec::new();
        for sid in sids.unwrap_or_default() {
            let record = match self.store.load(&sid, now).await? {
                Loaded::Live(record) if record.subject.as_deref() == Some(subject) => Some(record),
                Loaded::Live(_) => continue,
                _ => None,
            };
            candidates.push(Candidate { sid, record });
        }
        Ok(candidates)
    }

    async fn count(&self, now: Timestamp) -> Result<Option<u64>> {
        self.store.count(now).await
    }

    async fn sweep(&self, now: Timestamp, limit: usize) -> Result<usize> {
        self.store.sweep(now, limit).await
    }

    async fn ping(&self) -> Result<()> {
        self.store.ping().await
    }

    fn guarantees(&self) -> Guarantees {
        self.store.guarantees()
    }
}
