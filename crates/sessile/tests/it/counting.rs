//! A shop whose store counts what is asked of it, and what a handler does there.

use std::sync::Arc;

use sessile::{ManualClock, Session, SessionLayer, Strategy};
use sessile_conformance::{CountingStore, ModelStore, Operation};

use crate::client::{Client, look, over};

/// Sessions in a store that counts.
pub(crate) struct Shop {
    pub(crate) layer: SessionLayer,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) store: CountingStore<ModelStore>,
}

impl Shop {
    /// With the strategy that this makes over the store.
    pub(crate) fn new<S: Strategy>(over_it: impl FnOnce(CountingStore<ModelStore>) -> S) -> Self {
        let store = CountingStore::new(ModelStore::new());
        let (layer, clock) = over(over_it(store.clone()));
        Shop {
            layer,
            clock,
            store,
        }
    }

    /// The creates, loads, applies and ends of this request; and there is nothing else.
    pub(crate) async fn spent(&self, client: &mut Client, handler: fn(&Session)) -> [u64; 4] {
        self.store.reset();
        client
            .post(&self.layer, async |session| handler(&session))
            .await;
        let calls = [
            Operation::Create,
            Operation::Load,
            Operation::Apply,
            Operation::End,
        ]
        .map(|operation| self.store.calls(operation));
        assert_eq!(calls.iter().sum::<u64>(), self.store.total());
        calls
    }
}

pub(crate) fn read(session: &Session) {
    look(session);
}

pub(crate) fn write(session: &Session) {
    let n = session.get::<u64>("n").unwrap().unwrap_or(0);
    session.insert("n", n + 1).unwrap();
    session.insert("seen", n).unwrap();
    session.update("m", |m: &mut u64| *m += 1).unwrap();
}
