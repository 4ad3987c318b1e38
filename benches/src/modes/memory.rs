//! `memory`: resident bytes per session at a million sessions, and what stays resident once they have expired.
//!
//! Every session is made by a request through the layer: a subject and three small keys. Then all of them expire,
//! and as many again are made. Each contestant runs in a child process, whose memory is its own.

use std::process::Command;

use crate::{
    contestants::{self, Bench, Contestant, Reply, SESSILE, TOWER_SESSIONS, pair},
    resident, runtime, table,
    workload::{READ, Recipe, SIGN_IN},
};

/// The subcommand of the measured process: `memory-child CONTESTANT`.
pub const CHILD: &str = "memory-child";

pub const SESSIONS: u64 = 1_000_000;
/// Made by another instance, and dropped with it, before the empty process is measured: the code is resident by then.
const WARM_UP: u64 = 1_000;

/// How many of the sessions are looked at.
const SAMPLE: u64 = 500;

/// A contestant whose sessions can be made to expire.
pub trait Fill {
    type Contestant: Contestant;

    fn contestant(&mut self) -> &mut Self::Contestant;

    /// Lets every session expire, and removes what can be removed by the means the contestant offers.
    async fn expire(&mut self);
}

/// Resident bytes of one process over time.
#[derive(Clone, Copy, Debug)]
pub struct Resident {
    pub empty: f64,
    pub full: f64,
    pub expired: f64,
    pub refilled: f64,
}

impl Resident {
    pub fn per_session(&self) -> f64 {
        (self.full - self.empty) / SESSIONS as f64
    }
}

/// Sessile's, then tower-sessions'.
pub fn measure() -> [(&'static str, Resident); 2] {
    [SESSILE, TOWER_SESSIONS].map(|name| (name, in_child(name)))
}

pub fn print(measured: &[(&'static str, Resident)]) {
    let rows: Vec<Vec<String>> = measured
        .iter()
        .map(|(name, resident)| {
            let mib = |bytes: f64| format!("{:.1}", bytes / f64::from(1 << 20));
            vec![
                (*name).to_owned(),
                format!("{:.0}", resident.per_session()),
                mib(resident.empty),
                mib(resident.full),
                mib(resident.expired),
                mib(resident.refilled),
            ]
        })
        .collect();
    let header = [
        "resident, MiB",
        "bytes/session",
        "empty",
        "1 M sessions",
        "all expired",
        "1 M sessions again",
    ];
    table::print("Memory", &header, &rows);
}

pub fn child(contestant: &str) {
    let runtime = runtime::new();
    runtime::block_on(&runtime, async {
        match contestant {
            SESSILE => fill(contestants::sessile::filled).await,
            TOWER_SESSIONS => fill(contestants::tower_sessions::filled).await,
            other => panic!("the memory of {other:?} is not measured"),
        }
    });
}

async fn fill<F: Fill>(start: impl AsyncFn() -> F) {
    let mut sample = Sample::default();
    make_sessions(&mut start().await, WARM_UP, &mut sample).await;

    let mut filled = start().await;
    let empty = resident::bytes();
    make_sessions(&mut filled, SESSIONS, &mut sample).await;
    let full = resident::bytes();
    sample.read(&mut filled, Some(1)).await;

    filled.expire().await;
    let expired = resident::bytes();
    sample.read(&mut filled, None).await;

    make_sessions(&mut filled, SESSIONS, &mut sample).await;
    let refilled = resident::bytes();
    println!("{empty} {full} {expired} {refilled}");
}

async fn make_sessions<F: Fill>(filled: &mut F, count: u64, sample: &mut Sample) {
    sample.0.clear();
    for user in 0..count {
        let recipe = Recipe::new(&format!("{SIGN_IN}?user-{user:07}"), None);
        let response = filled.contestant().call(&recipe).await;
        if user % (count / SAMPLE) == 0 {
            sample.add(response.set_cookie().expect("a sign-in sets a cookie"));
        }
    }
}

/// The cookies of some of the sessions, a line each.
///
/// One buffer, allocated before the sessions are: a string between them would keep its page when they go.
struct Sample(String);

impl Default for Sample {
    fn default() -> Self {
        Self(String::with_capacity(SAMPLE as usize * 160))
    }
}

impl Sample {
    fn add(&mut self, set_cookie: &str) {
        self.0 += pair(set_cookie);
        self.0.push('\n');
    }

    /// A table that dropped some of its sessions, or kept expired ones alive, is not the one that is measured.
    async fn read<F: Fill>(&self, filled: &mut F, expected: Option<u64>) {
        for cookie in self.0.lines() {
            let answer = filled
                .contestant()
                .ask(&Recipe::new(READ, Some(cookie)))
                .await;
            assert_eq!(answer.seen, Some(expected), "what a session holds");
        }
    }
}

fn in_child(name: &str) -> Resident {
    let output = Command::new(std::env::current_exe().expect("the path of this program"))
        .args([CHILD, name])
        .output()
        .expect("a child process");
    assert!(
        output.status.success(),
        "{name}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let numbers: Vec<f64> = String::from_utf8_lossy(&output.stdout)
        .split_whitespace()
        .map(|number| number.parse().expect("a number of bytes"))
        .collect();
    let [empty, full, expired, refilled] = numbers[..] else {
        panic!("{name} printed {numbers:?}");
    };
    Resident {
        empty,
        full,
        expired,
        refilled,
    }
}
