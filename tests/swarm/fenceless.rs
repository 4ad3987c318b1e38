//! The testbed with its fence taken down: what the others write is overwritten unseen.
//!
//! For a negative control: a test that finds no loss over a store has to find some over this.

use std::process::ExitCode;
use std::sync::Arc;

use async_trait::async_trait;
use sessile_core::{
    Applied, Candidate, Created, Guarantees, Loaded, Patch, Record, Result, SessionId, Store,
    SubjectCap, Timestamp,
};

#[tokio::main]
async fn main() -> ExitCode {
    testbed::run(|store| Arc::new(Fenceless(store))).await
}

/// A store that compares nothing: neither what a patch expects, nor the version it is based on.
#[derive(Debug)]
struct Fenceless(Arc<dyn Store>);

/// The same patch, applied whatever is there by now.
fn without_fence(patch: &Patch) -> Patch {
    let mut other = Patch::new(patch.base());
    other.accept_older();
    if patch.clears() {
        other.clear();
    }
    for (name, text) in patch.sets() {
        other.set(name.clone(), text.clone());
    }
    for name in patch.removes() {
        other.remove(name.clone());
    }
    other.rotate(patch.rotation().cloned());
    if let Some(lifetime) = patch.new_lifetime() {
        other.lifetime(lifetime);
    }
    if let Some(seen) = patch.touched() {
        other.touch(seen);
    }
    if let Some(until) = patch.confirmed() {
        other.confirm(until);
    }
    other
}

#[async_trait]
impl Store for Fenceless {
    async fn create(
        &self,
        record: Arc<Record>,
        cap: Option<SubjectCap>,
        now: Timestamp,
    ) -> Result<Created> {
        self.0.create(record, cap, now).await
    }

    async fn load(&self, sid: &SessionId, now: Timestamp) -> Result<Loaded> {
        self.0.load(sid, now).await
    }

    async fn apply(&self, sid: &SessionId, now: Timestamp, patch: &Patch) -> Result<Applied> {
        self.0.apply(sid, now, &without_fence(patch)).await
    }

    async fn end(
        &self,
        sid: &SessionId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Arc<Record>>> {
        self.0.end(sid, now, until).await
    }

    async fn list(&self, subject: &str, now: Timestamp) -> Result<Vec<Candidate>> {
        self.0.list(subject, now).await
    }

    async fn count(&self, now: Timestamp) -> Result<Option<u64>> {
        self.0.count(now).await
    }

    async fn sweep(&self, now: Timestamp, limit: usize) -> Result<usize> {
        self.0.sweep(now, limit).await
    }

    async fn ping(&self) -> Result<()> {
        self.0.ping().await
    }

    fn guarantees(&self) -> Guarantees {
        self.0.guarantees()
    }
}
