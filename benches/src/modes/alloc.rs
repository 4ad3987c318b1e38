//! `alloc`: allocations per request over the bare framework.

use super::costs::Costs;
use crate::{
    contestants::{ALL, Entry, Role},
    counting, runtime, stats, verify,
    workload::Workload,
};

const REQUESTS: u32 = 2_000;
const WARM_UP: u32 = 1_000;

/// The median over many requests: a table that grows, or a clean-up that runs, does so in few of them.
pub fn measure() -> Costs<i64> {
    let mut costs = Costs::new("Allocations per request (median)");
    for workload in Workload::ALL {
        for entry in &ALL {
            let own = allocations(entry, workload);
            let cost = match entry.role {
                Role::Bare => own,
                Role::Floor | Role::Ours | Role::Peer => own - allocations(entry.bare(), workload),
            };
            costs.add(entry, workload, cost);
        }
    }
    costs
}

impl Costs<i64> {
    pub fn print(&self) {
        self.print_with(|count| count.to_string());
    }
}

fn allocations(entry: &Entry, workload: Workload) -> i64 {
    let runtime = runtime::new();
    let mut counts = Vec::with_capacity(REQUESTS as usize);
    runtime::block_on(&runtime, async {
        let (mut bench, cookie) = verify::checked(entry).await;
        let recipe = workload.recipe(&cookie);
        bench.repeat(&recipe, WARM_UP, &mut || {}).await;

        let mut last = None;
        let mut after_each = || {
            let now = counting::allocations();
            if let Some(last) = last.replace(now) {
                counts.push(now - last);
            }
        };
        bench.repeat(&recipe, REQUESTS, &mut after_each).await;
    });
    i64::try_from(stats::median(&counts)).expect("a count")
}
