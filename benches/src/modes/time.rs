//! `time`: nanoseconds per request over the bare framework.
//!
//! Batches of the contestants are interleaved, so that a machine that gets slower gets slower for all of them.
//! Each pair of contestant and workload has an instance of its own.

use std::time::Instant;

use super::costs::Costs;
use crate::{
    contestants::{ALL, Bench, Entry, Role},
    runtime, stats, verify,
    workload::{Recipe, Workload},
};

const BATCHES: usize = 120;
const REQUESTS: u32 = 500;
const WARM_UP: u32 = 1_000;

/// Nanoseconds per request.
#[derive(Clone, Copy, Debug)]
pub struct Nanos {
    /// The fastest batch, less the bare framework's fastest.
    pub min: f64,
    /// The median, over rounds, of the batch less the bare framework's batch of the same round.
    pub median: f64,
}

pub fn measure() -> Costs<Nanos> {
    let mut costs = Costs::new("Nanoseconds per request: minimum (median)");
    for workload in Workload::ALL {
        let batches = batches(workload);
        for (entry, own) in &batches {
            let nanos = match entry.role {
                Role::Bare => Nanos {
                    min: stats::min(own),
                    median: stats::median(own),
                },
                Role::Floor | Role::Ours | Role::Peer => over(own, bare(&batches, entry)),
            };
            costs.add(entry, workload, nanos);
        }
    }
    costs
}

impl Costs<Nanos> {
    pub fn print(&self) {
        self.print_with(|nanos| format!("{:.0} ({:.0})", nanos.min, nanos.median));
    }
}

type Batches = Vec<(&'static Entry, Vec<f64>)>;

/// The time per request of every batch of every contestant.
fn batches(workload: Workload) -> Batches {
    let runtime = runtime::new();
    let mut runners: Vec<(Box<dyn Bench>, Recipe)> = ALL
        .iter()
        .map(|entry| {
            runtime::block_on(&runtime, async {
                let (mut bench, cookie) = verify::checked(entry).await;
                let recipe = workload.recipe(&cookie);
                bench.repeat(&recipe, WARM_UP, &mut || {}).await;
                (bench, recipe)
            })
        })
        .collect();

    let mut batches: Batches = ALL
        .iter()
        .map(|entry| (entry, Vec::with_capacity(BATCHES)))
        .collect();
    for round in 0..BATCHES {
        // Each round starts with another contestant, so that none always follows the same neighbour's cache misses
        // at the same point of the round.
        for turn in 0..ALL.len() {
            let index = (round + turn) % ALL.len();
            let (bench, recipe) = &mut runners[index];
            let start = Instant::now();
            runtime::block_on(&runtime, bench.repeat(recipe, REQUESTS, &mut || {}));
            let elapsed = start.elapsed();
            batches[index]
                .1
                .push(elapsed.as_secs_f64() * 1e9 / f64::from(REQUESTS));
        }
    }
    batches
}

fn bare<'a>(batches: &'a Batches, entry: &Entry) -> &'a [f64] {
    let name = entry.bare().name;
    batches
        .iter()
        .find(|(other, _)| other.name == name)
        .map(|(_, batches)| batches.as_slice())
        .expect("the bare frameworks are measured too")
}

fn over(own: &[f64], bare: &[f64]) -> Nanos {
    let differences: Vec<f64> = own.iter().zip(bare).map(|(own, bare)| own - bare).collect();
    Nanos {
        min: stats::min(own) - stats::min(bare),
        median: stats::median(&differences),
    }
}
