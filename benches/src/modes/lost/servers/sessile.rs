//! sessile, with its sessions in the process and over Redis.

use std::net::TcpListener;

use ::sessile::{Error, Result, Session, SessionLayer, Sticky, Stored};
use sessile_redis::RedisStore;

use super::on_axum::{self, Handle};

pub async fn sticky(listener: TcpListener) {
    on_axum::serve::<Session, _>(listener, SessionLayer::new(Sticky::new())).await;
}

pub async fn stored(listener: TcpListener, url: String) {
    let store = RedisStore::connect(&url).expect("a URL of Redis");
    let layer = SessionLayer::new(Stored::new(store));
    on_axum::serve::<Session, _>(listener, layer).await;
}

impl Handle for Session {
    type Error = Error;

    async fn log_in(&self, user: &str) -> Result<()> {
        self.login(user)
    }

    async fn user(&self) -> Result<Option<String>> {
        Ok(self.subject().map(|user| user.to_string()))
    }

    async fn insert(&self, key: &str) -> Result<()> {
        Session::insert(self, key, true)
    }

    async fn contains(&self, key: &str) -> Result<bool> {
        Ok(Session::contains(self, key))
    }

    async fn log_out(&self) -> Result<()> {
        self.logout()
    }
}
