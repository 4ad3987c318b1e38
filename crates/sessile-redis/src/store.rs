//! The store.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use redis::FromRedisValue as _;
use sessile_core::encoding::corrupt;
use sessile_core::{
    Applied, Candidate, Created, Durability, Error, ErrorKind, Guarantees, Loaded, OnFull, Patch,
    Record, Result, SessionId, Store, SubjectCap, TOMBSTONE, Timestamp,
};

use crate::RedisStoreBuilder;
use crate::call::{Call, flag, id, number, text};
use crate::fields::{self, Kept, time};
use crate::index::Reserved;
use crate::patch::{self, Reach};
use crate::script::{APPLY, CREATE, END, LENGTHEN};
use crate::server::Server;

/// Sessions in Redis or Valkey. Cheap to clone; the clones share their connections.
#[derive(Clone)]
pub struct RedisStore {
    server: Arc<Server>,
    prefix: Arc<str>,
    is_replicated: bool,
}

impl RedisStore {
    /// A store at this URL; the [crate] says which there are. It connects when it is first used.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for a URL that means nothing, and
    /// [`ErrorKind::Unsupported`] for `rediss` without the feature `tls`.
    pub fn connect(url: &str) -> Result<Self> {
        Self::builder(url)?.build()
    }

    /// As [`connect`](Self::connect), with more to be set.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    pub fn builder(url: &str) -> Result<RedisStoreBuilder> {
        RedisStoreBuilder::new(url)
    }

    /// What in the servers' settings can log people out, in words for an operator: a
    /// `maxmemory-policy` that evicts. Empty when there is nothing to say.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] if a server does not answer.
    pub async fn check(&self) -> Result<Vec<String>> {
        let mut warnings = Vec::new();
        for said in self.server.memory().await? {
            let said = String::from_redis_value(said).map_err(|error| {
                let message = "Redis did not say how it uses memory";
                Error::new(ErrorKind::Unavailable, message).with_source(error)
            })?;
            let mut lines = said.lines();
            let policy = lines.find_map(|line| line.strip_prefix("maxmemory_policy:"));
            if let Some(policy) = policy.filter(|policy| *policy != "noeviction") {
                warnings.push(format!(
                    "the maxmemory-policy {policy} can log people out when memory runs full: \
                     set it to noeviction"
                ));
            }
        }
        warnings.dedup();
        Ok(warnings)
    }

    pub(crate) fn new(server: Server, prefix: String, is_replicated: bool) -> Self {
        RedisStore {
            server: Arc::new(server),
            prefix: prefix.into(),
            is_replicated,
        }
    }

    pub(crate) fn server(&self) -> &Server {
        &self.server
    }

    /// The key of a session. Its id has no colon, so that no index has the same key.
    fn record_key(&self, sid: &SessionId) -> String {
        format!("{}{sid}", self.prefix)
    }

    pub(crate) fn index_key(&self, subject: &str) -> String {
        format!("{}{subject}", self.index_prefix())
    }

    fn index_prefix(&self) -> String {
        format!("{}s:", self.prefix)
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for RedisStore {
    async fn create(
        &self,
        record: Arc<Record>,
        cap: Option<SubjectCap>,
        now: Timestamp,
    ) -> Result<Created> {
        record.data.check_limit()?; // it could never be read again
        let mut keys = vec![self.record_key(&record.sid)];
        let (mut cap, mut reserved) = (cap, None);
        if let Some(subject) = &record.subject {
            if self.server.is_single() {
                keys.push(self.index_key(subject));
            } else {
                match self.reserve(&record, subject, cap.take(), now).await? {
                    Reserved::Place { is_new } => reserved = Some(subject).filter(|_| is_new),
                    Reserved::No(other) => return Ok(other),
                }
            }
        }
        let mut arguments = vec![
            id(&record.sid),
            time(now),
            time(record.expires_at()),
            time(record.absolute_deadline),
            text(record.subject.as_deref().unwrap_or_default()),
            cap.map_or(text(""), |cap| number(cap.max)),
            flag(cap.is_some_and(|cap| cap.on_full == OnFull::EvictOldest)),
            time(now.after(TOMBSTONE)),
            text(&self.prefix),
        ];
        fields::write(&record, &mut arguments);
        let call = Call::write(&CREATE, keys, arguments);
        let answer = match self.server.run(&call).await {
            Err(error) if error.kind() == ErrorKind::Unavailable => {
                // Surely not made: its place is given back, if there is somebody to give it to.
                if let Some(subject) = reserved {
                    self.delist_ended(subject, &record.sid, now).await;
                }
                return Err(error);
            }
            answer => answer?,
        };
        match answer.letter() {
            b'O' => Ok(Created::Created),
            b'T' => Ok(Created::Taken),
            b'F' => Ok(Created::Full),
            _ => Err(answer.into_error()),
        }
    }

    async fn load(&self, sid: &SessionId, now: Timestamp) -> Result<Loaded> {
        let call = Call::read("HGETALL", self.record_key(sid), &[]);
        let value = self.server.call(&call).await?;
        Ok(match fields::read(*sid, value)? {
            Kept::Record(record) if record.is_live(now) => Loaded::Live(Arc::from(record)),
            Kept::Record(_) => Loaded::Expired,
            Kept::Ended(until) if now < until => Loaded::Ended,
            Kept::Ended(_) | Kept::Nothing => Loaded::Absent,
        })
    }

    async fn apply(&self, sid: &SessionId, now: Timestamp, patch: &Patch) -> Result<Applied> {
        let prefix = self.index_prefix();
        let mut reach = if self.server.is_single() {
            Reach::Here(&prefix)
        } else {
            Reach::Until(0)
        };
        loop {
            let arguments = patch::arguments(sid, now, patch, reach);
            let call = Call::write(&APPLY, vec![self.record_key(sid)], arguments);
            let mut answer = self.server.run(&call).await?;
            return match answer.letter() {
                b'A' => Ok(Applied::Applied {
                    version: answer.number()?,
                    record: answer.part().map(|part| record(sid, part)).transpose()?,
                }),
                b'C' => {
                    let part = answer.part().unwrap_or(redis::Value::Nil);
                    Ok(Applied::Conflict(record(sid, part)?))
                }
                b'G' => Ok(Applied::Gone),
                b'L' => Err(too_large(answer.number()?)),
                b'V' => Err(corrupt("the session's version can grow no more")),
                // Nothing was changed: the session is to live longer than its entry in the index.
                b'I' => {
                    let until = answer.number()?;
                    let arguments = vec![id(sid), time(now), number(until)];
                    let key = self.index_key(&answer.text()?);
                    self.server
                        .run(&Call::write(&LENGTHEN, vec![key], arguments))
                        .await?;
                    reach = Reach::Until(until);
                    continue;
                }
                _ => Err(answer.into_error()),
            };
        }
    }

    async fn end(
        &self,
        sid: &SessionId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Arc<Record>>> {
        let prefix = self.index_prefix();
        let arguments = vec![
            id(sid),
            time(now),
            time(until),
            text(if self.server.is_single() { &prefix } else { "" }),
        ];
        let call = Call::write(&END, vec![self.record_key(sid)], arguments);
        let mut answer = self.server.run(&call).await?;
        match answer.letter() {
            b'N' => Ok(None),
            b'R' => {
                let ended = record(sid, answer.part().unwrap_or(redis::Value::Nil))?;
                if let Some(subject) = &ended.subject
                    && !self.server.is_single()
                {
                    self.delist_ended(subject, sid, now).await;
                }
                Ok(Some(ended))
            }
            b'X' => Err(corrupt(
                "the session was ended; what Redis held of it can't be read",
            )),
            _ => Err(answer.into_error()),
        }
    }

    async fn list(&self, subject: &str, now: Timestamp) -> Result<Vec<Candidate>> {
        self.candidates(subject, now).await
    }

    /// `None`: Redis can count keys, not those of one prefix, nor those that are live.
    async fn count(&self, _now: Timestamp) -> Result<Option<u64>> {
        Ok(None)
    }

    /// 0: keys expire by themselves, and an index drops its old entries with each login.
    async fn sweep(&self, _now: Timestamp, _limit: usize) -> Result<usize> {
        Ok(0)
    }

    async fn ping(&self) -> Result<()> {
        self.server.ping().await
    }

    /// One server keeps what it has acknowledged as its settings say (`appendfsync`). Sentinels,
    /// a cluster and a [replicated](RedisStoreBuilder::replicated) address fail over
    /// asynchronously, which can undo an acknowledged write.
    fn guarantees(&self) -> Guarantees {
        let is_async = self.is_replicated || self.server.fails_over();
        Guarantees::shared(if is_async {
            Durability::Async
        } else {
            Durability::Acknowledged
        })
    }
}

/// Reads a record that a script returned.
fn record(sid: &SessionId, value: redis::Value) -> Result<Arc<Record>> {
    match fields::read(*sid, value)? {
        Kept::Record(record) => Ok(Arc::from(record)),
        Kept::Ended(_) | Kept::Nothing => Err(corrupt("the script returned no record")),
    }
}

fn too_large(bytes: u64) -> Error {
    let limit = sessile_core::RECORD_LIMIT;
    let message = format!("the session would hold {bytes} bytes; {limit} is the limit");
    Error::new(ErrorKind::TooLarge, message)
}
