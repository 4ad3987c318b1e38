//! A service that moves from one strategy to another, node by node and phase by phase, under
//! clients that come all the time: nobody is logged out, and no old credential opens anything.

mod service;
mod visitor;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use sessile_e2e::{Client, eventually, pause};

use service::{Service, Stage};
use visitor::Visitor;

const STRATEGIES: [&str; 3] = ["sticky", "stored", "token"];
const CLIENTS: usize = 8;
/// How often each client comes between one deploy and the next.
const ROUND: usize = 50;
/// More than a revocation takes to hold on every node.
const WITHIN: u64 = 1100;

/// Ends the clients' loops, also when a check has failed.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What was seen from before the first deploy until after the last.
#[derive(Debug, Default)]
struct Seen {
    requests: usize,
    /// Requests that got no answer and were asked again.
    unanswered: usize,
    logouts: usize,
    /// Answers that were none of those expected.
    refused: Vec<String>,
    moved: usize,
    /// Old credentials that were presented, each at both nodes.
    replays: usize,
}

/// Runs `work` while every visitor comes again and again. It is given a way to wait until all of
/// them have come round.
fn under_load(visitors: &mut [Visitor], work: impl FnOnce(&dyn Fn())) {
    let done: Vec<AtomicUsize> = visitors.iter().map(|_| AtomicUsize::default()).collect();
    let stop = AtomicBool::new(false);
    let counts = || -> Vec<usize> { done.iter().map(|it| it.load(Ordering::Relaxed)).collect() };
    let come_round = || {
        let before = counts();
        eventually("every client comes round", || {
            let mut both = counts().into_iter().zip(&before);
            both.all(|(now, before)| now >= before + ROUND)
                .then_some(())
        });
    };
    thread::scope(|scope| {
        let _stop = Stop(&stop);
        for (visitor, done) in visitors.iter_mut().zip(&done) {
            let stop = &stop;
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    visitor.come();
                    done.fetch_add(1, Ordering::Relaxed);
                    // Visitors, and no flood: two processors have to do for everybody.
                    pause(10);
                }
            });
        }
        come_round();
        work(&come_round);
    });
}

/// Takes a service through these stages, one node after the other.
fn roll(from: &'static str, to: &'static str, stages: &[Stage]) -> Seen {
    let mut service = Service::start(from, to);
    let ports = service.ports();
    let visitor = |name: String| Visitor::new(name, ports);
    let mut visitors: Vec<_> = (0..CLIENTS).map(|at| visitor(format!("ada{at}"))).collect();
    let mut leavers = [Stage::Accept, Stage::Issue].map(|stage| (stage, visitor("bob".into())));
    let mut guests = vec![visitor("guest-before".into())];
    let mut captured: Vec<Client> = visitors.iter().map(Visitor::copy).collect();
    captured.extend(leavers.iter().map(|(_, leaver)| leaver.copy()));
    let mut seen = Seen::default();
    under_load(&mut visitors, |come_round| {
        for stage in stages {
            if *stage == Stage::Refuse {
                // Those who left did so for good, on nodes that still look at old credentials.
                pause(WITHIN);
                seen.replays += replay(&captured[CLIENTS..], ports);
            }
            for at in 0..ports.len() {
                service.deploy(at, *stage);
                guests.push(visitor(format!("guest-{stage:?}-{at}")));
                come_round();
                for guest in &mut guests {
                    (0..4).for_each(|_| guest.come());
                }
            }
            for (_, leaver) in leavers.iter_mut().filter(|(at, _)| at == stage) {
                leaver.come();
                captured.push(leaver.copy());
                leaver.leave();
            }
        }
    });
    if stages.contains(&Stage::After) {
        seen.replays += replay(&captured, ports);
    }
    for visitor in visitors.iter_mut().chain(&mut guests) {
        visitor.check();
        seen.requests += visitor.requests;
        seen.unanswered += visitor.unanswered;
        seen.logouts += visitor.logouts;
        seen.refused.append(&mut visitor.refused);
    }
    seen.moved = service.moved();
    seen
}

/// Presents each of these at both nodes, and returns how many there were: none opens anything.
fn replay(captured: &[Client], ports: [u16; 2]) -> usize {
    for (client, port) in captured.iter().flat_map(|it| ports.map(|port| (it, port))) {
        let mut thief = client.at(port);
        let me = thief.whoami();
        assert_ne!(me["arrival"], "resumed", "{me}");
        assert!(me["subject"].is_null() && me["id"].is_null(), "{me}");
        thief.get("/get/cart").is(404);
    }
    captured.len()
}

#[test]
fn all_six_moves_go_phase_by_phase_under_load_and_nobody_is_logged_out() {
    use Stage::{Accept, After, Issue, Refuse};
    let pairs = STRATEGIES
        .into_iter()
        .flat_map(|from| STRATEGIES.map(|to| (from, to)))
        .filter(|(from, to)| from != to);
    // At the same time: a node with sticky sessions takes two seconds to hand them over.
    let moves: Vec<_> = pairs
        .map(|(from, to)| {
            let stages = [Accept, Issue, Refuse, After];
            let seen = thread::spawn(move || roll(from, to, &stages));
            (format!("{from} to {to}"), seen)
        })
        .collect();
    for (pair, seen) in moves {
        let seen = seen.join().unwrap();
        println!(
            "{pair}: 2 nodes, 8 deploys, {} requests, {} asked again, {} sessions moved, {} \
             logouts, {} replays that opened nothing",
            seen.requests, seen.unanswered, seen.moved, seen.logouts, seen.replays
        );
        assert_eq!(seen.logouts, 0, "{pair}");
        assert!(seen.refused.is_empty(), "{pair}: {:?}", seen.refused);
        assert!(seen.requests > 8 * CLIENTS * ROUND && seen.moved >= CLIENTS);
    }
}

/// The control: whoever leaves the phase `accept` out finds clients between two nodes of which one
/// can't read what the other gave them.
#[test]
fn without_the_phase_accept_clients_are_logged_out() {
    let seen = roll("stored", "token", &[Stage::Issue]);
    assert!(seen.logouts > 0, "{seen:?}");
}
