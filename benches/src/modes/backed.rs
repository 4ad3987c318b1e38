//! `backed`: a sticky node in front of a real Redis, against sessions in memory alone; and the calls that each kind of
//! request makes to the store.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use sessile::{KeyRing, SessionLayer, Sticky, Strategy};
use sessile_conformance::CountingStore;
use sessile_redis::RedisStore;
use tokio::runtime::{Builder, Runtime};
use tower::{Layer, service_fn};

use super::lost::Redis;
use crate::{
    contestants::{Bench, bare_tower, serve, sessile::handle},
    runtime, stats, table, targets, verify,
    workload::{Recipe, Workload},
};

/// Three times as long as a copy is served without asking the store again.
const READING: Duration = Duration::from_secs(16);
const READS: u32 = 500;
const CALLING_BATCHES: usize = 60;
const CALLING: u32 = 20;

const BARE: usize = 0;
const MEMORY: usize = 1;
const BACKED: usize = 3;
const NAMES: [&str; 4] = [
    "bare tower service",
    "sticky, in memory",
    "sticky node, in memory",
    "sticky node, over Redis",
];

type Store = CountingStore<RedisStore>;

/// What reading and writing cost with a store behind the memory.
#[derive(Clone, Debug)]
pub struct Backed {
    /// Nanoseconds per read, of each in [`NAMES`].
    reads: Vec<Nanos>,
    /// Calls to the store per read, revalidation and notes of use included.
    pub calls_per_read: f64,
    /// Calls to the store per write, of requests that follow on one another.
    pub calls_per_write: f64,
    /// Nanoseconds of a read that asks the store, and of a write.
    asking: f64,
    writing: f64,
}

#[derive(Clone, Copy, Debug)]
struct Nanos {
    min: f64,
    /// Over all batches, those that asked the store among them.
    mean: f64,
}

impl Backed {
    /// A read's time over the bare service as a share of memory's, on average.
    pub fn amortised(&self) -> f64 {
        self.ratio(|nanos| nanos.mean)
    }

    /// The same where the store is not asked.
    pub fn without_a_call(&self) -> f64 {
        self.ratio(|nanos| nanos.min)
    }

    /// Nanoseconds over the bare service: with the store behind, and in memory alone.
    pub fn means(&self) -> (f64, f64) {
        (
            self.over(BACKED, |it| it.mean),
            self.over(MEMORY, |it| it.mean),
        )
    }

    fn ratio(&self, of: fn(&Nanos) -> f64) -> f64 {
        self.over(BACKED, of) / self.over(MEMORY, of)
    }

    fn over(&self, at: usize, of: fn(&Nanos) -> f64) -> f64 {
        of(&self.reads[at]) - of(&self.reads[BARE])
    }
}

/// Nothing where there is no Redis to be had.
pub fn measure() -> Option<Backed> {
    let version = Command::new("redis-server")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    if !version.is_ok_and(|status| status.success()) {
        println!("\nnot measured: there is no redis-server, and so no sticky node over Redis");
        return None;
    }
    let redis = Redis::start();
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let store = || {
        let store = RedisStore::connect(redis.url()).expect("a URL of Redis");
        CountingStore::new(store)
    };
    let (reads, calls_per_read) = read(&runtime, store());
    let (asking, _) = call(&runtime, store(), Duration::ZERO, Workload::W2);
    let (writing, calls_per_write) = call(&runtime, store(), REVALIDATE, Workload::W3);
    Some(Backed {
        reads,
        calls_per_read,
        calls_per_write,
        asking,
        writing,
    })
}

/// The default.
const REVALIDATE: Duration = Duration::from_secs(5);

fn backed(store: Store, revalidate: Duration) -> impl Strategy {
    let node = Sticky::node("n1").keys(KeyRing::random());
    node.backing(store)
        .revalidate(revalidate)
        .build()
        .expect("nothing is missing")
}

fn over(strategy: impl Strategy) -> Box<dyn Bench> {
    Box::new(serve(SessionLayer::new(strategy).layer(service_fn(handle))))
}

/// A contestant, and the request of its signed-in client.
fn ready(runtime: &Runtime, at: usize, mut bench: Box<dyn Bench>, workload: Workload) -> Runner {
    let cookie = if at == BARE {
        "__Host-sid=0123456789abcdefghijklmnopqrstuvwxyzABCDEFG".to_owned()
    } else {
        runtime::block_on(runtime, verify::sessions(NAMES[at], &mut *bench))
    };
    let recipe = workload.recipe(&cookie);
    Runner { bench, recipe }
}

struct Runner {
    bench: Box<dyn Bench>,
    recipe: Recipe,
}

impl Runner {
    /// Nanoseconds per request.
    fn batch(&mut self, runtime: &Runtime, requests: u32) -> f64 {
        let start = Instant::now();
        let mut nothing = || {};
        let repeat = self.bench.repeat(&self.recipe, requests, &mut nothing);
        runtime::block_on(runtime, repeat);
        start.elapsed().as_secs_f64() * 1e9 / f64::from(requests)
    }
}

/// Reads of one session, back to back and over several revalidations, the contestants' batches interleaved.
fn read(runtime: &Runtime, store: Store) -> (Vec<Nanos>, f64) {
    let bare = Box::new(runtime::block_on(runtime, bare_tower::start()));
    let alone = Sticky::node("n1").keys(KeyRing::random()).build();
    let contestants: [Box<dyn Bench>; NAMES.len()] = [
        bare,
        over(Sticky::new()),
        over(alone.expect("nothing is missing")),
        over(backed(store.clone(), REVALIDATE)),
    ];
    let mut runners: Vec<Runner> = contestants
        .into_iter()
        .enumerate()
        .map(|(at, bench)| ready(runtime, at, bench, Workload::W2))
        .collect();
    for runner in &mut runners {
        runner.batch(runtime, 2 * READS);
    }
    store.reset();
    let mut batches = vec![Vec::new(); NAMES.len()];
    let start = Instant::now();
    for first in 0.. {
        if start.elapsed() > READING {
            break;
        }
        for turn in 0..NAMES.len() {
            let at = (first + turn) % NAMES.len();
            let nanos = runners[at].batch(runtime, READS);
            batches[at].push(nanos);
        }
    }
    let reads = batches[BACKED].len() as f64 * f64::from(READS);
    let nanos = |batches: &Vec<f64>| Nanos {
        min: stats::min(batches),
        mean: batches.iter().sum::<f64>() / batches.len() as f64,
    };
    let calls = store.total() as f64 / reads;
    (batches.iter().map(nanos).collect(), calls)
}

/// Requests that ask the store, one after the other: the median time, and the calls of each.
fn call(runtime: &Runtime, store: Store, revalidate: Duration, workload: Workload) -> (f64, f64) {
    let bench = over(backed(store.clone(), revalidate));
    let mut runner = ready(runtime, BACKED, bench, workload);
    runner.batch(runtime, CALLING);
    store.reset();
    let batches: Vec<f64> = (0..CALLING_BATCHES)
        .map(|_| runner.batch(runtime, CALLING))
        .collect();
    let requests = CALLING_BATCHES as f64 * f64::from(CALLING);
    (stats::median(&batches), store.total() as f64 / requests)
}

pub fn print(measured: &Backed) {
    let rows: Vec<Vec<String>> = NAMES
        .iter()
        .zip(&measured.reads)
        .map(|(name, nanos)| {
            let [min, mean] = [nanos.min, nanos.mean].map(|nanos| format!("{nanos:.0}"));
            vec![(*name).to_owned(), min, mean]
        })
        .collect();
    let title = format!(
        "Sticky over a store: nanoseconds per read (W2), absolute, back to back for {} s",
        READING.as_secs()
    );
    table::print(&title, &["on tower", "minimum", "mean"], &rows);
    let price = measured.asking - measured.reads[BACKED].min;
    let limit = targets::BACKED_READ_TO_MEMORY * measured.over(MEMORY, |nanos| nanos.min);
    let room = limit - measured.over(BACKED, |nanos| nanos.min);
    println!(
        "\nA read that asks the store takes {:.0} us, a write {:.0} us. Calls per read: {:.6}, per write: {:.3}.\n\
         A client that asks r times a second pays {:.0} / r ns per read for its revalidations; the target \
         leaves {room:.0} ns for that.",
        measured.asking / 1e3,
        measured.writing / 1e3,
        measured.calls_per_read,
        measured.calls_per_write,
        price / REVALIDATE.as_secs_f64(),
    );
}
