//! A service over a store that fails when it is told to, with a client that has a session there.

use std::sync::Arc;

use http::header::SET_COOKIE;
use http::{Response, StatusCode};
use sessile::{ErrorKind, ManualClock, SessionLayer, Stored};
use sessile_conformance::{CountingStore, Fault, FaultyStore, ModelStore, Operation};

use crate::client::{Client, over};

/// A layer, and what its sessions are kept in.
pub(crate) struct Shop {
    pub(crate) layer: SessionLayer,
    pub(crate) clock: Arc<ManualClock>,
    /// Counts what is asked, whatever becomes of it.
    pub(crate) calls: CountingStore<FaultyStore<ModelStore>>,
}

impl Shop {
    pub(crate) fn new() -> Self {
        Shop::with(|stored| stored)
    }

    /// A shop whose strategy is configured so.
    pub(crate) fn with(configure: impl FnOnce(Stored) -> Stored) -> Self {
        let calls = CountingStore::new(FaultyStore::new(ModelStore::new()));
        let (layer, clock) = over(configure(Stored::new(calls.clone())));
        Shop {
            layer,
            clock,
            calls,
        }
    }

    /// A client whose session holds `a` = 1.
    pub(crate) async fn customer(&self) -> Client {
        let mut client = Client::default();
        client.insert(&self.layer, "a", 1).await;
        client
    }

    /// Every such call fails so until the store is healed.
    pub(crate) fn fail(&self, operation: Operation, fault: Fault) {
        self.calls.inner().fail_all(operation, fault);
    }

    pub(crate) fn heal(&self) {
        self.calls.inner().heal();
    }

    /// How often this was asked since the last reset.
    pub(crate) fn asked(&self, operation: Operation) -> u64 {
        self.calls.calls(operation)
    }
}

/// Checks that this answer is the one for an error of that kind, and leaves the cookie alone.
#[track_caller]
pub(crate) fn failed(answer: &Response<String>, status: StatusCode, kind: ErrorKind) {
    assert_eq!(answer.status(), status, "{answer:?}");
    let error = answer.extensions().get::<sessile::Error>().unwrap();
    assert_eq!(error.kind(), kind, "{error:?}");
    assert!(!answer.headers().contains_key(SET_COOKIE), "{answer:?}");
}
