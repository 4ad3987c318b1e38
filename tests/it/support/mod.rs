//! What the tests need to drive a program: the program, a client with a cookie jar, a browser.

mod build;
mod chromium;
mod client;
mod server;

pub(crate) use build::on_path;
pub(crate) use chromium::Chromium;
pub(crate) use client::Client;
pub(crate) use server::{KEY, Server, refusal, run_on};

use std::time::Duration;

#[expect(
    clippy::disallowed_methods,
    reason = "these are other processes, with clocks of their own"
)]
pub(crate) fn pause(millis: u64) {
    std::thread::sleep(Duration::from_millis(millis));
}

/// Asks until it is so, for at most 20 seconds.
pub(crate) fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    for _ in 0..1000 {
        if let Some(answer) = ask() {
            return answer;
        }
        pause(20);
    }
    panic!("{what}: not within 20 seconds");
}

/// Says why a test checks nothing here, past the capture of its output.
pub(crate) fn skipped(test: &str, why: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {why}");
}
