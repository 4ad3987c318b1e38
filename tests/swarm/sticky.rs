//! Nodes with sticky sessions in front of one store, killed and stopped in turn under clients that
//! check their own counters.
//!
//! What holds is that a write by way of one node is refused when another one has written since: a
//! comparison in the store. The negative control is in the model of `sessile-memory`, where that
//! comparison can be taken out, `without_a_base_the_model_finds_writes_that_are_lost_unsaid`; a
//! testbed without it does not exist.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use sessile_e2e::{Client, Node, Nodes, Postgres, eventually, pause};

use crate::store::Store;

/// Two processes answer to the same label, as while one replaces the other.
const LABELS: [&str; 4] = ["n1", "n2", "n3", "n3"];
const CLIENTS: u64 = 40;
/// Times a node is killed, and as often one is stopped.
const ROUNDS: usize = 4;
/// Longer than a store may take to answer, and than clients wait.
const STOPPED: u64 = 3000;

/// A client that counts, and what it knows of its counter.
struct Counter {
    client: Client,
    id: String,
    ports: Vec<(&'static str, u16)>,
    random: u64,
    /// The last number that was acknowledged.
    last: u64,
    /// How many increments were not answered, or with an error, and have not shown up so far. A
    /// stopped node may apply one when it goes on, long after.
    pending: u64,
    acknowledged: u64,
    misrouted: u64,
    uncertain: u64,
}

impl Counter {
    fn new(nodes: &Nodes, at: u64) -> Self {
        let ports = nodes.table();
        let (_, port) = ports[at as usize % ports.len()];
        let mut client = Client::new(port).patience(Duration::from_secs(10));
        client.json("PUT", "/set/n", "0").is(204);
        let id = client.whoami()["id"].as_str().unwrap().to_owned();
        Counter {
            client: client.patience(Duration::from_millis(700)),
            id,
            ports,
            random: at * 2 + 1,
            last: 0,
            pending: 0,
            acknowledged: 0,
            misrouted: 0,
            uncertain: 0,
        }
    }

    fn random(&mut self) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 33) as usize
    }

    /// Where a balancer would send it, but for one request in ten.
    fn port(&mut self) -> u16 {
        let cookie = &self.client.jar["__Host-sid"];
        let label = cookie.split('.').next().unwrap_or_default().to_owned();
        let own: Vec<_> = self.ports.iter().filter(|(l, _)| *l == label).collect();
        let own: Vec<u16> = own.into_iter().map(|(_, port)| *port).collect();
        let random = self.random();
        if own.is_empty() || random.is_multiple_of(10) {
            self.misrouted += 1;
            return self.ports[random / 10 % self.ports.len()].1;
        }
        own[random / 10 % own.len()]
    }

    fn count(&mut self, port: u16) -> bool {
        self.client = self.client.at(port);
        let answer = self.client.try_send("POST", "/incr/n", &[], "");
        let Some(answer) = answer.ok().filter(|answer| answer.status == 200) else {
            self.pending += 1;
            self.uncertain += 1;
            return false;
        };
        let n: u64 = answer.body.parse().unwrap();
        let possible = self.last + 1..=self.last + 1 + self.pending;
        assert!(possible.contains(&n), "{n} is none of {possible:?}");
        self.pending -= n - possible.start();
        self.last = n;
        self.acknowledged += 1;
        true
    }

    fn run(&mut self, done: &AtomicBool) {
        while !done.load(Ordering::Relaxed) {
            let mut port = self.port();
            // Who is not answered goes elsewhere.
            while !self.count(port) && !done.load(Ordering::Relaxed) {
                let at = self.random() % self.ports.len();
                port = self.ports[at].1;
            }
            // A visitor, and no flood: two processors have to do for everybody.
            pause(20);
        }
    }

    /// The session is still there, at every node, with all that was acknowledged.
    fn check(&mut self) {
        self.client = self.client.clone().patience(Duration::from_secs(10));
        for (_, port) in self.ports.clone() {
            eventually("it is answered", || self.count(port).then_some(()));
            let me = self.client.whoami();
            assert_eq!(
                (&me["arrival"], &me["id"]),
                (&"resumed".into(), &self.id.as_str().into())
            );
        }
    }
}

fn no_update_is_lost(store: &Store) {
    let arguments = ["--backing", &store.url(), "--misrouted", "adopt,fail"];
    let mut nodes = Nodes::start(&LABELS, &arguments);
    let mut counters: Vec<_> = (0..CLIENTS).map(|at| Counter::new(&nodes, at)).collect();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for counter in &mut counters {
            scope.spawn(|| counter.run(&done));
        }
        let count = nodes.0.len();
        for round in 0..ROUNDS {
            kill(&mut nodes.0[round % count]);
            stop(&nodes.0[(round + 2) % count]);
        }
        done.store(true, Ordering::Relaxed);
    });
    counters.iter_mut().for_each(Counter::check);
    let sum = |of: fn(&Counter) -> u64| counters.iter().map(of).sum::<u64>();
    let (acknowledged, uncertain) = (sum(|it| it.acknowledged), sum(|it| it.uncertain));
    let misrouted = sum(|it| it.misrouted);
    println!(
        "{}: {CLIENTS} clients, {} nodes, {ROUNDS} killed and {ROUNDS} stopped; {acknowledged} \
         acknowledged updates, 0 lost; {misrouted} misrouted, {uncertain} uncertain",
        store.name(),
        LABELS.len()
    );
    assert!(acknowledged > 1000 && misrouted > 100 && uncertain > 0);
}

fn kill(node: &mut Node) {
    node.kill();
    pause(300);
    node.start();
    pause(300);
}

fn stop(node: &Node) {
    node.signal("STOP");
    pause(STOPPED);
    node.signal("CONT");
    pause(300);
}

#[test]
fn nodes_that_are_killed_and_stopped_lose_no_update_over_redis() {
    no_update_is_lost(&Store::redis());
}

#[test]
fn nodes_that_are_killed_and_stopped_lose_no_update_over_postgres() {
    no_update_is_lost(&Store::Postgres(Postgres::start()));
}
