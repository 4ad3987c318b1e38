//! The index: which sessions belong to a subject.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use sessile_core::SessionId;
use smallvec::{SmallVec, smallvec};

use crate::sync::{Mutex, MutexGuard, lock};

/// Ids in the order in which the sessions were made; mostly one.
type Ids = SmallVec<[SessionId; 1]>;

/// Subject to sessions, in shards of its own.
///
/// A shard of the index is always locked before a shard of the table, never after: whoever holds
/// a shard of the table gives it back before it asks the index.
#[derive(Debug)]
pub(crate) struct Index {
    shards: Box<[Mutex<Subjects>]>,
    hasher: std::hash::RandomState,
}

/// The subjects of one shard.
#[derive(Debug, Default)]
pub(crate) struct Subjects(HashMap<Arc<str>, Ids>);

impl Index {
    pub(crate) fn new(shards: usize) -> Self {
        Index {
            shards: (0..shards).map(|_| Mutex::default()).collect(),
            // Subjects are chosen by clients as often as not: the hash must be keyed.
            hasher: std::hash::RandomState::new(),
        }
    }

    /// Locks the shard that this subject is in.
    pub(crate) fn lock(&self, subject: &str) -> MutexGuard<'_, Subjects> {
        use std::hash::BuildHasher as _;
        // Not the low bits: within the shard the same subjects would collide by them.
        let at = (self.hasher.hash_one(subject) >> 32) as usize & (self.shards.len() - 1);
        lock(&self.shards[at])
    }

    /// Gives memory back once most of it is unused.
    pub(crate) fn shrink(&self) {
        for shard in &self.shards {
            let subjects = &mut lock(shard).0;
            if subjects.capacity() > 64 && subjects.len() < subjects.capacity() / 8 {
                subjects.shrink_to_fit();
            }
        }
    }
}

impl Subjects {
    /// The sessions of a subject, the oldest first.
    pub(crate) fn ids(&self, subject: &str) -> Ids {
        self.0.get(subject).cloned().unwrap_or_default()
    }

    pub(crate) fn add(&mut self, subject: Arc<str>, sid: SessionId) {
        match self.0.entry(subject) {
            Entry::Occupied(mut ids) => ids.get_mut().push(sid),
            Entry::Vacant(place) => {
                place.insert(smallvec![sid]);
            }
        }
    }

    pub(crate) fn remove(&mut self, subject: &str, sid: &SessionId) {
        if let Some(ids) = self.0.get_mut(subject) {
            ids.retain(|known| known != sid);
            if ids.is_empty() {
                self.0.remove(subject);
            }
        }
    }
}
