//! Every balancer in front of real nodes: testbeds over one Redis.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use sessile_e2e::{Balancer, BalancerKind, Client, Nodes, RedisServer, eventually, pause};

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
    failed: u64,
}

impl Visitor {
    fn new(port: u16) -> Self {
        Visitor {
            client: Client::new(port),
            visits: 0,
            failed: 0,
        }
    }

    fn label(&self) -> &str {
        let cookie = self.client.jar.get("__Host-sid");
        cookie.map_or("", |cookie| cookie.split('.').next().unwrap())
    }

    /// Whether it was answered; if so, its session is the one that it had.
    fn visit(&mut self) -> bool {
        match self.client.try_send("GET", "/visits", &[], "") {
            Ok(answer) if answer.status == 200 => {
                let n: u64 = answer.body.strip_prefix("visit ").unwrap().parse().unwrap();
                let possible = self.visits + 1..=self.visits + 1 + self.failed;
                assert!(possible.contains(&n), "{n} is none of {possible:?}");
                (self.visits, self.failed) = (n, 0);
                true
            }
            _ => {
                self.failed += 1;
                false
            }
        }
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
    // What no node has made is balanced, and answered as a stranger's.
    for garbage in ["n1.x.y", "n9.x.y", "%00"] {
        let mut stranger = Client::new(stage.balancer.port);
        stranger.jar.insert("__Host-sid".into(), garbage.into());
        assert_eq!(stranger.whoami()["arrival"], "unknown", "{garbage}");
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

pub(crate) fn all_nodes_are_restarted_under_load_and_nobody_notices(proxy: BalancerKind) {
    let Some(mut stage) = Stage::set(proxy) else {
        return;
    };
    let mut visitors: Vec<_> = (0..12).map(|_| Visitor::new(stage.balancer.port)).collect();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for visitor in &mut visitors {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    assert!(visitor.visit(), "an error at a restart");
                    pause(10);
                }
            });
        }
        pause(500);
        for label in LABELS {
            let node = stage.nodes.get(label);
            assert!(node.terminate().success(), "{label}");
            node.start();
            // Until the balancer has seen it.
            pause(1500);
        }
        done.store(true, Ordering::Relaxed);
    });
    let visits: u64 = visitors.iter().map(|visitor| visitor.visits).sum();
    println!(
        "{proxy:?}: 3 nodes restarted under 12 clients: {visits} visits, 0 errors, 0 sessions lost"
    );
    assert!(visits > 500, "there was load: {visits}");
}
