//! What end-to-end tests need: real servers, each started on a free port and stopped by its pid.

mod balancers;
mod daemon;

pub use balancers::{Balancer, Proxy};
pub use daemon::{Daemon, Folder, eventually, free_port, program};
