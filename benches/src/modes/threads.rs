//! `threads`: two threads on two sessions of one store, against one thread. A key is read in every request (W2).

use std::{
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use crate::{
    contestants::{self, Bench, Contestant, Entry, SESSILE, TOWER_SESSIONS},
    runtime, stats, table, verify,
    workload::Workload,
};

const ROUNDS: usize = 9;
const ROUND: Duration = Duration::from_millis(300);
/// Requests between two looks at the clock.
const BATCH: u32 = 100;

/// Requests per second.
#[derive(Clone, Copy, Debug)]
pub struct Throughput {
    pub one: f64,
    pub two: f64,
}

impl Throughput {
    pub fn ratio(&self) -> f64 {
        self.two / self.one
    }
}

/// The bare service, sessile, tower-sessions.
pub fn measure() -> [(&'static str, Throughput); 3] {
    let ours = Entry::named(SESSILE);
    let theirs = Entry::named(TOWER_SESSIONS);
    let mut racers = runtime::block_on(&runtime::new(), async {
        [
            Racer::new(ours.bare(), contestants::bare_tower::start().await).await,
            Racer::new(ours, contestants::sessile::start().await).await,
            Racer::new(theirs, contestants::tower_sessions::start().await).await,
        ]
    });

    // The rounds of one thread and of two alternate, and so do the contestants.
    let mut rounds = racers.each_ref().map(|_| (Vec::new(), Vec::new()));
    for _ in 0..ROUNDS {
        for (racer, (one, two)) in racers.iter_mut().zip(&mut rounds) {
            one.push(racer.race(1));
            two.push(racer.race(2));
        }
    }
    let mut medians = rounds.iter().map(|(one, two)| Throughput {
        one: stats::median(one),
        two: stats::median(two),
    });
    racers.map(|racer| (racer.name, medians.next().expect("one per racer")))
}

pub fn print(measured: &[(&'static str, Throughput)]) {
    let rows: Vec<Vec<String>> = measured
        .iter()
        .map(|(name, throughput)| {
            vec![
                (*name).to_owned(),
                format!("{:.0}", throughput.one / 1e3),
                format!("{:.0}", throughput.two / 1e3),
                format!("{:.2}", throughput.ratio()),
            ]
        })
        .collect();
    table::print(
        "Two threads, thousand requests per second (W2)",
        &["on tower", "one thread", "two threads", "two / one"],
        &rows,
    );
}

/// Clones of one service, each with a session of its own.
struct Racer {
    name: &'static str,
    lanes: [Lane; 2],
}

type Lane = Box<dyn FnMut(&Barrier) -> f64 + Send>;

impl Racer {
    async fn new<C: Contestant + Clone + Send>(entry: &Entry, mut contestant: C) -> Self {
        let first = lane(entry, &mut contestant).await;
        let second = lane(entry, &mut contestant).await;
        Self {
            name: entry.name,
            lanes: [first, second],
        }
    }

    /// Requests per second of the first `threads` lanes together.
    fn race(&mut self, threads: usize) -> f64 {
        let barrier = Barrier::new(threads);
        thread::scope(|scope| {
            let running: Vec<_> = self.lanes[..threads]
                .iter_mut()
                .map(|lane| scope.spawn(|| lane(&barrier)))
                .collect();
            running
                .into_iter()
                .map(|lane| lane.join().expect("a lane that ends"))
                .sum()
        })
    }
}

async fn lane<C: Contestant + Clone + Send>(entry: &Entry, contestant: &mut C) -> Lane {
    let cookie = verify::check(entry, contestant).await;
    let recipe = Workload::W2.recipe(&cookie);
    let mut own = contestant.clone();
    Box::new(move |barrier| {
        let runtime = runtime::new();
        barrier.wait();
        let start = Instant::now();
        let mut requests = 0_u32;
        while start.elapsed() < ROUND {
            runtime::block_on(&runtime, own.repeat(&recipe, BATCH, &mut || {}));
            requests += BATCH;
        }
        f64::from(requests) / start.elapsed().as_secs_f64()
    })
}
