//! A store of ours as one of theirs.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sessile_core::{
    Applied, Clock, Created, Error, ErrorKind, Guarantees, Lifetime, Loaded, Name, Patch, Record,
    Result, Store, SystemClock, TOMBSTONE, Text, Writes,
};

use crate::theirs::{Entry, Values};
use crate::{derived, instant};

/// The one key of a record that holds a session of theirs, with all of its keys and values.
///
/// They save a session as a whole, so there is nothing to merge; and any string is a key there,
/// also an empty one, a long one, and one with control characters.
const KEY: &str = "tower-sessions";

/// The most that is freed at a time.
const BATCH: usize = 1000;

/// How often another id is tried when one is taken: the second try succeeds, or the store is wrong.
const TRIES: usize = 4;

/// Any [`Store`] as a store of tower-sessions, of every version that this crate has a feature for.
/// What it promises, and what not, is in the [crate's documentation](crate).
///
/// Cheap to clone; the clones share the store.
pub struct Bridged<S> {
    store: Arc<S>,
    clock: Arc<dyn Clock>,
}

impl<S: Store> Bridged<S> {
    /// This store, for tower-sessions to keep its sessions in.
    pub fn new(store: S) -> Self {
        Bridged {
            store: Arc::new(store),
            clock: Arc::new(SystemClock),
        }
    }

    /// Tells the time by this clock, for tests. That of tower-sessions itself can't be set.
    #[must_use]
    pub fn clock(self, clock: impl Clock) -> Self {
        Bridged {
            clock: Arc::new(clock),
            ..self
        }
    }

    /// What sessions of tower-sessions are promised in this store: as the store says, but writes.
    /// A session is saved as a whole, so of two responses the last one wins.
    pub fn guarantees(&self) -> Guarantees {
        let mut guarantees = self.store.guarantees();
        guarantees.writes = Writes::LastResponseWins;
        guarantees
    }

    /// Keeps a new session under its id or, if that is taken, under another one.
    pub(crate) async fn create(
        &self,
        entry: &Entry,
        another: impl Fn() -> i128 + Send + Sync,
    ) -> Result<i128> {
        let now = self.clock.now();
        let text = Text::encode(&ordered(&entry.data))?;
        let mut id = entry.id;
        for _ in 0..TRIES {
            let mut record = Record::blank(derived::sid(id), derived::hash(id));
            record.version = 1;
            record.created_at = now;
            record.last_seen = now;
            // Born expired, if that is what it says: it is never found.
            record.idle_deadline = instant::from_date(entry.expiry).max(now);
            record.absolute_deadline = now.after(lifetime(Duration::MAX)?.absolute());
            record.data = [(name()?, text.clone())].into_iter().collect();
            match self.store.create(Arc::new(record), None, now).await? {
                Created::Created => return Ok(id),
                Created::Taken | Created::Full => id = another(),
            }
        }
        let message = "the store says of every id that it is taken";
        Err(Error::new(ErrorKind::Unavailable, message))
    }

    /// Replaces the data and the expiry of a session that is live, and makes none.
    pub(crate) async fn save(&self, entry: &Entry) -> Result<()> {
        let now = self.clock.now();
        let sid = derived::sid(entry.id);
        let left = instant::from_date(entry.expiry).since(now);
        if left.is_zero() {
            self.store.end(&sid, now, now.after(TOMBSTONE)).await?;
            return Ok(());
        }
        let mut patch = Patch::new(0);
        patch.set(name()?, Text::encode(&ordered(&entry.data))?);
        patch.lifetime(lifetime(left)?);
        match self.store.apply(&sid, now, &patch).await? {
            Applied::Applied { .. } => Ok(()),
            Applied::Conflict(_) => Err(Error::new(
                ErrorKind::Conflict,
                "the store refused to replace the session",
            )),
            Applied::Gone => Err(Error::new(
                ErrorKind::Gone,
                "the session has ended meanwhile: nothing was saved",
            )),
        }
    }

    pub(crate) async fn load(&self, id: i128) -> Result<Option<Entry>> {
        match self.store.load(&derived::sid(id), self.clock.now()).await? {
            Loaded::Live(record) if record.hash == derived::hash(id) => read(id, &record).map(Some),
            _ => Ok(None),
        }
    }

    /// Ends the session, with a tombstone: what is in flight does not bring it back, and its id is
    /// not used for the next one.
    pub(crate) async fn delete(&self, id: i128) -> Result<()> {
        let now = self.clock.now();
        let until = now.after(TOMBSTONE);
        let ended = self.store.end(&derived::sid(id), now, until).await;
        match ended {
            // Ended all the same, and nobody asked for its last state.
            Err(error) if error.kind() == ErrorKind::Corrupt => Ok(()),
            ended => ended.map(drop),
        }
    }

    pub(crate) async fn delete_expired(&self) -> Result<()> {
        let now = self.clock.now();
        while self.store.sweep(now, BATCH).await? >= BATCH {}
        Ok(())
    }
}

impl<S> Clone for Bridged<S> {
    fn clone(&self) -> Self {
        Bridged {
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock),
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for Bridged<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bridged")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

/// What tower-sessions is told of an error: a line with its causes, for there it is a string.
pub(crate) fn describe(error: &Error) -> String {
    let mut line = format!("{error} ({})", error.kind());
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        line = format!("{line}: {error}");
        cause = error.source();
    }
    line
}

fn read(id: i128, record: &Record) -> Result<Entry> {
    let text = record.data.get(KEY).ok_or_else(|| {
        let message = "the session is not one of tower-sessions";
        Error::new(ErrorKind::Corrupt, message)
    })?;
    Ok(Entry {
        id,
        data: text.decode()?,
        expiry: instant::to_date(record.expires_at()),
    })
}

/// The same data has the same text.
fn ordered(data: &Values) -> BTreeMap<&String, &serde_json::Value> {
    data.iter().collect()
}

fn name() -> Result<Name> {
    Name::from_static(KEY)
}

/// Only the idle time is theirs: they know no absolute one, so it is as long as it can be.
fn lifetime(idle: Duration) -> Result<Lifetime> {
    Lifetime::new(idle, Duration::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sessile_conformance::ModelStore;
    use sessile_core::{Credential, Data};

    use super::*;

    /// A record under the id's digest, that of somebody else or one that can't be read.
    async fn kept(change: impl FnOnce(&mut Record)) -> Bridged<ModelStore> {
        let bridged = Bridged::new(ModelStore::new());
        let now = SystemClock.now();
        let mut record = Record::new(&Credential::random(), now, &Lifetime::default());
        record.sid = derived::sid(1);
        record.hash = derived::hash(1);
        let entry = (name().unwrap(), Text::from_encoded(r#"{"user":"secret"}"#));
        record.data = Data::from_iter([entry]);
        change(&mut record);
        let created = bridged.store.create(Arc::new(record), None, now).await;
        assert_eq!(created.unwrap(), Created::Created);
        bridged
    }

    #[tokio::test]
    async fn both_digests_of_an_id_have_to_be_right() {
        let bridged = kept(|_| {}).await;
        let entry = bridged.load(1).await.unwrap().unwrap();
        assert_eq!(entry.data["user"], json!("secret"));
        let bridged = kept(|record| record.hash = derived::hash(2)).await;
        assert!(bridged.load(1).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_an_error_that_does_not_quote_it() {
        for text in [r#"["secret"]"#, r#"{"secret"#] {
            let entry = (name().unwrap(), Text::from_encoded(text));
            let bridged = kept(|record| record.data = Data::from_iter([entry])).await;
            let error = bridged.load(1).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Decode);
            let said = describe(&error);
            assert!(said.contains("(decode): "), "{said}");
            assert!(!said.contains("secret"), "{said}");
        }
        let bridged = kept(|record| record.data = Data::new()).await;
        let error = bridged.load(1).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
    }
}
