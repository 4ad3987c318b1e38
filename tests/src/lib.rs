//! What end-to-end tests need: real servers, each started on a free port and stopped by its pid.

mod daemon;

mod mariadb;
mod postgres;

pub use daemon::{Daemon, Folder, eventually, free_port, program};
pub use mariadb::MariaDb;
pub use postgres::Postgres;
