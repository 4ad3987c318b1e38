//! The workspace's own commands: `cargo xtask help` lists them.
//!
//! A check lives here once, and continuous integration, contributors and the release all call it.

mod arrows;
mod balancers;
mod bench;
mod install;
mod links;
mod metadata;
mod shell;
mod steps;
mod tally;
mod test;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask test                 every check, then a table of what ran
cargo xtask test --only STEP     one of them
cargo xtask test --list          their names
cargo xtask bench [ARGS]         the benchmarks; ARGS go to them, e.g. --check or lost
cargo xtask doc                  the API documentation and the links of the book
cargo xtask arrows               who may depend on whom
cargo xtask balancers OPTIONS    the configuration of a balancer, from the list of nodes:
    --proxy haproxy|nginx|nginx-sticky|envoy|traefik|caddy
    --nodes n1=127.0.0.1:8101,n2=127.0.0.1:8102
    [--cookie __Host-sid] [--listen 127.0.0.1:8080] [--ready /ready]
cargo xtask help                 this text
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("\nxtask: {why}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(args: &[String]) -> Result<(), String> {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["test"] => test::all(),
        ["test", "--list"] => {
            test::list();
            Ok(())
        }
        ["test", "--only", step] => test::only(&[step]),
        ["bench", rest @ ..] => bench::all(rest),
        ["balancers", rest @ ..] => balancers::print(rest),
        ["doc"] => test::only(&["doc", "links"]),
        ["arrows"] => test::only(&["arrows"]),
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            Ok(())
        }
        other => Err(format!("no such command: {}\n\n{HELP}", other.join(" "))),
    }
}
