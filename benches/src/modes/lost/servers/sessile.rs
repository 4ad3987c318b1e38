//! sessile, with its sessions in the process.

use std::net::TcpListener;

use ::sessile::{Error, Result, Session, SessionLayer, Sticky};

use super::on_axum::{self, Handle};

pub async fn sticky(listener: TcpListener) {
    on_axum::serve::<Session, _>(listener, SessionLayer::new(Sticky::new())).await;
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
