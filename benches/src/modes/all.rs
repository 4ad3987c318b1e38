//! `all`: everything that has a target, the ratios, and with `--check` the verdict.

use std::process::ExitCode;

use super::{
    alloc,
    backed::{self, Backed},
    costs::Costs,
    memory::{self, Resident},
    threads::{self, Throughput},
    time::{self, Nanos},
    token::{self, Verified},
};
use crate::{
    contestants::{
        ACTIX_SIGNED, ALL, Entry, Role, SEALED, SEALED_ANEW, SESSILE, SIGNED, SIGNED_ANEW,
        SIGNED_PEERS, TOWER_SESSIONS,
    },
    table, targets,
    workload::Workload,
};

pub fn run(check: bool) -> ExitCode {
    let time = time::measure();
    time.print();
    let verified = token::measure();
    token::print(&verified);
    let alloc = alloc::measure();
    alloc.print();
    let threads = threads::measure();
    threads::print(&threads);
    let memory = memory::measure();
    memory::print(&memory);
    let backed = backed::measure();
    if let Some(backed) = &backed {
        backed::print(backed);
    }

    let verdicts: Vec<Verdict> = [
        time_verdicts(&time),
        token_verdicts(&time),
        vec![verify_verdict(&verified)],
        allocation_verdicts(&alloc),
        thread_verdicts(&threads),
        memory_verdicts(&memory),
        backed.iter().flat_map(backed_verdicts).collect(),
    ]
    .concat();
    print_ratios(&verdicts);

    let missed: Vec<&Verdict> = verdicts
        .iter()
        .filter(|verdict| verdict.is_missed())
        .collect();
    if !check || missed.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("\n{} of {} targets missed:", missed.len(), verdicts.len());
    for verdict in missed {
        println!(
            "  {}: {}, and the target is {}",
            verdict.what,
            verdict.measured(),
            verdict.target()
        );
    }
    ExitCode::FAILURE
}

/// One target and what was measured for it.
#[derive(Clone, Debug)]
struct Verdict {
    what: String,
    /// The figures that the measured value was made from.
    from: String,
    value: f64,
    bound: Bound,
}

#[derive(Clone, Copy, Debug)]
enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Verdict {
    fn is_missed(&self) -> bool {
        match self.bound {
            Bound::AtMost(limit) => self.value > limit,
            Bound::AtLeast(limit) => self.value < limit,
        }
    }

    fn measured(&self) -> String {
        format!("{:.2}", self.value)
    }

    fn target(&self) -> String {
        match self.bound {
            Bound::AtMost(limit) => format!("<= {limit}"),
            Bound::AtLeast(limit) => format!(">= {limit}"),
        }
    }
}

fn print_ratios(verdicts: &[Verdict]) {
    let rows: Vec<Vec<String>> = verdicts
        .iter()
        .map(|verdict| {
            let met = if verdict.is_missed() { "MISSED" } else { "met" };
            vec![
                verdict.what.clone(),
                verdict.from.clone(),
                verdict.measured(),
                verdict.target(),
                met.to_owned(),
            ]
        })
        .collect();
    table::print(
        "sessile against its targets",
        &["what", "from", "measured", "target", ""],
        &rows,
    );
}

fn time_verdicts(time: &Costs<Nanos>) -> Vec<Verdict> {
    let ratio = |workload: Workload, peer: &str, limit: f64, against: &str| {
        let ours = time.get(SESSILE, workload).min;
        let theirs = time.get(peer, workload).min;
        Verdict {
            what: format!("time {} / {against}", workload.name()),
            from: format!("{ours:.0} / {theirs:.0} ns"),
            value: ours / theirs,
            bound: Bound::AtMost(limit),
        }
    };
    let to_tower_sessions = targets::TIME_TO_TOWER_SESSIONS
        .map(|(workload, limit)| ratio(workload, TOWER_SESSIONS, limit, "tower-sessions"));
    let to_best_peer = targets::TIME_TO_BEST_PEER.map(|(workload, limit)| {
        let best = best_peer(time, workload);
        ratio(workload, best, limit, &format!("best peer ({best})"))
    });
    to_tower_sessions.into_iter().chain(to_best_peer).collect()
}

fn token_verdicts(time: &Costs<Nanos>) -> Vec<Verdict> {
    let ratio = |workload: Workload, ours: &str, theirs: &str, limit: f64| {
        let (a, b) = (time.get(ours, workload).min, time.get(theirs, workload).min);
        Verdict {
            what: format!("time {}, {ours} / {theirs}", workload.name()),
            from: format!("{a:.0} / {b:.0} ns"),
            value: a / b,
            bound: Bound::AtMost(limit),
        }
    };
    let unused = targets::SIGNED_UNUSED_TO_ACTIX;
    let mut verdicts = vec![ratio(Workload::W1, SIGNED, ACTIX_SIGNED, unused)];
    for (ours, limits) in [
        (SIGNED, targets::SIGNED_TO_BEST_SIGNED_PEER),
        (SIGNED_ANEW, targets::SIGNED_ANEW_TO_BEST_SIGNED_PEER),
    ] {
        for (workload, limit) in limits {
            let of = |peer: &&str| time.get(peer, workload).min;
            let best = SIGNED_PEERS
                .into_iter()
                .min_by(|a, b| of(a).total_cmp(&of(b)))
                .expect("there are some");
            verdicts.push(ratio(workload, ours, best, limit));
        }
    }
    for (workload, limit) in targets::SEALED_TO_SIGNED {
        for (sealed, signed) in [(SEALED, SIGNED), (SEALED_ANEW, SIGNED_ANEW)] {
            verdicts.push(ratio(workload, sealed, signed, limit));
        }
    }
    verdicts
}

fn verify_verdict(verified: &Verified) -> Verdict {
    Verdict {
        what: format!("verifying a token of {} bytes / bare", verified.length),
        from: format!("{:.0} / {:.0} ns", verified.ours, verified.bare),
        value: verified.ratio(),
        bound: Bound::AtMost(targets::VERIFY_TO_BARE),
    }
}

/// The fastest contestant that is not ours.
fn best_peer(time: &Costs<Nanos>, workload: Workload) -> &'static str {
    ALL.iter()
        .filter(|entry| entry.role == Role::Peer)
        .map(|entry| entry.name)
        .min_by(|a, b| {
            time.get(a, workload)
                .min
                .total_cmp(&time.get(b, workload).min)
        })
        .expect("there are peers")
}

fn allocation_verdicts(alloc: &Costs<i64>) -> Vec<Verdict> {
    targets::ALLOCATIONS
        .map(|(workload, limit)| {
            let ours = alloc.get(SESSILE, workload);
            Verdict {
                what: format!("allocations {}", workload.name()),
                from: format!("tower-sessions: {}", alloc.get(TOWER_SESSIONS, workload)),
                value: ours as f64,
                bound: Bound::AtMost(limit as f64),
            }
        })
        .to_vec()
}

fn thread_verdicts(threads: &[(&'static str, Throughput)]) -> Vec<Verdict> {
    let ours = of(threads, SESSILE);
    // What the machine itself gives for a second thread.
    let bare = of(threads, Entry::named(SESSILE).bare().name);
    vec![Verdict {
        what: "two threads / one".to_owned(),
        from: format!(
            "{:.0} / {:.0} k/s; bare: {:.2}",
            ours.two / 1e3,
            ours.one / 1e3,
            bare.ratio()
        ),
        value: ours.ratio(),
        bound: Bound::AtLeast(targets::TWO_THREADS_TO_ONE),
    }]
}

fn memory_verdicts(memory: &[(&'static str, Resident)]) -> Vec<Verdict> {
    let ours = of(memory, SESSILE);
    let theirs = of(memory, TOWER_SESSIONS);
    vec![
        Verdict {
            what: "resident per session / tower-sessions".to_owned(),
            from: format!("{:.0} / {:.0} B", ours.per_session(), theirs.per_session()),
            value: ours.per_session() / theirs.per_session(),
            bound: Bound::AtMost(targets::RESIDENT_TO_TOWER_SESSIONS),
        },
        Verdict {
            what: "resident after expiry / empty".to_owned(),
            from: format!("{:.1} / {:.1} MB", ours.expired / 1e6, ours.empty / 1e6),
            value: ours.expired / ours.empty,
            bound: Bound::AtMost(targets::EXPIRED_TO_EMPTY),
        },
    ]
}

fn backed_verdicts(backed: &Backed) -> [Verdict; 2] {
    let (with_store, memory) = backed.means();
    [
        Verdict {
            what: "time W2, sticky over Redis / in memory, amortised".to_owned(),
            from: format!(
                "{with_store:.0} / {memory:.0} ns; where the store is not asked: {:.2}",
                backed.without_a_call()
            ),
            value: backed.amortised(),
            bound: Bound::AtMost(targets::BACKED_READ_TO_MEMORY),
        },
        Verdict {
            what: "calls to the store of a write, sticky over Redis".to_owned(),
            from: format!("a read: {:.6}", backed.calls_per_read),
            value: backed.calls_per_write,
            bound: Bound::AtMost(targets::CALLS_PER_BACKED_WRITE),
        },
    ]
}

fn of<T: Copy>(measured: &[(&'static str, T)], name: &str) -> T {
    measured
        .iter()
        .find(|(other, _)| *other == name)
        .map(|(_, value)| *value)
        .expect("measured")
}
