//! What end-to-end tests need: real servers, each started on a free port and stopped by its pid.

mod daemon;
mod proxy;
mod redis;

pub use daemon::{Daemon, Folder, eventually, free_port, program};
pub use proxy::Proxy;
pub use redis::{RedisCluster, RedisSentinels, RedisServer};
