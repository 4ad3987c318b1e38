//! `map`: which concurrent map to keep a table of sessions in.
//!
//! A million random 16-byte identifiers, each with an `Arc` of a record. Every map runs in child processes of its
//! own, several times in turn with the others; the table shows the fastest round of each, as the one least disturbed.

mod entry;
mod tables;

use std::{
    process::Command,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use entry::{Id, Random, Record};
use tables::{Dash, Papaya, ParkingLotShards, Scc, StdShards, Table};

use crate::{resident, stats, table};

/// The subcommand of the measured process: `map-child MAP`.
pub const CHILD: &str = "map-child";

const ENTRIES: usize = 1_000_000;
const PASSES: usize = 3;
const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_millis(250);
/// Operations between two looks at the clock.
const BATCH: u32 = 256;

/// Their names, and what the child process of each does.
const MAPS: [(&str, fn()); 5] = [
    ("papaya 0.2", print_figures::<Papaya>),
    ("scc 3", print_figures::<Scc>),
    ("dashmap 6, 64 shards", print_figures::<Dash>),
    ("hashbrown in 64 std mutexes", print_figures::<StdShards>),
    (
        "hashbrown in 64 parking_lot mutexes",
        print_figures::<ParkingLotShards>,
    ),
];

/// What is done to the map, over and over.
#[derive(Clone, Copy)]
enum Operation {
    Load,
    Replace,
    InsertAndRemove,
}

impl Operation {
    const ALL: [Self; 3] = [Self::Load, Self::Replace, Self::InsertAndRemove];
}

pub fn run() {
    let mut passes: [Vec<Vec<f64>>; MAPS.len()] = Default::default();
    for _ in 0..PASSES {
        for ((map, _), results) in MAPS.iter().zip(&mut passes) {
            results.push(in_child(map));
        }
    }
    let rows: Vec<Vec<String>> = MAPS
        .iter()
        .zip(&passes)
        .map(|((map, _), results)| {
            let (bytes, _) = results[0].split_first().expect("the first column");
            let rates = (1..results[0].len()).map(|column| {
                let values: Vec<f64> = results.iter().map(|figures| figures[column]).collect();
                format!("{:.2}", stats::max(&values))
            });
            [(*map).to_owned(), format!("{bytes:.0}")]
                .into_iter()
                .chain(rates)
                .collect()
        })
        .collect();
    let header = [
        "million operations per second",
        "bytes/entry",
        "load ×1",
        "load ×2",
        "replace ×1",
        "replace ×2",
        "insert+remove ×1",
        "insert+remove ×2",
    ];
    table::print(
        "Concurrent maps, 1 M entries, by one thread (×1) and two (×2)",
        &header,
        &rows,
    );
}

pub fn child(map: &str) {
    let (_, print_figures) = MAPS
        .iter()
        .find(|(name, _)| *name == map)
        .expect("a map of that name");
    print_figures();
}

/// Prints bytes per entry, then millions of operations per second, in the order of the columns.
fn print_figures<T: Table>() {
    let mut random = Random::new(1);
    let ids: Vec<Id> = (0..ENTRIES).map(|_| random.id()).collect();
    let before = resident::bytes();
    let table = T::default();
    for id in &ids {
        table.insert(*id, Record::new());
    }
    print!("{}", (resident::bytes() - before) as f64 / ENTRIES as f64);
    check(&table, &ids[0]);

    for operation in Operation::ALL {
        for threads in [1, 2] {
            let rounds: Vec<f64> = (0..ROUNDS)
                .map(|_| round(&table, &ids, operation, threads))
                .collect();
            print!(" {}", stats::max(&rounds) / 1e6);
        }
    }
    println!();
}

/// The operations do what they are called.
fn check<T: Table>(table: &T, known: &Id) {
    let before = table
        .load(known)
        .expect("what was inserted is found")
        .version;
    table.replace(known, Record::next);
    let after = table
        .load(known)
        .expect("what was replaced is found")
        .version;
    assert_eq!(after, before + 1, "replace did not replace");
    let fresh = Random::new(0).id();
    table.insert(fresh, Record::new());
    assert!(table.remove(&fresh), "what was inserted is removed");
    assert!(
        table.load(&fresh).is_none(),
        "what was removed is not found"
    );
}

/// Operations per second of all threads together.
fn round<T: Table>(table: &T, ids: &[Id], operation: Operation, threads: u64) -> f64 {
    let barrier = Barrier::new(usize::try_from(threads).expect("a few threads"));
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|thread| {
                let barrier = &barrier;
                scope.spawn(move || {
                    // Other identifiers in every thread, and never those that the table was filled with.
                    let mut random = Random::new(2 + thread);
                    barrier.wait();
                    let start = Instant::now();
                    let mut operations = 0_u32;
                    while start.elapsed() < ROUND {
                        for _ in 0..BATCH {
                            perform(table, ids, operation, &mut random);
                        }
                        operations += BATCH;
                    }
                    f64::from(operations) / start.elapsed().as_secs_f64()
                })
            })
            .collect();
        running
            .into_iter()
            .map(|thread| thread.join().expect("a thread that ends"))
            .sum()
    })
}

fn perform<T: Table>(table: &T, ids: &[Id], operation: Operation, random: &mut Random) {
    match operation {
        Operation::Load => {
            std::hint::black_box(table.load(random.one_of(ids)));
        }
        Operation::Replace => table.replace(random.one_of(ids), Record::next),
        Operation::InsertAndRemove => {
            let id = random.id();
            table.insert(id, Record::new());
            table.remove(&id);
        }
    }
}

fn in_child(map: &str) -> Vec<f64> {
    let output = Command::new(std::env::current_exe().expect("the path of this program"))
        .args([CHILD, map])
        .output()
        .expect("a child process");
    assert!(
        output.status.success(),
        "{map}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout)
        .split_whitespace()
        .map(|number| number.parse().expect("a number"))
        .collect()
}
