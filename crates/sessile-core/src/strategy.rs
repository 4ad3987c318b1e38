//! The strategy: how a credential becomes a session, and a session a credential.

use std::any::Any;
use std::fmt;
use std::future::{Future, Ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::{
    Arrival, Candidate, Created, Credential, Data, Error, ErrorKind, Guarantees, KeyRing, Lifetime,
    Patch, Record, Result, SessionId, Store, Timestamp, Verdict, Verifier, VerifierHash,
};

/// How a credential becomes a session and back: in this process, in a store, or in the credential
/// itself. Called by sessile's layer alone; only plain data crosses.
pub trait Strategy: fmt::Debug + Send + Sync + 'static {
    /// Finds the session of a presented credential.
    fn open(&self, presented: &Presented<'_>, now: Timestamp) -> Step<Result<Opened>>;

    /// Makes a new session. Its credential is given to the client only afterwards.
    fn create(&self, record: Arc<Record>, now: Timestamp) -> Step<Result<Created>>;

    /// Applies a patch to the session that was opened as `record`. A caller who was answered
    /// [`Outcome::Retry`] hands its turn back with the next try.
    fn apply(
        &self,
        record: &Arc<Record>,
        patch: &Patch,
        turn: Option<Turn>,
        now: Timestamp,
    ) -> Step<Result<Outcome>>;

    /// Ends a session and returns its last state; it stays ended until `until` whatever is in
    /// flight.
    fn end(
        &self,
        sid: SessionId,
        now: Timestamp,
        until: Timestamp,
    ) -> Step<Result<Option<Arc<Record>>>>;

    /// Reads a session's current state, for a caller who has proved to own it.
    fn reload(&self, record: &Arc<Record>, now: Timestamp) -> Step<Result<Option<Arc<Record>>>>;

    /// A session moved to another place, and has another id, while a request worked on it: the
    /// verifier that opens it there, for who holds this one of the session that it was. No I/O.
    /// `None` if it was replaced since.
    fn follow(&self, _moved: &Record, _verifier: &Verifier) -> Option<Verifier> {
        None
    }

    /// The text that the client is to present from now on, by the carrier of this name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TooLarge`] if the state travels with the client and is too large for that.
    fn issue(&self, record: &Record, verifier: &Verifier, carrier: &str) -> Result<String>;

    /// Whether the client is to be given its credential anew by a response that has no other
    /// reason to: the session moved, or the credential says less than is known by now. Asked when
    /// the head leaves of a response to a request that used the session. No I/O.
    fn reissues(&self, _presented: &Presented<'_>, held: &Held) -> bool {
        held.reissue
    }

    /// Whether requests that belong to another node are to be forwarded there, and as whom:
    /// [`route`](Self::route) is then asked for each request that brings a credential.
    fn forwards(&self) -> Option<Forwards<'_>> {
        None
    }

    /// Which node a request belongs to, by its credential, before anybody asks for the session. No
    /// I/O; for a credential of another node one MAC, for others nothing.
    ///
    /// A request that was forwarded here already, or could not be forwarded, is not asked about:
    /// [`open`](Self::open) never forwards, and does with it what the node does with a session
    /// that is not its own.
    fn route<'a>(&self, _presented: &Presented<'a>, _now: Timestamp) -> Route<'a> {
        Route::Own
    }

    /// What this strategy promises as configured.
    fn guarantees(&self) -> Guarantees;

    /// How long an operation may take, its retries included.
    fn deadline(&self) -> Duration {
        Duration::from_secs(2)
    }

    /// How many more bytes of value fit into a text of at most `limit` bytes for a session with
    /// this data: negative if the data alone does not fit. `None` where the text's length does not
    /// depend on the data. `record` is what there is of the session, `None` if it is a new one.
    ///
    /// # Errors
    ///
    /// What [`issue`](Self::issue) would fail with, whatever the length.
    fn room(
        &self,
        _record: Option<&Record>,
        _subject: Option<&str>,
        _data: &Data,
        _carrier: &str,
        _limit: usize,
    ) -> Result<Option<isize>> {
        Ok(None)
    }

    /// Checks, when the layer is built, what this strategy needs to know of it.
    fn attach(&self, _lifetime: &Lifetime, _now: Timestamp) {}

    /// Every session that may belong to a subject.
    fn list(&self, _subject: &str, _now: Timestamp) -> Step<Result<Vec<Candidate>>> {
        Step::unsupported("list the sessions of a subject")
    }

    /// Ends all sessions of a subject at once, but for these, where the strategy can do that
    /// without knowing them. Whoever calls this then ends those that [`list`](Self::list) knows.
    fn revoke_all(
        &self,
        _subject: &str,
        _except: &[SessionId],
        _now: Timestamp,
    ) -> Step<Result<()>> {
        Step::ready(Ok(()))
    }

    /// How many sessions are live.
    fn count(&self, _now: Timestamp) -> Step<Result<Option<u64>>> {
        Step::ready(Ok(None))
    }

    /// Frees what is past its time.
    fn sweep(&self, _now: Timestamp) -> Step<Result<u64>> {
        Step::ready(Ok(0))
    }

    /// Whether what the sessions are kept in answers.
    fn ping(&self) -> Step<Result<()>> {
        Step::ready(Ok(()))
    }

    /// Hands the sessions of this node over before it stops, and until `until` at the latest.
    fn drain(&self, _now: Timestamp, _until: Timestamp) -> Step<Result<()>> {
        Step::unsupported("hand its sessions over")
    }

    /// Which session a credential names, as far as the credential itself can tell; `None` for what
    /// nobody here has made, and for what is past its time. No I/O.
    fn claim(&self, _presented: &Presented<'_>, _now: Timestamp) -> Option<Claim> {
        None
    }

    /// The store in which all nodes find what this strategy has to remember. Sessions of another
    /// strategy can be moved to one that has it.
    fn ledger(&self) -> Option<Arc<dyn Store>> {
        None
    }

    /// Takes over a session that was moved to this strategy's [`ledger`](Self::ledger), as it is
    /// there.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for a session that can't be of this strategy, such as one that lives
    /// too long.
    fn adopt(&self, record: Record, _now: Timestamp) -> Step<Result<Record>> {
        Step::ready(Ok(record))
    }

    /// The id that a session gets should it be moved to another place, which may be now: whoever
    /// spares a session, spares both. `None` if there is no migration.
    fn moved_sid(&self, _sid: &SessionId) -> Option<SessionId> {
        None
    }

    /// How many live sessions are left where a migration comes from; `None` if there is no
    /// migration, or nobody can tell.
    fn left(&self, _now: Timestamp) -> Step<Result<Option<u64>>> {
        Step::ready(Ok(None))
    }
}

/// Which session a credential names, by its own account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The session.
    pub sid: SessionId,
    /// What a record keeps of the verifier; `None` where the credential itself is the proof.
    pub hash: Option<VerifierHash>,
}

/// A credential as it came in.
#[derive(Clone, Copy)]
pub struct Presented<'a> {
    /// What the client sent. Secret.
    pub text: &'a [u8],
    /// The carrier that brought it: a cookie's or a header's name.
    pub carrier: &'a str,
    /// When the request's head arrived.
    pub arrived: Timestamp,
}

impl fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presented")
            .field("text", &"***")
            .field("carrier", &self.carrier)
            .field("arrived", &self.arrived)
            .finish()
    }
}

/// What a node that forwards signs its hops with.
#[derive(Clone, Copy, Debug)]
pub struct Forwards<'a> {
    /// The label of this node.
    pub node: &'a str,
    /// The master keys, the same on all nodes.
    pub keys: &'a KeyRing,
}

/// Where a request is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route<'a> {
    /// Here.
    Own,
    /// By the node with this label, whose credential it is: its tag was verified. The label is a
    /// name, to be looked up in a list of nodes; it is never an address.
    Foreign(&'a str),
}

/// What [`Strategy::open`] found.
#[derive(Debug)]
pub struct Opened {
    /// In which state the credential arrived.
    pub arrival: Arrival,
    /// What there is.
    pub found: Found,
}

/// What there is behind a presented credential.
#[derive(Debug)]
pub enum Found {
    /// No session to be used.
    Nothing,
    /// A session.
    Session(Held),
    /// A previous verifier of this session was used after its grace: two parties hold its
    /// credentials.
    Reuse(SessionId),
}

/// A session that was opened.
#[derive(Clone, Debug)]
pub struct Held {
    /// Its record.
    pub record: Arc<Record>,
    /// The verifier that the client should hold.
    pub verifier: Verifier,
    /// The highest version known of, from the record or from the credential.
    pub known: u64,
    /// Whether the client presented the previous verifier, within its grace, and is to be given
    /// the current one.
    pub renewed: bool,
    /// Whether the client is to be given its credential anew for another reason.
    pub reissue: bool,
}

/// What happens when a verifier is used after its grace: somebody else holds credentials of this
/// session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnReuse {
    /// The session ends, for its owner and for the thief. An event tells so.
    #[default]
    End,
    /// The credential is refused, and an event tells so.
    Event,
}

impl Opened {
    /// What a credential opens of a live record, for a request whose head arrived at `arrived`.
    /// On [`Found::Reuse`] the strategy still has to end the session, if that is asked of it.
    pub fn judged(record: Arc<Record>, credential: Credential, arrived: Timestamp) -> Self {
        let (verifier, renewed) = match record.verify(&credential.verifier, arrived) {
            Verdict::Current => (credential.verifier, false),
            Verdict::Previous { successor } => (successor, true),
            Verdict::Reuse => {
                return Opened {
                    arrival: Arrival::Unknown,
                    found: Found::Reuse(record.sid),
                };
            }
            Verdict::Wrong => return Opened::nothing(Arrival::Unknown),
        };
        Opened::resumed(Held {
            known: record.version,
            record,
            verifier,
            renewed,
            reissue: false,
        })
    }

    /// No session, for this reason.
    pub fn nothing(arrival: Arrival) -> Self {
        Opened {
            arrival,
            found: Found::Nothing,
        }
    }

    /// The session, if there is one to be used.
    pub fn held(&self) -> Option<&Held> {
        match &self.found {
            Found::Session(held) => Some(held),
            Found::Nothing | Found::Reuse(_) => None,
        }
    }

    /// The session, if there is one to be used.
    pub fn into_held(self) -> Option<Held> {
        match self.found {
            Found::Session(held) => Some(held),
            Found::Nothing | Found::Reuse(_) => None,
        }
    }

    /// This session.
    pub fn resumed(held: Held) -> Self {
        Opened {
            arrival: Arrival::Resumed,
            found: Found::Session(held),
        }
    }
}

/// What [`Strategy::apply`] did.
#[derive(Debug)]
pub enum Outcome {
    /// The patch was applied; this is the record now.
    Applied(Arc<Record>),
    /// An expectation failed, or the record is older than the base. Nothing changed.
    Conflict(Arc<Record>),
    /// The same, and this caller's next try goes before those of others who wait in this process.
    Retry(Arc<Record>, Turn),
    /// There is no live session. Nothing changed.
    Gone,
}

/// A place in a strategy's line, kept from one try to the next. Dropped, it is given up.
pub struct Turn(Box<dyn Any + Send>);

impl Turn {
    /// A place that a strategy gave.
    pub fn new(place: impl Any + Send) -> Self {
        Turn(Box::new(place))
    }

    /// The place, if it is a `T`.
    pub fn into_inner<T: Any>(self) -> Option<T> {
        self.0.downcast().ok().map(|place| *place)
    }
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Turn(..)")
    }
}

/// A result that is there, or that must be waited for: only what really waits is boxed.
///
/// Like every future, it must not be polled again once it was ready.
pub enum Step<T> {
    /// It is there.
    Ready(Ready<T>),
    /// It must be waited for.
    Waiting(Pin<Box<dyn Future<Output = T> + Send>>),
}

impl<T> Step<T> {
    /// A step that is done.
    pub fn ready(value: T) -> Self {
        Step::Ready(std::future::ready(value))
    }

    /// The result if it is there, or the step that waits for it. Whoever asks first is spared the
    /// moves that polling takes.
    ///
    /// # Errors
    ///
    /// The step itself, if it waits.
    pub fn into_ready(self) -> Result<T, Self> {
        match self {
            Step::Ready(ready) => Ok(ready.into_inner()),
            waiting @ Step::Waiting(_) => Err(waiting),
        }
    }

    /// A step that waits for `future`.
    pub fn wait(future: impl Future<Output = T> + Send + 'static) -> Self {
        Step::Waiting(Box::pin(future))
    }
}

impl<T> Step<Result<T>> {
    fn unsupported(what: &str) -> Self {
        let message = format!("this strategy can't {what}; its guarantees say what it can do");
        Step::ready(Err(Error::new(ErrorKind::Unsupported, message)))
    }
}

impl<T> Future for Step<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        match &mut *self {
            Step::Ready(ready) => Pin::new(ready).poll(context),
            Step::Waiting(future) => future.as_mut().poll(context),
        }
    }
}

impl<T> fmt::Debug for Step<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Step::Ready(_) => "Ready(..)",
            Step::Waiting(_) => "Waiting(..)",
        })
    }
}
