//! The handle: what one request knows of one session, shared by everything that works on it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::Request;
use sessile_core::{Arrival, Opened, Plan, Presented, Timestamp};

use crate::cookie::{self, Found};
use crate::draft::Draft;
use crate::layer::Shared;
use crate::{Error, ErrorKind, LazySession, Result, telemetry};

/// One per request and cookie name. Until somebody asks for the session it holds only what the
/// client sent.
pub(crate) struct Handle {
    pub(crate) shared: Arc<Shared>,
    /// The session of the layer around this one, under another name.
    pub(crate) outer: Option<LazySession>,
    sent: Sent,
    /// When the head arrived, if the client sent something.
    arrived: Timestamp,
    /// The request's method promises to change nothing (RFC 9110, section 9.2.1).
    pub(crate) safe: bool,
    // Both are written once, and read on the path of requests that ignore their session: no lock
    // is taken for those. `SeqCst`, because each side writes one and then reads the other.
    used: AtomicBool,
    closed: AtomicBool,
    draft: Mutex<Option<Box<Draft>>>,
}

/// Credentials are short but for tokens: those of up to this many bytes need no allocation.
const INLINE: usize = 103;

/// What the client sent. Secret.
enum Sent {
    Nothing,
    /// Several credentials, none of them believed.
    Several,
    Short(u8, [u8; INLINE]),
    Long(Box<str>),
}

impl Sent {
    fn new(text: &str) -> Self {
        match u8::try_from(text.len()) {
            Ok(length) if text.len() <= INLINE => {
                let mut bytes = [0; INLINE];
                bytes[..text.len()].copy_from_slice(text.as_bytes());
                Sent::Short(length, bytes)
            }
            _ => Sent::Long(text.into()),
        }
    }
}

impl Handle {
    /// Puts a handle into the request, unless a layer around this one has put one of this name.
    pub(crate) fn attach<B>(shared: &Arc<Shared>, request: &mut Request<B>) -> Option<Arc<Handle>> {
        let outer = request.extensions().get::<LazySession>().cloned();
        let name = shared.cookie.as_name();
        if outer
            .as_ref()
            .is_some_and(|outer| outer.find(name).is_some())
        {
            return None;
        }
        let sent = match cookie::read(request.headers(), name) {
            Found::Nothing => Sent::Nothing,
            Found::One(text) => Sent::new(text),
            Found::Several => Sent::Several,
        };
        let arrived = match sent {
            Sent::Nothing => Timestamp::default(),
            _ => shared.clock.now(),
        };
        let handle = Arc::new(Handle {
            shared: shared.clone(),
            outer,
            sent,
            arrived,
            safe: request.method().is_safe(),
            used: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            draft: Mutex::new(None),
        });
        request
            .extensions_mut()
            .insert(LazySession::new(handle.clone()));
        Some(handle)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    pub(crate) fn name(&self) -> &str {
        self.shared.cookie.as_name()
    }

    /// Whether the client sent something under our name.
    pub(crate) fn has_credential(&self) -> bool {
        !matches!(self.sent, Sent::Nothing)
    }

    /// Finds the session, the first time. A failure is not kept: the next call tries again.
    pub(crate) async fn load(&self) -> Result<()> {
        self.used.store(true, Ordering::SeqCst);
        if self.lock().is_some() {
            return Ok(());
        }
        let opened = self.open().await?;
        if let Some(sid) = &opened.reuse {
            telemetry::reuse(sid);
        }
        let draft = || Box::new(Draft::new(opened, self.shared.max_bytes));
        // Two may have looked at the same time; the first one's finding stays.
        self.lock().get_or_insert_with(draft);
        Ok(())
    }

    async fn open(&self) -> Result<Opened> {
        let text = match &self.sent {
            Sent::Nothing => return Ok(Opened::nothing(Arrival::New)),
            Sent::Several => {
                telemetry::ambiguous_cookies();
                return Ok(Opened::nothing(Arrival::Unknown));
            }
            Sent::Short(length, bytes) => std::str::from_utf8(&bytes[..usize::from(*length)])
                .expect("it was copied from a str"),
            Sent::Long(text) => text,
        };
        let presented = Presented {
            text,
            carrier: self.name(),
            arrived: self.arrived,
        };
        let step = self.shared.strategy.open(&presented, self.now());
        Ok(step.await?)
    }

    /// Whether anybody asked for the session.
    pub(crate) fn is_used(&self) -> bool {
        self.used.load(Ordering::SeqCst)
    }

    /// Whether the response head has left, and no new credential with it.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Option<Box<Draft>>> {
        // No closure of the application runs under this lock, and every change is made whole.
        self.draft.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `f` on the draft of a session that was loaded.
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut Draft) -> Result<R>) -> Result<R> {
        match self.lock().as_deref_mut() {
            Some(draft) => f(draft),
            None => Err(Error::new(ErrorKind::Invalid, "the session was not loaded")),
        }
    }

    /// Replays the log on the record that is held now. The closures in it are the application's
    /// own: they run outside of the lock, and may call the session.
    pub(crate) fn replay(&self) -> Result<()> {
        loop {
            let (log, record, known) = self.with(|draft| Ok(draft.replayed()))?;
            let plan = Plan::replay(&log, record.as_deref(), known);
            let done = self.with(|draft| match plan {
                Ok(plan) => Ok(draft.resume(log.len(), plan)),
                Err(error) => {
                    draft.drop_changes();
                    Err(error.into())
                }
            })?;
            if done {
                return Ok(());
            }
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if *self.used.get_mut() && *self.closed.get_mut() {
            let draft = self.draft.get_mut().unwrap_or_else(PoisonError::into_inner);
            if let Some(sid) = draft.as_deref().and_then(Draft::uncommitted) {
                telemetry::dropped_changes(&sid);
            }
        }
    }
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handle")
            .field("name", &self.name())
            .field("used", &self.is_used())
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}
