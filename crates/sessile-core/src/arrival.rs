//! In which state a client's credential arrived.

use std::fmt;

/// In which state a client's session was found when the request arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Arrival {
    /// The client presented nothing.
    New,
    /// The client presented something that opens nothing: malformed, forged, or never made.
    Unknown,
    /// The session ended a moment ago: a logout, a login in the same jar, or a revocation.
    /// Reads see nothing, writes fail with [`ErrorKind::Gone`](crate::ErrorKind::Gone).
    Ended,
    /// The session is past a deadline.
    Expired,
    /// The session was ours and its state is gone: this process restarted or evicted it.
    Lost,
    /// The state found is older than this client has already seen. Writes fail with
    /// [`ErrorKind::Stale`](crate::ErrorKind::Stale) until it is accepted.
    Stale,
    /// The store was away, and the layer was told to go on without the session. Reads see
    /// nothing, writes fail with [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable).
    Unavailable,
    /// The session is here.
    Resumed,
}

impl Arrival {
    /// The state in lower case, as it appears in logs and machine-readable bodies.
    pub const fn as_str(self) -> &'static str {
        match self {
            Arrival::New => "new",
            Arrival::Unknown => "unknown",
            Arrival::Ended => "ended",
            Arrival::Expired => "expired",
            Arrival::Lost => "lost",
            Arrival::Stale => "stale",
            Arrival::Unavailable => "unavailable",
            Arrival::Resumed => "resumed",
        }
    }
}

impl fmt::Display for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
