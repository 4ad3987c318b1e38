//! A client that counts in its session, and holds what it is told against what it knows.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use sessile_e2e::{Client, Nodes, eventually, pause};

/// A client that counts, and what it knows of its counter.
pub(crate) struct Counter {
    client: Client,
    id: String,
    ports: Vec<(&'static str, u16)>,
    random: u64,
    /// The last number that was acknowledged.
    last: u64,
    /// How many increments were not answered, or with an error, and have not shown up so far. A
    /// stopped node may apply one when it goes on, long after.
    pending: u64,
    pub(crate) tally: Tally,
}

/// What became of the increments.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) acknowledged: u64,
    /// Acknowledged, and gone later.
    pub(crate) lost: u64,
    /// Counted, though nobody had asked for it.
    pub(crate) surplus: u64,
    /// Sent to any node, and not to that of the session.
    pub(crate) misrouted: u64,
    /// Not answered, or with an error.
    pub(crate) uncertain: u64,
}

impl Tally {
    pub(crate) fn of(counters: &[Counter]) -> Tally {
        let mut sum = Tally::default();
        for Counter { tally, .. } in counters {
            sum.acknowledged += tally.acknowledged;
            sum.lost += tally.lost;
            sum.surplus += tally.surplus;
            sum.misrouted += tally.misrouted;
            sum.uncertain += tally.uncertain;
        }
        sum
    }
}

impl Counter {
    /// The client of this number, with a session of its own that counts from 0.
    pub(crate) fn new(nodes: &Nodes, at: u64) -> Self {
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
            tally: Tally::default(),
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
        let label = self.label();
        let own: Vec<_> = self.ports.iter().filter(|(l, _)| *l == label).collect();
        let own: Vec<u16> = own.into_iter().map(|(_, port)| *port).collect();
        let random = self.random();
        if own.is_empty() || random.is_multiple_of(10) {
            self.tally.misrouted += 1;
            return self.ports[random / 10 % self.ports.len()].1;
        }
        own[random / 10 % own.len()]
    }

    /// Whether it was answered.
    fn count(&mut self, port: u16) -> bool {
        self.client = self.client.at(port);
        let answer = self.client.try_send("POST", "/incr/n", &[], "");
        let Some(answer) = answer.ok().filter(|answer| answer.status == 200) else {
            self.pending += 1;
            self.tally.uncertain += 1;
            return false;
        };
        let n: u64 = answer.body.parse().unwrap();
        let next = self.last + 1;
        self.tally.acknowledged += 1;
        self.tally.lost += next.saturating_sub(n);
        let unasked = n.saturating_sub(next);
        self.tally.surplus += unasked.saturating_sub(self.pending);
        self.pending = self.pending.saturating_sub(unasked);
        self.last = n;
        true
    }

    /// Counts on, a visitor and no flood: two processors have to do for everybody.
    pub(crate) fn run(&mut self, done: &AtomicBool) {
        while !done.load(Ordering::Relaxed) {
            let mut port = self.port();
            // Who is not answered goes elsewhere.
            while !self.count(port) && !done.load(Ordering::Relaxed) {
                let at = self.random() % self.ports.len();
                port = self.ports[at].1;
            }
            pause(30);
        }
    }

    /// Counts once more at every node.
    pub(crate) fn visit_all(&mut self) {
        self.client = self.client.clone().patience(Duration::from_secs(10));
        for (_, port) in self.ports.clone() {
            eventually("it is answered", || self.count(port).then_some(()));
        }
    }

    /// Its session is still there, at every node, which answers itself or sends on to the owner.
    pub(crate) fn check(&mut self, sends_on: bool) {
        for (label, port) in self.ports.clone() {
            self.client = self.client.at(port);
            let owner = self.label();
            let me = self.client.whoami();
            let node = if sends_on { &owner } else { label };
            let found = (&me["arrival"], &me["id"], &me["node"]);
            let expected = [json!("resumed"), json!(self.id), json!(node)];
            assert_eq!(found, (&expected[0], &expected[1], &expected[2]));
        }
    }

    /// Of the node that its session is on.
    fn label(&self) -> String {
        let cookie = &self.client.jar["__Host-sid"];
        cookie.split('.').next().unwrap_or_default().to_owned()
    }
}
