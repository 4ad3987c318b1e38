//! The maps, each behind the operations that a table of sessions needs.

use std::{mem, sync::Arc};

use dashmap::DashMap;
use hashbrown::{HashTable, hash_table::Entry};

use super::entry::{BuildIdHasher, Id, Record};

const SHARDS: usize = 64;

/// A table of sessions.
pub trait Table: Default + Sync {
    fn load(&self, id: &Id) -> Option<Arc<Record>>;

    /// Reads, modifies and writes back as one step.
    fn replace(&self, id: &Id, next: impl Fn(&Record) -> Arc<Record>);

    fn insert(&self, id: Id, record: Arc<Record>);

    /// Whether there was one.
    fn remove(&self, id: &Id) -> bool;
}

#[derive(Default)]
pub struct Papaya(papaya::HashMap<Id, Arc<Record>, BuildIdHasher>);

impl Table for Papaya {
    fn load(&self, id: &Id) -> Option<Arc<Record>> {
        self.0.pin().get(id).cloned()
    }

    fn replace(&self, id: &Id, next: impl Fn(&Record) -> Arc<Record>) {
        self.0.pin().update(*id, |old| next(old));
    }

    fn insert(&self, id: Id, record: Arc<Record>) {
        self.0.pin().insert(id, record);
    }

    fn remove(&self, id: &Id) -> bool {
        self.0.pin().remove(id).is_some()
    }
}

#[derive(Default)]
pub struct Scc(scc::HashMap<Id, Arc<Record>, BuildIdHasher>);

impl Table for Scc {
    fn load(&self, id: &Id) -> Option<Arc<Record>> {
        self.0.read_sync(id, |_, record| Arc::clone(record))
    }

    fn replace(&self, id: &Id, next: impl Fn(&Record) -> Arc<Record>) {
        // The old record is dropped after the lock, here and below.
        self.0.update_sync(id, |_, record| {
            let new = next(record);
            mem::replace(record, new)
        });
    }

    fn insert(&self, id: Id, record: Arc<Record>) {
        self.0.upsert_sync(id, record);
    }

    fn remove(&self, id: &Id) -> bool {
        self.0.remove_sync(id).is_some()
    }
}

pub struct Dash(DashMap<Id, Arc<Record>, BuildIdHasher>);

impl Default for Dash {
    fn default() -> Self {
        Self(DashMap::with_hasher_and_shard_amount(
            BuildIdHasher::default(),
            SHARDS,
        ))
    }
}

impl Table for Dash {
    fn load(&self, id: &Id) -> Option<Arc<Record>> {
        self.0.get(id).map(|record| Arc::clone(&record))
    }

    fn replace(&self, id: &Id, next: impl Fn(&Record) -> Arc<Record>) {
        let old = self.0.get_mut(id).map(|mut record| {
            let new = next(&record);
            mem::replace(&mut *record, new)
        });
        drop(old);
    }

    fn insert(&self, id: Id, record: Arc<Record>) {
        self.0.insert(id, record);
    }

    fn remove(&self, id: &Id) -> bool {
        self.0.remove(id).is_some()
    }
}

pub type StdShards = Shards<std::sync::Mutex<Shard>>;
pub type ParkingLotShards = Shards<parking_lot::Mutex<Shard>>;

pub type Shard = HashTable<(Id, Arc<Record>)>;

/// A mutex around a shard.
pub trait Locked: Default + Sync {
    fn with<R>(&self, f: impl FnOnce(&mut Shard) -> R) -> R;
}

impl Locked for std::sync::Mutex<Shard> {
    fn with<R>(&self, f: impl FnOnce(&mut Shard) -> R) -> R {
        f(&mut self.lock().expect("nothing panics under the lock"))
    }
}

impl Locked for parking_lot::Mutex<Shard> {
    fn with<R>(&self, f: impl FnOnce(&mut Shard) -> R) -> R {
        f(&mut self.lock())
    }
}

/// A cache line each, so that two locks never share one.
#[derive(Default)]
#[repr(align(64))]
struct Padded<L>(L);

pub struct Shards<L>([Padded<L>; SHARDS]);

impl<L: Locked> Default for Shards<L> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Padded::default()))
    }
}

impl<L: Locked> Shards<L> {
    fn of(&self, id: &Id) -> &L {
        // The shards' tables use the lowest bits and the highest; these are neither.
        let index = (id.hash() >> 40) as usize % SHARDS;
        &self.0[index].0
    }
}

impl<L: Locked> Table for Shards<L> {
    fn load(&self, id: &Id) -> Option<Arc<Record>> {
        self.of(id).with(|shard| {
            shard
                .find(id.hash(), |(key, _)| key == id)
                .map(|(_, record)| Arc::clone(record))
        })
    }

    fn replace(&self, id: &Id, next: impl Fn(&Record) -> Arc<Record>) {
        let old = self.of(id).with(|shard| {
            let (_, record) = shard.find_mut(id.hash(), |(key, _)| key == id)?;
            let new = next(record);
            Some(mem::replace(record, new))
        });
        drop(old);
    }

    fn insert(&self, id: Id, record: Arc<Record>) {
        let old = self.of(&id).with(|shard| {
            match shard.entry(id.hash(), |(key, _)| *key == id, |(key, _)| key.hash()) {
                Entry::Occupied(mut entry) => Some(mem::replace(&mut entry.get_mut().1, record)),
                Entry::Vacant(entry) => {
                    entry.insert((id, record));
                    None
                }
            }
        });
        drop(old);
    }

    fn remove(&self, id: &Id) -> bool {
        let removed = self.of(id).with(|shard| {
            let entry = shard.find_entry(id.hash(), |(key, _)| key == id).ok()?;
            Some(entry.remove().0)
        });
        removed.is_some()
    }
}
