//! The protocol of versions: which state may be served, and what may be written on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use sessile_core::{
    Arrival, Credential, Error, ErrorKind, Found, Loaded, OnReuse, Opened, Outcome, Patch, Record,
    Result, SessionId, SubjectCap, TOMBSTONE, Timestamp, Turn,
};
use tokio::time::sleep;

use super::builder::Backing;
use crate::Calls;
use crate::copies::{Confirmed, Copies};
use crate::misrouted::Chain;
use crate::node::Parts;
use crate::wire::{NOBODY, Signer};

#[derive(Debug)]
pub(super) struct Node {
    pub(super) calls: Calls,
    pub(super) copies: Copies,
    pub(super) signer: Signer,
    pub(super) chain: Chain,
    pub(super) cap: Option<SubjectCap>,
    on_reuse: OnReuse,
    pub(super) revalidate: Duration,
    quiet: Duration,
    draining: AtomicBool,
    /// How many came with this node's label since it is drained.
    stragglers: AtomicU64,
}

/// What the store is asked for.
pub(super) struct Asked {
    pub(super) credential: Credential,
    /// The version that the client has seen.
    pub(super) version: u64,
    /// The copy that there was before the store was asked.
    pub(super) before: Option<Arc<Record>>,
    pub(super) arrived: Timestamp,
    pub(super) now: Timestamp,
}

impl Node {
    pub(super) fn new(parts: Parts, behind: Backing) -> Self {
        Node {
            calls: behind.calls,
            copies: Copies::new(parts.capacity),
            signer: parts.signer,
            chain: parts.chain,
            cap: parts.cap,
            on_reuse: parts.on_reuse,
            revalidate: behind.revalidate,
            quiet: behind.quiet,
            draining: AtomicBool::new(false),
            stragglers: AtomicU64::new(0),
        }
    }

    pub(super) fn start_draining(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Somebody came with this node's label though it is drained.
    pub(super) fn note_straggler(&self) {
        self.stragglers.fetch_add(1, Ordering::Relaxed);
    }

    /// The label of what is issued now.
    pub(super) fn label(&self) -> &str {
        if self.is_draining() {
            NOBODY
        } else {
            self.signer.node()
        }
    }

    /// Whether a copy may answer a client that has seen this version.
    pub(super) fn is_fresh(&self, copy: &Confirmed, version: u64, now: Timestamp) -> bool {
        copy.record.version >= version
            && now.since(copy.at) < self.revalidate
            && copy.record.is_live(now)
    }

    /// Keeps what the store said when it was asked at `at`, with this copy here; what is newest.
    pub(super) fn keep(
        &self,
        record: Arc<Record>,
        before: Option<&Arc<Record>>,
        at: Timestamp,
    ) -> Arc<Record> {
        if self.is_draining() {
            return record;
        }
        self.copies.put(record, before, at)
    }

    pub(super) async fn load(&self, asked: Asked) -> Result<Opened> {
        let Asked {
            credential,
            version,
            before,
            arrived,
            now,
        } = asked;
        let record = match self.calls.load(&credential.sid, now).await? {
            Loaded::Live(record) => record,
            other => {
                self.copies.forget(&credential.sid);
                return Ok(Opened::nothing(match other {
                    Loaded::Ended => Arrival::Ended,
                    // We made it. It was swept after its time, or its tombstone was.
                    _ => Arrival::Expired,
                }));
            }
        };
        let known = version.max(version_of(before.as_ref()));
        let is_older = record.version < known;
        let record = if is_older {
            // It is told once: the client is given a credential that fits, and copies follow.
            self.copies.revert(known, record.clone(), now);
            record
        } else {
            self.keep(record, before.as_ref(), now)
        };
        let mut opened = Opened::judged(record, credential, arrived);
        match &mut opened.found {
            Found::Session(held) if is_older => {
                (held.known, held.reissue) = (known, true);
                opened.arrival = Arrival::Stale;
            }
            Found::Session(_) => {}
            // The credential is ours, and the store has forgotten how it came to be.
            Found::Nothing if is_older => opened.arrival = Arrival::Lost,
            Found::Nothing => {}
            Found::Reuse(sid) => {
                if self.on_reuse == OnReuse::End {
                    self.end(*sid, now, now.after(TOMBSTONE)).await?;
                    opened.arrival = Arrival::Ended;
                }
            }
        }
        Ok(opened)
    }

    pub(super) async fn apply(
        &self,
        mut record: Arc<Record>,
        mut patch: Patch,
        turn: Option<Turn>,
        now: Timestamp,
    ) -> Result<Outcome> {
        let base = patch.base();
        // What this node knows by now counts too, whoever it was that brought it here.
        let before = self.copies.get(&record.sid).map(|copy| copy.record);
        if let Some(copy) = &before
            && copy.version > record.version
        {
            patch.raise_base(copy.version);
            record = copy.clone();
        }
        let before = before.as_ref();
        let mut writing = Writing::new(self, record.sid);
        let applied = self.calls.apply(&record, &patch, turn, now).await;
        writing.is_known = match &applied {
            Ok(_) => true,
            Err(error) => is_known(error),
        };
        drop(writing);
        match applied? {
            Outcome::Applied(record) => {
                // A note is taken by an older record too; that does not make it the newest.
                if record.version >= version_of(before) {
                    self.keep(record.clone(), before, now);
                }
                Ok(Outcome::Applied(record))
            }
            Outcome::Conflict(record) | Outcome::Retry(record, _)
                if record.version < patch.base() && !patch.accepts_older() =>
            {
                self.copies.revert(patch.base(), record.clone(), now);
                if record.version < base {
                    return Ok(Outcome::Conflict(record));
                }
                // Only this node knows better. The next try starts from what there is.
                let message = "the store went back to a state older than this node has seen";
                Err(Error::new(ErrorKind::Stale, message))
            }
            Outcome::Conflict(record) => Ok(Outcome::Conflict(self.keep(record, before, now))),
            // What another one in the line has left: the store was not asked.
            Outcome::Retry(record, turn) => Ok(Outcome::Retry(record, turn)),
            Outcome::Gone => {
                self.copies.forget(&record.sid);
                Ok(Outcome::Gone)
            }
        }
    }

    pub(super) async fn end(
        &self,
        sid: SessionId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Arc<Record>>> {
        let mut writing = Writing::new(self, sid);
        let last = self.calls.end(&sid, now, until).await;
        match &last {
            Ok(_) => self.copies.end(sid, until),
            Err(error) => writing.is_known = is_known(error),
        }
        last
    }

    pub(super) async fn reload(
        &self,
        record: &Arc<Record>,
        now: Timestamp,
    ) -> Result<Option<Arc<Record>>> {
        let before = self.copies.get(&record.sid).map(|copy| copy.record);
        let known = record.version.max(version_of(before.as_ref()));
        match self.calls.load(&record.sid, now).await? {
            Loaded::Live(loaded) if loaded.version < known => {
                self.copies.revert(known, loaded, now);
                let message = "the store went back to a state older than was seen of this session";
                Err(Error::new(ErrorKind::Stale, message))
            }
            Loaded::Live(loaded) => Ok(Some(self.keep(loaded, before.as_ref(), now))),
            _ => {
                self.copies.forget(&record.sid);
                Ok(None)
            }
        }
    }

    /// Waits until for a while nobody came with this node's label.
    pub(super) async fn quiet(&self) {
        loop {
            let before = self.stragglers.load(Ordering::Relaxed);
            sleep(self.quiet).await;
            if self.stragglers.load(Ordering::Relaxed) == before {
                return;
            }
        }
    }
}

fn version_of(copy: Option<&Arc<Record>>) -> u64 {
    copy.map_or(0, |record| record.version)
}

/// Whether a write that failed so surely left the record as it was.
fn is_known(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Unavailable | ErrorKind::TooLarge | ErrorKind::Conflict
    )
}

/// A write under way. Unless its outcome becomes known the copy is forgotten, and be it that
/// nobody waits for the answer any more.
struct Writing<'a> {
    node: &'a Node,
    sid: SessionId,
    is_known: bool,
}

impl<'a> Writing<'a> {
    fn new(node: &'a Node, sid: SessionId) -> Self {
        let is_known = false;
        Writing {
            node,
            sid,
            is_known,
        }
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        if !self.is_known {
            self.node.copies.forget(&self.sid);
        }
    }
}
