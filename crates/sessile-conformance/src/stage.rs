//! What the laws are stated with: instants, records, patches, and calls that have to succeed.

use std::sync::Arc;
use std::time::Duration;

use sessile_core::{
    Applied, Candidate, Created, Credential, Lifetime, Loaded, Name, Patch, Record, Rotation,
    SessionId, Store, SubjectCap, Text, Timestamp, Verifier,
};

use crate::law::Ground;
use crate::violation::{Holds, Violation, ensure};

/// When a law begins: where a [`ManualClock`](sessile_core::ManualClock) stands by default.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

pub(crate) const MILLI: Duration = Duration::from_millis(1);
pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const DAY: Duration = Duration::from_secs(86_400);

/// So long after [`NOW`].
pub(crate) fn after(by: Duration) -> Timestamp {
    NOW.after(by)
}

/// A session before it is kept: its record, and the secret that opens it.
#[derive(Clone)]
pub(crate) struct Draft {
    record: Record,
    pub(crate) verifier: Verifier,
}

/// Anonymous, made at [`NOW`], with the default lifetime and no keys.
pub(crate) fn draft() -> Draft {
    draft_at(NOW)
}

/// As [`draft`], made at another time.
pub(crate) fn draft_at(now: Timestamp) -> Draft {
    let credential = Credential::random();
    Draft {
        record: Record::new(&credential, now, &Lifetime::default()),
        verifier: credential.verifier,
    }
}

impl Draft {
    pub(crate) fn sid(&self) -> SessionId {
        self.record.sid
    }

    pub(crate) fn with_sid(mut self, sid: SessionId) -> Self {
        self.record.sid = sid;
        self
    }

    pub(crate) fn version(mut self, version: u64) -> Self {
        self.record.version = version;
        self
    }

    pub(crate) fn of(mut self, subject: &str) -> Self {
        self.record.subject = Some(subject.into());
        self
    }

    pub(crate) fn idle(mut self, idle: Duration) -> Self {
        self.record.idle_deadline = self.record.last_seen.after(idle);
        self
    }

    pub(crate) fn absolute(mut self, absolute: Duration) -> Self {
        self.record.absolute_deadline = self.record.created_at.after(absolute);
        self
    }

    pub(crate) fn holding(mut self, key: &str, text: &str) -> Self {
        let mut entries: Vec<_> = self.record.data.iter().map(clone).collect();
        entries.push((name(key), Text::from_encoded(text)));
        self.record.data = entries.into_iter().collect();
        self
    }

    pub(crate) fn record(&self) -> Arc<Record> {
        Arc::new(self.record.clone())
    }

    /// A patch that replaces the verifier by this one.
    pub(crate) fn rotation(&self, new: &Verifier) -> Patch {
        rotation(&self.sid(), &self.verifier, new)
    }
}

fn clone((name, text): (&Name, &Text)) -> (Name, Text) {
    (name.clone(), text.clone())
}

/// A name that the laws chose.
pub(crate) fn name(name: &str) -> Name {
    Name::new(name).expect("the laws use valid names only")
}

/// A plain write of one key, by someone who knows nothing.
pub(crate) fn set(key: &str, text: &str) -> Patch {
    let mut patch = Patch::new(0);
    patch.set(name(key), Text::from_encoded(text));
    patch
}

/// The same, if the key still holds `stored`.
pub(crate) fn swap(key: &str, stored: Option<&str>, text: &str) -> Patch {
    let mut patch = set(key, text);
    patch.expect(name(key), stored.map(Text::from_encoded));
    patch
}

/// A use, written down.
pub(crate) fn touch(seen: Timestamp) -> Patch {
    let mut patch = Patch::new(0);
    patch.touch(seen);
    patch
}

/// A lifetime of the session's own.
pub(crate) fn lifetime(idle: Duration, absolute: Duration) -> Patch {
    let mut patch = Patch::new(0);
    patch.lifetime(Lifetime::new(idle, absolute).expect("the laws use possible lifetimes only"));
    patch
}

/// A patch that replaces `old` by `new`.
pub(crate) fn rotation(sid: &SessionId, old: &Verifier, new: &Verifier) -> Patch {
    let mut patch = Patch::new(0);
    patch.rotate(Some(Rotation {
        expect: old.hash(),
        new: new.hash(),
        wrapped: old.wrap(sid, new),
    }));
    patch
}

/// One patch of every kind, with a name for it; a live session without keys takes each, in order.
pub(crate) fn every_patch(draft: &Draft, now: Timestamp) -> Vec<(&'static str, Patch)> {
    let mut older = set("a", "1");
    older.accept_older();
    let mut expecting = Patch::new(0);
    expecting.expect(name("none"), None);
    let mut remove = Patch::new(1);
    remove.remove(name("a"));
    let mut clear = Patch::new(0);
    clear.clear();
    let mut confirm = Patch::new(0);
    confirm.confirm(now.after(MINUTE));
    vec![
        ("a patch that does nothing", Patch::new(0)),
        ("a write", set("a", "1")),
        ("a write on an older record too", older),
        ("a write with an expectation", swap("b", None, "1")),
        ("an expectation alone", expecting),
        ("a removal", remove),
        ("a clear", clear),
        ("a touch", touch(now)),
        ("a confirmation", confirm),
        ("a lifetime", lifetime(MINUTE * 10, DAY)),
        ("a rotation", draft.rotation(&Verifier::from_bytes([8; 16]))),
    ]
}

/// The value of a key, as text.
pub(crate) fn value<'a>(record: &'a Record, key: &str) -> Option<&'a str> {
    record.data.get(key).map(Text::as_str)
}

/// A fresh store, and calls that have to succeed.
#[derive(Clone)]
pub(crate) struct Stage {
    pub(crate) store: Arc<dyn Store>,
}

impl Stage {
    pub(crate) async fn new(ground: &Ground<'_>) -> Self {
        Stage {
            store: ground.store().await,
        }
    }

    pub(crate) async fn create(
        &self,
        draft: &Draft,
        cap: Option<SubjectCap>,
        now: Timestamp,
    ) -> Result<Created, Violation> {
        Ok(self.store.create(draft.record(), cap, now).await?)
    }

    /// Keeps a new session, made when its record says.
    pub(crate) async fn put(&self, draft: &Draft) -> Holds {
        let created = self.create(draft, None, draft.record.created_at).await?;
        ensure!(
            created == Created::Created,
            "a session with a fresh id was not created: {created:?}"
        );
        Ok(())
    }

    pub(crate) async fn load(&self, sid: &SessionId, now: Timestamp) -> Result<Loaded, Violation> {
        Ok(self.store.load(sid, now).await?)
    }

    /// The record of a session that has to be live.
    pub(crate) async fn live(
        &self,
        sid: &SessionId,
        now: Timestamp,
    ) -> Result<Arc<Record>, Violation> {
        match self.load(sid, now).await? {
            Loaded::Live(record) => Ok(record),
            other => Err(Violation::new(format!(
                "a session that should be live was {}",
                told(&other)
            ))),
        }
    }

    pub(crate) async fn apply(
        &self,
        sid: &SessionId,
        now: Timestamp,
        patch: &Patch,
    ) -> Result<Applied, Violation> {
        Ok(self.store.apply(sid, now, patch).await?)
    }

    /// Applies a patch that has to apply, and answers the version that the store told.
    pub(crate) async fn write(
        &self,
        sid: &SessionId,
        now: Timestamp,
        patch: &Patch,
    ) -> Result<u64, Violation> {
        match self.apply(sid, now, patch).await? {
            Applied::Applied { version, .. } => Ok(version),
            other => Err(Violation::new(format!(
                "a patch that had to apply was answered {}",
                answered(&other)
            ))),
        }
    }

    /// Applies a patch that has to meet a conflict, and answers the record that came with it.
    pub(crate) async fn conflict(
        &self,
        sid: &SessionId,
        now: Timestamp,
        patch: &Patch,
    ) -> Result<Arc<Record>, Violation> {
        match self.apply(sid, now, patch).await? {
            Applied::Conflict(record) => Ok(record),
            other => Err(Violation::new(format!(
                "a patch that had to conflict was answered {}",
                answered(&other)
            ))),
        }
    }

    pub(crate) async fn end(
        &self,
        sid: &SessionId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Arc<Record>>, Violation> {
        Ok(self.store.end(sid, now, until).await?)
    }

    /// Whether an id can't be made: where that is said to be ended, there is a tombstone.
    pub(crate) async fn is_taken(
        &self,
        sid: &SessionId,
        now: Timestamp,
    ) -> Result<bool, Violation> {
        let created = self
            .create(&draft_at(now).with_sid(*sid), None, now)
            .await?;
        Ok(created == Created::Taken)
    }

    /// Whether a session is live.
    pub(crate) async fn is_live(&self, sid: &SessionId, now: Timestamp) -> Result<bool, Violation> {
        Ok(matches!(self.load(sid, now).await?, Loaded::Live(_)))
    }

    pub(crate) async fn list(
        &self,
        subject: &str,
        now: Timestamp,
    ) -> Result<Vec<Candidate>, Violation> {
        Ok(self.store.list(subject, now).await?)
    }

    /// The ids of a subject's live sessions, by what the list says, sorted.
    pub(crate) async fn listed(
        &self,
        subject: &str,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, Violation> {
        let listed = self.list(subject, now).await?.into_iter();
        let live = listed.filter(|candidate| candidate.record.is_some());
        let mut ids: Vec<SessionId> = live.map(|candidate| candidate.sid).collect();
        ids.sort();
        Ok(ids)
    }
}

/// The answer to a load, in a word: a record is the users' own.
pub(crate) fn told(loaded: &Loaded) -> &'static str {
    match loaded {
        Loaded::Live(_) => "live",
        Loaded::Expired => "expired",
        Loaded::Ended => "ended",
        Loaded::Absent => "absent",
    }
}

/// The answer to a patch, in a word.
pub(crate) fn answered(applied: &Applied) -> &'static str {
    match applied {
        Applied::Applied { .. } => "applied",
        Applied::Conflict(_) => "conflict",
        Applied::Gone => "gone",
    }
}
