//! Valkey, where it is installed: the same laws as Redis.

use std::sync::atomic::{AtomicU32, Ordering};

use sessile_conformance::{Depth, Matrix};
use sessile_e2e::RedisServer;
use sessile_redis::RedisStore;

#[tokio::test(flavor = "multi_thread")]
async fn every_law_holds_on_valkey_too() {
    let Some(server) = RedisServer::start_valkey(&[]) else {
        eprintln!("not run: there is no valkey-server on the PATH");
        return;
    };
    let (url, count) = (server.url(), AtomicU32::new(0));
    let stores = || async {
        let prefix = format!("t{}:", count.fetch_add(1, Ordering::Relaxed));
        let builder = RedisStore::builder(&url).unwrap().prefix(prefix);
        builder.build().unwrap()
    };
    let mut matrix = Matrix::new();
    matrix.run_at("Valkey", &stores, Depth::Quick).await;
    assert_eq!(matrix.broken().count(), 0, "{matrix}");
}
