//! What becomes of a request while the store is away.

/// What becomes of a request while the store is away or too slow, by what it asks of its session.
///
/// | | reading | noting a use | writing, logging in or out |
/// |---|---|---|---|
/// | [`FailClosed`](ErrorPolicy::FailClosed) | `503` | `503` | `503` |
/// | [`AnonymousReads`](ErrorPolicy::AnonymousReads) | an empty session | goes unnoted | `503` |
///
/// Whichever it is, no cookie is set or removed: after the outage everybody is still logged in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorPolicy {
    /// A session that can't be had is an error: "I could not ask" is not "there is none".
    #[default]
    FailClosed,
    /// A request whose session can't be had goes on without one: it arrives as
    /// [`Unavailable`](crate::Arrival::Unavailable), reads see nothing, and everything else fails
    /// with [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable). For services whose pages
    /// are worth something without a session; a handler that must tell the two apart asks
    /// [`arrival`](crate::Session::arrival).
    AnonymousReads,
}
