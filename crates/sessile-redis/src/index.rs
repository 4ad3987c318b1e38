//! The index of a subject where sessions are spread over servers, and the list of its sessions.
//!
//! The entry is written before the record and removed after its end, so that the index may hold too
//! much, never too little. Whoever meets an entry looks at the record; one that has been without a
//! record for a minute goes.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::join_all;
use redis::FromRedisValue as _;
use sessile_core::encoding::corrupt;
use sessile_core::{
    Candidate, Created, Error, ErrorKind, Loaded, OnFull, Record, Result, SessionId, Store as _,
    SubjectCap, TOMBSTONE, Timestamp,
};

use crate::RedisStore;
use crate::call::{Argument, Call, id, number, text};
use crate::fields::time;
use crate::script::{DELIST, RESERVE};

/// How often a place is tried for while others take and leave theirs.
const TRIES: usize = 200;
/// How long a login that has its place but no record yet is waited for before it is evicted, in
/// steps of [`STEP`].
const PATIENCE: usize = 25;
const STEP: Duration = Duration::from_millis(20);
/// How many sessions are looked at at once.
const AT_ONCE: usize = 64;

/// What is known of an entry, as the scripts understand it.
#[derive(Clone, Copy)]
enum Entry {
    /// The session has ended: the entry goes.
    Ended = b'-' as isize,
    /// There is no such session of this subject: the entry goes when it is not young.
    Missing = b'?' as isize,
    /// The session has expired: the entry takes no place.
    Expired = b'=' as isize,
}

impl Entry {
    fn argument(self, sid: &SessionId) -> Argument<'static> {
        Cow::Owned(format!("{}{sid}", self as u8 as char).into_bytes())
    }
}

/// What came of asking for a place in an index.
pub(crate) enum Reserved {
    /// The entry stands; whether it did before.
    Place { is_new: bool },
    /// The create is over.
    No(Created),
}

enum Tried {
    Enlisted {
        is_new: bool,
    },
    /// Everybody who has a place, and whether they are young.
    Full(Vec<(SessionId, bool)>),
}

impl RedisStore {
    /// Takes a place in the index of the record's subject.
    pub(crate) async fn reserve(
        &self,
        record: &Record,
        subject: &str,
        cap: Option<SubjectCap>,
        now: Timestamp,
    ) -> Result<Reserved> {
        let mut known = Vec::new();
        let mut patience = PATIENCE;
        for _ in 0..TRIES {
            let tried = self
                .try_to_reserve(record, subject, cap, now, &known)
                .await?;
            let (cap, full) = match (cap, tried) {
                (_, Tried::Enlisted { is_new }) => return Ok(Reserved::Place { is_new }),
                (None, Tried::Full(_)) => return Ok(Reserved::No(Created::Full)),
                (Some(cap), Tried::Full(full)) => (cap, full),
            };
            // Before anybody ends to make room for it.
            if !matches!(self.load(&record.sid, now).await?, Loaded::Absent) {
                return Ok(Reserved::No(Created::Taken));
            }
            let (mut live, gone) = self.look(subject, &full, now).await?;
            known = gone;
            let Some(excess) = (live.len() + 1).checked_sub(cap.max.get() as usize) else {
                continue;
            };
            if excess > 0 && cap.on_full == OnFull::Reject {
                return Ok(Reserved::No(Created::Full));
            }
            live.sort_by_key(|(made, _)| *made);
            let oldest = &live[..excess];
            if oldest.iter().any(|(made, _)| *made == Made::NotYet) && patience > 0 {
                patience -= 1;
                tokio::time::sleep(STEP).await;
                continue;
            }
            for (_, sid) in oldest {
                match self.end(sid, now, now.after(TOMBSTONE)).await {
                    Err(error) if error.kind() != ErrorKind::Corrupt => return Err(error),
                    _ => known.push(Entry::Ended.argument(sid)),
                }
            }
        }
        let message = "too many logins of one subject at once; nothing was kept";
        Err(Error::new(ErrorKind::Unavailable, message))
    }

    async fn try_to_reserve(
        &self,
        record: &Record,
        subject: &str,
        cap: Option<SubjectCap>,
        now: Timestamp,
        known: &[Argument<'static>],
    ) -> Result<Tried> {
        let mut arguments = vec![id(&record.sid), time(now), time(record.absolute_deadline)];
        arguments.push(cap.map_or(text(""), |cap| number(cap.max)));
        arguments.extend_from_slice(known);
        let call = Call::write(&RESERVE, vec![self.index_key(subject)], arguments);
        let mut answer = self.server().run(&call).await?;
        match answer.letter() {
            b'O' => Ok(Tried::Enlisted {
                is_new: answer.text()? == "1",
            }),
            b'F' => {
                let mut full = Vec::new();
                while let Ok(sid) = answer.text() {
                    let young = answer.text()? == "1";
                    let sid = sid.parse().map_err(|_| corrupt("an index holds no ids"))?;
                    full.push((sid, young));
                }
                Ok(Tried::Full(full))
            }
            _ => Err(answer.into_error()),
        }
    }

    /// Who of these is live, and what is known of the others.
    async fn look(
        &self,
        subject: &str,
        ids: &[(SessionId, bool)],
        now: Timestamp,
    ) -> Result<(Vec<(Made, SessionId)>, Vec<Argument<'static>>)> {
        let (mut live, mut gone) = (Vec::new(), Vec::new());
        for (&(sid, young), loaded) in ids.iter().zip(self.load_all(ids, now).await) {
            match loaded {
                Ok(Loaded::Live(record)) if record.subject.as_deref() == Some(subject) => {
                    live.push((Made::At(record.created_at), sid));
                }
                Ok(Loaded::Absent) if young => live.push((Made::NotYet, sid)),
                Ok(Loaded::Absent) => gone.push(Entry::Missing.argument(&sid)),
                Ok(Loaded::Expired) => gone.push(Entry::Expired.argument(&sid)),
                Ok(Loaded::Ended | Loaded::Live(_)) => gone.push(Entry::Ended.argument(&sid)),
                // A later release may read it.
                Err(error) if error.kind() == ErrorKind::Corrupt => {
                    live.push((Made::Unknown, sid));
                }
                Err(error) => return Err(error),
            }
        }
        Ok((live, gone))
    }

    /// See [`Store::list`](sessile_core::Store::list).
    pub(crate) async fn candidates(&self, subject: &str, now: Timestamp) -> Result<Vec<Candidate>> {
        let read = Call::read(
            "ZRANGE",
            self.index_key(subject),
            &["0", "-1", "WITHSCORES"],
        );
        let members = Vec::<(String, f64)>::from_redis_value(self.server().call(&read).await?);
        let members = members
            .map_err(|error| corrupt("the index of a subject can't be read").with_source(error))?;
        let marks: HashMap<&str, f64> = members
            .iter()
            .filter_map(|(member, until)| Some((member.strip_prefix('+')?, *until)))
            .collect();
        #[expect(clippy::cast_precision_loss, reason = "times are below 2^53")]
        let now_exact = now.as_millis() as f64;
        let is_young = |sid: &str| marks.get(sid).is_some_and(|until| now_exact < *until);
        let ids: Vec<_> = members
            .iter()
            .filter_map(|(member, _)| Some((member.parse().ok()?, is_young(member))))
            .collect();

        let (mut candidates, mut gone) = (Vec::with_capacity(ids.len()), Vec::new());
        for (&(sid, young), loaded) in ids.iter().zip(self.load_all(&ids, now).await) {
            let record = match loaded {
                Ok(Loaded::Live(record)) if record.subject.as_deref() == Some(subject) => {
                    Some(record)
                }
                // By another node's clock it may still be live.
                Ok(Loaded::Expired) => None,
                Ok(Loaded::Absent) if young => None,
                Ok(Loaded::Absent | Loaded::Ended | Loaded::Live(_)) => {
                    gone.push(Entry::Missing.argument(&sid));
                    continue;
                }
                Err(error) if error.kind() == ErrorKind::Corrupt => None,
                Err(error) => return Err(error),
            };
            candidates.push(Candidate { sid, record });
        }
        if !gone.is_empty() {
            self.delist(subject, gone, now).await;
        }
        Ok(candidates)
    }

    /// Takes the entry of a session that has ended out of the index of its subject.
    pub(crate) async fn delist_ended(&self, subject: &str, sid: &SessionId, now: Timestamp) {
        self.delist(subject, vec![Entry::Ended.argument(sid)], now)
            .await;
    }

    async fn delist(&self, subject: &str, entries: Vec<Argument<'static>>, now: Timestamp) {
        let mut arguments = vec![time(now)];
        arguments.extend(entries);
        let call = Call::write(&DELIST, vec![self.index_key(subject)], arguments);
        // Only space depends on it, and the next one who looks tries again.
        let _ = self.server().run(&call).await;
    }

    async fn load_all(&self, ids: &[(SessionId, bool)], now: Timestamp) -> Vec<Result<Loaded>> {
        let mut loaded = Vec::with_capacity(ids.len());
        for some in ids.chunks(AT_ONCE) {
            loaded.extend(join_all(some.iter().map(|(sid, _)| self.load(sid, now))).await);
        }
        loaded
    }
}

/// When a session was made; in the order in which sessions are evicted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Made {
    At(Timestamp),
    /// Its record is still to come.
    NotYet,
    /// It can't be read.
    Unknown,
}
