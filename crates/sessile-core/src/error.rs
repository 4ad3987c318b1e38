//! The error: opaque, with a kind to match on and the cause kept.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation on a session failed.
///
/// Match on [`kind`](Error::kind); the message is for people and may change, and never holds a
/// secret.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    bytes_left: Option<usize>,
    node: Option<Box<str>>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What went wrong, as far as a program should tell cases apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Two carriers brought a credential; neither is believed.
    Ambiguous,
    /// Other writers kept changing what an update had read until the deadline passed.
    Conflict,
    /// What the store holds for this session can't be read.
    Corrupt,
    /// A stored value does not decode into the type that was asked for.
    Decode,
    /// A value can't be written as JSON.
    Encode,
    /// The session has ended: logged out, revoked or expired.
    Gone,
    /// A value given by the program is impossible; the message says what to write instead.
    Invalid,
    /// The subject has as many live sessions as the cap allows.
    LimitReached,
    /// The session layer is missing from this service.
    MissingLayer,
    /// A closure passed to `update` panicked; nothing of it was kept.
    Panicked,
    /// The state is older than what this client has seen, and was not accepted as such.
    Stale,
    /// The response head has left, and this needs a new credential in it.
    TooLate,
    /// The session would be larger than its limit.
    TooLarge,
    /// The store is away or too slow. The operation was not applied.
    Unavailable,
    /// The store did not answer: the operation may have been applied or not.
    Unknown,
    /// The configured strategy can't do this.
    Unsupported,
    /// The session lives on another node.
    WrongNode,
}

impl ErrorKind {
    /// The kind in snake case, as it appears in logs and machine-readable bodies.
    pub const fn as_str(self) -> &'static str {
        match self {
            ErrorKind::Ambiguous => "ambiguous",
            ErrorKind::Conflict => "conflict",
            ErrorKind::Corrupt => "corrupt",
            ErrorKind::Decode => "decode",
            ErrorKind::Encode => "encode",
            ErrorKind::Gone => "gone",
            ErrorKind::Invalid => "invalid",
            ErrorKind::LimitReached => "limit_reached",
            ErrorKind::MissingLayer => "missing_layer",
            ErrorKind::Panicked => "panicked",
            ErrorKind::Stale => "stale",
            ErrorKind::TooLate => "too_late",
            ErrorKind::TooLarge => "too_large",
            ErrorKind::Unavailable => "unavailable",
            ErrorKind::Unknown => "unknown",
            ErrorKind::Unsupported => "unsupported",
            ErrorKind::WrongNode => "wrong_node",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Error {
    /// An error of this kind; `message` says what is wrong and, where it can, what to do instead.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Error(Box::new(Inner {
            kind,
            message: message.into(),
            bytes_left: None,
            node: None,
            source: None,
        }))
    }

    /// An error of kind [`TooLarge`](ErrorKind::TooLarge) that says how many bytes there were.
    pub fn too_large(message: impl Into<Cow<'static, str>>, bytes_left: usize) -> Self {
        let mut error = Error::new(ErrorKind::TooLarge, message);
        error.0.bytes_left = Some(bytes_left);
        error
    }

    /// An error of kind [`WrongNode`](ErrorKind::WrongNode) that says which one is the right one.
    pub fn wrong_node(message: impl Into<Cow<'static, str>>, node: &str) -> Self {
        let mut error = Error::new(ErrorKind::WrongNode, message);
        error.0.node = Some(node.into());
        error
    }

    /// With [`WrongNode`](ErrorKind::WrongNode): the label of the node that has the session. It
    /// stands in the client's credential for everybody to read; whether there is such a node, only
    /// a list of them can tell.
    pub fn node(&self) -> Option<&str> {
        self.0.node.as_deref()
    }

    /// With [`TooLarge`](ErrorKind::TooLarge): how many bytes of encoded value there was room for.
    pub fn bytes_left(&self) -> Option<usize> {
        self.0.bytes_left
    }

    /// Adds the cause, which [`source`](StdError::source) then returns.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// What went wrong, as far as a program should tell cases apart.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("source", &self.0.source)
            .finish()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
