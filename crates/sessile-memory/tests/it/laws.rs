//! The laws of every store, on the table as a store.

use sessile_memory::MemoryStore;

sessile_conformance::store!(|| async { MemoryStore::default() }, depth = full);
