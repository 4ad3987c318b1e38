//! The session, as a handler holds it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sessile_core::{Arrival, Change, Lifetime, SUBJECT_LIMIT, SessionId, Target, Text};

use crate::commit::Commit;
use crate::draft::Access;
use crate::handle::Handle;
use crate::{AsKey, Error, ErrorKind, KeyName, Result};

/// The session of a request. Cheap to clone; the clones are the same session.
///
/// Reading and writing is synchronous, because the state is here: what a handler does is written
/// down, and committed when its response leaves, before the head does. What it reads before that
/// is provisional: another request may be writing too. Writes are merged by key, the last one
/// wins; what depends on the value that is there belongs into [`update`](Session::update), which
/// is exact.
///
/// After the response head has left, `insert` and its like still work on a session that was there
/// before, and are saved by [`commit`](Session::commit) alone; what needs a new credential fails
/// with [`ErrorKind::TooLate`].
#[derive(Clone, Debug)]
pub struct Session(Arc<Handle>);

#[expect(
    clippy::needless_pass_by_value,
    reason = "a key is a `&str` or `Copy` as good as always, and reads best without `&`"
)]
impl Session {
    pub(crate) fn new(handle: Arc<Handle>) -> Self {
        Session(handle)
    }

    /// The value of a key, if it has one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] if the value is not a `T`; it stays as it is.
    pub fn get<T: DeserializeOwned>(&self, key: impl AsKey<T>) -> Result<Option<T>> {
        // Decoding can run code of the application: not under the lock.
        let text = self.text(key.as_str());
        Ok(text.map(|text| text.decode()).transpose()?)
    }

    /// Writes a value, whatever is there. Between requests that write the same key, the last
    /// commit wins: to write what depends on the old value, [`update`](Session::update) it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for an impossible key, [`ErrorKind::Encode`] for a value without a
    /// JSON form, [`ErrorKind::TooLarge`] with the bytes that are left,
    /// [`ErrorKind::Gone`] if the session has ended, [`ErrorKind::Stale`] if its state is stale,
    /// [`ErrorKind::TooLate`] if it needs a new credential and the response head has left.
    pub fn insert<T: Serialize>(&self, key: impl AsKey<T>, value: T) -> Result<()> {
        let name = key.to_name()?;
        let text = Text::encode(&value)?;
        let mut draft = self.0.draft();
        draft.check(Access::Write)?;
        draft.set(name, text, &self.0)
    }

    /// The value of a key, which is removed. Two requests at once may both get it: for what only
    /// one may have, use [`take_now`](Session::take_now).
    ///
    /// # Errors
    ///
    /// As [`get`](Session::get) and [`remove`](Session::remove); an undecodable value stays.
    pub fn take<T: DeserializeOwned>(&self, key: impl AsKey<T>) -> Result<Option<T>> {
        let Some(value) = self
            .text(key.as_str())
            .map(|text| text.decode())
            .transpose()?
        else {
            return Ok(None);
        };
        self.remove(key)?;
        Ok(Some(value))
    }

    /// Removes a key, and says whether it was there.
    ///
    /// # Errors
    ///
    /// As [`insert`](Session::insert).
    pub fn remove(&self, key: impl KeyName) -> Result<bool> {
        let name = key.to_name()?;
        let mut draft = self.0.draft();
        draft.check(Access::Write)?;
        let was_there = draft.view().get(name.as_str()).is_some();
        draft.push(Change::Remove(name))?;
        Ok(was_there)
    }

    /// Removes every key; the session stays, with its id and subject.
    ///
    /// # Errors
    ///
    /// As [`insert`](Session::insert).
    pub fn clear(&self) -> Result<()> {
        self.push(Access::Write, Change::Clear)
    }

    /// Writes a function of the value that is there, exactly: should another request have changed
    /// the value by the time of the commit, `f` runs again on the newer one. A missing value is
    /// `T::default()`.
    ///
    /// Returns what `f` returned on the view of this request, which is provisional; see
    /// [`update_now`](Session::update_now). `f` must not depend on what was read before: a value
    /// it captured from an earlier `get` is as old as that.
    ///
    /// # Errors
    ///
    /// As [`get`](Session::get) and [`insert`](Session::insert), and [`ErrorKind::Panicked`] if
    /// `f` panicked; then nothing was changed.
    pub fn update<T, R>(
        &self,
        key: impl AsKey<T>,
        f: impl Fn(&mut T) -> R + Send + Sync + 'static,
    ) -> Result<R>
    where
        T: Serialize + DeserializeOwned + Default,
    {
        self.write(key, move |text| edit(&f, text))
    }

    /// [`update`](Session::update), committed at once together with everything done so far.
    /// Returns what `f` returned in the run that was committed.
    ///
    /// # Errors
    ///
    /// As [`update`](Session::update) and [`commit`](Session::commit).
    pub async fn update_now<T, R>(
        &self,
        key: impl AsKey<T>,
        f: impl Fn(&mut T) -> R + Send + Sync + 'static,
    ) -> Result<R>
    where
        T: Serialize + DeserializeOwned + Default,
        R: Send + 'static,
    {
        self.write_now(key, move |text| edit(&f, text)).await
    }

    /// The value of a key, which is removed and committed at once together with everything done so
    /// far. Of all who take it, over all requests, exactly one gets it: one-time codes, the OAuth
    /// `state`, a flash message.
    ///
    /// # Errors
    ///
    /// As [`get`](Session::get) and [`commit`](Session::commit); an undecodable value stays. Where
    /// the key is absent nothing is committed.
    pub async fn take_now<T>(&self, key: impl AsKey<T>) -> Result<Option<T>>
    where
        T: DeserializeOwned + Send + 'static,
    {
        if !self.contains(key.as_str()) {
            return Ok(None);
        }
        let take = |text: Option<&Text>| Ok((text.map(Text::decode).transpose()?, None));
        self.write_now(key, take).await
    }

    /// Whether a key has a value.
    pub fn contains(&self, key: impl KeyName) -> bool {
        self.text(key.as_str()).is_some()
    }

    /// All keys, sorted.
    pub fn keys(&self) -> Vec<String> {
        self.0.view(|view| {
            view.data()
                .iter()
                .map(|(name, _)| name.as_str().to_owned())
                .collect()
        })
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.0.view(|view| view.data().is_empty())
    }

    /// Asks for a new credential for the same session, from the commit on. The old one works until
    /// the client has shown that it got the new one, and for a minute after that, so no parallel
    /// request is locked out; within that minute another renew changes nothing. A thief who uses
    /// the old credential in time follows the session: to get rid of one,
    /// [`Sessions::revoke`](crate::Sessions::revoke) it.
    ///
    /// # Errors
    ///
    /// As [`insert`](Session::insert).
    pub fn renew(&self) -> Result<()> {
        self.push(Access::Renew, Change::Renew)
    }

    /// Logs a subject in: from the commit on, this is a **new session** with a new id, bound to
    /// the subject, and the old one has ended. Nothing that was planted before (a credential, an
    /// open socket, a slow request) reads or writes it. It inherits the data, unless the old
    /// session was another subject's.
    ///
    /// Call it at every change of privilege.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for a subject that is empty or longer than 512 bytes; else as [`insert`](Session::insert).
    pub fn login(&self, subject: impl AsRef<str>) -> Result<()> {
        match subject.as_ref() {
            "" => Err(Error::new(
                ErrorKind::Invalid,
                "a subject is not empty: pass the user's stable id",
            )),
            subject if subject.len() > SUBJECT_LIMIT => Err(Error::new(
                ErrorKind::Invalid,
                "a subject is at most 512 bytes long: pass the user's stable id",
            )),
            subject => self.push(Access::Move, Change::Login(subject.into())),
        }
    }

    /// Ends the session, for good: whatever is in flight. What is written afterwards in the same
    /// request starts a new one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] if the session could not be had, and [`ErrorKind::TooLate`] if
    /// the client alone holds it and the response head, which would remove it there, has left.
    /// Those of the commit are the response's.
    pub fn logout(&self) -> Result<()> {
        self.push(Access::End, Change::Destroy)
    }

    /// The same as [`logout`](Session::logout).
    ///
    /// # Errors
    ///
    /// As [`logout`](Session::logout).
    pub fn destroy(&self) -> Result<()> {
        self.logout()
    }

    /// Gives this session a lifetime of its own, such as a long one for "remember me": idle from
    /// now, absolute from its creation.
    ///
    /// # Errors
    ///
    /// As [`insert`](Session::insert).
    pub fn set_lifetime(&self, lifetime: Lifetime) -> Result<()> {
        self.push(Access::Write, Change::Lifetime(lifetime))
    }

    /// Who is logged in.
    pub fn subject(&self) -> Option<Arc<str>> {
        self.0.view(|view| view.subject())
    }

    /// The session's public id: it may be logged, and changes with a login only. A session that
    /// does not exist yet has the id that it will have.
    pub fn id(&self) -> SessionId {
        let known = self.0.view(|view| view.stored().map(|record| record.sid));
        known.unwrap_or_else(|| self.0.draft().sid())
    }

    /// Whether there is a session: it was found, or something that makes one was done.
    pub fn exists(&self) -> bool {
        self.0.view(|view| *view.target() != Target::Nobody)
    }

    /// When the session was made; `None` before its first commit.
    pub fn created_at(&self) -> Option<SystemTime> {
        self.0
            .view(|view| view.stored().map(|record| record.created_at.into()))
    }

    /// When the session expires if it is not used; `None` before its first commit.
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.0
            .view(|view| view.stored().map(|record| record.expires_at().into()))
    }

    /// In which state the client's credential arrived.
    pub fn arrival(&self) -> Arrival {
        self.0.view(|view| view.arrival)
    }

    /// Allows writing on a state that is older than what this client has seen.
    pub fn accept_stale(&self) {
        self.0.draft().accept_stale();
    }

    /// Saves now what was done so far. What follows is saved by the next commit; the layer makes
    /// the last one before the response head leaves.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] if the store is away and nothing was saved,
    /// [`ErrorKind::Unknown`] if nobody can tell, [`ErrorKind::Conflict`] if others kept changing
    /// what an update had read, [`ErrorKind::Gone`] if the session has ended,
    /// [`ErrorKind::Stale`] if the state is older than this client has seen,
    /// [`ErrorKind::LimitReached`] if the subject has too many sessions, and what a closure
    /// returned when it ran again.
    pub async fn commit(&self) -> Result<()> {
        Commit::now(self.0.clone()).await
    }

    /// Reads the session as it is now; what was done and not committed yet is done again on that.
    ///
    /// # Errors
    ///
    /// As [`commit`](Session::commit).
    pub async fn reload(&self) -> Result<()> {
        let Some(record) = self.0.draft().record().cloned() else {
            return Ok(());
        };
        let step = self.0.shared.strategy.reload(&record, self.0.now());
        let newer = step.await?;
        let strategy = &*self.0.shared.strategy;
        self.0.draft().refresh(&record, newer, strategy)?;
        self.0.replay(usize::MAX)
    }

    fn push(&self, access: Access, change: Change) -> Result<()> {
        let mut draft = self.0.draft();
        draft.check(access)?;
        draft.push(change)
    }

    /// When this is, by the layer's clock.
    #[cfg(feature = "token")]
    pub(crate) fn now(&self) -> sessile_core::Timestamp {
        self.0.now()
    }

    /// The id of the session that the request came with.
    pub(crate) fn stored_id(&self) -> Option<SessionId> {
        self.0.view(|view| view.record.map(|record| record.sid))
    }

    fn text(&self, name: &str) -> Option<Text> {
        self.0.view(|view| view.get(name).cloned())
    }

    /// Makes an update: runs `f` on the view, outside of the lock, and writes the change down for
    /// the commit to run it again if need be.
    fn write<T, R>(
        &self,
        key: impl AsKey<T>,
        f: impl Fn(Option<&Text>) -> sessile_core::Result<(R, Option<Text>)> + Send + Sync + 'static,
    ) -> Result<R> {
        let name = key.to_name()?;
        for _ in 0..ATTEMPTS {
            let draft = self.0.draft();
            draft.check(Access::Write)?;
            let read = draft.view().get(name.as_str()).cloned();
            drop(draft);
            let (answer, new) = f(read.as_ref())?;
            let mut draft = self.0.draft();
            // Another task may have written the key meanwhile.
            if draft.view().get(name.as_str()) == read.as_ref() {
                let rerun = Arc::new(move |text: Option<&Text>| f(text).map(|(_, new)| new));
                draft.update(name, new, rerun, &self.0)?;
                return Ok(answer);
            }
        }
        Err(Error::new(
            ErrorKind::Conflict,
            "the value kept changing while the update ran: its closure must not write the same key",
        ))
    }

    /// [`write`](Self::write), then commits, and returns the answer of the run that was committed.
    async fn write_now<T, R: Send + 'static>(
        &self,
        key: impl AsKey<T>,
        f: impl Fn(Option<&Text>) -> sessile_core::Result<(R, Option<Text>)> + Send + Sync + 'static,
    ) -> Result<R> {
        let slot = Arc::new(Mutex::new(None));
        let last = slot.clone();
        let forgotten = self.0.draft().forgotten();
        self.write(key, move |text| {
            let (answer, new) = f(text)?;
            *last.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
            Ok(((), new))
        })?;
        self.commit().await?;
        // Another task's logout may have taken this update back before it was committed: then
        // nobody held its answer against what is stored.
        let answer = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        answer
            .filter(|_| self.0.draft().forgotten() == forgotten)
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::Gone,
                    "a logout, or another subject's login, overtook this in the same request",
                )
            })
    }
}

/// How often an update starts over when other tasks of the same request write its key.
const ATTEMPTS: usize = 100;

/// Runs a closure of the application on the decoded value. A panic in it is an error, and nothing
/// is kept of the run.
fn edit<T, R>(
    f: &impl Fn(&mut T) -> R,
    text: Option<&Text>,
) -> sessile_core::Result<(R, Option<Text>)>
where
    T: Serialize + DeserializeOwned + Default,
{
    let mut value = text.map(Text::decode).transpose()?.unwrap_or_default();
    // The value is thrown away with the run, so nothing broken can be seen afterwards.
    let answer = catch_unwind(AssertUnwindSafe(|| f(&mut value))).map_err(|_| {
        sessile_core::Error::new(
            ErrorKind::Panicked,
            "a closure passed to update panicked; nothing of it was kept",
        )
    })?;
    Ok((answer, Some(Text::encode(&value)?)))
}
