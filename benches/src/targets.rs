//! What sessile promises to cost; `all --check` holds it to these.
//!
//! Times are ratios to a peer measured in the same run, so that they hold on any machine; counts are absolute.

use crate::workload::Workload;

/// Allocations per request over bare tower, at most.
pub const ALLOCATIONS: [(Workload, i64); 5] = [
    (Workload::W0, 4),
    (Workload::W1, 4),
    (Workload::W2, 7),
    (Workload::W3, 14),
    (Workload::W4, 16),
];

/// Time over bare as a share of tower-sessions' on tower, at most.
pub const TIME_TO_TOWER_SESSIONS: [(Workload, f64); 7] = [
    (Workload::W0, 0.2),
    (Workload::W1, 0.2),
    (Workload::W2, 0.3),
    (Workload::W3, 0.3),
    (Workload::W4, 0.3),
    (Workload::W5f, 0.25),
    (Workload::W5g, 0.25),
];

/// Time over bare as a share of the best peer's, at most.
pub const TIME_TO_BEST_PEER: [(Workload, f64); 3] = [
    (Workload::W2, 0.6),
    (Workload::W3, 0.6),
    (Workload::W4, 0.6),
];

/// Time of a signed token over bare as a share of actix-session's signed cookie, where the session is not used.
pub const SIGNED_UNUSED_TO_ACTIX: f64 = 0.1;

/// The same as a share of the best peer with a signed cookie, where the session is read or written.
pub const SIGNED_TO_BEST_SIGNED_PEER: [(Workload, f64); 2] =
    [(Workload::W2, 0.6), (Workload::W3, 0.6)];

/// The same where no token is remembered: it is not to get worse than it was.
pub const SIGNED_ANEW_TO_BEST_SIGNED_PEER: [(Workload, f64); 2] =
    [(Workload::W2, 0.8), (Workload::W3, 0.9)];

/// Time of a sealed token as a share of a signed one's, at most, whether tokens are remembered or not. Where they are, a
/// read is the same work for both, and a run tells the same program from itself by 2 %.
pub const SEALED_TO_SIGNED: [(Workload, f64); 2] = [(Workload::W2, 1.0), (Workload::W3, 1.0)];

/// Time to verify a signed token as a multiple of its MAC, base64 and one field of JSON, at most.
pub const VERIFY_TO_BARE: f64 = 3.0;

/// Time of a read over bare, with a store behind the memory, as a share of memory's alone, on average, at most.
pub const BACKED_READ_TO_MEMORY: f64 = 1.2;

/// Calls to the store of a write by a sticky node, at most.
pub const CALLS_PER_BACKED_WRITE: f64 = 1.0;

/// Resident bytes per session as a share of tower-sessions', at most.
pub const RESIDENT_TO_TOWER_SESSIONS: f64 = 0.6;

/// Resident bytes after every session has expired, as a share of the empty process, at most.
pub const EXPIRED_TO_EMPTY: f64 = 1.1;

/// Requests per second of two threads on distinct sessions as a multiple of one thread's, at least.
pub const TWO_THREADS_TO_ONE: f64 = 1.7;
