//! The events that a service's owner should know of. The only file that names them; without the
//! feature `tracing` they are nothing.
//!
//! A session is named by its public id. No event holds a credential, a key or a value.

use std::sync::Once;

use sessile_core::{ErrorKind, SessionId};

#[cfg(feature = "tracing")]
macro_rules! event {
    ($level:ident, $($rest:tt)+) => { tracing::$level!(target: "sessile", $($rest)+) };
}

#[cfg(not(feature = "tracing"))]
macro_rules! event {
    ($level:ident, $($field:ident = %$value:expr,)* $text:literal) => { { $(let _ = &$value;)* } };
}

/// Cookies without `Secure` and prefix were asked for. Said once.
pub(crate) fn insecure_cookie() {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        event!(
            warn,
            "session cookies go over plain http: insecure_dev() is for development only"
        );
    });
}

/// A layer was built from a configuration: what it promises, a line for each promise.
#[cfg(feature = "config")]
pub(crate) fn promised(strategy: &str, promised: &sessile_core::Guarantees) {
    event!(info, strategy = %strategy, promises = %format_args!("\n{promised}"), "sessions are set up");
}

/// A store can be told to forget sessions that are alive.
#[cfg(feature = "redis")]
pub(crate) fn forgetful_store(why: &str) {
    event!(warn, why = %why, "the settings of the session store can log people out");
}

/// The keys of tokens were read again, since a file of theirs changed.
#[cfg(all(feature = "config", feature = "token"))]
pub(crate) fn keys_replaced() {
    event!(info, "the keys of tokens were read again");
}

/// They can't be used as they are now. The next look tries again.
#[cfg(all(feature = "config", feature = "token"))]
pub(crate) fn keys_refused(error: &sessile_core::Error) {
    event!(warn, why = %error, "the keys of tokens stay as they were");
}

/// Several cookies of our name came in with different values.
pub(crate) fn ambiguous_cookies() {
    event!(
        warn,
        "several session cookies with different values: none was used"
    );
}

/// A verifier was used after its grace.
pub(crate) fn reuse(sid: &SessionId) {
    event!(warn, session = %sid, "a renewed credential was used after its grace: two parties hold this session");
}

/// A refresh handle was used after its grace.
#[cfg(feature = "token")]
pub(crate) fn refresh_reuse(family: &SessionId) {
    event!(warn, family = %family, "a refresh handle was used twice: two parties hold handles of this family, and it was ended");
}

/// A session was moved to the strategy that a migration leads to.
#[cfg(feature = "stored")]
pub(crate) fn moved(from: &SessionId, to: &SessionId) {
    event!(info, session = %to, was = %from, "a session was moved by the migration");
}

/// A session had ended when a read's changes were to be saved.
pub(crate) fn gone_on_read(cookie: &str) {
    event!(info, cookie = %cookie, "the session ended during the request; its changes were dropped");
}

/// Changes were never committed.
pub(crate) fn dropped_changes(sid: &SessionId) {
    event!(warn, session = %sid, "changes to a session were dropped: after the response head they need commit()");
}

/// The answer to a request is an error of the session's.
pub(crate) fn failed(kind: ErrorKind) {
    event!(warn, kind = %kind, "the session could not be served");
}

/// What has expired was freed.
#[cfg(feature = "stored")]
pub(crate) fn swept(freed: u64) {
    event!(debug, freed = %freed, "what had expired was swept");
}

/// What has expired could not be freed. The next sweep tries again.
#[cfg(feature = "stored")]
pub(crate) fn sweep_failed(kind: ErrorKind) {
    event!(warn, kind = %kind, "the sessions could not be swept");
}

/// The store panicked. The next sweep tries again.
#[cfg(feature = "stored")]
pub(crate) fn sweep_panicked() {
    event!(error, "the store panicked in a sweep");
}

/// A peer could not be connected to. Nothing was sent, and the request is answered here.
#[cfg(feature = "forward")]
pub(crate) fn unreached(peer: &http::uri::Authority, why: &dyn std::error::Error) {
    event!(warn, peer = %peer, why = %why, "the node of a session could not be reached: the request is answered here");
}

/// A request made its hop, and came to a node that takes another one for the owner.
#[cfg(feature = "forward")]
pub(crate) fn hopped_astray(from: &str, owner: &str) {
    event!(warn, from = %from, owner = %owner, "a request was sent on to the wrong node: the nodes' labels and their peers do not agree");
}

/// A connection that had been upgraded broke.
#[cfg(feature = "forward")]
pub(crate) fn tunnel_broke() {
    event!(debug, "an upgraded connection to a peer broke");
}
