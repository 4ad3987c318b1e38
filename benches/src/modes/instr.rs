//! `instr`: instructions per request over the bare framework, counted by callgrind.
//!
//! Each contestant and workload runs twice, the second time with twice the requests; the difference holds neither
//! start-up nor warm-up. Valgrind hides the processor's SHA instructions, so hashing weighs more here than in time.

use std::process::Command;

use super::costs::Costs;
use crate::{
    contestants::{Entry, POEM, SESSILE, TOWER_SESSIONS},
    runtime, verify,
    workload::Workload,
};

/// The subcommand that callgrind runs: `instr-child CONTESTANT WORKLOAD REQUESTS`.
pub const CHILD: &str = "instr-child";

const MEASURED: [&str; 3] = [SESSILE, TOWER_SESSIONS, POEM];
const REQUESTS: u32 = 500;

pub fn run() {
    let mut costs = Costs::<i64>::new("Instructions per request (callgrind)");
    let mut bares: Vec<&Entry> = Vec::new();
    for entry in MEASURED.map(Entry::named) {
        let bare = entry.bare();
        if !bares.iter().any(|other| other.name == bare.name) {
            bares.push(bare);
            for workload in Workload::ALL {
                costs.add(bare, workload, instructions(bare, workload));
            }
        }
        for workload in Workload::ALL {
            costs.add(
                entry,
                workload,
                instructions(entry, workload) - costs.get(bare.name, workload),
            );
        }
    }
    costs.print();
}

pub fn child(contestant: &str, workload: &str, requests: &str) {
    let workload = Workload::named(workload).expect("a workload");
    let requests: u32 = requests.parse().expect("a number of requests");
    runtime::block_on(&runtime::new(), async {
        let (mut bench, cookie) = verify::checked(Entry::named(contestant)).await;
        bench
            .repeat(&workload.recipe(&cookie), requests, &mut || {})
            .await;
    });
}

fn instructions(entry: &Entry, workload: Workload) -> i64 {
    let once = collected(entry, workload, REQUESTS);
    let twice = collected(entry, workload, 2 * REQUESTS);
    (twice - once) / i64::from(REQUESTS)
}

/// What callgrind says it collected in one run of the child.
fn collected(entry: &Entry, workload: Workload, requests: u32) -> i64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().expect("the path of this program"))
        .args([CHILD, entry.name, workload.name(), &requests.to_string()])
        .output()
        .expect("`instr` needs valgrind on the path");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "callgrind failed:\n{text}");
    text.lines()
        .find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok())
        .unwrap_or_else(|| panic!("no count in callgrind's output:\n{text}"))
}
