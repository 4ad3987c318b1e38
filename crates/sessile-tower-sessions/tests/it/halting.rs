//! A store of tower-sessions 0.15 whose saves wait to be let through: what happens between a load
//! and the save that follows it. As with a database, a save that was begun is made, whether
//! somebody waits for it or not.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tower_sessions_0_15::session::{Id, Record};
use tower_sessions_0_15::session_store::Result;
use tower_sessions_0_15::{MemoryStore, SessionStore};

/// The store of one process; another one may see the same entries without waiting.
#[derive(Clone, Debug)]
pub(crate) struct Halting {
    pub(crate) entries: MemoryStore,
    /// One permit for each save that is let through.
    pub(crate) gate: Arc<Semaphore>,
    /// One permit for each save that has come to the gate.
    pub(crate) waiting: Arc<Semaphore>,
}

impl Halting {
    pub(crate) fn new(entries: &MemoryStore) -> Self {
        Halting {
            entries: entries.clone(),
            gate: Arc::new(Semaphore::new(0)),
            waiting: Arc::new(Semaphore::new(0)),
        }
    }

    /// Waits until a save stands at the gate.
    pub(crate) async fn is_reached(&self) {
        self.waiting.acquire().await.unwrap().forget();
    }

    /// Lets one through.
    pub(crate) fn open(&self) {
        self.gate.add_permits(1);
    }
}

#[async_trait::async_trait]
impl SessionStore for Halting {
    async fn create(&self, record: &mut Record) -> Result<()> {
        self.entries.create(record).await
    }

    async fn save(&self, record: &Record) -> Result<()> {
        let (server, record) = (self.clone(), record.clone());
        let save = async move {
            server.waiting.add_permits(1);
            server.gate.acquire().await.unwrap().forget();
            server.entries.save(&record).await
        };
        tokio::spawn(save).await.unwrap()
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        self.entries.load(id).await
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.entries.delete(id).await
    }
}
