//! Nodes with sticky sessions in front of one store, killed and stopped in turn under clients that
//! check their own counters.
//!
//! What holds is that a write by way of one node is refused when another one has written since: a
//! comparison in the store, the fence. The negative control runs the same on nodes without it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use sessile_e2e::{Node, Nodes, Postgres, pause};

use crate::counter::{Counter, Tally};
use crate::store::Store;

/// Two processes answer to the same label, as while one replaces the other.
const LABELS: [&str; 4] = ["n1", "n2", "n3", "n3"];
const CLIENTS: u64 = 60;
/// Times a node is killed, and as often one is stopped.
const ROUNDS: usize = 4;
/// Longer than a store may take to answer, and than clients wait.
const STOPPED: u64 = 3000;

/// What became of everybody's increments, and the clients.
fn stress(program: &'static str, store: &Store, misrouted: &str) -> (Tally, Vec<Counter>, Nodes) {
    let arguments = ["--backing", &store.url(), "--misrouted", misrouted];
    let mut nodes = Nodes::of(program, &LABELS, &arguments);
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
    counters.iter_mut().for_each(Counter::visit_all);
    let tally = Tally::of(&counters);
    println!(
        "{program} over {}, {misrouted}: {CLIENTS} clients, {} nodes, {ROUNDS} killed and {ROUNDS} \
         stopped: {tally:?}",
        store.name(),
        LABELS.len()
    );
    let Tally {
        acknowledged,
        misrouted,
        uncertain,
        ..
    } = tally;
    assert!(acknowledged > 1000 && misrouted > 100 && uncertain > 0);
    (tally, counters, nodes)
}

fn no_update_is_lost(store: &Store, misrouted: &str) {
    let (tally, mut counters, _nodes) = stress("testbed", store, misrouted);
    assert_eq!((tally.lost, tally.surplus), (0, 0));
    let sends_on = misrouted.starts_with("forward");
    for counter in &mut counters {
        counter.check(sends_on);
    }
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
    no_update_is_lost(&Store::redis(), "adopt,fail");
}

#[test]
fn nodes_that_send_on_what_is_not_theirs_lose_no_update_over_postgres() {
    no_update_is_lost(&Store::Postgres(Postgres::start()), "forward,adopt,fail");
}

#[test]
fn without_the_fence_the_same_nodes_lose_updates() {
    let (tally, ..) = stress("fenceless", &Store::redis(), "adopt,fail");
    assert!(tally.lost > 0, "{tally:?}");
}
