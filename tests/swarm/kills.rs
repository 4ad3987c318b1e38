//! A store that is killed, again and again, under load.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use sessile_e2e::{Client, Server, eventually, pause};

use crate::store::Store;

const KILLS: usize = 20;
const CLIENTS: usize = 8;

/// A client that counts, and what it knows of its counter.
struct Counter {
    client: Client,
    id: String,
    /// The last number that was acknowledged.
    acknowledged: u64,
    /// How many increments were not answered, or with an error: applied or not.
    uncertain: u64,
    /// How many were acknowledged.
    done: u64,
}

impl Counter {
    fn new(server: &Server) -> Self {
        let mut client = server.client();
        client.post("/login/somebody").is(204);
        client.json("PUT", "/set/n", "0").is(204);
        let id = client.whoami()["id"].as_str().unwrap().to_owned();
        Counter {
            client,
            id,
            acknowledged: 0,
            uncertain: 0,
            done: 0,
        }
    }

    fn count(&mut self) {
        let before = self.client.jar.clone();
        match self.client.try_send("POST", "/incr/n", &[], "") {
            Ok(answer) if answer.status == 200 => {
                let n: u64 = answer.body.parse().unwrap();
                let possible = self.acknowledged + 1..=self.acknowledged + 1 + self.uncertain;
                assert!(possible.contains(&n), "{n} is none of {possible:?}");
                (self.acknowledged, self.uncertain) = (n, 0);
                self.done += 1;
            }
            Ok(answer) => {
                assert_eq!(answer.status, 503, "{answer:?}");
                assert!(!answer.sets_cookie(), "{answer:?}");
                self.uncertain += 1;
            }
            Err(_) => self.uncertain += 1,
        }
        assert_eq!(before, self.client.jar, "an outage leaves the cookie alone");
    }

    /// Everybody is still there, with all that was acknowledged.
    fn check(&mut self) {
        let me = self.client.whoami();
        assert_eq!(me["arrival"], "resumed");
        assert_eq!(me["id"], self.id.as_str());
        assert_eq!(me["subject"], "somebody");
        self.count();
        assert_eq!(self.uncertain, 0, "the store is back");
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long the service was away is what is measured"
)]
fn killed_under_load(mut store: Store) {
    let server = store.testbed();
    let mut counters: Vec<_> = (0..CLIENTS).map(|_| Counter::new(&server)).collect();
    let done = AtomicBool::new(false);
    let mut slowest = Duration::ZERO;
    thread::scope(|scope| {
        for counter in &mut counters {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    counter.count();
                }
            });
        }
        let mut visitor = server.client();
        for _ in 0..KILLS {
            pause(150);
            store.kill();
            pause(50);
            store.restart();
            let up = Instant::now();
            eventually("it answers again", || {
                let answer = visitor.try_send("GET", "/visits", &[], "").ok()?;
                (answer.status == 200).then_some(())
            });
            slowest = slowest.max(up.elapsed());
        }
        done.store(true, Ordering::Relaxed);
    });
    counters.iter_mut().for_each(Counter::check);
    let acknowledged: u64 = counters.iter().map(|counter| counter.done).sum();
    println!(
        "{}: killed {KILLS} times, {acknowledged} acknowledged writes, 0 lost, nobody logged out; \
         good again at most {slowest:?} after the port",
        store.name()
    );
    assert!(acknowledged > 200, "there was load: {acknowledged}");
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
}

#[test]
fn a_redis_that_is_killed_twenty_times_loses_nothing_acknowledged() {
    killed_under_load(Store::durable_redis());
}

#[test]
fn a_postgres_that_is_killed_twenty_times_loses_nothing_acknowledged() {
    killed_under_load(Store::durable_postgres());
}
