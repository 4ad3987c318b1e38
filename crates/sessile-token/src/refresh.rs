//! Refresh: a handle that outlives a token, kept in a store, and new with every use.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64_simd::URL_SAFE_NO_PAD as BASE64;
use sessile_core::{
    Applied, Arrival, Created, Credential, Error, ErrorKind, GRACE, Lifetime, Loaded, Name, Patch,
    Record, Result, Rotation, SUBJECT_LIMIT, SessionId, Store, TOMBSTONE, Text, Timestamp,
    Verifier, VerifierHash,
};
use sha2::{Digest as _, Sha256};

use crate::deadline::Timely;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The key of a family's record that holds what is left of handles before the previous one.
const PAST: &str = "past";
/// So many of them are known again.
const REMEMBERED: usize = 64;
/// What is kept of each, in bytes: of the hash, enough to know it again.
const TRACE: usize = 8;

/// Handles that outlive a token: a client whose short access token has run out redeems its handle,
/// is logged in again, and gets the next handle.
///
/// A handle is 32 random bytes, 43 characters. The store keeps hashes only, so a dump of it redeems
/// nothing. Handles that came from one another are a *family*: of each family one handle is
/// current, and a handle has one successor, ever. Redeemed again within the
/// [`grace`](Refresh::grace) (a double click, two tabs, an answer that was lost) it gives the same
/// successor, which is kept wrapped under the handle itself. After that it is **reuse**: two
/// parties hold handles of one family, nobody can tell which of them stole it, and the family ends
/// for both (RFC 9700, section 4.14.2).
///
/// A thief who redeems a stolen handle within the grace follows the family for as long as each of
/// its handles is redeemed within the grace by both; the first one that is late is found out.
///
/// In the store that [`TokenBuilder::revocation`](crate::TokenBuilder::revocation) uses, a family
/// is listed as a session of its subject, and ends with them: revoking all of a subject's sessions
/// ends its handles, too. No handle opens a session, and no credential of a session is a handle.
///
/// ```
/// # use sessile_core::{Result, Store, Timestamp};
/// use sessile_token::{Redeemed, Refresh};
///
/// # async fn example(store: impl Store, now: Timestamp) -> Result<()> {
/// let refresh = Refresh::new(store);
/// let handle = refresh.issue("ada", now).await?; // at the login, for the client to keep
/// match refresh.redeem(&handle, now).await? {
///     Redeemed::Renewed(renewed) => {
///         assert_eq!(&*renewed.subject, "ada");
///         // Log `renewed.subject` in, and send `renewed.handle` along.
///     }
///     Redeemed::Reused(family) => println!("{family}: stolen, and ended"),
///     Redeemed::Refused(arrival) => println!("log in again: {arrival}"),
///     _ => {}
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Refresh {
    store: Timely,
    lifetime: Lifetime,
    grace: Duration,
}

/// What became of a handle.
#[derive(Debug)]
#[non_exhaustive]
pub enum Redeemed {
    /// It was good.
    Renewed(Renewed),
    /// It was used up, longer ago than the grace: its family has ended. Tell the owner.
    Reused(SessionId),
    /// It was none of ours (`Unknown`), or its family has ended or expired.
    Refused(Arrival),
}

/// What a good handle gives.
#[non_exhaustive]
pub struct Renewed {
    /// Who is to be logged in.
    pub subject: Arc<str>,
    /// The handle for the next time. Secret.
    pub handle: String,
    /// Names the family: public, may be logged.
    pub family: SessionId,
    /// Whether the handle had been redeemed before, within the grace.
    pub repeated: bool,
}

impl Refresh {
    /// Handles that this store keeps.
    pub fn new(store: impl Store) -> Self {
        Refresh {
            store: Timely::new(store),
            lifetime: Lifetime::new(14 * DAY, 90 * DAY).unwrap_or_default(),
            grace: GRACE,
        }
    }

    /// How long a handle waits to be redeemed (idle), and how long a family goes on in any case
    /// (absolute). Default: 14 days and 90 days.
    #[must_use]
    pub fn lifetime(mut self, lifetime: Lifetime) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// How long a redeemed handle still gives its successor. Default: a minute. Zero makes a lost
    /// answer a new login.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// How long each call to the store may take. Default: 2 seconds. It needs a Tokio runtime with
    /// its timer.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.store.deadline = deadline;
        self
    }

    /// Begins a family for whoever has just logged in, and returns its first handle. Secret: it
    /// goes to the client over TLS, and into no log.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for a subject that is empty or longer than 512 bytes; else as
    /// [`Store::create`].
    pub async fn issue(&self, subject: &str, now: Timestamp) -> Result<String> {
        if !(1..=SUBJECT_LIMIT).contains(&subject.len()) {
            let message = "a subject is 1 to 512 bytes long: pass the user's stable id";
            return Err(Error::new(ErrorKind::Invalid, message));
        }
        let handle = Credential::random();
        let mut record = Record::new(&handle, now, &self.lifetime);
        record.sid = family(&handle.sid);
        record.subject = Some(subject.into());
        match self.store.create(Arc::new(record), None, now).await? {
            Created::Created => Ok(handle.encode()),
            Created::Taken | Created::Full => Err(Error::new(
                ErrorKind::Unavailable,
                "the store did not take a new family of handles",
            )),
        }
    }

    /// Redeems a handle.
    ///
    /// # Errors
    ///
    /// As the store's. After [`ErrorKind::Unknown`] the client tries the same handle again: if it
    /// was redeemed, it gives the same successor.
    pub async fn redeem(&self, handle: &str, now: Timestamp) -> Result<Redeemed> {
        let Some(handle) = Credential::decode(handle) else {
            return Ok(Redeemed::Refused(Arrival::Unknown));
        };
        let sid = family(&handle.sid);
        let mut record = match self.store.load(&sid, now).await? {
            Loaded::Live(record) => record,
            Loaded::Expired => return Ok(Redeemed::Refused(Arrival::Expired)),
            Loaded::Ended => return Ok(Redeemed::Refused(Arrival::Ended)),
            Loaded::Absent => return Ok(Redeemed::Refused(Arrival::Unknown)),
        };
        let hash = handle.verifier.hash();
        loop {
            if hash != record.hash {
                return self.redeem_again(&handle, &record, now).await;
            }
            let next = Verifier::random();
            let patch = self.successor(&handle, &record, &next, now)?;
            match self.store.apply(&sid, now, &patch).await? {
                Applied::Applied { .. } => return renewed(&handle, &next, &record, false),
                // Somebody was faster, or wrote something else: it is judged anew.
                Applied::Conflict(newer) => record = newer,
                Applied::Gone => return Ok(Redeemed::Refused(Arrival::Ended)),
            }
        }
    }

    /// Ends the family of a handle: at a logout. `false` if it is none of ours, or used up.
    ///
    /// # Errors
    ///
    /// As the store's.
    pub async fn end(&self, handle: &str, now: Timestamp) -> Result<bool> {
        let Some(handle) = Credential::decode(handle) else {
            return Ok(false);
        };
        let sid = family(&handle.sid);
        let Loaded::Live(record) = self.store.load(&sid, now).await? else {
            return Ok(false);
        };
        let hash = handle.verifier.hash();
        // Also by the one before: an answer may have been lost.
        let is_own = hash == record.hash || is_previous(&record, &hash);
        if is_own {
            self.store.end(&sid, now, now.after(TOMBSTONE)).await?;
        }
        Ok(is_own)
    }

    /// Ends all families of a subject, and says how many there were.
    ///
    /// # Errors
    ///
    /// As the store's.
    pub async fn revoke_all(&self, subject: &str, now: Timestamp) -> Result<usize> {
        let mut ended = 0;
        for candidate in self.store.list(subject, now).await? {
            let until = now.after(TOMBSTONE);
            let last = self.store.end(&candidate.sid, now, until).await?;
            ended += usize::from(last.is_some());
        }
        Ok(ended)
    }

    fn successor(
        &self,
        handle: &Credential,
        record: &Record,
        next: &Verifier,
        now: Timestamp,
    ) -> Result<Patch> {
        let mut patch = Patch::new(record.version);
        patch.rotate(Some(Rotation {
            expect: record.hash,
            new: next.hash(),
            wrapped: handle.verifier.wrap(&record.sid, next),
        }));
        // When a family was used last is when its handle was redeemed: the grace counts from there.
        patch.touch(now);
        if let Some(previous) = &record.previous {
            patch.set(Name::from_static(PAST)?, remember(record, &previous.hash)?);
        }
        Ok(patch)
    }

    /// A handle that is not the current one.
    async fn redeem_again(
        &self,
        handle: &Credential,
        record: &Record,
        now: Timestamp,
    ) -> Result<Redeemed> {
        let hash = handle.verifier.hash();
        if let Some(previous) = &record.previous
            && previous.hash == hash
            && now < record.last_seen.after(self.grace)
        {
            let next = handle.verifier.unwrap(&record.sid, &previous.wrapped);
            return renewed(handle, &next, record, true);
        }
        // Whoever knows the public half alone has guessed the rest, and ends nothing.
        if !is_previous(record, &hash) && !is_remembered(record, &hash) {
            return Ok(Redeemed::Refused(Arrival::Unknown));
        }
        let until = now.after(TOMBSTONE);
        self.store.end(&record.sid, now, until).await?;
        Ok(Redeemed::Reused(record.sid))
    }
}

impl fmt::Debug for Renewed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Renewed")
            .field("subject", &self.subject)
            .field("handle", &"***")
            .field("family", &self.family)
            .field("repeated", &self.repeated)
            .finish()
    }
}

fn renewed(
    handle: &Credential,
    next: &Verifier,
    record: &Record,
    repeated: bool,
) -> Result<Redeemed> {
    let subject = record.subject.clone().ok_or_else(|| {
        let message = "a family of handles in the store has no subject";
        Error::new(ErrorKind::Corrupt, message)
    })?;
    let next = Credential {
        sid: handle.sid,
        verifier: next.clone(),
    };
    Ok(Redeemed::Renewed(Renewed {
        subject,
        handle: next.encode(),
        family: record.sid,
        repeated,
    }))
}

/// Where a family is kept: not where a session with the same credential would be.
fn family(sid: &SessionId) -> SessionId {
    let mut hash = Sha256::new_with_prefix(b"sessile/refresh/1");
    hash.update(sid.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    SessionId::from_bytes(bytes)
}

fn is_previous(record: &Record, hash: &VerifierHash) -> bool {
    let previous = record.previous.as_ref();
    previous.is_some_and(|previous| previous.hash == *hash)
}

/// What is kept of handles that have had their successor: theirs come after the previous one's.
fn past(record: &Record) -> Result<Vec<u8>> {
    let Some(text) = record.data.get(PAST) else {
        return Ok(Vec::new());
    };
    let text: String = text.decode()?;
    BASE64.decode_to_vec(text).map_err(|error| {
        let message = "what a family of handles remembers can't be read";
        Error::new(ErrorKind::Corrupt, message).with_source(error)
    })
}

/// What is kept, with one more; the oldest one makes room.
fn remember(record: &Record, hash: &VerifierHash) -> Result<Text> {
    let mut past = past(record)?;
    past.extend_from_slice(&hash.as_bytes()[..TRACE]);
    let excess = past.len().saturating_sub(REMEMBERED * TRACE);
    past.drain(..excess);
    Text::encode(&BASE64.encode_to_string(past))
}

fn is_remembered(record: &Record, hash: &VerifierHash) -> bool {
    let trace = &hash.as_bytes()[..TRACE];
    past(record).is_ok_and(|past| past.chunks(TRACE).any(|known| known == trace))
}
