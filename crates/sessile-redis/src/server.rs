//! One server, its primary by sentinels, or a cluster: where calls go.

use redis::Value;
use sessile_core::{Error, ErrorKind, Result};

use crate::call::Call;
use crate::cluster::Cluster;
use crate::failure::Failure;
use crate::link::{Link, Target, Timeouts};
use crate::script::Answer;
use crate::sentinel::Sentinels;
use crate::url::Address;

/// Where calls go.
#[derive(Debug)]
pub(crate) enum Server {
    /// One connection to one server, which holds all keys: a primary by sentinels too.
    Single(Link),
    Cluster(Cluster),
}

impl Server {
    pub(crate) fn new(address: Address, timeouts: Timeouts) -> Self {
        match address {
            Address::Single(info) => Server::Single(Link::new(Target::Server(info), timeouts)),
            Address::Sentinel {
                sentinels,
                name,
                redis,
                tls,
            } => {
                let sentinels = Sentinels {
                    sentinels,
                    name,
                    redis,
                    tls,
                };
                Server::Single(Link::new(Target::Primary(sentinels), timeouts))
            }
            Address::Cluster { seeds, tls } => Server::Cluster(Cluster::new(&seeds, tls, timeouts)),
        }
    }

    /// Whether one server holds all keys, so that one script can see them.
    pub(crate) fn is_single(&self) -> bool {
        matches!(self, Server::Single(_))
    }

    /// Whether a fail-over is part of it, which is asynchronous.
    pub(crate) fn fails_over(&self) -> bool {
        match self {
            Server::Single(link) => link.fails_over(),
            Server::Cluster(_) => true,
        }
    }

    /// Sends a call, once; a second time only to a server that does not know its script.
    pub(crate) async fn call(&self, call: &Call<'_>) -> Result<Value> {
        let mut sent = self.send(call, &call.command()).await;
        if let Err(failure) = &sent
            && failure.refusal() == Some(redis::ServerErrorKind::NoScript)
            && let Some(introduction) = call.introduction()
        {
            sent = self.send(call, &introduction).await;
        }
        sent.map_err(|failure| match failure {
            Failure::Refused(error) if self.is_single() && error.is_cluster_error() => {
                let message = "the server is a node of a cluster: write redis+cluster://";
                Error::new(ErrorKind::Unavailable, message).with_source(error)
            }
            failure => failure.into_error(call.is_write()),
        })
    }

    /// Runs a script.
    pub(crate) async fn run(&self, call: &Call<'_>) -> Result<Answer> {
        Answer::new(self.call(call).await?)
    }

    /// Whether anybody answers.
    pub(crate) async fn ping(&self) -> Result<()> {
        let pinged = match self {
            Server::Single(link) => link.send(&redis::cmd("PING")).await.map(drop),
            Server::Cluster(cluster) => cluster.ping().await,
        };
        pinged.map_err(|failure| failure.into_error(false))
    }

    /// What each server says of its memory.
    pub(crate) async fn memory(&self) -> Result<Vec<Value>> {
        let mut cmd = redis::cmd("INFO");
        cmd.arg("memory");
        let said = match self {
            Server::Single(link) => link.send(&cmd).await.map(|value| vec![value]),
            Server::Cluster(cluster) => cluster.send_to_all(&cmd).await,
        };
        said.map_err(|failure| failure.into_error(false))
    }

    async fn send(&self, call: &Call<'_>, cmd: &redis::Cmd) -> Result<Value, Failure> {
        match self {
            Server::Single(link) => link.send(cmd).await,
            Server::Cluster(cluster) => cluster.send(call.key(), cmd).await,
        }
    }
}
