//! `lost`: what parallel requests to one session lose, over real sockets, between processes that share one Redis.
//!
//! Two figures. **Lost updates**: many requests at once load the session, wait, and insert a key of their own; how
//! many keys are there afterwards? **Lost logouts**: while a request has the session loaded, another one logs out;
//! is the user logged in again once the slow one is through?

mod client;
mod logouts;
mod processes;
mod servers;
mod updates;

pub use processes::Redis;
pub use servers::{CHILD, child};

use std::time::Duration;

use tokio::runtime::Builder;

use self::{
    client::{Answer, Client},
    processes::Server,
    servers::Entry,
};

pub fn run() {
    let redis = Redis::start();
    let client = Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let measured: Vec<_> = servers::ALL
        .iter()
        .map(|entry| {
            let contestant = Started::new(entry, redis.url());
            client.block_on(async {
                let updates = updates::measure(&contestant).await;
                (entry, updates, logouts::measure(&contestant).await)
            })
        })
        .collect();
    updates::print(measured.iter().map(|(entry, updates, _)| (*entry, updates)));
    logouts::print(measured.iter().map(|(entry, _, logouts)| (*entry, logouts)));
}

/// The processes of one contestant. They end with it.
struct Started {
    processes: Vec<Server>,
}

impl Started {
    fn new(entry: &Entry, redis: &str) -> Self {
        let start = |_| Server::start(entry.name, redis);
        Self {
            processes: (0..entry.processes).map(start).collect(),
        }
    }

    /// A client of the `n`th process; they take turns.
    fn client(&self, n: usize) -> Client {
        Client {
            port: self.processes[n % self.processes.len()].port(),
        }
    }

    /// Logs in as a new visitor, and returns the cookie.
    async fn log_in(&self) -> String {
        let answer = self.client(0).post("/login", None).await;
        let answer = answer.expect("an answer to a login");
        answer.cookie.expect("a login sets a cookie")
    }

    /// Whether somebody is logged in by this cookie.
    async fn is_logged_in(&self, cookie: &str) -> bool {
        let answer = self.client(0).get("/user", Some(cookie)).await;
        answer.expect("an answer to a read").body == servers::USER
    }
}

/// The path of a request that loads the session, waits, and inserts `key`. Its answer is who was logged in when it
/// had loaded the session.
fn insert(key: &str, wait: Duration) -> String {
    format!("/insert/{key}/{}", wait.as_millis())
}
