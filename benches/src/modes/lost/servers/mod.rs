//! The contestants as servers, a process each.
//!
//! All answer the same requests: `POST /login`, `POST /insert/{key}/{wait in ms}`, `GET /keys`, `GET /user`,
//! `POST /logout`.

mod actix_session;
mod on_axum;
mod sessile;
mod tower_sessions;

use std::{
    future::Future,
    net::{Ipv4Addr, TcpListener},
    pin::Pin,
    time::Duration,
};

use tokio::{runtime::Builder, time::timeout};

/// The subcommand of a server: `lost-child CONTESTANT REDIS`. Its first line is the port that it listens on.
pub const CHILD: &str = "lost-child";

/// Whom `/login` logs in.
pub const USER: &str = "somebody";

/// How many keys `/keys` looks for: tower-sessions has no list of them.
pub const KEYS: usize = 200;

/// The `n`th of those keys.
pub fn key(n: usize) -> String {
    format!("k{n}")
}

/// A server whose parent was killed ends by itself after this.
const LIFE: Duration = Duration::from_secs(120);
/// Threads per process.
const THREADS: usize = 2;

/// One line of the list.
pub struct Entry {
    pub name: &'static str,
    /// As many as can share what it stores.
    pub processes: usize,
    /// The crates it is made of, and the version where the lock file has several.
    crates: &'static [&'static str],
    serve: fn(TcpListener, String) -> Serving,
}

/// A running server.
type Serving = Pin<Box<dyn Future<Output = ()>>>;

pub static ALL: [Entry; 5] = [
    Entry {
        name: "sessile, sticky",
        processes: 1,
        crates: &["sessile"],
        serve: |listener, _| Box::pin(sessile::sticky(listener)),
    },
    Entry {
        name: "sessile, stored in Redis",
        processes: 2,
        crates: &["sessile", "sessile-redis"],
        serve: |listener, redis| Box::pin(sessile::stored(listener, redis)),
    },
    Entry {
        name: "tower-sessions, memory",
        processes: 1,
        crates: &["tower-sessions 0.15"],
        serve: |listener, _| Box::pin(tower_sessions::memory(listener)),
    },
    Entry {
        name: "tower-sessions, Redis",
        processes: 2,
        crates: &["tower-sessions 0.14", "tower-sessions-redis-store"],
        serve: |listener, redis| Box::pin(tower_sessions::redis(listener, redis)),
    },
    Entry {
        name: "actix-session, Redis",
        processes: 2,
        crates: &["actix-session"],
        serve: |listener, redis| Box::pin(actix_session::redis(listener, redis)),
    },
];

impl Entry {
    /// The crates with their versions, as they are in the lock file.
    pub fn versions(&self) -> String {
        let versions = self.crates.iter().map(|wanted| locked(wanted));
        versions.collect::<Vec<_>>().join(", ")
    }
}

/// `name version`, of a crate by `name` or by `name` and the start of the version.
fn locked(wanted: &str) -> String {
    let lock = include_str!("../../../../Cargo.lock");
    lock.split("[[package]]")
        .filter_map(|package| {
            let field = |name: &str| {
                let line = package.lines().find_map(|line| line.strip_prefix(name))?;
                Some(line.trim_matches(|c: char| " =\"".contains(c)))
            };
            Some(format!("{} {}", field("name")?, field("version")?))
        })
        .find(|package| match package.strip_prefix(wanted) {
            Some(rest) => rest.starts_with([' ', '.']),
            None => false,
        })
        .expect("a crate of the lock file")
}

pub fn child(name: &str, redis: &str) {
    let entry = ALL
        .iter()
        .find(|entry| entry.name == name)
        .expect("a contestant of that name");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = listener.local_addr().expect("a bound socket");
    listener
        .set_nonblocking(true)
        .expect("a socket of the runtime");
    let runtime = Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_all()
        .build()
        .expect("a runtime");
    println!("{}", address.port());
    // The parent ends it long before.
    let _ =
        runtime.block_on(async { timeout(LIFE, (entry.serve)(listener, redis.to_owned())).await });
}
