//! Measures what a session layer costs over the bare framework: sessile beside its peers, in one run.

mod contestants;
mod counting;
mod modes;
mod resident;
mod runtime;
mod seen;
mod stats;
mod table;
mod targets;
mod verify;
mod workload;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

const USAGE: &str = "\
usage: sessile-bench [MODE] [--check]

  all       time, token, alloc, threads, memory and backed, then the ratios
            (default); with --check, exits 1 when a target is missed
  time      nanoseconds per request over the bare framework
  token     nanoseconds to verify a signed token, over its bare parts
  alloc     allocations per request over the bare framework
  instr     instructions per request over the bare framework (needs valgrind)
  memory    resident bytes per session at a million sessions, and after they expired
  threads   throughput of two threads against one
  backed    a sticky node over Redis against memory alone (needs redis-server)
  map       concurrent maps for a session table
  lost      what parallel requests to one session lose (needs redis-server)";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [] | ["all"] => return modes::all::run(false),
        ["--check"] | ["all", "--check"] => return modes::all::run(true),
        ["time"] => modes::time::measure().print(),
        ["token"] => modes::token::print(&modes::token::measure()),
        ["alloc"] => modes::alloc::measure().print(),
        ["instr"] => modes::instr::run(),
        ["memory"] => modes::memory::print(&modes::memory::measure()),
        ["threads"] => modes::threads::print(&modes::threads::measure()),
        ["backed"] => {
            if let Some(measured) = modes::backed::measure() {
                modes::backed::print(&measured);
            }
        }
        ["map"] => modes::map::run(),
        ["lost"] => modes::lost::run(),
        // Children that the modes above start; a process of its own each, because they measure a process.
        [modes::instr::CHILD, contestant, workload, requests] => {
            modes::instr::child(contestant, workload, requests);
        }
        [modes::memory::CHILD, contestant] => modes::memory::child(contestant),
        [modes::map::CHILD, map] => modes::map::child(map),
        [modes::lost::CHILD, contestant, redis] => modes::lost::child(contestant, redis),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}
