//! Redis and Valkey: what only they can get wrong.

mod corrupt;
mod index;
mod keys;
mod secrets;
mod trips;
mod valkey;

mod cancelled;
mod failover;
mod faults;
mod tls;

use std::sync::Arc;

use sessile_core::{Loaded, Record, Store as _};
use sessile_e2e::RedisServer;
use sessile_redis::RedisStore;

use crate::samples::NOW;

/// A store at this URL, for patient tests on a busy machine.
fn open(url: &str) -> RedisStore {
    let builder = RedisStore::builder(url).unwrap();
    let patient = std::time::Duration::from_secs(10);
    builder
        .response_timeout(patient)
        .connection_timeout(patient)
        .build()
        .unwrap()
}

/// A server and a store.
fn single() -> (RedisServer, RedisStore) {
    let server = RedisServer::start(&[]);
    let store = open(&server.url());
    (server, store)
}

/// The key of a record.
fn key(record: &Record) -> String {
    format!("sessile:{}", record.sid)
}

/// The record as the store has it, which must be live.
async fn stored(store: &RedisStore, record: &Record) -> Arc<Record> {
    match store.load(&record.sid, NOW).await.unwrap() {
        Loaded::Live(record) => record,
        other => panic!("{other:?}"),
    }
}
