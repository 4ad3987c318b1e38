//! What end-to-end tests need: the example programs, a client with a cookie jar, and real servers,
//! each started on a free port and stopped by its pid.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc)] // in a test, a panic is the report

mod balancers;
mod daemon;

pub use balancers::{Balancer, BalancerKind};
mod build;
mod client;
mod configured;
mod kept_alive;
mod node;
mod program;

mod mariadb;
mod postgres;
mod proxy;
mod redis;
mod shared;

pub use build::{built, on_path};
pub use client::{Client, Response};
pub use configured::{Configured, SEALING_KEY, SIGNING_KEY};
pub use daemon::{Daemon, Folder, eventually, free_port, pause, program};
pub use kept_alive::KeptAlive;
pub use mariadb::MariaDb;
pub use node::{Node, Nodes};
pub use postgres::Postgres;
pub use program::{KEY, Server, refusal, run_on};
pub use proxy::Proxy;
pub use redis::{RedisCluster, RedisSentinels, RedisServer};
pub use shared::Shared;
