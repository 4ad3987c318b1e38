//! Sentinels: they know which server is the primary.

use std::io;

use futures_util::future::select_ok;
use redis::{
    ConnectionInfo, ErrorKind, FromRedisValue as _, RedisConnectionInfo, RedisError, Value,
};

use crate::link::{Live, Timeouts, connect, connect_to_sentinel};
use crate::slots::Node;

/// The sentinels of one primary.
#[derive(Debug)]
pub(crate) struct Sentinels {
    pub(crate) sentinels: Vec<ConnectionInfo>,
    /// What they call it.
    pub(crate) name: String,
    /// Its user, password and database.
    pub(crate) redis: RedisConnectionInfo,
    pub(crate) tls: bool,
}

impl Sentinels {
    /// Asks all of them at once, and connects to the first server that says that it is the primary:
    /// a sentinel that is down costs no time, and one that lags behind does not mislead.
    pub(crate) async fn connect(&self, timeouts: Timeouts) -> Result<Live, RedisError> {
        let attempts = self
            .sentinels
            .iter()
            .map(|sentinel| Box::pin(self.connect_by(sentinel, timeouts)));
        match tokio::time::timeout(timeouts.connect, select_ok(attempts)).await {
            Ok(first) => Ok(first?.0),
            Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
        }
    }

    async fn connect_by(
        &self,
        sentinel: &ConnectionInfo,
        timeouts: Timeouts,
    ) -> Result<Live, RedisError> {
        let mut connection = connect_to_sentinel(sentinel, timeouts).await?;
        let mut question = redis::cmd("SENTINEL");
        question.arg("GET-MASTER-ADDR-BY-NAME").arg(&self.name);
        let address: Option<(String, u16)> = question.query_async(&mut connection).await?;
        let Some((host, port)) = address else {
            let message = "the sentinels know no primary of this name";
            return Err((ErrorKind::MasterNameNotFoundBySentinel, message).into());
        };

        let node = Node { host, port };
        let live = connect(&node.info(&self.redis, self.tls), timeouts).await?;
        let question = redis::cmd("ROLE");
        let role: Vec<Value> = question.query_async(&mut live.connection.clone()).await?;
        let role = role.into_iter().next().unwrap_or(Value::Nil);
        if String::from_redis_value(role)? != "master" {
            return Err((ErrorKind::Io, "the server is no primary, or not any more").into());
        }
        Ok(live)
    }
}
