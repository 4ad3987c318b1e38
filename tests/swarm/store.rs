//! The stores that processes can share, each on a server of its own.

use std::fs;

use sessile_e2e::{Folder, MariaDb, Postgres, RedisServer, Server};

/// A store on a real server. It ends with its handle.
pub(crate) enum Store {
    Redis(RedisServer),
    Postgres(Postgres),
    MariaDb(MariaDb),
    Sqlite(Folder),
}

impl Store {
    /// One of each, without the care for a crash that makes them slow.
    pub(crate) fn each() -> [fn() -> Store; 4] {
        [
            Store::redis,
            || Store::Postgres(Postgres::start()),
            || Store::MariaDb(MariaDb::start()),
            || Store::Sqlite(Folder::new("sqlite")),
        ]
    }

    pub(crate) fn redis() -> Store {
        // Uncompressed, so that a dump can be searched.
        Store::Redis(RedisServer::start(&["--rdbcompression", "no"]))
    }

    /// What it has acknowledged survives a kill.
    pub(crate) fn durable_redis() -> Store {
        let durable = ["--appendonly", "yes", "--appendfsync", "always"];
        Store::Redis(RedisServer::start(&durable))
    }

    /// What it has acknowledged survives a kill.
    pub(crate) fn durable_postgres() -> Store {
        Store::Postgres(Postgres::start_with(true))
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Store::Redis(_) => "Redis",
            Store::Postgres(_) => "PostgreSQL",
            Store::MariaDb(_) => "MariaDB",
            Store::Sqlite(_) => "SQLite",
        }
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Store::Redis(server) => server.url(),
            Store::Postgres(server) => server.url(),
            Store::MariaDb(server) => server.url(),
            Store::Sqlite(folder) => {
                format!(
                    "sqlite:{}?mode=rwc",
                    folder.path().join("sessions.db").display()
                )
            }
        }
    }

    /// A testbed whose sessions are here.
    pub(crate) fn testbed(&self) -> Server {
        let strategy = format!("--strategy=stored={}", self.url());
        Server::with("testbed", &[&strategy], sessile_e2e::KEY)
    }

    /// Kills the server in the midst of what it does.
    pub(crate) fn kill(&mut self) {
        match self {
            Store::Redis(server) => server.kill(),
            Store::Postgres(server) => server.kill(),
            Store::MariaDb(server) => server.kill(),
            Store::Sqlite(_) => unreachable!("there is no server"),
        }
    }

    /// Starts it again on the same port, and returns when it takes connections.
    pub(crate) fn restart(&mut self) {
        match self {
            Store::Redis(server) => server.restart(),
            Store::Postgres(server) => server.restart(),
            Store::MariaDb(server) => server.restart(),
            Store::Sqlite(_) => unreachable!("there is no server"),
        }
    }

    /// All that the store keeps, as whoever steals it would find it.
    pub(crate) fn dump(&self) -> Vec<u8> {
        let files = |folder: &std::path::Path| {
            let mut bytes = Vec::new();
            let mut folders = vec![folder.to_owned()];
            while let Some(folder) = folders.pop() {
                for entry in fs::read_dir(folder).unwrap() {
                    let path = entry.unwrap().path();
                    if path.is_dir() {
                        folders.push(path);
                    } else {
                        bytes.extend(fs::read(path).unwrap_or_default());
                    }
                }
            }
            bytes
        };
        match self {
            Store::Redis(server) => {
                server.cli(&["SAVE"]);
                files(server.folder())
            }
            Store::Postgres(server) => server.dump().into_bytes(),
            Store::MariaDb(server) => server.dump().into_bytes(),
            Store::Sqlite(folder) => files(folder.path()),
        }
    }
}
