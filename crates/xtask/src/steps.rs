//! The steps of `cargo xtask test`, cheapest first, each a few lines.

use std::process::Command;

use crate::metadata::Metadata;
use crate::shell::{cargo, quiet, root, run, run_lines, target, tool};
use crate::tally::Tally;
use crate::{arrows, install, links};

/// What a step that did not fail has to say.
pub(crate) enum Outcome {
    /// It ran; the text is appended to the word "ok".
    Passed(String),
    /// It could not run here, and says why. Never a silent skip.
    NotRun(String),
}

type StepResult = Result<Outcome, String>;

/// One check, by its name.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) run: fn(&mut Tally) -> StepResult,
}

macro_rules! steps {
    ($($name:ident: $about:literal,)*) => {
        &[$(Step { name: stringify!($name), about: $about, run: $name }),*]
    };
}

pub(crate) const STEPS: &[Step] = steps! {
    fmt: "the one format",
    typos: "spelling",
    arrows: "who may depend on whom",
    links: "every relative link and every page of the book",
    deny: "licences, banned crates, sources",
    advisories: "known vulnerabilities of dependencies",
    clippy: "lints, of all targets, as errors",
    features: "each published crate with each of its features alone",
    doc: "API documentation, warnings as errors",
    test: "unit, integration and documentation tests",
    loom: "the table of sessions under every interleaving",
    stores: "every store on its real server, and the laws on each",
    equivalence: "one suite over HTTP for every strategy and store, and a walk against a model",
    swarm: "many clients over several processes, and stores that are killed under them",
    balancers: "every balancer with the configuration written for it",
    interop: "tokens of ours in other languages' libraries, and theirs here",
    e2e: "the example programs as processes, over sockets and in a browser",
};

const PASSED: StepResult = Ok(Outcome::Passed(String::new()));

/// The package in the folder `tests/`.
const END_TO_END: &str = "sessile-e2e";

fn fmt(_: &mut Tally) -> StepResult {
    run(&mut cargo("fmt --all --check"))?;
    PASSED
}

fn typos(_: &mut Tally) -> StepResult {
    let typos = install::typos()?;
    run(&mut tool(typos.path, ""))?;
    Ok(Outcome::Passed(typos.note))
}

fn arrows(_: &mut Tally) -> StepResult {
    let violations = arrows::check(&Metadata::load()?);
    if !violations.is_empty() {
        return Err(violations.join("\n"));
    }
    PASSED
}

fn links(_: &mut Tally) -> StepResult {
    let (seen, broken) = links::check(&root())?;
    if !broken.is_empty() {
        return Err(broken.join("\n"));
    }
    Ok(Outcome::Passed(format!(", {seen} links")))
}

fn deny(_: &mut Tally) -> StepResult {
    let deny = install::cargo_deny()?;
    run(&mut tool(deny.path, "check bans licenses sources"))?;
    Ok(Outcome::Passed(deny.note))
}

fn advisories(_: &mut Tally) -> StepResult {
    let deny = install::cargo_deny()?;
    if quiet(&mut tool(&deny.path, "fetch db")).is_none() {
        let why = "the advisory database cannot be reached";
        return Ok(Outcome::NotRun(why.to_owned()));
    }
    run(&mut tool(deny.path, "check advisories"))?;
    PASSED
}

fn clippy(_: &mut Tally) -> StepResult {
    run(&mut cargo(
        "clippy --workspace --all-targets --all-features -- -D warnings",
    ))?;
    PASSED
}

fn features(_: &mut Tally) -> StepResult {
    let mut count = 0;
    let metadata = Metadata::load()?;
    for package in metadata.packages.iter().filter(|p| p.published) {
        let alone = package.features.iter().map(|f| format!("--features {f}"));
        for features in std::iter::once(String::new()).chain(alone) {
            run(&mut cargo(&format!(
                "clippy --no-deps -p {} --no-default-features {features} -- -D warnings",
                package.name
            )))?;
            count += 1;
        }
    }
    Ok(Outcome::Passed(format!(", {count} combinations")))
}

fn doc(_: &mut Tally) -> StepResult {
    let mut doc = cargo("doc --workspace --no-deps --all-features");
    run(doc.env("RUSTDOCFLAGS", "-D warnings"))?;
    PASSED
}

fn test(tally: &mut Tally) -> StepResult {
    let mut test = cargo("test --workspace --all-features --exclude");
    counted(test.arg(END_TO_END), tally)
}

fn loom(tally: &mut Tally) -> StepResult {
    let mut loom = cargo("test -p sessile-memory --release --test loom");
    loom.env("RUSTFLAGS", "--cfg loom");
    // Its own folder: the flag changes every crate, and would make each other step build anew.
    loom.env("CARGO_TARGET_DIR", target().join("loom"));
    counted(&mut loom, tally)
}

fn stores(tally: &mut Tally) -> StepResult {
    let note = install::servers();
    counted(
        cargo("test --test stores --test laws -p").arg(END_TO_END),
        tally,
    )?;
    Ok(Outcome::Passed(note))
}

fn equivalence(tally: &mut Tally) -> StepResult {
    let note = install::servers();
    run(&mut cargo("build --workspace --bins"))?;
    counted(cargo("test --test equivalence -p").arg(END_TO_END), tally)?;
    Ok(Outcome::Passed(note))
}

fn swarm(tally: &mut Tally) -> StepResult {
    let note = install::servers();
    run(&mut cargo("build --workspace --bins"))?;
    // One after the other: each of them is a load of its own, and says what it measured.
    let mut swarm = cargo("test --test swarm -p");
    swarm.args([END_TO_END, "--", "--test-threads=1", "--nocapture"]);
    counted(&mut swarm, tally)?;
    Ok(Outcome::Passed(note))
}

fn balancers(tally: &mut Tally) -> StepResult {
    let note = install::balancers();
    counted(cargo("test --test balancers -p").arg(END_TO_END), tally)?;
    Ok(Outcome::Passed(note))
}

fn interop(tally: &mut Tally) -> StepResult {
    let (libraries, note) = install::token_libraries();
    if libraries.is_empty() {
        let why = "neither jwcrypto and joserfc nor jose could be installed";
        return Ok(Outcome::NotRun(why.to_owned()));
    }
    run(&mut cargo("build --workspace --bins"))?;
    counted(
        cargo("test --test interop -p").args([END_TO_END, "--", "--nocapture"]),
        tally,
    )?;
    let names = libraries.join(", ");
    Ok(Outcome::Passed(format!(", with {names}{note}")))
}

fn e2e(tally: &mut Tally) -> StepResult {
    let note = install::chromium() + &install::servers();
    run(&mut cargo("build --workspace --bins"))?;
    counted(cargo("test --test it -p").arg(END_TO_END), tally)?;
    Ok(Outcome::Passed(note))
}

/// Runs tests; finding none to run is a failure, or a renamed file would pass for ever.
fn counted(command: &mut Command, tally: &mut Tally) -> StepResult {
    run_lines(command, |line| tally.read(line))?;
    if tally.is_empty() {
        return Err("no test ran".to_owned());
    }
    PASSED
}
