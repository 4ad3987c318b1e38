//! tower-sessions, in memory and over Redis.
//!
//! The newest Redis store is made for tower-sessions 0.14, hence two versions of the same handlers.

use std::net::TcpListener;

use axum::http::StatusCode;
use tower_sessions_redis_store::{
    RedisStore,
    fred::{
        interfaces::ClientLike,
        prelude::{Config, Pool},
    },
};

use super::on_axum::{self, Handle};

/// Connections to Redis; as many as in the store's own example.
const CONNECTIONS: usize = 6;

pub async fn memory(listener: TcpListener) {
    let store = tower_sessions::MemoryStore::default();
    let layer = tower_sessions::SessionManagerLayer::new(store);
    on_axum::serve::<tower_sessions::Session, _>(listener, layer).await;
}

pub async fn redis(listener: TcpListener, url: String) {
    let config = Config::from_url(&url).expect("a URL of Redis");
    let pool = Pool::new(config, None, None, None, CONNECTIONS).expect("a pool");
    pool.init().await.expect("a Redis that answers");
    let layer = tower_sessions_0_14::SessionManagerLayer::new(RedisStore::new(pool));
    on_axum::serve::<tower_sessions_0_14::Session, _>(listener, layer).await;
}

macro_rules! handle {
    ($version:ident) => {
        impl Handle for $version::Session {
            type Error = StatusCode;

            async fn log_in(&self, user: &str) -> Result<(), StatusCode> {
                self.insert("user", user).await.map_err(internal)
            }

            async fn user(&self) -> Result<Option<String>, StatusCode> {
                self.get("user").await.map_err(internal)
            }

            async fn insert(&self, key: &str) -> Result<(), StatusCode> {
                self.insert(key, true).await.map_err(internal)
            }

            async fn contains(&self, key: &str) -> Result<bool, StatusCode> {
                let value = self.get::<bool>(key).await.map_err(internal)?;
                Ok(value.is_some())
            }

            async fn log_out(&self) -> Result<(), StatusCode> {
                self.flush().await.map_err(internal)
            }
        }
    };
}

handle!(tower_sessions);
handle!(tower_sessions_0_14);

fn internal<E>(_: E) -> StatusCode {
    StatusCode::INTERNAL_SERVER_ERROR
}
