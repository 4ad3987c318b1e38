//! `cargo xtask test`: one step after the other, stops at the first that fails, and at the end
//! says what it ran, what it did not, and how many tests that was.

use std::time::Duration;

use crate::steps::{Outcome, STEPS, Step};
use crate::tally::Tally;

/// One line of the closing table.
struct Row {
    name: &'static str,
    result: String,
    took: Duration,
}

/// Every step.
pub(crate) fn all() -> Result<(), String> {
    run(&STEPS.iter().collect::<Vec<_>>())
}

/// The named steps.
pub(crate) fn only(names: &[&str]) -> Result<(), String> {
    let find = |name: &&str| {
        let step = STEPS.iter().find(|step| step.name == *name);
        step.ok_or_else(|| format!("no step `{name}`; `cargo xtask test --list` has them all"))
    };
    run(&names.iter().map(find).collect::<Result<Vec<_>, _>>()?)
}

/// Prints the names.
pub(crate) fn list() {
    for step in STEPS {
        println!("{:<12} {}", step.name, step.about);
    }
}

fn run(steps: &[&Step]) -> Result<(), String> {
    let mut rows = Vec::new();
    let mut total = Tally::default();
    let mut failure = None;
    for step in steps {
        println!("\n=== {}: {}", step.name, step.about);
        let mut tally = Tally::default();
        let (outcome, took) = timed(|| (step.run)(&mut tally));
        total.add(tally);
        let result = describe(&outcome, tally);
        rows.push(Row {
            name: step.name,
            result,
            took,
        });
        if let Err(why) = outcome {
            failure = Some(format!(
                "step `{0}` failed: {why}\nto run it alone: cargo xtask test --only {0}",
                step.name
            ));
            break;
        }
    }
    for step in steps.iter().skip(rows.len()) {
        let result = "not run: a step before it failed".to_owned();
        rows.push(Row {
            name: step.name,
            result,
            took: Duration::ZERO,
        });
    }
    report(&rows, total);
    failure.map_or(Ok(()), Err)
}

fn describe(outcome: &Result<Outcome, String>, tally: Tally) -> String {
    match outcome {
        Err(_) => "FAILED".to_owned(),
        Ok(Outcome::NotRun(why)) => format!("not run: {why}"),
        Ok(Outcome::Passed(note)) if tally.is_empty() => format!("ok{note}"),
        Ok(Outcome::Passed(note)) => format!("ok, {} passed{note}", tally.passed),
    }
}

/// The table, then the plain line that other programs read.
fn report(rows: &[Row], total: Tally) {
    println!("\n{:<12} {:>7}  result", "step", "seconds");
    for row in rows {
        println!(
            "{:<12} {:>7.1}  {}",
            row.name,
            row.took.as_secs_f64(),
            row.result
        );
    }
    if total.is_empty() {
        return;
    }
    println!();
    match total.ignored {
        0 => println!("{} passed, {} failed", total.passed, total.failed),
        n => println!(
            "{} passed, {} failed, {n} skipped",
            total.passed, total.failed
        ),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a build took is no session's time"
)]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = std::time::Instant::now();
    let result = work();
    (result, start.elapsed())
}
