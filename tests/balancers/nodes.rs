//! Every balancer in front of real nodes: testbeds over one Redis.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use sessile_e2e::{Balancer, BalancerKind, Client, Nodes, RedisServer, eventually, pause};

use crate::client::Keeping;

const LABELS: [&str; 3] = ["n1", "n2", "n3"];
/// Fewer than with the labelled servers: each is a write to the store by a debug build.
const REQUESTS: u64 = 200;

struct Stage {
    nodes: Nodes,
    balancer: Balancer,
    _redis: RedisServer,
}

impl Stage {
    /// Nodes that adopt at once, so that a request at the wrong node shows in the cookie.
    fn set(proxy: BalancerKind) -> Option<Stage> {
        let redis = RedisServer::start(&[]);
        let url = redis.url();
        let nodes = Nodes::start(&LABELS, &["--backing", &url, "--misrouted", "adopt,fail"]);
        let balancer = Balancer::start(proxy, &nodes.table())?;
        let stage = Stage {
            nodes,
            balancer,
            _redis: redis,
        };
        for label in LABELS {
            stage.visitor_of(label);
        }
        Some(stage)
    }

    /// A client whose session is on this node, which answers.
    fn visitor_of(&self, label: &str) -> Visitor {
        eventually(label, || {
            let mut visitor = Visitor::new(self.balancer.port);
            (visitor.visit() && visitor.label() == label).then_some(visitor)
        })
    }
}

/// A client that counts its visits.
struct Visitor {
    client: Client,
    visits: u64,
    /// How many visits were not answered well, and may count all the same.
    failed: u64,
    /// Method and status of each that ever failed; 0 for a connection that broke.
    failures: Vec<(&'static str, u16)>,
}

impl Visitor {
    fn new(port: u16) -> Self {
        Visitor {
            client: Client::new(port),
            visits: 0,
            failed: 0,
            failures: Vec::new(),
        }
    }

    fn label(&self) -> &str {
        let cookie = self.client.jar.get("__Host-sid");
        cookie.map_or("", |cookie| cookie.split('.').next().unwrap())
    }

    /// Comes next time as somebody new.
    fn leave(&mut self) {
        self.client.jar.clear();
        (self.visits, self.failed) = (0, 0);
    }

    /// Reads, and is counted by that.
    fn visit(&mut self) -> bool {
        self.ask("GET", "/visits")
    }

    /// The same, as a write.
    fn write(&mut self) -> bool {
        self.ask("POST", "/incr/visits")
    }

    /// Whether it was answered; if so, its session is the one that it had.
    fn ask(&mut self, method: &'static str, path: &str) -> bool {
        let answer = self.client.try_send(method, path, &[], "");
        let status = answer.as_ref().map_or(0, |answer| answer.status);
        let Some(answer) = answer.ok().filter(|_| status == 200) else {
            self.failed += 1;
            self.failures.push((method, status));
            return false;
        };
        let n = answer.body.trim_start_matches("visit ");
        let n: u64 = n.parse().unwrap();
        let possible = self.visits + 1..=self.visits + 1 + self.failed;
        assert!(possible.contains(&n), "{n} is none of {possible:?}");
        (self.visits, self.failed) = (n, 0);
        true
    }
}

pub(crate) fn a_client_stays_on_its_node_over_a_thousand_requests(proxy: BalancerKind) {
    let Some(stage) = Stage::set(proxy) else {
        return;
    };
    let visitor = stage.visitor_of("n2");
    let mut n = visitor.visits;
    let cookie = visitor.client.jar["__Host-sid"].clone();
    let mut client = Keeping::new(stage.balancer.port, cookie);
    for at in 0..1000 {
        let write = at % 4 == 0;
        n += u64::from(write);
        let answer = if write {
            client.ask("POST", "/incr/visits")
        } else {
            client.ask("GET", "/get/visits")
        };
        assert_eq!(answer.unwrap(), (200, n.to_string()), "{at}");
        assert!(client.cookie.starts_with("n2."), "{at}: {}", client.cookie);
    }
    let (status, me) = client.ask("GET", "/whoami").unwrap();
    assert!(status == 200 && me.contains(r#""node":"n2""#), "{me}");
    // Some close a connection after so many requests.
    let connections = client.connections;
    assert!(connections <= 3, "{connections}");
}

pub(crate) fn what_no_node_has_made_is_balanced_and_answered_as_a_strangers(proxy: BalancerKind) {
    let Some(stage) = Stage::set(proxy) else {
        return;
    };
    let ask = |cookie: &str| {
        let mut stranger = Client::new(stage.balancer.port);
        stranger.jar.insert("__Host-sid".into(), cookie.into());
        let me = stranger.whoami();
        assert_eq!(me["arrival"], "unknown", "{cookie}");
        me["node"].as_str().unwrap().to_owned()
    };
    for cookie in ["n9.x.y", "0.x.y", "N1.x.y", "xn1.y.z", "%00", "."] {
        let mut counts = BTreeMap::<_, u64>::new();
        for _ in 0..30 {
            *counts.entry(ask(cookie)).or_default() += 1;
        }
        let fair = counts.len() == LABELS.len() && counts.values().all(|n| *n >= 4);
        assert!(fair, "{cookie}: {counts:?}");
    }
    // A label is a hint: a forged credential goes to the node that it names, to which it is nothing.
    for _ in 0..30 {
        assert_eq!(ask("n1.x.y"), "n1");
    }
}

pub(crate) fn a_session_stays_on_its_node_and_survives_it(proxy: BalancerKind) {
    let Some(mut stage) = Stage::set(proxy) else {
        return;
    };
    let mut visitors: Vec<_> = LABELS.iter().map(|label| stage.visitor_of(label)).collect();
    for _ in 0..REQUESTS {
        for (visitor, label) in visitors.iter_mut().zip(LABELS) {
            assert!(visitor.visit());
            assert_eq!(visitor.label(), label);
        }
    }
    stage.nodes.get("n1").kill();
    let orphan = &mut visitors[0];
    let refused = (0..).find(|_| orphan.visit()).unwrap();
    println!("{proxy:?}: after its owner died, {refused} requests failed and then it went on");
    // It may take a balancer a request to notice, and another where it retries at the dead one.
    assert!(refused <= 2, "{refused}");
    assert!(matches!(orphan.label(), "n2" | "n3"), "{}", orphan.label());
    let now = orphan.label().to_owned();
    for _ in 0..50 {
        assert!(orphan.visit());
        assert_eq!(orphan.label(), now);
    }
}

/// How a node is stopped.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Operator {
    /// With a signal: the node hands its sessions over, and is gone.
    Stops,
    /// Asks for the hand-over, waits until the node says it is unready, and then sends the signal.
    /// What is left of the hand-over then takes longer than any balancer takes to notice.
    WaitsUntilItIsUnready,
}

pub(crate) fn all_nodes_are_restarted_under_load_and_no_session_is_lost(
    proxy: BalancerKind,
    operator: Operator,
    errors: u64,
) {
    let Some(mut stage) = Stage::set(proxy) else {
        return;
    };
    let port = stage.balancer.port;
    let mut pairs: Vec<_> = (0..12)
        .map(|_| [Visitor::new(port), Visitor::new(port)])
        .collect();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for [regular, newcomer] in &mut pairs {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    for visitor in [&mut *regular, newcomer] {
                        visitor.visit();
                        visitor.write();
                    }
                    newcomer.leave();
                    pause(20);
                }
            });
        }
        pause(500);
        for label in LABELS {
            let node = stage.nodes.get(label);
            if let Operator::WaitsUntilItIsUnready = operator {
                let mut operator = node.client();
                operator.post("/drain").is(202);
                eventually(label, || {
                    (operator.get("/ready").status == 503).then_some(())
                });
            }
            assert!(node.terminate().success(), "{label}");
            // It is away for as long as a program takes to start.
            pause(1000);
            node.start();
            // Until the balancer has seen it.
            pause(1500);
        }
        done.store(true, Ordering::Relaxed);
    });
    let of = |who: usize| failures(pairs.iter().map(|pair| &pair[who]));
    let (regulars, newcomers) = (of(0), of(1));
    let visits: u64 = pairs.iter().map(|pair| pair[0].visits).sum();
    println!(
        "{proxy:?}, {operator:?}: 3 nodes restarted under 12 clients: {visits} visits, 0 sessions \
         lost; errors by method and status: {regulars:?}, and of new clients {newcomers:?}"
    );
    assert!(visits > 500, "there was load: {visits}");
    assert!(regulars.is_empty(), "{regulars:?}");
    assert!(newcomers.values().sum::<u64>() <= errors, "{newcomers:?}");
}

/// How often a request failed, by its method and the status.
fn failures<'a>(of: impl Iterator<Item = &'a Visitor>) -> BTreeMap<(&'static str, u16), u64> {
    let mut counts = BTreeMap::new();
    for failure in of.flat_map(|visitor| &visitor.failures) {
        *counts.entry(*failure).or_default() += 1;
    }
    counts
}
